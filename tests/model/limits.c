// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The steps that give up pooled pages, and how many, and which, may go:
 *
 *     count      the number of spare pages is that over the reserves, and is counted
 *                without a lock
 *     enough     a scan frees as much as it is asked for, if there is so much; a lowered
 *                limit or budget holds
 *     no more    a scan or a limit frees no more than that, except the rest of the last
 *                chunk, and the slack of a limit
 *     reserves   stay, whatever asks for pages
 *     order      the oldest pages leave first (order.c)
 *
 * From a pool with a reserve, as much can go as whole chunks make up.
 */

#include "world.h"

#define LAST_CHUNK ((1ul << MAX_ORDER) - 1)

/* What there was before pages had to go. */
struct stock {
	unsigned long pooled[NR_POOLS];
	unsigned long fit[NR_POOLS]; /* pages that can go, and are sound */
	unsigned long spare;
	struct ttmpool_manager_stats stats;
};

/* Returns how many of @pages pages whole chunks can make up: their sizes are powers of
 * two, so taking the largest first leaves the least. */
static unsigned long whole_chunks(struct ttmpool_pool *pool,
				  unsigned long pages)
{
	unsigned long left = pages;

	for (unsigned int order = MAX_ORDER + 1; order-- > 0;) {
		unsigned long n = 0, most = left >> order;

		for (int s = 0; s < TTMPOOL_SOURCE_COUNT; s++)
			for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++)
				n += ttmpool_pool_count(
					pool, (enum ttmpool_source)s,
					(enum ttmpool_caching)c, order);
		left -= (n < most ? n : most) << order;
	}
	return pages - left;
}

unsigned long can_go(struct world *w, int pool)
{
	struct ttmpool_pool_stats stats;
	unsigned long pooled, spare;

	ttmpool_pool_stats(&w->pool[pool], &stats);
	pooled = (unsigned long)stats.pages_pooled;
	spare = pooled > w->reserve[pool] ? pooled - w->reserve[pool] : 0;
	return w->reserve[pool] ? whole_chunks(&w->pool[pool], spare) : spare;
}

static unsigned long can_all_go(struct world *w)
{
	unsigned long pages = 0;

	for (int i = 0; i < NR_POOLS; i++)
		pages += can_go(w, i);
	return pages;
}

static void take_stock(struct world *w, struct stock *stock)
{
	struct ttmpool_pool_stats stats;

	ttmpool_manager_stats(&w->mgr, &stock->stats);
	stock->spare = 0;
	for (int i = 0; i < NR_POOLS; i++) {
		ttmpool_pool_stats(&w->pool[i], &stats);
		stock->pooled[i] = (unsigned long)stats.pages_pooled;
		stock->fit[i] = sound_can_go(w, i);
		if (stock->pooled[i] > w->reserve[i])
			stock->spare += stock->pooled[i] - w->reserve[i];
	}
}

/* Does every page that leaves go to the system? */
static bool all_leaves(struct world *w, const struct stock *stock)
{
	return !w->disturbed && !stock->stats.pages_quarantined;
}

/* Reserved pages are still there, unless the reserve was not full before. (A buffer that
 * is swapped out may need such a page for its store.) */
static void check_reserves(struct world *w, const struct stock *before,
			   const struct stock *after)
{
	for (int i = 0; i < NR_POOLS; i++)
		if (after->pooled[i] < before->pooled[i] &&
		    after->pooled[i] < w->reserve[i])
			w->wrong = "what was reserved has gone";
}

static void check_count(struct world *w, const struct stock *stock)
{
	struct tpsim_counters before, after;
	unsigned long count;

	tpsim_counters(w->machine, &before);
	count = ttmpool_manager_shrink_count(&w->mgr, false);
	tpsim_counters(w->machine, &after);
	if (count != stock->spare)
		w->wrong = "the count is not what is over the reserves";
	if (after.locks_taken != before.locks_taken)
		w->wrong = "a count has taken a lock";
}

/* A scan asked for so many pages, from pools that want no other node than @node. */
static void check_scan(struct world *w, const struct stock *before, int node,
		       unsigned long asked, bool swap)
{
	unsigned long fit = 0, gone = 0, lost;
	struct stock after;

	take_stock(w, &after);
	lost = after.stats.pages_quarantined > before->stats.pages_quarantined
		       ? after.stats.pages_quarantined -
				 before->stats.pages_quarantined
		       : 0;
	if (!swap)
		check_reserves(w, before, &after);
	for (int i = 0; i < NR_POOLS; i++) {
		bool other = node >= 0 && w->pool[i].node >= 0 &&
			     w->pool[i].node != node;

		if (other && !swap && after.pooled[i] != before->pooled[i])
			w->wrong = "pages of another node have gone";
		fit += other ? 0 : before->fit[i];
		gone += before->pooled[i] - after.pooled[i];
	}
	if (all_leaves(w, before) && gone - lost < (asked < fit ? asked : fit))
		w->wrong = "a scan has freed less than there was";
	/* A store that has no memory gets what is pooled (swapout.c). */
	if (gone > (asked ? asked + lost + LAST_CHUNK : 0) &&
	    !(swap && w->disturbed))
		w->wrong = "a scan has freed more than was asked for";
}

void step_scan(struct world *w, struct item *item, uint64_t r)
{
	unsigned long asked = (r >> 32) % 24;
	bool swap = r >> 40 & 1, by_node = r >> 41 & 1;
	int node = by_node ? (int)(r >> 42 & 1) : TTMPOOL_NODE_ANY;
	struct stock before;

	(void)item;
	w->watch.one_round = true;
	take_stock(w, &before);
	check_count(w, &before);
	order_before(w);
	if (by_node)
		ttmpool_manager_shrink_scan_node(&w->mgr, node, asked, swap);
	else
		ttmpool_manager_shrink_scan(&w->mgr, asked, swap);
	order_after(w);
	if (!by_node && all_leaves(w, &before))
		order_across(w);
	check_scan(w, &before, node, asked, swap);
}

/* The system asks for pages, like kswapd, or like a thread that must not wait for a
 * store. */
void step_shrink(struct world *w, struct item *item, uint64_t r)
{
	struct stock before, after;

	(void)item;
	take_stock(w, &before);
	order_before(w);
	if (r >> 40 & 1)
		tpsim_shrink_swap(w->machine, (r >> 32) % 32);
	else
		tpsim_shrink(w->machine, (r >> 32) % 32);
	order_after(w);
	if (all_leaves(w, &before))
		order_across(w);
	take_stock(w, &after);
	if (!(r >> 40 & 1))
		check_reserves(w, &before, &after);
}

void step_drain(struct world *w, struct item *item, uint64_t r)
{
	int pool = item->be.pool == &w->pool[1];
	struct stock before, after;

	(void)r;
	take_stock(w, &before);
	ttmpool_pool_drain(item->be.pool);
	take_stock(w, &after);
	if (after.pooled[pool])
		w->wrong = "a drained pool has pages";
	if (after.pooled[!pool] != before.pooled[!pool])
		w->wrong = "another pool was drained";
}

/* The limit holds, if the excess may go; and pages within the limit have stayed. */
static void check_limit(struct world *w, const struct stock *before)
{
	unsigned long limit = w->pool_limit, slack = limit / 8, kept;
	struct stock after;

	take_stock(w, &after);
	check_reserves(w, before, &after);
	if (after.stats.pages_pooled > limit && can_all_go(w))
		w->wrong = "what was over the limit has stayed";
	if (slack < LAST_CHUNK)
		slack = LAST_CHUNK;
	kept = before->stats.pages_pooled < limit ? before->stats.pages_pooled
						  : limit;
	if (after.stats.pages_pooled + slack < kept)
		w->wrong = "more was trimmed than was over the limit";
}

void step_pool_limit(struct world *w, struct item *item, uint64_t r)
{
	struct stock before;

	(void)item;
	take_stock(w, &before);
	order_before(w);
	w->pool_limit = (r >> 32) % 50;
	ttmpool_manager_set_pool_limit(&w->mgr, w->pool_limit);
	order_after(w);
	check_limit(w, &before);
}

void step_budget(struct world *w, struct item *item, uint64_t r)
{
	struct stock before, after;
	unsigned long kept;

	(void)item;
	take_stock(w, &before);
	order_before(w);
	w->page_budget = (r >> 40) % 8 ? 20 + (r >> 32) % 60 : (r >> 32) % 12;
	ttmpool_manager_set_page_budget(&w->mgr, w->page_budget);
	order_after(w);
	take_stock(w, &after);
	check_reserves(w, &before, &after);
	if (all_leaves(w, &before) && after.stats.pages > w->page_budget &&
	    can_all_go(w))
		w->wrong = "what was over the budget has stayed";
	kept = before.stats.pages < w->page_budget ? before.stats.pages
						   : w->page_budget;
	if (after.stats.pages + LAST_CHUNK < kept)
		w->wrong = "more has gone than was over the budget";
}

/* Set a reserve, prepare pages, or end the reserve. */
void step_reserve(struct world *w, struct item *item, uint64_t r)
{
	struct ttmpool_request req = request_of(w, item, r);
	int pool = item->be.pool == &w->pool[1];
	struct ttmpool_pool_stats stats;
	struct stock before;

	take_stock(w, &before);
	switch ((r >> 52) % 3) {
	case 0:
		w->reserve[pool] = (r >> 54) % 8;
		w->prepared[pool] &= !!w->reserve[pool];
		ttmpool_pool_reserve(item->be.pool, w->reserve[pool]);
		check_limit(w, &before);
		break;
	case 1:
		w->err = ttmpool_pool_prepare(item->be.pool, &req);
		ttmpool_pool_stats(item->be.pool, &stats);
		if (w->err)
			break;
		w->reserve[pool] = (unsigned long)stats.pages_pooled;
		w->prepared[pool] = true;
		break;
	default:
		w->reserve[pool] = 0;
		w->prepared[pool] = false;
		ttmpool_pool_reserve(item->be.pool, 0);
		check_limit(w, &before);
		break;
	}
}
