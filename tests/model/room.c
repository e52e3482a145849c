// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a request for pages may count on, seen from outside of it:
 *
 *     served     what fits the budgets, when all has gone that is only kept, is not
 *                refused, as long as the machine has memory
 *     hopeless   what can never fit is refused, and nobody loses a page or a mapping
 *     in time    who waits gives up when his time is over, neither before nor after
 */

#include "world.h"

/* So many pages of the machine are enough, whatever they are in pieces of. */
#define PLENTY 128

/* What a step may last beyond its wait, in simulated milliseconds: what it does itself,
 * and what a lazy IOMMU lets it wait for. */
#define WORK_MS 150

static unsigned long reserved(const struct world *w)
{
	unsigned long pages = 0;

	for (int i = 0; i < NR_POOLS; i++)
		if (w->reserve[i])
			pages += w->reserve[i] + (1ul << MAX_ORDER) - 1;
	return pages;
}

/* May a page that the hardware has poisoned be pooled? Its chunk is quarantined when it
 * goes, and makes no room. */
static bool is_poison_pooled(const struct world *w)
{
	for (int i = 0; i < w->poisoned; i++)
		if (!w->poison[i].of)
			return true;
	return false;
}

static bool fits_pages(struct world *w, size_t n)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;
	unsigned long kept = reserved(w);
	unsigned long gone;

	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_ledger(w->machine, &ledger);
	gone = stats.pages_pooled > kept ? stats.pages_pooled - kept : 0;
	return stats.pages - gone + n <= w->page_budget &&
	       ledger.free_pages >= PLENTY && !is_poison_pooled(w) &&
	       !tpsim_ram_hold(w->machine, TTMPOOL_NODE_ANY, SIZE_MAX);
}

/* Of what is mapped, some is only kept; but that is not to be had from outside. */
static bool fits_mapped(struct world *w, const struct ttmpool_pool *pool,
			size_t n)
{
	struct ttmpool_pool_stats stats;
	unsigned long mapped = ttmpool_iova_pages(&w->iova);

	ttmpool_pool_stats((struct ttmpool_pool *)pool, &stats);
	return !w->config.swiotlb_force && mapped + n <= MAPPED_LIMIT &&
	       (pool == &w->pool[0] ||
		(stats.bytes_mapped >> w->page_shift) + n <= POOL_LIMIT_B);
}

void room_before(struct world *w, const struct ttmpool_request *req,
		 bool mapped, const struct ttmpool_pool *pool)
{
	struct ttmpool_manager_stats stats;
	struct ttmpool_pool_stats pool_stats;

	ttmpool_manager_stats(&w->mgr, &stats);
	ttmpool_pool_stats((struct ttmpool_pool *)pool, &pool_stats);
	w->room.hopeless = req->num_pages > w->page_budget;
	w->room.fits = fits_pages(w, req->num_pages) &&
		       (!mapped || fits_mapped(w, pool, req->num_pages));
	w->room.pooled = stats.pages_pooled;
	w->room.swapped = stats.pages_swapped;
	w->room.unmaps = pool_stats.unmaps;
	w->room.start_ms = tpos_now_ms(w->machine);
}

static bool nothing_went(struct world *w, const struct ttmpool_pool *pool)
{
	struct ttmpool_manager_stats stats;
	struct ttmpool_pool_stats pool_stats;

	ttmpool_manager_stats(&w->mgr, &stats);
	ttmpool_pool_stats((struct ttmpool_pool *)pool, &pool_stats);
	return stats.pages_pooled == w->room.pooled &&
	       stats.pages_swapped == w->room.swapped &&
	       pool_stats.unmaps == w->room.unmaps;
}

void room_after(struct world *w, const struct ttmpool_request *req, int err,
		const struct ttmpool_pool *pool)
{
	room_time(w, req->wait_ms, err, w->room.start_ms);
	if (err && w->room.fits && !w->disturbed)
		w->wrong = "refused, though there was room";
	if (w->room.hopeless && (err != -ENOMEM || !nothing_went(w, pool)))
		w->wrong = "what never fits was not refused at once";
}

void room_time(struct world *w, unsigned int wait_ms, int err,
	       uint64_t start_ms)
{
	uint64_t passed = tpos_now_ms(w->machine) - start_ms;

	if (err == -ETIMEDOUT && passed < wait_ms)
		w->wrong = "gave up before its time was over";
	if (passed > wait_ms + WORK_MS)
		w->wrong = "went on after its time was over";
}
