// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Trimming: what lies pooled comes down to the pool limit, and what is had of the
 * system to the page budget.
 *
 * How much is too much is found out under the reclaim mutex, and taken out of the
 * bins before that is let go; so however many find the limit overrun at once, it
 * goes once. What was taken out goes to the system without the mutex.
 *
 *     set_pool_limit   [pick] ---- release ---- [pick] ---- release ---- wait
 *     give                   [pick] -- release
 *     give               x  the mutex is not free: who has it looks again
 *
 * Who gives something back waits for no other: if the mutex is taken, its holder
 * looks again when he has let go of it. Who lowers a limit waits, for his own slices
 * and for those that others are about to release: then what was too much has gone.
 */

#include "pool_internal.h"

/* No limit is trimmed to more often than every so many pages. */
#define HYSTERESIS_PAGES 512

/**
 * struct excess - what is too much
 * @least: so many pages must go; 0 if nothing
 * @most: and not more than so many, if that can be
 */
struct excess {
	unsigned long least;
	unsigned long most;
};

/* Over the pool limit, less what may not go; and a little more, so that it is not
 * trimmed at each give. @begun: some of it has gone by now. */
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

/* Release one slice of what is too much. The mutex is held, and let go. Returns how
 * many pages it was. */
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
 * Bring the pooled pages down to the pool limit, if they are above it. Whoever finds
 * the mutex taken has counted his pages and raised mgr->trims before, and who has it
 * looks at both after he has let go of it: it is a full barrier on either side.
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

/* After something was pooled: the same, in short if there is nothing to be done. */
void ttmpool_manager_trim(struct ttmpool_manager *mgr)
{
	if (pages_of(&mgr->pages_pooled) > pages_of(&mgr->pool_limit))
		trim_pooled(mgr);
}

/* Pool a batch that is nobody's; the limit may have been lowered meanwhile. */
void ttmpool_chunks_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 enum ttmpool_bins_park how)
{
	ttmpool_bins_park(pool, chunks, how);
	ttmpool_manager_trim(pool->mgr);
}

/*
 * After a limit or a reserve was lowered: the same, and wait until what was too much
 * has gone. Those who give something back meanwhile leave it to us; what they have
 * brought since we began is trimmed as ever.
 */
void ttmpool_manager_trim_to_limit(struct ttmpool_manager *mgr)
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
	ttmpool_turns_wait(mgr);
}

/* Release one slice of what is over the page budget; was there any? What is on its way to
 * the system is had still, so the mutex is held until it has gone. What is quarantined
 * instead is had for good, and others go in its place. */
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

/* After the page budget was lowered. */
void ttmpool_manager_trim_to_budget(struct ttmpool_manager *mgr)
{
	bool found;

	do {
		tpos_mutex_lock(&mgr->reclaim);
		found = budget_slice(mgr);
		tpos_mutex_unlock(&mgr->reclaim);
		tpos_cond_resched();
	} while (found);
	ttmpool_manager_trim(mgr);
	ttmpool_turns_wait(mgr);
}
