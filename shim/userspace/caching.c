// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching attributes: the PTEs of the linear map.
 *
 * What arch/x86/mm/pat/set_memory.c does, and what a port must make of it:
 *
 *   set_pages_array_wc()  two passes over all pages (_set_pages_array()): to
 *                         UC-, then to WC; each one ends in cpa_flush(), which
 *                         stops all CPUs for their TLBs and writes every line
 *                         of every page back
 *   set_pages_array_uc()  one pass
 *   set_pages_array_wb()  one pass, and only the TLBs
 *   from WC to UC         refused (reserve_ram_pages_type() wants write-back),
 *                         so a port goes by way of write-back
 *   a failure half way    leaves what was changed changed, after a flush of
 *                         everything (cpa_flush_all()): so a port undoes all of
 *                         the batch; if that fails, too, it does not know what
 *                         any page of it is
 *
 * So a batch of 2,048 pages to write-combined is two TLB flushes, and one by
 * one it is 4,096: why there is a pool.
 */

#include "machine.h"

/*
 * One pass of __change_page_attr_set_clr(): the pages of the first @limit
 * chunks that are neither @keep nor @spare become @to.
 */
struct pass {
	struct tpsim_machine *machine;
	struct ttmpool_list *chunks;
	size_t limit;
	enum ttmpool_caching keep;
	enum ttmpool_caching spare;
	enum ttmpool_caching to;
};

/* The flush of its cache lines comes a little later in the kernel, at the end of the
 * pass; nobody looks between. */
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

/* How many pages the pass is about; with @change, they are changed. */
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

/* cpa_flush(), which does nothing where nothing was changed. */
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

/* Of a chunk that nobody knows the caching of, a port cannot tell that it need
 * not be changed. */
static bool any_is_unknown(const struct ttmpool_list *chunks)
{
	for_each_chunk(chunk, chunks) if (chunk->caching ==
					  TTMPOOL_CACHING_UNKNOWN) return true;
	return false;
}

/* Write-back for all pages but those of caching @keep: set_pages_array_wb(). */
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

/* Away from write-back: set_pages_array_uc() and set_pages_array_wc(). */
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

/* Of a page that has two copies there shall be one, before it is mapped in another
 * way than the linear map, and after that (shim/linux/caching_none.c). */
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
