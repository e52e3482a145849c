// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim: pooled pages go back to the system, oldest first.
 *
 * Asked for by the system's shrinker, by a limit that was lowered or reached
 * (trim.c), by a populate that the page budget has no room for, or by teardown.
 * Whoever asks, what is wanted leaves in slices of a few MiB: one invalidation and
 * one caching change each, however many chunks it is. (Linux's ttm_pool_shrink()
 * converts one chunk at a time, at the cost of a broadcast to all CPUs for every
 * single page.) So there is memory after the first slice, not after the last.
 *
 *     bins  --- the oldest --->  a slice  --- unmapped, write-back --->  system
 *           a spinlock, for                no lock at all
 *           some hundred chunks
 *
 * Any number of threads may be at it, with a slice each; a turn (turn.c) keeps the
 * pool. For what is being cleared they wait (scrub.c), if there is nothing else.
 */

#include "pool_internal.h"

/* With so many pages, one that asks for less would have enough. */
#define NEVER ((size_t)-1)

/* So many pools are compared before one of them gives a slice. */
#define COMPARED 8

/* What a slice wants of a bin. */
static struct bins_want slice_want(const struct slice *slice)
{
	struct bins_want want = { .pages = slice->pages,
				  .least = slice->least,
				  .most = slice->most,
				  .total = slice->pages };

	tpos_assert(slice->pages);
	if (want.pages > TTMPOOL_SLICE_PAGES)
		want.pages = TTMPOOL_SLICE_PAGES;
	return want;
}

/* How much of the pool may go, with what has been picked? The pool's lock is held. */
static size_t slice_room(const struct ttmpool_pool *pool,
			 const struct slice *slice, size_t got)
{
	return slice->all || !pool->reserve ? TTMPOOL_NO_BOUND
					    : got + ttmpool_bins_spare(pool);
}

/* Take a slice out of the bins: a few hundred chunks at a time. */
size_t ttmpool_slice_pick(struct ttmpool_pool *pool, struct slice *slice)
{
	struct bins_want want = slice_want(slice);
	size_t got;

	ttmpool_list_init(&slice->chunks);
	do {
		tpos_spin_lock(&pool->lock);
		want.room = slice_room(pool, slice, want.got);
		got = ttmpool_bins_pick_oldest(pool, &want, &slice->chunks);
		ttmpool_bins_count(pool, -(long)got);
		slice->again |= !got && pool->scrubbing;
		tpos_spin_unlock(&pool->lock);
	} while (got && want.got < want.pages);
	slice->got = want.got;
	return want.got;
}

/*
 * Release a slice. A chunk that the hardware has poisoned goes to no one, so another one
 * has to go in its place; it does not count as got. What cannot be made write-back does:
 * that is likely to be true of the next slice, too, and pooled it is of use. Returns how
 * many pages went to the system.
 */
static size_t slice_release(struct ttmpool_pool *pool, struct slice *slice)
{
	struct ttmpool_list poisoned;

	tpos_assert(slice->got);
	if (chunks_extract_poisoned(pool, &slice->chunks, &poisoned)) {
		slice->got -= ttmpool_chunks_count_pages(&poisoned);
		ttmpool_chunks_release(pool, &poisoned);
	}
	return ttmpool_chunks_release(pool, &slice->chunks);
}

/* As much less is wanted. */
static void slice_account(struct slice *slice)
{
	slice->pages -= slice->got < slice->pages ? slice->got : slice->pages;
	tpos_cond_resched();
}

/* As ttmpool_pool_reclaim(), without what is being cleared. */
static size_t bins_reclaim(struct ttmpool_pool *pool, struct slice *slice)
{
	size_t freed = 0;

	while (slice->pages && ttmpool_slice_pick(pool, slice)) {
		freed += slice_release(pool, slice);
		slice_account(slice);
	}
	return freed;
}

/*
 * Give up at least @pages pooled pages, if there are so many; unless @all may go,
 * leave the reserve. What is out of the bins to be cleared is pooled, too. Returns how
 * many went back to the system.
 */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all)
{
	struct slice slice = { .pages = pages, .least = NEVER, .all = all };
	size_t freed = bins_reclaim(pool, &slice);

	if (slice.pages && slice.again) {
		ttmpool_pool_await_scrub(pool);
		freed += bins_reclaim(pool, &slice);
	}
	return freed;
}

/* Has this pool anything to give, and does it want no other node than who asks? */
static bool pool_has_spare(struct ttmpool_pool *pool, const void *arg)
{
	const struct slice *slice = arg;
	bool spare;

	if (slice->node_slot && pool->node_slot &&
	    pool->node_slot != slice->node_slot)
		return false;
	tpos_spin_lock(&pool->lock);
	spare = ttmpool_bins_spare(pool);
	tpos_spin_unlock(&pool->lock);
	return spare;
}

/* How old is the oldest chunk that the pool could give? */
static uint64_t pool_oldest_age(struct ttmpool_pool *pool,
				const struct slice *slice)
{
	struct bins_want want = slice_want(slice);
	uint64_t age;

	tpos_spin_lock(&pool->lock);
	want.room = slice_room(pool, slice, 0);
	age = ttmpool_bins_oldest_age(pool, &want);
	tpos_spin_unlock(&pool->lock);
	return age;
}

static bool pool_is(struct ttmpool_pool *pool, const void *other)
{
	return pool == other;
}

/*
 * Take a slice of the pool whose oldest chunk is the oldest, among the next few that have
 * anything to give. Where there are more pools, those are compared next that come after
 * the one that gave last; so a slice costs the same however many there are. Nothing keeps
 * that pool while others are looked at; if it has gone, no pool is found.
 */
static bool slice_find_oldest(struct turn *turn, struct slice *slice)
{
	const struct ttmpool_pool *oldest = NULL;
	uint64_t least = TTMPOOL_NO_AGE;
	struct turn look;

	ttmpool_turn_init(&look, turn->mgr);
	look.only_looks = true;
	for (int i = 0;
	     i < COMPARED && ttmpool_turn_next(&look, pool_has_spare, slice);
	     i++) {
		uint64_t age = pool_oldest_age(look.pool, slice);

		if (age < least) {
			least = age;
			oldest = look.pool;
		}
	}
	ttmpool_turn_end(&look);
	ttmpool_turn_again(turn);
	return ttmpool_turn_next(turn, pool_is, oldest) &&
	       ttmpool_slice_pick(turn->pool, slice);
}

/*
 * Find a pool that has what @slice asks for, and take that out of its bins; the pool
 * is turn->pool until the next call. If no bin has any, wait for what is cleared.
 */
bool ttmpool_slice_find(struct turn *turn, struct slice *slice)
{
	bool found;

	tpos_assert(slice->pages);
	tpos_assert(!slice->all);
	slice->again = false;
	found = slice_find_oldest(turn, slice);
	ttmpool_turn_again(turn);
	while (!found && ttmpool_turn_next(turn, pool_has_spare, slice))
		found = ttmpool_slice_pick(turn->pool, slice);
	if (!found)
		ttmpool_turn_again(turn);
	while (!found && slice->again &&
	       ttmpool_turn_next(turn, pool_has_spare, slice)) {
		ttmpool_pool_await_scrub(turn->pool);
		found = ttmpool_slice_pick(turn->pool, slice);
	}
	if (found)
		ttmpool_turn_gave(turn);
	return found;
}

/* Give up pooled pages of any pool that wants no other node, less the reserves. Returns
 * how many went back to the system. */
unsigned long ttmpool_manager_reclaim_node(struct ttmpool_manager *mgr,
					   int node, unsigned long pages)
{
	struct slice slice = { .pages = pages,
			       .least = NEVER,
			       .node_slot = node_slot(node) };
	unsigned long freed = 0;
	struct turn turn;

	ttmpool_turn_init(&turn, mgr);
	while (slice.pages && ttmpool_slice_find(&turn, &slice)) {
		freed += slice_release(turn.pool, &slice);
		slice_account(&slice);
	}
	ttmpool_turn_end(&turn);
	return freed;
}

unsigned long ttmpool_manager_reclaim(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	return ttmpool_manager_reclaim_node(mgr, TTMPOOL_NODE_ANY, pages);
}

/* Pooled pages less the reserves. */
unsigned long ttmpool_manager_count_spare(struct ttmpool_manager *mgr)
{
	unsigned long kept = pages_of(&mgr->pages_kept);
	unsigned long pooled = pages_of(&mgr->pages_pooled);

	return pooled > kept ? pooled - kept : 0;
}

/* The same, without those of pools that want another node. */
unsigned long ttmpool_manager_count_spare_node(struct ttmpool_manager *mgr,
					       int node)
{
	unsigned int slot = node_slot(node);
	unsigned long spare = ttmpool_manager_count_spare(mgr);
	unsigned long elsewhere = 0;

	for (unsigned int i = 1; slot && i <= TTMPOOL_NODE_SLOTS; i++)
		if (i != slot)
			elsewhere += pages_of(&mgr->spare_on[i]);
	return spare > elsewhere ? spare - elsewhere : 0;
}
