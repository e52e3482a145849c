// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU's accesses to pages.
 *
 * An access goes through a mapping whose caching the caller names, as a driver's
 * vmap(pages, pgprot) does. If the linear map has another caching, the page has two
 * memory types at once, and the result of a read is undefined (Intel SDM vol. 3,
 * 12.12.4; x86 refuses such a mapping in track_pfn_remap()). So the access is refused
 * here, and counted.
 *
 * On an architecture whose linear map cannot be changed, every write-combined mapping
 * is such an alias, and is allowed.
 */

#include "machine.h"

/*
 * Returns the bytes that a mapping of this caching shows; guarded. For coherent
 * pages, this is the mapping that the allocator made. A write through a write-back
 * mapping makes the cache's copy dirty.
 */
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

/*
 * Returns the bytes, or NULL if the CPU may not access them in this way. Guarded.
 */
static char *access(struct tpsim_machine *machine, struct tpsim_page *page,
		    enum ttmpool_caching caching, bool writes)
{
	tpsim_page_index(machine, page);
	if (page_caching(page) != caching && !machine->config.no_caching) {
		machine->counters.aliases++;
		return NULL;
	}
	return view(machine, page, caching, writes);
}

static void end_check(const struct tpsim_machine *machine, size_t offset,
		      size_t len)
{
	if (offset > machine->page_bytes || len > machine->page_bytes - offset)
		tpsim_complain("access beyond a page", "to byte %zu",
			       offset + len);
}

/*
 * Accesses to one page. The bytes are copied without the guard, so that race detectors see
 * a thread that writes at the same time.
 */
int tpsim_cpu_read(struct tpsim_machine *machine, tpos_page_t *page,
		   size_t offset, void *buf, size_t len,
		   enum ttmpool_caching caching)
{
	const char *bytes;

	end_check(machine, offset, len);
	tpsim_machine_lock(machine);
	bytes = access(machine, page, caching, false);
	tpsim_machine_unlock(machine);
	if (!bytes)
		return -EINVAL;
	memcpy(buf, bytes + offset, len);
	return 0;
}

int tpsim_cpu_write(struct tpsim_machine *machine, tpos_page_t *page,
		    size_t offset, const void *buf, size_t len,
		    enum ttmpool_caching caching)
{
	char *bytes;

	end_check(machine, offset, len);
	tpsim_machine_lock(machine);
	bytes = access(machine, page, caching, true);
	tpsim_machine_unlock(machine);
	if (!bytes)
		return -EINVAL;
	memcpy(bytes + offset, buf, len);
	tpsim_page_written(machine, page, offset, len);
	return 0;
}

#define AT_ONCE ((size_t)64)

/*
 * Finds the bytes of up to AT_ONCE pages, from page @done on. Returns how many
 * pages may be accessed before the first one that may not. The same bytes of all
 * pages lie in few sets of the host's cache, and mostly are not there any more, so
 * they are prefetched.
 */
static size_t access_some(struct tpsim_machine *machine,
			  const struct tpsim_access *all, size_t done,
			  char *bytes[AT_ONCE], bool writes)
{
	size_t left = all->num_pages - done, n = 0;

	tpsim_machine_lock(machine);
	while (n < left && n < AT_ONCE) {
		bytes[n] = access(machine, all->pages[done + n], all->caching,
				  writes);
		if (!bytes[n])
			break;
		bytes[n] += all->offset;
		__builtin_prefetch(bytes[n++], 1);
	}
	tpsim_machine_unlock(machine);
	return n;
}

size_t tpsim_cpu_read_each(struct tpsim_machine *machine,
			   const struct tpsim_access *all, void *buf)
{
	char *bytes[AT_ONCE], *to = buf;
	size_t done = 0, some;

	end_check(machine, all->offset, all->len);
	do {
		some = access_some(machine, all, done, bytes, false);
		for (size_t i = 0; i < some; i++, to += all->len)
			memcpy(to, bytes[i], all->len);
		done += some;
	} while (some == AT_ONCE);
	return done;
}

size_t tpsim_cpu_write_each(struct tpsim_machine *machine,
			    const struct tpsim_access *all, const void *buf)
{
	char *bytes[AT_ONCE];
	const char *from = buf;
	size_t done = 0, some;

	end_check(machine, all->offset, all->len);
	do {
		some = access_some(machine, all, done, bytes, true);
		for (size_t i = 0; i < some; i++, from += all->len)
			memcpy(bytes[i], from, all->len);
		for (size_t i = 0; i < some; i++)
			tpsim_page_written(machine, all->pages[done + i],
					   all->offset, all->len);
		done += some;
	} while (some == AT_ONCE);
	return done;
}

/* The pages of a block are contiguous for a pointer, too. */
void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page)
{
	struct tpsim_page *head;
	size_t pages;

	tpsim_machine_lock(machine);
	head = tpsim_block_head(machine, page);
	pages = page_is_out(head) ? (size_t)1 << head->order : 1;
	for (size_t i = 0; i < pages; i++)
		tpsim_page_expose(head + i);
	tpsim_cache_written(machine, head, pages);
	tpsim_machine_unlock(machine);
	return tpsim_page_bytes(machine, page);
}
