// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Priming: a populate in advance. Its chunks are prepared as those of any other populate,
 * and go into the bins instead of to a buffer.
 *
 * Preparing a pool is more: buffers of any sizes can be populated from it without the
 * system. Plain chunks are as large as they can be, and are divided if they are too large
 * (split.c); the descriptors for that are made here, 64 bytes for each page at most.
 */

#include "take.h"

/* The request checks for a signal after this many descriptors. */
#define SPARES_RUN 512

/* @singles: in single pages. @until: the deadline for waiting. */
static int prime(struct ttmpool_pool *pool, const struct ttmpool_request *req,
		 bool mapped, bool singles,
		 const struct ttmpool_deadline *until)
{
	struct take take = { .pool = pool,
			     .req = *req,
			     .one_order = singles,
			     .map = mapped && pool_keeps_mapped(pool),
			     .primed = req->num_pages,
			     .until = *until };
	struct ttmpool_chunk *chunk;
	int err;

	err = request_check(pool, req);
	if (err)
		return err;
	if (!pool->policy.recycle[req->source][req->caching])
		return -EINVAL;
	if (!ttmpool_budget_may_pool(pool->mgr, req->num_pages))
		return -ENOMEM;
	pool_note_mask(pool, req->source);
	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	tpos_assert(!take.pages_hit);
	/* the mappings stay unless these were the first that bounced */
	ttmpool_chunks_unkeep(pool, &take.got);
	ttmpool_for_each_chunk(chunk, &take.got)
		tpos_note_parked(pool->dev, chunk);
	ttmpool_chunks_park(pool, &take.got, PARK_GIVEN);
	return 0;
}

int ttmpool_pool_prime(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool mapped)
{
	struct ttmpool_deadline until = ttmpool_deadline(pool, req->wait_ms);

	return prime(pool, req, mapped, false, &until);
}

/* Returns how many suitable pages are pooled. Coherent chunks cannot be divided, so only
 * single pages of that source serve a buffer of any size. */
static size_t pages_pooled(struct ttmpool_pool *pool,
			   const struct ttmpool_request *req)
{
	unsigned int end = req->source == TTMPOOL_COHERENT ? 1
							   : TTMPOOL_NR_ORDERS;
	size_t pages = 0;

	for (unsigned int order = 0; order < end; order++)
		pages += ttmpool_pool_count(pool, req->source, req->caching,
					    order)
			 << order;
	return pages;
}

/* Makes sure that the pages of the request are pooled. */
static int prepare_pages(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	struct ttmpool_request missing = *req;
	struct ttmpool_deadline until = ttmpool_deadline(pool, req->wait_ms);
	size_t pooled = pages_pooled(pool, req);

	if (pooled >= req->num_pages)
		return 0;
	missing.num_pages = req->num_pages - pooled;
	return prime(pool, &missing, true, req->source == TTMPOOL_COHERENT,
		     &until);
}

/* Makes as many descriptors as are needed to divide all that is pooled, and @more pages that
 * will be, into single pages, and those that must be there before a chunk is split. */
static int prepare_spares(struct ttmpool_pool *pool,
			  const struct ttmpool_request *req, size_t more)
{
	size_t n = more + TTMPOOL_NR_ORDERS;

	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++)
		for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++)
			n += ttmpool_pool_count(pool, TTMPOOL_PLAIN,
						(enum ttmpool_caching)caching,
						order) *
			     (((size_t)1 << order) - 1);
	for (size_t have = 0; have < n;) {
		have = n - have < SPARES_RUN ? n : have + SPARES_RUN;
		if (!ttmpool_spares_keep(pool, have, request_flags(req)))
			return -ENOMEM;
		if (request_is_interrupted(req))
			return -EINTR;
	}
	return 0;
}

/* Gives up pooled chunks that the device does not reach any more, or that the hardware has
 * poisoned, before the pooled pages are counted: they could serve no request. The turn makes
 * other threads wait for the pages that are out of their bins meanwhile. */
static void prepare_weed(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	struct take take = { .pool = pool, .req = *req };
	struct turn turn;
	bool narrowed;

	tpos_spin_lock(&pool->lock);
	narrowed = pool_is_narrowed(pool, req->source);
	tpos_spin_unlock(&pool->lock);
	if (!narrowed && !tpos_may_be_poisoned(pool->dev))
		return;
	ttmpool_turn_hold(&turn, pool);
	ttmpool_take_weed(&take);
	if (!ttmpool_list_empty(&take.got))
		ttmpool_take_drop(&take, &take.got);
	ttmpool_turn_end(&turn);
}

/* From now on, what is pooled stays, and as much of each kind. The caller holds the pool's
 * lock. */
static void prepare_note(struct ttmpool_pool *pool)
{
	pool->reserve_after = (size_t)pool->stats.pages_pooled;
	pool->prepared_after = true;
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++)
		for (int caching = 0; caching < TTMPOOL_CACHING_COUNT;
		     caching++)
			pool->kinds_kept[source][caching] = bins_pages(
				pool->bins[source][caching], TTMPOOL_NR_ORDERS);
}

/* What is pooled stays, until it is known how much that is. */
static void prepare_begin(struct ttmpool_pool *pool)
{
	tpos_spin_lock(&pool->lock);
	if (!pool->preparing++) {
		pool->reserve_after = pool->reserve;
		pool->prepared_after = pool->prepared;
	}
	pool->prepared = true;
	ttmpool_bins_reserve(pool, (size_t)-1);
	tpos_spin_unlock(&pool->lock);
}

/* The last of several calls that end sets what the successful ones have found. If none was
 * successful, that is what there was before them. */
static void prepare_end(struct ttmpool_pool *pool, bool success)
{
	tpos_spin_lock(&pool->lock);
	tpos_assert(pool->preparing);
	if (success)
		prepare_note(pool);
	if (!--pool->preparing) {
		ttmpool_bins_reserve(pool, pool->reserve_after);
		pool->prepared = pool->prepared_after;
	}
	tpos_spin_unlock(&pool->lock);
}

int ttmpool_pool_prepare(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	int err;

	err = request_check(pool, req);
	if (!err)
		err = ttmpool_take_can_be(pool, req, true);
	if (err)
		return err;
	prepare_begin(pool);
	ttmpool_pool_await_scrub(pool);
	prepare_weed(pool, req);
	err = prepare_spares(pool, req, req->num_pages);
	if (!err)
		err = prepare_pages(pool, req);
	if (!err) /* another thread may have prepared pages, too */
		err = prepare_spares(pool, req, 0);
	prepare_end(pool, !err);
	ttmpool_spares_drop(pool);
	ttmpool_manager_trim(pool->mgr);
	return err;
}
