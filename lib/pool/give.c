// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Giving: pages come back, and are checked before anything is done (claim.c).
 *
 * Then the whole buffer leaves in at most one batch of each kind:
 *
 *     recycled?  into the bins, dirty: it is cleared when it is wanted again,
 *                by the worker before that, or, if it leaves for the system,
 *                never; but at once with policy.verify
 *     otherwise  released
 */

#include "pool_internal.h"

/**
 * struct giving - a batch on its way back
 * @recycled: the chunks that go into the bins
 * @released: the chunks that go to the system
 * @less: the negative of what both were counted as
 * @scrub: the worker must be queued, to clear what was pooled
 */
struct giving {
	struct ttmpool_list recycled;
	struct ttmpool_list released;
	struct account less;
	bool scrub;
};

/* Returns whether the policy wants the chunk pooled. A chunk that another pool has handed
 * over may be one that this pool would not have made. */
bool ttmpool_chunk_is_recycled(const struct ttmpool_chunk *chunk)
{
	if (chunk->flags & TTMPOOL_CHUNK_ANONYMOUS &&
	    !ttmpool_chunk_can_be_used(chunk, chunk->pool))
		return false;
	if (chunk->pool->policy.verify && ttmpool_chunk_is_poisoned(chunk))
		return false;
	return chunk->caching != TTMPOOL_CACHING_UNKNOWN &&
	       chunk->pool->policy.recycle[chunk_source(chunk)][chunk->caching];
}

/* Notes that nobody may touch these chunks until they are handed out. */
static void chunks_retire(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		tpos_note_parked(pool->dev, chunk);
}

/* Prepares chunks for the bins: unmaps them if the pool keeps no mappings, and clears them
 * if it verifies. */
static void give_prepare(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	tpos_assert(!ttmpool_list_empty(chunks));
	ttmpool_chunks_unkeep(pool, chunks);
	if (pool->policy.verify)
		ttmpool_chunks_clear(pool, chunks);
	if (TPOS_WATCHED)
		chunks_retire(pool, chunks);
}

/* Returns whether the pool limit has no room for @pages, even if only reserved pages stayed
 * pooled. A pool that has less than its reserve pools them nevertheless. */
static bool give_exceeds(struct ttmpool_pool *pool, size_t pages)
{
	bool reserved;

	if (ttmpool_budget_has_room(pool->mgr, pages))
		return false;
	tpos_spin_lock(&pool->lock);
	reserved = pool->stats.pages_pooled < pool->reserve;
	tpos_spin_unlock(&pool->lock);
	return !reserved;
}

/* Charges the pool for the whole batch, and pools the recycled chunks: under the lock that
 * is taken for the charge, unless they are many. */
static void give_enter(struct ttmpool_pool *pool, struct giving *giving)
{
	tpos_spin_lock(&pool->lock);
	ttmpool_account_book(pool, &giving->less);
	pool->stats.gives++;
	/* another pool may have got them, for its own device */
	if (giving->less.pages[TTMPOOL_ANONYMOUS])
		pool_is_narrowed(pool, TTMPOOL_PLAIN);
	if (!ttmpool_list_empty(&giving->recycled)) {
		ttmpool_bins_park_locked(pool, &giving->recycled, PARK_GIVEN);
		giving->scrub = pool_asks_scrub(pool);
	}
	tpos_spin_unlock(&pool->lock);
	ttmpool_bins_park(pool, &giving->recycled, PARK_GIVEN);
}

/* Closes the accounts of a run, and adds it to the chunks to recycle or to those to
 * release. */
static void give_run(struct ttmpool_pool *pool, struct ttmpool_list *run,
		     size_t pages, struct giving *giving)
{
	struct ttmpool_chunk *first = ttmpool_chunk_of(run->next);

	assert_deep(first->pool == pool);
	tpos_assert(pages);
	assert_deep(first->state == TTMPOOL_CHUNK_LEAVING);
	assert_deep(!(first->flags & TTMPOOL_CHUNK_HELD));
	ttmpool_account_close_run(pool, run, pages, &giving->less);
	if (ttmpool_chunk_is_recycled(first)) {
		first->flags &= (uint16_t)~TTMPOOL_CHUNK_ANONYMOUS;
		ttmpool_list_splice_tail(run, &giving->recycled);
	} else {
		ttmpool_list_splice_tail(run, &giving->released);
	}
}

/* Returns whether each chunk of a run must be checked separately before it is pooled. */
static bool differs_by_page(const struct ttmpool_chunk *first)
{
	return first->flags & TTMPOOL_CHUNK_ANONYMOUS ||
	       first->pool->policy.verify;
}

/* Cuts off chunks that can be treated alike. Returns how many pages they have. */
static size_t give_cut(struct ttmpool_list *chunks, struct ttmpool_list *run)
{
	struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);

	tpos_assert(!ttmpool_list_empty(chunks));
	if (!differs_by_page(first))
		return ttmpool_chunks_cut_run(chunks, run);
	ttmpool_list_init(run);
	ttmpool_list_move_tail(&first->link, run);
	return ttmpool_chunk_pages(first);
}

/* Takes back a batch of @pages that was claimed. @mixed: it is not one run. */
static void give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		 size_t pages, bool mixed)
{
	struct giving giving = { .less = { { 0 } } };
	struct ttmpool_list run;
	bool recycles;

	tpos_assert(pages);
	tpos_assert(!ttmpool_list_empty(chunks));
	assert_deep(ttmpool_chunks_count_pages(chunks) == pages);
	ttmpool_list_init(&giving.recycled);
	ttmpool_list_init(&giving.released);
	if (!mixed && !differs_by_page(ttmpool_chunk_of(chunks->next)))
		give_run(pool, chunks, pages, &giving);
	while (!ttmpool_list_empty(chunks)) {
		size_t n = give_cut(chunks, &run);

		give_run(pool, &run, n, &giving);
	}
	if (give_exceeds(pool, pages))
		ttmpool_chunks_merge(&giving.released, &giving.recycled);
	recycles = !ttmpool_list_empty(&giving.recycled);
	if (recycles)
		give_prepare(pool, &giving.recycled);
	give_enter(pool, &giving);
	if (!ttmpool_list_empty(&giving.released))
		ttmpool_chunks_release(pool, &giving.released);
	if (recycles)
		give_follow(pool, giving.scrub,
			    giving.less.pages[TTMPOOL_MAPPED]);
}

/* Takes back a batch of @pages, of any chunks that were in use. */
void ttmpool_chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 size_t pages)
{
	give(pool, chunks, pages, true);
}

/* As ttmpool_chunks_give(), for one run. */
void ttmpool_run_give(struct ttmpool_pool *pool, struct ttmpool_list *run,
		      size_t pages)
{
	give(pool, run, pages, false);
}

/* Takes back an array without holes that was claimed. */
void ttmpool_claim_give(struct claim *claim)
{
	give(claim->pool, &claim->chunks, claim->num_pages, claim->mixed);
}
