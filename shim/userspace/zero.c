// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clearing: fresh pages, and those that somebody had. */

#include "machine.h"

/*
 * Clear what may hold anything else than zeroes. Whose address is known to
 * others stays suspect (PAGE_EXPOSED) until the block is given back. Where there are two
 * views of a page, all are suspect.
 */
void tpsim_block_zero(struct tpsim_machine *machine, struct tpsim_page *page,
		      unsigned int order)
{
	char *bytes = tpsim_page_bytes(machine, page);

	for (size_t i = 0; i < (size_t)1 << order; i++) {
		uint8_t written = PAGE_WRITTEN;

		if (!machine->memory &&
		    __atomic_load_n(&page[i].touched, __ATOMIC_SEQ_CST) ==
			    PAGE_ZERO)
			continue;
		__atomic_compare_exchange_n(&page[i].touched, &written,
					    PAGE_ZERO, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		annotate_zero(bytes + i * machine->page_bytes,
			      machine->page_bytes);
	}
}

/* By the mapping that there is: of the coherent allocator's pages its own, which may go
 * past the cache, and of all others the linear map. */
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
