// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Clearing fresh pages, and pages that had an owner.
 *
 * A fresh anonymous mapping is zero. So the machine notes for each page which of its 64
 * parts (a line of 64 bytes, if a page has 4 KiB) may have been written since they were
 * zero, and clears only these. A test or a replay often writes a few bytes of a page, and
 * a part that is zero needs no clearing. Nobody can see the difference: the counters and
 * the cost in simulated time are those of the whole page.
 *
 * A caller that has a pointer to the bytes of a page can write to them unseen until the page
 * is given back. Such a page is exposed, and all of it is cleared.
 */

#include "machine.h"

#define PARTS 64u

/*
 * A writer marks the parts after it has written them. So a part that is not marked
 * is zero, or is being written at this moment.
 */
void tpsim_page_written(struct tpsim_machine *machine, struct tpsim_page *page,
			size_t offset, size_t len)
{
	size_t part = machine->page_bytes / PARTS;
	uint64_t mask;

	if (!len)
		return;
	mask = UINT64_MAX << offset / part;
	mask &= UINT64_MAX >> (PARTS - 1 - (offset + len - 1) / part);
	__atomic_fetch_or(&machine->written[page - machine->pages], mask,
			  __ATOMIC_SEQ_CST);
}

void tpsim_pages_written(struct tpsim_machine *machine, struct tpsim_page *page,
			 size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		tpsim_page_written(machine, page + i, 0, machine->page_bytes);
}

void tpsim_page_expose(struct tpsim_page *page)
{
	__atomic_store_n(&page->exposed, true, __ATOMIC_SEQ_CST);
}

/* Called after a page was given back: nobody may use the pointer any more. */
void tpsim_page_conceal(struct tpsim_machine *machine, struct tpsim_page *page)
{
	if (!page->exposed)
		return;
	page->exposed = false;
	tpsim_pages_written(machine, page, 1);
}

/*
 * In builds whose assertions walk whole objects, this checks the parts that are not
 * cleared.
 */
static void check_zero(const char *bytes, size_t len)
{
	if (TPOS_CHECK_LEVEL > 1 && !annotate_is_zero(bytes, len))
		tpsim_complain("a part that nobody wrote to is not zero", "%p",
			       (const void *)bytes);
}

/* Clears the runs of parts that are in @mask. */
static void parts_zero(char *bytes, size_t part, uint64_t mask)
{
	unsigned int first = 0;

	while (first < PARTS) {
		bool is_written = mask >> first & 1;
		uint64_t others = (is_written ? ~mask : mask) >> first;
		unsigned int run =
			others ? (unsigned int)__builtin_ctzll(others)
			       : PARTS - first;

		if (is_written)
			annotate_zero(bytes + first * part, run * part);
		else
			check_zero(bytes + first * part, run * part);
		first += run;
	}
}

/*
 * Returns which parts of a page must be cleared, and marks all parts as not
 * written. If there are two views of a page, all parts must be cleared.
 */
static uint64_t parts_take(struct tpsim_machine *machine,
			   const struct tpsim_page *page)
{
	uint64_t *written = &machine->written[page - machine->pages];
	uint64_t mask = 0;

	if (__atomic_load_n(written, __ATOMIC_SEQ_CST))
		mask = __atomic_exchange_n(written, 0, __ATOMIC_SEQ_CST);
	if (machine->memory ||
	    __atomic_load_n(&page->exposed, __ATOMIC_SEQ_CST))
		mask = UINT64_MAX;
	return mask;
}

#define AT_ONCE ((size_t)64)

/*
 * Several pages at once, because an atomic exchange waits until all earlier writes
 * have reached the host's memory.
 */
void tpsim_block_zero(struct tpsim_machine *machine, struct tpsim_page *page,
		      unsigned int order)
{
	size_t part = machine->page_bytes / PARTS;
	size_t pages = (size_t)1 << order;
	size_t some = pages < AT_ONCE ? pages : AT_ONCE;
	char *bytes = tpsim_page_bytes(machine, page);
	uint64_t mask[AT_ONCE];

	for (size_t done = 0; done < pages; done += some) {
		for (size_t i = 0; i < some; i++)
			mask[i] = parts_take(machine, page + done + i);
		for (size_t i = 0; i < some; i++, bytes += machine->page_bytes)
			if (mask[i] || TPOS_CHECK_LEVEL > 1)
				parts_zero(bytes, part, mask[i]);
	}
}

/*
 * Clears through the existing mapping. For the coherent allocator's pages this is
 * their own mapping, which may bypass the cache; for all others it is the linear
 * map.
 */
static void block_clear(struct tpsim_machine *machine,
			const struct ttmpool_chunk *chunk, bool has_views)
{
	struct tpos_span all = { .chunk = chunk,
				 .pages = ttmpool_chunk_pages(chunk) };
	struct tpsim_page *page = chunk->page;

	if (has_views && block_is_past_cache(page)) {
		annotate_zero(tpsim_memory_bytes(machine, page),
			      block_bytes(machine, page->order));
		return;
	}
	tpsim_block_zero(machine, page, page->order);
	if (!has_views)
		return;
	tpsim_machine_lock(machine);
	tpsim_span_pass_on(&all);
	tpsim_machine_unlock(machine);
}

void tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;

	tpsim_thread_may_sleep(__func__);
	tpsim_device_check(dev, __func__);
	tpsim_batch_check(chunks, __func__);
	for_each_chunk(chunk, chunks)
	{
		struct tpsim_page *page;
		bool has_views;

		tpsim_machine_lock(machine);
		page = tpsim_chunk_block(machine, chunk, __func__);
		has_views = machine->memory ||
			    (page->mapping && page->mapping->slots);
		machine->counters.bytes_cleared +=
			block_bytes(machine, page->order);
		tpsim_cost_spend(machine, COST_PAGE_CLEAR,
				 ttmpool_chunk_pages(chunk));
		tpsim_machine_unlock(machine);
		block_clear(machine, chunk, has_views);
	}
	tpsim_clear_finish();
}
