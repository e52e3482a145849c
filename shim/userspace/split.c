// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Splitting a block into two halves. split_page() (mm/page_alloc.c) gives each page of a
 * block a reference count of its own. After that there is no block any more, only
 * contiguous pages, each of which is freed by itself. This happens at the first split;
 * splitting a half again changes only the caller's book-keeping.
 */

#include "machine.h"

static void split_check(const struct tpsim_machine *machine,
			const struct tpsim_page *page,
			const struct ttmpool_chunk *chunk)
{
	size_t index = tpsim_page_index(machine, page);

	if (!page->order)
		tpsim_complain("bad split", "page %zu is a single one", index);
	if (page->use != PAGE_PLAIN)
		tpsim_complain("bad split", "page %zu is coherent", index);
	if (page->mapping)
		tpsim_complain("bad split", "page %zu is mapped", index);
	if (page->parked)
		tpsim_complain("bad split", "page %zu is parked", index);
	if (page->split != !!(chunk->flags & TTMPOOL_CHUNK_SPLIT))
		tpsim_complain("bad split",
			       "page %zu was %ssplit, and the chunk does not "
			       "say so",
			       index, page->split ? "" : "not ");
}

void tpos_pages_split(tpos_device_t *dev, struct ttmpool_chunk *chunk,
		      struct ttmpool_chunk *upper)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *page;
	size_t half;

	tpsim_machine_enter(machine, __func__);
	tpsim_device_check(dev, __func__);
	page = tpsim_chunk_block(machine, chunk, __func__);
	split_check(machine, page, chunk);
	if (!page->split)
		tpsim_cost_spend(machine, COST_PAGE_PREPARE,
				 ttmpool_chunk_pages(chunk));
	chunk->order--;
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
	half = ttmpool_chunk_pages(chunk);
	upper->page = page + half;
	if (upper->order != chunk->order)
		tpsim_complain("bad split", "the upper half is of order %d",
			       upper->order);
	upper->flags |= TTMPOOL_CHUNK_SPLIT;
	for (size_t i = 0; i < 2 * half; i++)
		page[i].order = chunk->order;
	page->split = true;
	page[half].split = true;
	annotate_split(machine->arena, tpsim_page_bytes(machine, page),
		       block_bytes(machine, chunk->order));
	machine->counters.splits++;
	if (machine->watch)
		machine->watch->halved(machine->watch->arg, page, page + half);
	tpsim_machine_unlock(machine);
}
