// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Giving: pages come back, and are checked before anything is done (claim.c).
 *
 * Then the whole buffer leaves in at most one batch of each kind:
 *
 *     recycled?  into the bins, dirty: it is cleared when it is wanted again,
 *                by the worker before that, or, if it leaves for the system,
 *                never
 *     otherwise  released
 */

#include "internal.h"

/* Does the policy want the chunk pooled? What was handed over may be nothing
 * that this pool would have made. */
static bool is_recycled(const struct ttmpool_chunk *chunk)
{
	if (chunk->flags & TTMPOOL_CHUNK_ANONYMOUS &&
	    !chunk_can_be_used(chunk, chunk->pool))
		return false;
	return chunk->caching != TTMPOOL_CACHING_UNKNOWN &&
	       chunk->pool->policy.recycle[chunk_source(chunk)][chunk->caching];
}

/* What a chunk was to its buffer is over. */
static void chunks_retire(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->flags &= (uint8_t)~TTMPOOL_CHUNK_ANONYMOUS;
		tpos_note_parked(pool->dev, chunk);
	}
}

/* Pool a batch, without its mappings if the policy does not keep them. */
static void give_recycle(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 bool alike)
{
	const struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);
	struct ttmpool_list mapped;

	if (!pool->policy.keep_mapped &&
	    chunks_extract(chunks, chunk_is_streaming, &mapped)) {
		chunks_unmap(pool, &mapped, false);
		chunks_merge(chunks, &mapped);
	}
	if (TPOS_WATCHED || !alike || first->flags & TTMPOOL_CHUNK_ANONYMOUS)
		chunks_retire(pool, chunks);
	bins_park(pool, chunks, PARK_GIVEN);
	manager_trim(pool->mgr);
	if (pool->policy.scrub)
		tpos_work_queue(pool->mgr->system, &pool->scrub_work);
}

/* Take out what shall be pooled. */
static bool give_extract(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 size_t pages, bool alike, struct ttmpool_list *to)
{
	ttmpool_list_init(to);
	if (pages > (unsigned long)tpos_atomic_read(&pool->mgr->pool_limit))
		return false;
	if (!alike)
		return chunks_extract(chunks, is_recycled, to);
	if (is_recycled(ttmpool_chunk_of(chunks->next)))
		ttmpool_list_splice(chunks, to);
	return !ttmpool_list_empty(to);
}

/* The chunks are charged to nobody any more. @alike: of one kind. */
static void give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		 size_t pages, bool alike)
{
	struct ttmpool_list recycled;

	pool_tally(pool, &pool->stats.gives, 1);
	if (give_extract(pool, chunks, pages, alike, &recycled))
		give_recycle(pool, &recycled, alike);
	if (!ttmpool_list_empty(chunks))
		chunks_release(pool, chunks);
	tpos_wake(&pool->iova->wait);
}

/* Take back a batch that was claimed. */
void chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	account_close(pool, chunks);
	give(pool, chunks, chunks_count_pages(chunks), false);
}

/* Take back an array without holes that was claimed. */
void claim_give(struct claim *claim)
{
	if (claim->mixed) {
		chunks_give(claim->pool, &claim->chunks);
		return;
	}
	account_close_alike(claim->pool, &claim->chunks, claim->num_pages);
	give(claim->pool, &claim->chunks, claim->num_pages, true);
}

int ttmpool_pool_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
		      size_t num_pages, enum ttmpool_caching caching)
{
	struct claim claim;
	int err;

	if (!num_pages)
		return -EINVAL;
	claim_init(&claim, pool, pages, num_pages);
	claim.caching = caching;
	err = claim_chunks(&claim);
	if (err)
		return err;
	claim_give(&claim);
	return 0;
}
