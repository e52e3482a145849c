// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching attributes, as x86 changes them (arch/x86/mm/pat/set_memory.c).
 *
 * A batch is one call of set_pages_array_*(). Away from write-back it flushes
 * the TLBs of all CPUs and writes back every cache line of the pages; for
 * write-combined, _set_pages_array() does so twice: it goes by way of UC-. Back
 * to write-back it flushes the TLBs once, and no cache.
 *
 * When it fails, x86 leaves the pages changed that it had come to; the contract
 * asks a port to set all of them back, and so that is done, and counted, here.
 * It can fail, too (TPSIM_CALL_CACHING_RESET): then those pages are of a
 * caching that nobody knows.
 */

#include "machine.h"

static void chunk_set_attribute(struct tpsim_machine *machine,
				struct ttmpool_chunk *chunk,
				enum ttmpool_caching caching)
{
	size_t n = ttmpool_chunk_pages(chunk);
	bool was = chunk->page->caching != TTMPOOL_CACHED;
	bool will = caching != TTMPOOL_CACHED;

	for (size_t i = 0; i < n; i++)
		chunk->page[i].caching = (uint8_t)caching;
	if (will && !was)
		machine->ledger.pages_not_write_back += n;
	if (was && !will)
		machine->ledger.pages_not_write_back -= n;
	machine->counters.caching_pages += n;
	cost_add(machine, COST_CACHING_PAGE, n);
	chunk->caching = (uint8_t)caching;
}

static void flush(struct tpsim_machine *machine, enum ttmpool_caching caching,
		  size_t pages)
{
	unsigned int passes = caching == TTMPOOL_WRITE_COMBINED ? 2 : 1;

	machine->counters.caching_batches++;
	machine->counters.tlb_flushes += passes;
	cost_add(machine, COST_TLB_FLUSH, passes);
	if (caching == TTMPOOL_CACHED)
		return;
	machine->counters.cache_flush_pages += passes * pages;
	cost_add(machine, COST_CACHE_FLUSH_PAGE, passes * pages);
}

/* Set the first @most chunks; returns how many there were. */
static size_t set_some(struct tpsim_machine *machine,
		       struct ttmpool_list *chunks,
		       enum ttmpool_caching caching, size_t most)
{
	struct ttmpool_list *link;
	size_t n = 0, pages = 0;

	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (n == most)
			break;
		chunk_set_attribute(machine, chunk, caching);
		pages += ttmpool_chunk_pages(chunk);
		n++;
	}
	flush(machine, caching, pages);
	return n;
}

/* Take back what a failed change has done; what cannot be is not known. */
static void roll_back(struct tpsim_machine *machine,
		      struct ttmpool_list *chunks, size_t done)
{
	struct ttmpool_list *link;
	size_t after = 0, i = 0;

	if (!fault_strikes(machine, TPSIM_CALL_CACHING_RESET, &after)) {
		set_some(machine, chunks, TTMPOOL_CACHED, done);
		return;
	}
	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (i < done && i < after)
			chunk_set_attribute(machine, chunk, TTMPOOL_CACHED);
		else if (i < done)
			chunk->caching = TTMPOOL_CACHING_UNKNOWN;
		i++;
	}
}

/* A change to write-back that fails leaves what it did not come to unknown. */
static int reset(struct tpsim_machine *machine, struct ttmpool_list *chunks)
{
	struct ttmpool_list *link;
	size_t after, i = 0;
	int err = fault_strikes(machine, TPSIM_CALL_CACHING_RESET, &after);

	if (!err) {
		set_some(machine, chunks, TTMPOOL_CACHED, SIZE_MAX);
		return 0;
	}
	set_some(machine, chunks, TTMPOOL_CACHED, after);
	ttmpool_list_for_each(link, chunks)
		if (i++ >= after)
			ttmpool_chunk_of(link)->caching =
				TTMPOOL_CACHING_UNKNOWN;
	return err;
}

/* Without a linear map that can be changed, it is noted and no more. */
static void note(struct ttmpool_list *chunks, enum ttmpool_caching caching)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, chunks)
		ttmpool_chunk_of(link)->caching = (uint8_t)caching;
}

int tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct tpsim_machine *machine = dev->machine;
	size_t after;
	int err = 0;

	lock_assert_none_spins("tpos_caching_set");
	if (ttmpool_list_empty(chunks))
		machine_panic("tpos_caching_set: an empty batch");
	machine_lock(machine);
	if (machine->config.no_caching) {
		note(chunks, caching);
	} else if (caching == TTMPOOL_CACHED) {
		err = reset(machine, chunks);
	} else {
		err = fault_strikes(machine, TPSIM_CALL_CACHING_SET, &after);
		if (err)
			roll_back(machine, chunks,
				  set_some(machine, chunks, caching, after));
		else
			set_some(machine, chunks, caching, SIZE_MAX);
	}
	machine_unlock(machine);
	return err;
}
