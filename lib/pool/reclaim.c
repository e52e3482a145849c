// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reclaim: pooled pages go back to the system, oldest first.
 *
 * Asked for by the system's shrinker, by a limit that was lowered or reached,
 * by a populate that the page budget has no room for, or by teardown. Whoever
 * asks, a pool is asked once for all that is wanted, and that leaves in one
 * batch: one invalidation, one caching change, however many chunks it is.
 * (Linux's ttm_pool_shrink() converts one chunk at a time, at the cost of a
 * broadcast to all CPUs for every single page.)
 *
 * The manager's reclaim mutex is what keeps the pools on the list alive while
 * they are worked on without a spinlock. The shrinker never waits for it, whose
 * holder may wait for memory itself; for what is being cleared it does (scrub.c).
 */

#include "pool_internal.h"

/* No limit is trimmed to more often than every so many pages. */
#define HYSTERESIS_PAGES 512

/* Release chunks in bins of at least @pages pages, if there are so many; unless
 * @all may go, leave the reserve. Returns how many pages left. @again: there may be
 * more, which were being cleared. */
static size_t bins_reclaim(struct ttmpool_pool *pool, size_t pages, bool all,
			   bool *again)
{
	struct ttmpool_list picked, spared;
	size_t pooled, keep, got = 0;

	ttmpool_list_init(&picked);
	ttmpool_list_init(&spared);
	tpos_spin_lock(&pool->lock);
	pooled = (size_t)pool->stats.pages_pooled;
	keep = all ? 0 : pool->reserve;
	if (pooled > keep)
		got = ttmpool_bins_pick_oldest(
			pool, 0, 0,
			pages < pooled - keep ? pages : pooled - keep, &picked);
	ttmpool_bins_count(pool, -(long)got);
	*again = got < pages && pool->scrubbing;
	tpos_spin_unlock(&pool->lock);

	/* The last chunk may have been larger than what the floor admits. */
	while (got && pooled - got < keep) {
		struct ttmpool_chunk *last = ttmpool_chunk_of(picked.prev);

		ttmpool_list_move_tail(&last->link, &spared);
		got -= ttmpool_chunk_pages(last);
	}
	if (!ttmpool_list_empty(&spared))
		ttmpool_bins_park(pool, &spared, PARK_SPARED);
	ttmpool_chunks_release(pool, &picked);
	return got;
}

/* As bins_reclaim(); what is out of the bins to be cleared is pooled, too. */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all)
{
	bool again;
	size_t got = bins_reclaim(pool, pages, all, &again);

	if (again) {
		ttmpool_pool_await_scrub(pool);
		got += bins_reclaim(pool, pages - got, all, &again);
	}
	return got;
}

/* As ttmpool_pool_give_up_mappings(), in pages, and of chunks in bins. */
static size_t bins_give_up_mappings(struct ttmpool_pool *pool, size_t pages,
				    bool *again)
{
	struct ttmpool_list picked, coherent;
	size_t got;

	ttmpool_list_init(&picked);
	tpos_spin_lock(&pool->lock);
	got = ttmpool_bins_pick_oldest(pool, TTMPOOL_CHUNK_MAPPED,
				       TTMPOOL_CHUNK_MAPPED, pages, &picked);
	ttmpool_bins_count(pool, -(long)got);
	*again = got < pages && pool->scrubbing;
	tpos_spin_unlock(&pool->lock);
	if (ttmpool_chunks_extract(&picked, ttmpool_chunk_is_coherent,
				   &coherent))
		ttmpool_chunks_release(pool, &coherent);
	if (!ttmpool_list_empty(&picked)) {
		ttmpool_chunks_unmap(pool, &picked, false);
		ttmpool_bins_park(pool, &picked, PARK_SPARED);
	}
	return got;
}

/*
 * End the oldest mappings that are only kept, until @bytes of them are gone or
 * none is left. A plain chunk stays pooled without its mapping; a coherent one
 * has to go altogether. Returns how many bytes are no longer mapped.
 */
uint64_t ttmpool_pool_give_up_mappings(struct ttmpool_pool *pool,
				       uint64_t bytes)
{
	size_t pages = (size_t)(bytes >> pool->info.page_shift);
	bool again;
	size_t got = bins_give_up_mappings(pool, pages, &again);

	if (again) {
		ttmpool_pool_await_scrub(pool);
		got += bins_give_up_mappings(pool, pages - got, &again);
	}
	return pool_bytes(pool, got);
}

/*
 * Each pool is asked in turn, until there is enough; the one that was asked
 * first is last the next time. Under the reclaim mutex.
 */
static unsigned long pools_reclaim(struct ttmpool_manager *mgr,
				   unsigned long pages)
{
	struct ttmpool_list *first = mgr->pools.next;
	struct ttmpool_list *link;
	unsigned long got = 0;

	tpos_mutex_assert_held(&mgr->reclaim);
	ttmpool_list_for_each(link, &mgr->pools) {
		struct ttmpool_pool *pool =
			ttmpool_list_entry(link, struct ttmpool_pool, link);

		if (got >= pages)
			break;
		got += ttmpool_pool_reclaim(pool, pages - got, false);
	}
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_move_tail(first, &mgr->pools);
	tpos_spin_unlock(&mgr->lock);
	return got;
}

static bool is_unknown(const struct ttmpool_chunk *chunk)
{
	return chunk->caching == TTMPOOL_CACHING_UNKNOWN;
}

/* Try again with what could not be made write-back. Returns how many pages went
 * back to the system. */
unsigned long ttmpool_manager_retry_quarantine(struct ttmpool_manager *mgr)
{
	unsigned long was = pages_of(&mgr->pages_quarantined);
	unsigned long left = was ? ttmpool_quarantine_purge(mgr, is_unknown)
				 : 0;

	return left < was ? was - left : 0;
}

/* Give up pooled pages of any pool; waits for another reclaim to end. */
unsigned long ttmpool_manager_reclaim(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	unsigned long got = 0;

	tpos_mutex_lock(&mgr->reclaim);
	if (!ttmpool_list_empty(&mgr->pools))
		got = pools_reclaim(mgr, pages);
	tpos_mutex_unlock(&mgr->reclaim);
	return got;
}

/* Bring the pooled pages down to the pool limit, if they are above it. */
void ttmpool_manager_trim(struct ttmpool_manager *mgr)
{
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long pooled = pages_of(&mgr->pages_pooled);
	unsigned long slack = limit / 8;

	if (pooled <= limit)
		return;
	if (slack > HYSTERESIS_PAGES)
		slack = HYSTERESIS_PAGES;
	ttmpool_manager_reclaim(mgr, pooled - limit + slack);
}

/* Pool a batch that is nobody's; the limit may have been lowered meanwhile. */
void ttmpool_chunks_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	ttmpool_bins_park(pool, chunks, PARK_GIVEN);
	ttmpool_manager_trim(pool->mgr);
}

/*
 * End kept mappings of @pool, and if that is not enough, of the other pools of
 * its device. Returns how many bytes are no longer mapped.
 */
uint64_t ttmpool_device_give_up_mappings(struct ttmpool_pool *pool,
					 uint64_t bytes)
{
	struct ttmpool_manager *mgr = pool->mgr;
	uint64_t got = ttmpool_pool_give_up_mappings(pool, bytes);
	struct ttmpool_list *link;

	if (got >= bytes || pool->iova == &pool->own_iova)
		goto trim;
	tpos_mutex_lock(&mgr->reclaim);
	ttmpool_list_for_each(link, &mgr->pools) {
		struct ttmpool_pool *other =
			ttmpool_list_entry(link, struct ttmpool_pool, link);

		if (got >= bytes)
			break;
		if (other != pool && other->iova == pool->iova)
			got += ttmpool_pool_give_up_mappings(other,
							     bytes - got);
	}
	tpos_mutex_unlock(&mgr->reclaim);
trim: /* while they were out of the bins, the limit may have been lowered */
	ttmpool_manager_trim(mgr);
	return got;
}

/* Pooled pages less the reserves. */
unsigned long ttmpool_manager_count_pooled(struct ttmpool_manager *mgr)
{
	struct ttmpool_list *link;
	uint64_t pages = 0;

	tpos_spin_lock(&mgr->lock);
	ttmpool_list_for_each(link, &mgr->pools) {
		struct ttmpool_pool *pool =
			ttmpool_list_entry(link, struct ttmpool_pool, link);

		tpos_spin_lock(&pool->lock);
		if (pool->stats.pages_pooled > pool->reserve)
			pages += pool->stats.pages_pooled - pool->reserve;
		tpos_spin_unlock(&pool->lock);
	}
	tpos_spin_unlock(&mgr->lock);
	return (unsigned long)pages;
}

/* For the shrinker: what can be had without waiting for another reclaim. */
unsigned long ttmpool_manager_try_reclaim(struct ttmpool_manager *mgr,
					  unsigned long pages)
{
	unsigned long got = 0;

	if (!tpos_mutex_trylock(&mgr->reclaim))
		return 0;
	ttmpool_manager_retry_quarantine(mgr);
	if (pages && !ttmpool_list_empty(&mgr->pools))
		got = pools_reclaim(mgr, pages);
	tpos_mutex_unlock(&mgr->reclaim);
	return got;
}
