// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU's accesses to pages.
 *
 * They go through a mapping of a caching that the caller names, as a driver's
 * vmap(pages, pgprot) does. Where that is not what the linear map has, the page
 * has two memory types at once, and what is read is undefined (Intel SDM vol.
 * 3, 12.12.4; x86 refuses such a mapping in track_pfn_remap()): it is refused
 * here, and counted.
 *
 * On an architecture whose linear map cannot be changed every write-combined
 * mapping is such an alias, and is lived with.
 */

#include "machine.h"

/* Where the bytes are that a mapping of this caching shows; guarded. Of coherent pages
 * there is the one that the allocator made. Who writes by a write-back mapping makes
 * the cache's copy dirty. */
static char *view(struct tpsim_machine *machine, struct tpsim_page *page,
		  enum ttmpool_caching caching, bool writes)
{
	if (caching != TTMPOOL_CACHED ||
	    block_is_past_cache(tpsim_block_head(machine, page)))
		return tpsim_memory_bytes(machine, page);
	if (writes)
		tpsim_cache_written(machine, page, 1);
	return tpsim_page_bytes(machine, page);
}

/* May the CPU access these bytes in this way? */
static int access_check(struct tpsim_machine *machine, struct tpsim_page *page,
			size_t end, enum ttmpool_caching caching)
{
	int err = 0;

	tpsim_page_index(machine, page);
	if (end > machine->page_bytes)
		tpsim_complain("access beyond a page", "to byte %zu", end);
	tpsim_machine_lock(machine);
	if (page_caching(page) != caching && !machine->config.no_caching) {
		machine->counters.aliases++;
		err = -EINVAL;
	}
	tpsim_machine_unlock(machine);
	return err;
}

int tpsim_cpu_read(struct tpsim_machine *machine, tpos_page_t *page,
		   size_t offset, void *buf, size_t len,
		   enum ttmpool_caching caching)
{
	int err = access_check(machine, page, offset + len, caching);
	const char *bytes;

	if (err)
		return err;
	tpsim_machine_lock(machine);
	bytes = view(machine, page, caching, false);
	tpsim_machine_unlock(machine);
	memcpy(buf, bytes + offset, len);
	return 0;
}

int tpsim_cpu_write(struct tpsim_machine *machine, tpos_page_t *page,
		    size_t offset, const void *buf, size_t len,
		    enum ttmpool_caching caching)
{
	int err = access_check(machine, page, offset + len, caching);
	char *bytes;

	if (err)
		return err;
	page_touch(page, PAGE_WRITTEN);
	tpsim_machine_lock(machine);
	bytes = view(machine, page, caching, true);
	tpsim_machine_unlock(machine);
	memcpy(bytes + offset, buf, len);
	return 0;
}

/* The pages of a block are one after another for a pointer, too. */
void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page)
{
	struct tpsim_page *head;
	size_t pages;

	tpsim_machine_lock(machine);
	head = tpsim_block_head(machine, page);
	pages = page_is_out(head) ? (size_t)1 << head->order : 1;
	for (size_t i = 0; i < pages; i++)
		page_touch(head + i, PAGE_EXPOSED);
	tpsim_cache_written(machine, head, pages);
	tpsim_machine_unlock(machine);
	return tpsim_page_bytes(machine, page);
}
