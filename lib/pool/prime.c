// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Priming: a populate that nobody waits for. Its chunks are prepared as those of
 * any other, and go into the bins instead of to a buffer.
 */

#include "take.h"

int ttmpool_pool_prime(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool mapped)
{
	struct take take = { .pool = pool,
			     .req = *req,
			     .map = mapped && pool_keeps_mapped(pool),
			     .primed = req->num_pages,
			     .until = ttmpool_deadline(pool, req->wait_ms) };
	struct ttmpool_chunk *chunk;
	int err;

	err = ttmpool_take_check(pool, req);
	if (err)
		return err;
	if (!pool->policy.recycle[req->source][req->caching])
		return -EINVAL;
	if (!ttmpool_budget_may_pool(pool->mgr, req->num_pages))
		return -ENOMEM;
	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_for_each_chunk(chunk, &take.got)
		tpos_note_parked(pool->dev, chunk);
	ttmpool_chunks_park(pool, &take.got);
	return 0;
}

/* How many pages of such chunks are pooled? */
static size_t pages_pooled(struct ttmpool_pool *pool,
			   const struct ttmpool_request *req)
{
	size_t pages = 0;

	for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++)
		pages += ttmpool_pool_count(pool, req->source, req->caching,
					    order)
			 << order;
	return pages;
}

int ttmpool_pool_prepare(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	struct ttmpool_request missing = *req;
	size_t pooled;
	int err;

	err = ttmpool_take_check(pool, req);
	if (!err)
		err = ttmpool_take_can_be(pool, req, true);
	if (err)
		return err;
	ttmpool_pool_await_scrub(pool);
	pooled = pages_pooled(pool, req);
	if (pooled < req->num_pages) {
		missing.num_pages -= pooled;
		err = ttmpool_pool_prime(pool, &missing, true);
		if (err)
			return err;
	}
	tpos_spin_lock(&pool->lock);
	ttmpool_bins_reserve(pool, (size_t)pool->stats.pages_pooled);
	tpos_spin_unlock(&pool->lock);
	return 0;
}
