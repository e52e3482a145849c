// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching attributes: the PTEs of the linear map.
 *
 * What arch/x86/mm/pat/set_memory.c does, and what a port must do about it:
 *
 *   set_pages_array_wc()  makes two passes over all pages (_set_pages_array()):
 *                         to UC-, then to WC. Each pass ends in cpa_flush(), which
 *                         interrupts all CPUs to flush their TLBs, and writes back
 *                         every line of every page
 *   set_pages_array_uc()  makes one pass
 *   set_pages_array_wb()  makes one pass, and only flushes the TLBs
 *   from WC to UC         is refused (reserve_ram_pages_type() wants write-back),
 *                         so a port changes to write-back in between
 *   a failure half way    leaves the changed pages changed, after a flush of
 *                         everything (cpa_flush_all()). So a port undoes the
 *                         whole batch; if that fails, too, it does not know the
 *                         caching of any page of the batch
 *
 * So changing 2,048 pages to write-combined costs two TLB flushes as a batch, and 4,096
 * one by one. This is why there is a pool.
 */

#include "machine.h"

/*
 * One pass of __change_page_attr_set_clr(): of the first @limit chunks, it changes the pages
 * that are neither @keep nor @spare to @to.
 */
struct pass {
	struct tpsim_machine *machine;
	struct ttmpool_list *chunks;
	size_t limit;
	enum ttmpool_caching keep;
	enum ttmpool_caching spare;
	enum ttmpool_caching to;
};

/*
 * The kernel flushes the cache lines a little later, at the end of the pass. Nobody
 * looks in between.
 */
static void page_set(struct tpsim_machine *machine, struct tpsim_page *page,
		     enum ttmpool_caching caching)
{
	if (caching != TTMPOOL_CACHED)
		tpsim_cache_flush(machine, page, 1);
	if (page->pte && caching == TTMPOOL_CACHED)
		machine->out.pages_not_write_back--;
	if (!page->pte && caching != TTMPOOL_CACHED)
		machine->out.pages_not_write_back++;
	page->pte = (uint8_t)(caching ^ TTMPOOL_CACHED);
	tpsim_cache_begin(machine, page);
}

/* Returns how many pages the pass is about. With @change, it also changes them. */
static size_t pass_run(const struct pass *pass, bool change)
{
	size_t pages = 0, chunks = 0;

	for_each_chunk(chunk, pass->chunks)
	{
		if (chunks++ == pass->limit)
			break;
		for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++) {
			struct tpsim_page *page = chunk->page + i;

			if (page_caching(page) == pass->keep ||
			    page_caching(page) == pass->spare)
				continue;
			if (change)
				page_set(pass->machine, page, pass->to);
			pages++;
		}
	}
	tpsim_cost_spend(pass->machine, COST_PTE, change ? pages : 0);
	return pages;
}

/* cpa_flush(), which does nothing if no page was changed. */
static void flush_tlbs(struct tpsim_machine *machine, size_t pages)
{
	if (!pages)
		return;
	machine->counters.tlb_flushes++;
	tpsim_cost_spend(machine, COST_TLB_FLUSH, 1);
}

static void flush_caches(struct tpsim_machine *machine, size_t pages,
			 enum cost each)
{
	machine->counters.cache_flush_pages += pages;
	tpsim_cost_spend(machine, each, pages);
}

/*
 * If the caching of a chunk is unknown, a port cannot tell whether it must be
 * changed.
 */
static bool any_is_unknown(const struct ttmpool_list *chunks)
{
	for_each_chunk(chunk, chunks) if (chunk->caching ==
					  TTMPOOL_CACHING_UNKNOWN) return true;
	return false;
}

/*
 * Makes all pages write-back, except those of caching @keep: set_pages_array_wb().
 */
static int reset(struct tpsim_machine *machine, struct ttmpool_list *chunks,
		 enum ttmpool_caching keep, size_t *changed)
{
	struct pass pass = { .machine = machine,
			     .chunks = chunks,
			     .limit = SIZE_MAX,
			     .keep = keep,
			     .spare = TTMPOOL_CACHED,
			     .to = TTMPOOL_CACHED };
	struct strike strike;
	size_t pages;

	if (!pass_run(&pass, false) && !any_is_unknown(chunks))
		return 0;
	strike = tpsim_fault_strike(machine, TPSIM_CALL_CACHING_RESET, -ENOMEM);
	if (strike.error)
		pass.limit = strike.after;
	pages = pass_run(&pass, true);
	*changed += pages;
	flush_tlbs(machine, pages);
	return strike.error;
}

/*
 * Changes pages away from write-back: set_pages_array_uc() and
 * set_pages_array_wc().
 */
static int set(struct tpsim_machine *machine, struct ttmpool_list *chunks,
	       enum ttmpool_caching caching, size_t *changed)
{
	struct pass pass = { .machine = machine,
			     .chunks = chunks,
			     .limit = SIZE_MAX,
			     .keep = caching,
			     .spare = caching,
			     .to = TTMPOOL_UNCACHED };
	struct strike strike;
	size_t pages;

	if (!pass_run(&pass, false))
		return 0;
	strike = tpsim_fault_strike(machine, TPSIM_CALL_CACHING_SET, -ENOMEM);
	if (strike.error)
		pass.limit = strike.after;
	pages = pass_run(&pass, true);
	*changed += pages;
	flush_tlbs(machine, pages);
	flush_caches(machine, pages, COST_CLFLUSH_DIRTY);
	if (strike.error || caching == TTMPOOL_UNCACHED)
		return strike.error;
	pass.to = caching;
	pages = pass_run(&pass, true);
	flush_tlbs(machine, pages);
	flush_caches(machine, pages, COST_CLFLUSH_CLEAN);
	return 0;
}

static void note(struct ttmpool_list *chunks, enum ttmpool_caching caching)
{
	for_each_chunk(chunk, chunks) chunk->caching = (uint8_t)caching;
}

/*
 * Makes the two copies of each page equal, both before the page is mapped with
 * another caching than the linear map has, and after that
 * (shim/linux/caching_none.c).
 */
static void flush_all(struct tpsim_machine *machine,
		      struct ttmpool_list *chunks)
{
	for_each_chunk(chunk, chunks) if (!block_is_past_cache(chunk->page))
		tpsim_cache_flush(machine, chunk->page,
				  ttmpool_chunk_pages(chunk));
}

static int set_guarded(struct tpsim_machine *machine,
		       struct ttmpool_list *chunks,
		       enum ttmpool_caching caching)
{
	size_t changed = 0;
	int err;

	if (machine->config.no_caching) {
		flush_all(machine, chunks);
		note(chunks, caching);
		return 0;
	}
	err = reset(machine, chunks, caching, &changed);
	if (!err)
		err = set(machine, chunks, caching, &changed);
	if (!err)
		note(chunks, caching);
	else if (caching != TTMPOOL_CACHED &&
		 !reset(machine, chunks, TTMPOOL_CACHED, &changed))
		note(chunks, TTMPOOL_CACHED);
	else
		note(chunks, TTMPOOL_CACHING_UNKNOWN);
	machine->counters.caching_batches += changed > 0;
	machine->counters.caching_pages += changed;
	return err;
}

int tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct tpsim_machine *machine = dev->machine;
	int err;

	tpsim_machine_enter(machine, __func__);
	tpsim_device_check_held(dev, __func__);
	tpsim_batch_check(chunks, __func__);
	if ((unsigned int)caching >= TTMPOOL_CACHING_COUNT)
		tpsim_complain("bad caching", "%d", (int)caching);
	for_each_chunk(chunk, chunks)
		tpsim_chunk_block(machine, chunk, __func__);
	err = set_guarded(machine, chunks, caching);
	tpsim_machine_unlock(machine);
	return err;
}

enum ttmpool_caching tpsim_page_caching(struct tpsim_machine *machine,
					const tpos_page_t *page)
{
	enum ttmpool_caching caching;

	tpsim_page_index(machine, page);
	tpsim_machine_lock(machine);
	caching = page_caching(page);
	tpsim_machine_unlock(machine);
	return caching;
}
