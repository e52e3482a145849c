// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The way out: how chunks end.
 *
 * One function ends them all, from shrinker, teardown and every error path. It
 * is handed chunks in whatever condition they are, and asks each of them what
 * has to be undone:
 *
 *     mapped?          one tpos_dma_unmap() for all that are
 *     not write-back?  one tpos_caching_set() for all that are not
 *     still not?       into quarantine, never to the system
 *     poisoned?        likewise
 *     then             one tpos_pages_free() for the rest
 *
 * The order is fixed: the device is cut off first, so that it cannot write to a
 * page that is on its way to somebody else.
 *
 * The quarantine is the manager's, so that a chunk in it outlives its pool.
 */

#include "pool_internal.h"

/* Its pages have gone, and so does the descriptor; who may look at it still finds that
 * it is nobody's. */
static void chunk_end(struct ttmpool_manager *mgr, struct ttmpool_chunk *chunk)
{
	tpos_assert(!chunk->pool);
	tpos_chunk_free(mgr->system, chunk);
}

/* Pages and descriptors of a batch go back; nothing of them is left. */
static void chunks_free(tpos_device_t *dev, struct ttmpool_manager *mgr,
			struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk, *after;
	size_t pages = ttmpool_chunks_count_pages(chunks);

	tpos_assert(pages);
	tpos_pages_free(dev, chunks);
	ttmpool_for_each_chunk_safe(chunk, after, chunks)
		chunk_end(mgr, chunk);
	ttmpool_list_init(chunks);
	ttmpool_budget_return_pages(mgr, pages);
}

/* The pages of a batch are the store's by now; what is left of it goes. */
void ttmpool_chunks_forget(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk, *after;
	size_t pages = ttmpool_chunks_count_pages(chunks);

	ttmpool_chunks_set_pool(chunks, pool, NULL);
	ttmpool_for_each_chunk_safe(chunk, after, chunks)
		chunk_end(pool->mgr, chunk);
	ttmpool_list_init(chunks);
	ttmpool_budget_return_pages(pool->mgr, pages);
	pool_tally(pool, &pool->stats.pages_released, pages);
	pool_tally(pool, &pool->stats.pages_adopted, pages);
}

/* The bytes of the coherent chunks, whose mappings end when they are freed. */
static uint64_t chunks_coherent_bytes(const struct ttmpool_pool *pool,
				      const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	size_t pages = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (ttmpool_chunk_is_coherent(chunk))
			pages += ttmpool_chunk_pages(chunk);
	}
	return pool_bytes(pool, pages);
}

/* Take a batch out of circulation. It is not on any list of the pool. */
void ttmpool_chunks_quarantine(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks)
{
	struct ttmpool_manager *mgr = pool->mgr;
	size_t pages = ttmpool_chunks_count_pages(chunks);
	struct ttmpool_chunk *chunk;

	ttmpool_budget_return_mapped(pool, chunks_coherent_bytes(pool, chunks));
	ttmpool_chunks_set_pool(chunks, pool, NULL);
	ttmpool_for_each_chunk(chunk, chunks) {
		chunk_set_state(chunk, TTMPOOL_CHUNK_QUARANTINED);
		tpos_write_once(&chunk->dev, pool->dev);
	}
	pool_tally(pool, &pool->stats.pages_quarantined, pages);
	tpos_atomic_add_return((long)pages, &mgr->pages_quarantined);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice_tail(chunks, &mgr->quarantine);
	tpos_spin_unlock(&mgr->lock);
}

/* A batch that nobody may have any more is told of, and set aside. */
static void chunks_condemn(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks,
			   enum ttmpool_report_kind why)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		ttmpool_pool_report(pool, why, chunk, NULL);
	ttmpool_chunks_quarantine(pool, chunks);
}

/* End a batch, which may be empty, and whatever is true of its chunks. */
void ttmpool_chunks_release(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks)
{
	struct ttmpool_list undo;
	size_t pages;

	ttmpool_chunks_strip(pool, chunks, pool->policy.lazy_unmap);
	if (ttmpool_chunks_extract(chunks, ttmpool_chunk_is_not_cached, &undo))
		chunks_condemn(pool, &undo, TTMPOOL_REPORT_QUARANTINED);
	if (chunks_extract_poisoned(pool, chunks, &undo))
		chunks_condemn(pool, &undo, TTMPOOL_REPORT_POISONED);
	if (ttmpool_list_empty(chunks))
		return;

	pages = ttmpool_chunks_count_pages(chunks);
	ttmpool_budget_return_mapped(pool, chunks_coherent_bytes(pool, chunks));
	ttmpool_chunks_set_pool(chunks, pool, NULL);
	chunks_free(pool->dev, pool->mgr, chunks);
	pool_tally(pool, &pool->stats.pages_released, pages);
}

/*
 * Try once more with what is in quarantine and passes the test; return how many
 * pages are still there. One chunk at a time, since each may be of another
 * device: it is rare, and nobody waits for it.
 */
unsigned long ttmpool_quarantine_purge(struct ttmpool_manager *mgr,
				       chunk_test test)
{
	struct ttmpool_list tried, kept, one;

	ttmpool_list_init(&kept);
	ttmpool_list_init(&one);
	tpos_spin_lock(&mgr->lock);
	ttmpool_chunks_extract(&mgr->quarantine, test, &tried);
	tpos_spin_unlock(&mgr->lock);
	while (!ttmpool_list_empty(&tried)) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(tried.next);
		tpos_device_t *dev = chunk->dev;
		size_t pages = ttmpool_chunk_pages(chunk);

		assert_deep(chunk->state == TTMPOOL_CHUNK_QUARANTINED);
		ttmpool_list_move_tail(&chunk->link, &one);
		if (chunk->caching != TTMPOOL_CACHED &&
		    tpos_caching_set(dev, &one, TTMPOOL_CACHED)) {
			ttmpool_list_splice_tail(&one, &kept);
			continue;
		}
		tpos_write_once(&chunk->dev, NULL);
		chunks_free(dev, mgr, &one);
		tpos_atomic_add_return(-(long)pages, &mgr->pages_quarantined);
	}
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice(&kept, &mgr->quarantine);
	tpos_spin_unlock(&mgr->lock);
	return pages_of(&mgr->pages_quarantined);
}
