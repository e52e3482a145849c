// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Trimming: the pooled pages come down to the pool limit, and the pages that the pools have
 * from the system come down to the page budget.
 *
 * A thread computes under the reclaim mutex by how much the pool limit is exceeded, and
 * takes that many pages out of the bins before it releases the mutex. So if several threads
 * find the limit exceeded at the same time, the excess is trimmed once. The pages go to the
 * system without the mutex. (For the page budget they go under the mutex, see
 * budget_slice().)
 *
 *     set_pool_limit   [pick] ---- release ---- [pick] ---- release ---- wait
 *     give                   [pick] -- release
 *     give               x  the mutex is taken: its holder checks the limit again
 *
 * A thread that gives pages back does not wait for others: if the mutex is taken, the
 * holder checks the limit again after it has released the mutex. A thread that lowers a
 * limit does wait, for its own slices and for those that other threads are about to
 * release. When it returns, the excess has gone.
 */

#include "pool_internal.h"

/* After a trim, this many pages can be pooled before the limit is exceeded again; an eighth
 * of the limit, if that is less. */
#define HYSTERESIS_PAGES 512

/**
 * struct excess - by how much a limit is exceeded
 * @least: at least this many pages must go; 0 if none
 * @most: no more than this many shall go, if that is possible
 */
struct excess {
	unsigned long least;
	unsigned long most;
};

/* Returns by how much the pooled pages exceed the limit, plus some slack, so that not every
 * give has to trim; nothing if all of them are reserved. @begun: some of the excess has
 * gone already. */
static struct excess excess_of(struct ttmpool_manager *mgr, bool begun)
{
	unsigned long pooled = pages_of(&mgr->pages_pooled);
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long slack = limit / 8;
	unsigned long low;

	if (slack > HYSTERESIS_PAGES)
		slack = HYSTERESIS_PAGES;
	low = limit - slack;
	if (pooled <= (begun ? low : limit) ||
	    !ttmpool_manager_count_spare(mgr))
		return (struct excess){ 0, 0 };
	return (struct excess){ pooled > limit ? pooled - limit : 0,
				pooled - low };
}

/* Releases one slice of the excess. The caller holds the mutex, and this function releases
 * it. Returns how many pages the slice had. */
static size_t trim_slice(struct ttmpool_manager *mgr, bool begun)
{
	struct excess excess = excess_of(mgr, begun);
	struct slice slice = { .pages = excess.most,
			       .least = excess.least,
			       .most = excess.most };
	struct turn turn;
	bool found;

	tpos_mutex_assert_held(&mgr->reclaim);
	tpos_assert(excess.least <= excess.most);
	ttmpool_turn_init(&turn, mgr);
	found = excess.most && ttmpool_slice_find(&turn, &slice);
	tpos_mutex_unlock(&mgr->reclaim);
	if (!found)
		return 0;
	tpos_assert(slice.got);
	ttmpool_chunks_release(turn.pool, &slice.chunks);
	ttmpool_turn_end(&turn);
	tpos_cond_resched();
	return slice.got;
}

/*
 * Brings the pooled pages down to the pool limit, if they exceed it. A thread that finds
 * the mutex taken has counted its pages and raised mgr->trims before it tried; the holder
 * looks at both after it has released the mutex. There is a full barrier on either side, so
 * one of the two threads sees the excess.
 */
static void trim_pooled(struct ttmpool_manager *mgr)
{
	long seen, asked = -1;
	size_t got = 0;

	for (;;) {
		seen = tpos_atomic_add_return(0, &mgr->trims);
		if ((!got && seen == asked) || !excess_of(mgr, got).most ||
		    pages_of(&mgr->trimmers))
			return;
		asked = tpos_atomic_add_return(1, &mgr->trims);
		if (!tpos_mutex_trylock(&mgr->reclaim))
			return;
		got = trim_slice(mgr, got);
	}
}

/* As trim_pooled(), after something was pooled. Returns quickly if there is nothing to
 * trim. */
void ttmpool_manager_trim(struct ttmpool_manager *mgr)
{
	if (pages_of(&mgr->pages_pooled) > pages_of(&mgr->pool_limit))
		trim_pooled(mgr);
}

/* Pools a batch, which belongs to nobody, and trims, because the pool limit may have been
 * lowered meanwhile. */
void ttmpool_chunks_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 enum ttmpool_bins_park how)
{
	ttmpool_bins_park(pool, chunks, how);
	ttmpool_manager_trim(pool->mgr);
}

/*
 * Trims after a limit or a reserve was lowered.
 * Threads that give pages back meanwhile leave the trimming to this one; the pages that
 * they have pooled since it began are trimmed as usual at the end.
 */
static void trim_to_limit_once(struct ttmpool_manager *mgr)
{
	unsigned long left;
	size_t got = 0;
	long others;

	tpos_atomic_add_return(1, &mgr->trimmers);
	left = excess_of(mgr, false).most;
	while (left) {
		tpos_mutex_lock(&mgr->reclaim);
		got = trim_slice(mgr, got);
		left = got && got < left ? left - got : 0;
	}
	others = tpos_atomic_add_return(-1, &mgr->trimmers);
	tpos_assert(others >= 0);
	trim_pooled(mgr);
}

/* As trim_to_limit_once(), and again if other threads had pages out of the bins meanwhile,
 * which are pooled again now. */
void ttmpool_manager_trim_to_limit(struct ttmpool_manager *mgr)
{
	do {
		trim_to_limit_once(mgr);
	} while (ttmpool_turns_wait(mgr) && excess_of(mgr, false).least);
}

/* Releases one slice of what exceeds the page budget. Returns whether there was any. Pages
 * on their way to the system still count, so the mutex is held until they have gone. Pages
 * that are quarantined instead count for good, and others go in their place. */
static bool budget_slice(struct ttmpool_manager *mgr)
{
	unsigned long pages = pages_of(&mgr->pages);
	unsigned long budget = pages_of(&mgr->page_budget);
	struct slice slice = { .pages = pages > budget ? pages - budget : 0,
			       .least = (size_t)-1 };
	struct turn turn;

	tpos_mutex_assert_held(&mgr->reclaim);
	ttmpool_turn_init(&turn, mgr);
	if (!slice.pages || !ttmpool_slice_find(&turn, &slice))
		return false;
	ttmpool_chunks_release(turn.pool, &slice.chunks);
	ttmpool_turn_end(&turn);
	return true;
}

/* Returns whether pooled pages that are not reserved exceed the page budget. */
static bool budget_is_exceeded(struct ttmpool_manager *mgr)
{
	return pages_of(&mgr->pages) > pages_of(&mgr->page_budget) &&
	       ttmpool_manager_count_spare(mgr);
}

/* Trims after the page budget was lowered, and again if other threads had pages out of the
 * bins meanwhile, which are pooled again now. */
void ttmpool_manager_trim_to_budget(struct ttmpool_manager *mgr)
{
	bool found;

	do {
		do {
			tpos_mutex_lock(&mgr->reclaim);
			found = budget_slice(mgr);
			tpos_mutex_unlock(&mgr->reclaim);
			tpos_cond_resched();
		} while (found);
		ttmpool_manager_trim(mgr);
	} while (ttmpool_turns_wait(mgr) && budget_is_exceeded(mgr));
}
