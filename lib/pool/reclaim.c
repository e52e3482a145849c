// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim: pooled pages go back to the system, oldest first.
 *
 * Pages are reclaimed for the system's shrinker, for a limit that was lowered or reached
 * (trim.c), for a populate for which the page budget has no room, and for teardown. In each
 * case they leave in slices of a few MiB: one invalidation and one caching change each,
 * whatever the number of chunks. (Linux's ttm_pool_shrink() converts one chunk at a time,
 * at the cost of a broadcast to all CPUs for every single page.) So the system has memory
 * after the first slice, not only after the last.
 *
 *     bins  --- the oldest --->  a slice  --- unmapped, write-back --->  system
 *           a spinlock, for                no lock at all
 *           some hundred chunks
 *
 * Any number of threads may reclaim at the same time, with a slice each; a turn (turn.c)
 * keeps the pool from ending. A thread waits for chunks that are being cleared (scrub.c)
 * only if there is nothing else.
 */

#include "pool_internal.h"

/* For @least of a slice: more pages than any slice has, so that @most never applies. */
#define NEVER ((size_t)-1)

/* At most this many pools are compared before one of them gives a slice. */
#define COMPARED 8

/* Returns what @slice wants from the bins. */
static struct bins_want slice_want(const struct ttmpool_pool *pool,
				   const struct slice *slice)
{
	const size_t most = pool_pages_of(pool, TTMPOOL_SLICE_BYTES);
	struct bins_want want = { .pages = slice->pages,
				  .least = slice->least,
				  .most = slice->most,
				  .total = slice->pages,
				  .keeps = slice->keeps };

	tpos_assert(slice->pages);
	if (want.pages > most)
		want.pages = most;
	return want;
}

/* Returns how many pages of the pool may go, including the @got pages that have been picked.
 * The pool's lock is held. */
static size_t slice_room(struct ttmpool_pool *pool, const struct slice *slice,
			 size_t got)
{
	if (slice->keeps)
		return got + ttmpool_bins_spare_beside(pool, slice->keeps);
	return slice->all || !pool->reserve ? TTMPOOL_NO_BOUND
					    : got + ttmpool_bins_spare(pool);
}

/* Takes a slice out of the bins, a few hundred chunks at a time. Returns how many pages it
 * has. */
size_t ttmpool_slice_pick(struct ttmpool_pool *pool, struct slice *slice)
{
	struct bins_want want = slice_want(pool, slice);
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
 * Releases a slice. Returns how many pages went to the system. A chunk that the hardware
 * has poisoned goes to nobody, so it does not count as got, and another one goes in its
 * place. A chunk that cannot be made write-back does count: the next slice would probably
 * fail in the same way, and its chunks are of use while they are pooled.
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

/* Subtracts what was got from what is wanted. */
static void slice_account(struct slice *slice)
{
	slice->pages -= slice->got < slice->pages ? slice->got : slice->pages;
	tpos_cond_resched();
}

/* As ttmpool_pool_reclaim(), without chunks that are being cleared. */
static size_t bins_reclaim(struct ttmpool_pool *pool, struct slice *slice)
{
	size_t freed = 0;

	while (slice->pages && ttmpool_slice_pick(pool, slice)) {
		freed += slice_release(pool, slice);
		slice_account(slice);
	}
	return freed;
}

/* Gives up what @slice asks for, slice by slice. If the bins have too few pages, waits for
 * chunks that are being cleared. Returns how many pages went back to the system. */
static size_t pool_reclaim(struct ttmpool_pool *pool, struct slice slice)
{
	struct turn turn;
	size_t freed;

	ttmpool_turn_hold(&turn, pool);
	freed = bins_reclaim(pool, &slice);
	if (slice.pages && slice.again) {
		ttmpool_pool_await_scrub(pool);
		freed += bins_reclaim(pool, &slice);
	}
	ttmpool_turn_end(&turn);
	return freed;
}

/* Gives up at least @pages pooled pages, if there are that many. The reserve stays, unless
 * @all is true. Returns how many pages went back to the system. */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all)
{
	return pool_reclaim(
		pool,
		(struct slice){ .pages = pages, .least = NEVER, .all = all });
}

/* As ttmpool_pool_reclaim(), for more pages of a kind, while the pool is being prepared:
 * what was reserved before stays, and all of this kind. */
size_t ttmpool_pool_reclaim_beside(struct ttmpool_pool *pool, size_t pages,
				   const struct ttmpool_bin *keeps)
{
	return pool_reclaim(pool, (struct slice){ .pages = pages,
						  .least = NEVER,
						  .keeps = keeps });
}

/* Returns whether the pool has pages to give, and does not want another node than @arg, a
 * slice. */
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

/* Returns the age of the oldest chunk that the pool could give, or TTMPOOL_NO_AGE. */
static uint64_t pool_oldest_age(struct ttmpool_pool *pool,
				const struct slice *slice)
{
	struct bins_want want = slice_want(pool, slice);
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
 * Takes a slice from the pool that has the oldest chunk, among the next few pools that have
 * anything to give. If there are more pools, those are compared that come after the pool
 * that gave last, so the cost of a slice does not depend on the number of pools. Nothing
 * keeps the chosen pool while others are compared. If it is torn down meanwhile, this
 * function finds nothing. Returns whether it took any.
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
 * Finds a pool that has what @slice asks for, and takes that out of the pool's bins. The
 * pool is turn->pool until the next call. If no bin has any, waits for chunks that are
 * being cleared. Returns whether there were any.
 */
bool ttmpool_slice_find(struct turn *turn, struct slice *slice)
{
	bool found;

	tpos_assert(slice->pages);
	tpos_assert(!slice->all);
	/* chunks that are being cleared count as well */
	if (!ttmpool_manager_count_spare(turn->mgr))
		return false;
	slice->again = false;
	found = slice_find_oldest(turn, slice);
	/* A slice that may be empty takes nothing younger than what it has no room for. */
	if (!found && !slice->least) {
		ttmpool_turn_end(turn);
		return false;
	}
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

/* Gives up pooled pages of any pool that does not want another node; the reserves stay.
 * Returns how many pages went back to the system. */
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

/* Returns the number of pooled pages less the reserves. */
unsigned long ttmpool_manager_count_spare(struct ttmpool_manager *mgr)
{
	unsigned long kept = pages_of(&mgr->pages_kept);
	unsigned long pooled = pages_of(&mgr->pages_pooled);

	return pooled > kept ? pooled - kept : 0;
}

/* As ttmpool_manager_count_spare(), without the pages of pools that want another node. */
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
