// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Priming: a populate that nobody waits for. Its chunks are prepared as those of
 * any other, and go into the bins instead of to a buffer.
 *
 * To be prepared is more: whatever sizes the buffers will have, they are had without
 * the system. Plain chunks are as large as they can be, and are divided when they are
 * too large (part.c); for that there are descriptors. Coherent ones cannot be divided,
 * so they are single pages.
 */

#include "take.h"

/* @singles: in single pages. */
static int prime(struct ttmpool_pool *pool, const struct ttmpool_request *req,
		 bool mapped, bool singles)
{
	struct take take = { .pool = pool,
			     .req = *req,
			     .one_order = singles,
			     .map = mapped && pool->policy.keep_mapped,
			     .primed = req->num_pages };
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

int ttmpool_pool_prime(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool mapped)
{
	return prime(pool, req, mapped, false);
}

/* How many pages of chunks that will do are pooled, and in how many chunks? */
static size_t pages_pooled(struct ttmpool_pool *pool,
			   const struct ttmpool_request *req, size_t *chunks)
{
	unsigned int end = req->source == TTMPOOL_COHERENT ? 1
							   : TTMPOOL_NR_ORDERS;
	size_t pages = 0;

	*chunks = 0;
	for (unsigned int order = 0; order < end; order++) {
		size_t n = ttmpool_pool_count(pool, req->source, req->caching,
					      order);

		pages += n << order;
		*chunks += n;
	}
	return pages;
}

/*
 * Have so many pages pooled, in any case. As many descriptors as single pages could
 * be made of them, and as many as the rest of a chunk has, are enough.
 */
static int prepare_pages(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	bool singles = req->source == TTMPOOL_COHERENT;
	struct ttmpool_request missing = *req;
	size_t chunks, pooled, most;

	for (;;) {
		int err;

		pooled = pages_pooled(pool, req, &chunks);
		if (pooled >= req->num_pages)
			break;
		missing.num_pages = req->num_pages - pooled;
		err = prime(pool, &missing, true, singles);
		if (err)
			return err;
	}
	most = req->num_pages + TTMPOOL_NR_ORDERS;
	return ttmpool_spares_keep(
		pool, pooled - chunks < most ? pooled - chunks : most);
}

/* Change what is reserved; what was it? */
static size_t reserve(struct ttmpool_pool *pool, size_t pages)
{
	size_t was;

	tpos_spin_lock(&pool->lock);
	was = pool->reserve;
	ttmpool_bins_reserve(pool, pages);
	tpos_spin_unlock(&pool->lock);
	return was;
}

int ttmpool_pool_prepare(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req)
{
	size_t was;
	int err;

	err = ttmpool_take_check(pool, req);
	if (!err)
		err = ttmpool_take_can_be(pool, req, true);
	if (err)
		return err;
	/* What is pooled meanwhile is this pool's, before anybody else looks. */
	was = reserve(pool, (size_t)-1);
	ttmpool_pool_await_scrub(pool);
	err = prepare_pages(pool, req);
	if (err) {
		reserve(pool, was);
		ttmpool_manager_trim(pool->mgr);
		return err;
	}
	tpos_spin_lock(&pool->lock);
	ttmpool_bins_reserve(pool, (size_t)pool->stats.pages_pooled);
	pool->prepared = true;
	tpos_spin_unlock(&pool->lock);
	return 0;
}
