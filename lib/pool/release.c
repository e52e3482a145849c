// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The way out: how chunks end.
 *
 * ttmpool_chunks_release() ends chunks for the shrinker, for teardown and for every error
 * path. The chunks may be in any condition; for each of them the function checks what has
 * to be undone:
 *
 *     mapped?          one tpos_dma_unmap() for all that are, of both sources
 *     not write-back?  one tpos_caching_set() for all that are not
 *     still not?       into quarantine, never to the system
 *     poisoned?        into quarantine, too
 *     then             one tpos_pages_free() for the rest
 *
 * The order is fixed: the device is cut off first, from coherent pages, too, so that it
 * cannot write to a page that is on its way to another user.
 *
 * The quarantine belongs to the manager, so a chunk in it outlives its pool, and its device
 * as well: each chunk holds the device's descriptor, and needs no more of the device.
 */

#include "pool_internal.h"

/* At most RETRY_CHUNKS chunks of the quarantine are tried at once. After FREE_RETRIES tries
 * in vain, twice as many calls pass each time before the next try, up to about a thousand. */
#define RETRY_CHUNKS   4
#define FREE_RETRIES   16
#define MOST_DOUBLINGS 10

/* Frees the descriptor of a chunk whose pages have gone. A thread that may still look at it
 * finds that it belongs to no pool. */
static void chunk_end(struct ttmpool_manager *mgr, struct ttmpool_chunk *chunk)
{
	tpos_assert(!chunk->pool);
	tpos_chunk_free(mgr->system, chunk);
}

/* Gives the pages and descriptors of a batch back to the system. */
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

/* Ends a batch whose pages a store has taken over: frees the descriptors. */
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

static bool is_unknown(const struct ttmpool_chunk *chunk)
{
	return chunk->caching == TTMPOOL_CACHING_UNKNOWN;
}

/*
 * Takes a batch out of circulation. Its chunks are not mapped, and on no list of the pool.
 * They may outlive the pool and the device; to give them back, only the device's descriptor
 * is needed. Chunks that somebody may still write to (@in_use) wait for a purge, whatever
 * their caching. Only what nobody uses is repaired and freed before that.
 */
void ttmpool_chunks_quarantine(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks, bool in_use)
{
	struct ttmpool_manager *mgr = pool->mgr;
	size_t pages = ttmpool_chunks_count_pages(chunks);
	struct ttmpool_list broken;
	struct ttmpool_chunk *chunk;

	tpos_assert(pages);
	ttmpool_chunks_set_pool(chunks, pool, NULL);
	ttmpool_for_each_chunk(chunk, chunks) {
		tpos_assert(!ttmpool_chunk_is_mapped(chunk));
		chunk_set_state(chunk, TTMPOOL_CHUNK_QUARANTINED);
		tpos_write_once(&chunk->dev, pool->dev);
		tpos_device_get(pool->dev);
	}
	pool_tally(pool, &pool->stats.pages_quarantined, pages);
	tpos_atomic_add_return((long)pages, &mgr->pages_quarantined);
	ttmpool_list_init(&broken);
	if (!in_use)
		ttmpool_chunks_extract(chunks, is_unknown, &broken);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice_tail(chunks, &mgr->quarantine);
	ttmpool_list_splice_tail(&broken, &mgr->broken);
	tpos_spin_unlock(&mgr->lock);
}

/* Reports the chunks of a batch that nobody may have any more, and quarantines them. */
static void chunks_condemn(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks,
			   enum ttmpool_report_kind why)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		ttmpool_pool_report(pool, why, chunk, NULL);
	ttmpool_chunks_quarantine(pool, chunks, false);
}

/* Ends a batch, which may be empty, whatever is true of its chunks. Returns how many pages
 * went to the system. */
size_t ttmpool_chunks_release(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks)
{
	struct ttmpool_list undo;
	size_t pages;

	ttmpool_chunks_cut_off(pool, chunks, pool->policy.lazy_unmap);
	ttmpool_chunks_make_cached(pool, chunks);
	if (ttmpool_chunks_extract(chunks, ttmpool_chunk_is_not_cached, &undo))
		chunks_condemn(pool, &undo, TTMPOOL_REPORT_QUARANTINED);
	if (chunks_extract_poisoned(pool, chunks, &undo))
		chunks_condemn(pool, &undo, TTMPOOL_REPORT_POISONED);
	if (ttmpool_list_empty(chunks))
		return 0;

	pages = ttmpool_chunks_count_pages(chunks);
	ttmpool_chunks_set_pool(chunks, pool, NULL);
	chunks_free(pool->dev, pool->mgr, chunks);
	pool_tally(pool, &pool->stats.pages_released, pages);
	return pages;
}

/*
 * Tries once more to give back chunks of the quarantine. Chunks that cannot be given back
 * stay in the batch. Returns how many pages went to the system. The chunks are tried one by
 * one, because each may be of another device; that is slow, but rare.
 */
static unsigned long chunks_retry(struct ttmpool_manager *mgr,
				  struct ttmpool_list *chunks)
{
	struct ttmpool_list kept, one;
	unsigned long freed = 0;

	ttmpool_list_init(&kept);
	ttmpool_list_init(&one);
	while (!ttmpool_list_empty(chunks)) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(chunks->next);
		tpos_device_t *dev = chunk->dev;
		size_t pages = ttmpool_chunk_pages(chunk);

		assert_deep(chunk->state == TTMPOOL_CHUNK_QUARANTINED);
		tpos_assert(dev);
		ttmpool_list_move_tail(&chunk->link, &one);
		if (chunk->caching != TTMPOOL_CACHED &&
		    tpos_caching_set(dev, &one, TTMPOOL_CACHED)) {
			ttmpool_list_splice_tail(&one, &kept);
			continue;
		}
		tpos_write_once(&chunk->dev, NULL);
		chunks_free(dev, mgr, &one);
		tpos_device_put(dev);
		tpos_atomic_add_return(-(long)pages, &mgr->pages_quarantined);
		freed += pages;
	}
	ttmpool_list_splice(&kept, chunks);
	return freed;
}

/* Takes some chunks of unknown caching out of the quarantine, if it is time to try again. */
static void broken_pick(struct ttmpool_manager *mgr, struct ttmpool_list *tried)
{
	ttmpool_list_init(tried);
	tpos_spin_lock(&mgr->lock);
	if (mgr->retry_in)
		mgr->retry_in--;
	else
		for (int i = 0;
		     i < RETRY_CHUNKS && !ttmpool_list_empty(&mgr->broken); i++)
			ttmpool_list_move_tail(mgr->broken.next, tried);
	tpos_spin_unlock(&mgr->lock);
}

/* Returns how many calls must pass before the next try, after @retries tries in vain. */
static unsigned int retry_pause(unsigned int retries)
{
	if (retries <= FREE_RETRIES)
		return 0;
	retries -= FREE_RETRIES;
	return (1u << (retries < MOST_DOUBLINGS ? retries : MOST_DOUBLINGS)) -
	       1;
}

/*
 * Tries again to make quarantined chunks write-back, and gives them back: a few chunks for
 * each call. After some calls in vain it tries only at every second call, then at every
 * fourth, and so on, until it can give back some. Returns how many pages went back to the
 * system.
 */
unsigned long ttmpool_manager_retry_quarantine(struct ttmpool_manager *mgr)
{
	struct ttmpool_list tried;
	unsigned long freed;

	if (!pages_of(&mgr->pages_quarantined))
		return 0;
	broken_pick(mgr, &tried);
	if (ttmpool_list_empty(&tried))
		return 0;
	freed = chunks_retry(mgr, &tried);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice_tail(&tried, &mgr->broken);
	mgr->retries = freed ? 0 : mgr->retries + 1;
	mgr->retry_in = retry_pause(mgr->retries);
	tpos_spin_unlock(&mgr->lock);
	return freed;
}

/* Nobody uses the chunks any more, so those that are left wait for the shrinker's tries. */
unsigned long ttmpool_manager_purge_quarantine(struct ttmpool_manager *mgr)
{
	struct ttmpool_list tried;

	ttmpool_list_init(&tried);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice(&mgr->quarantine, &tried);
	ttmpool_list_splice_tail(&mgr->broken, &tried);
	tpos_spin_unlock(&mgr->lock);
	chunks_retry(mgr, &tried);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_splice(&tried, &mgr->broken);
	tpos_spin_unlock(&mgr->lock);
	return pages_of(&mgr->pages_quarantined);
}
