// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Arrays: the way in and out for buffers whose pages are told one by one.
 *
 * Most buffers are small, and of a size for which there is one chunk; that lies in
 * its bin, mapped as it was left. Nothing can fail then, and nothing has to be undone,
 * so there is a short way, with the pool's lock taken once if the chunk is clear: it
 * goes from one list to another, and is counted on the way.
 *
 *                            bins                      in use
 *     take    1 chunk   [c] ------- (clear) ----------> [c]     short
 *             others    find, clear, map, convert, hand out     long (take.c)
 *     give    1 chunk   [c] <-------------------------- [c]     short
 *             others    pool or release, claimed before         long (give.c)
 *
 * The short way does what the long one would have done, or nothing at all: what it
 * is not made for is no error, and goes the long way. There, too, everything is
 * found out and told that is wrong with an array.
 */

#include "take.h"

/* Of which order is one chunk of so many pages? */
static unsigned int order_of(size_t pages)
{
	unsigned int order = 0;

	while (order < TTMPOOL_NR_ORDERS && pages >> order > 1)
		order++;
	return pages == (size_t)1 << order ? order : TTMPOOL_NR_ORDERS;
}

/* Is there nothing to be looked at in a page but what its chunk says? */
static bool pool_believes(struct ttmpool_pool *pool)
{
	return !pool->policy.verify && !pool_may_bounce(pool);
}

/* The chunk is the owner's, and counted. */
static void single_enter(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req, bool map,
			 struct ttmpool_chunk *chunk)
{
	long pages = (long)req->num_pages;
	struct account more = {
		{ [TTMPOOL_IN_USE] = pages, [TTMPOOL_MAPPED] = map ? pages : 0 }
	};

	tpos_assert_held(&pool->lock);
	assert_deep(ttmpool_chunk_pages(chunk) == req->num_pages);
	chunk_hand_out(chunk, req->owner, req->ticket);
	ttmpool_list_add_tail(&chunk->link, &pool->in_use);
	ttmpool_account_charge(req->owner, &more);
	ttmpool_account_book(pool, &more);
	pool->stats.takes++;
	pool->stats.pages_hit += (uint64_t)pages;
	pool->stats.maps_kept += map;
}

/* Take one chunk that lacks nothing but to be clear, if there is one of that size. If
 * the hardware has poisoned it, it is set aside, and the long way finds another. */
static struct ttmpool_chunk *take_single(struct ttmpool_pool *pool,
					 const struct ttmpool_request *req,
					 bool map)
{
	unsigned int flags = map ? TTMPOOL_CHUNK_MAPPED : 0;
	struct bins_kind kind = { .order = order_of(req->num_pages),
				  .flags = flags | TTMPOOL_CHUNK_CLEAN };
	struct ttmpool_bin *bin;
	struct ttmpool_list picked, poisoned;
	struct ttmpool_chunk *chunk = NULL;
	bool is_dirty, is_poisoned;

	if (ttmpool_take_check(pool, req) ||
	    kind.order > pool->max_order[req->source] || !pool_believes(pool) ||
	    req->num_pages > pages_of(&pool->mgr->page_budget))
		return NULL;
	bin = &pool->bins[req->source][req->caching][kind.order];
	ttmpool_list_init(&picked);
	tpos_spin_lock(&pool->lock);
	is_dirty = !pool_is_narrowed(pool, req->source) &&
		   !ttmpool_bins_pick(pool, bin, kind, 1, &picked) &&
		   ttmpool_bins_pick(pool, bin,
				     (struct bins_kind){ kind.order, flags }, 1,
				     &picked);
	is_poisoned = chunks_extract_poisoned(pool, &picked, &poisoned);
	if (is_dirty && !is_poisoned) {
		tpos_spin_unlock(&pool->lock);
		ttmpool_chunks_clear_uncounted(pool, &picked);
		tpos_spin_lock(&pool->lock);
		pool->stats.bytes_cleared += pool_bytes(pool, req->num_pages);
	}
	if (!ttmpool_list_empty(&picked)) {
		chunk = ttmpool_chunk_of(picked.next);
		single_enter(pool, req, map, chunk);
	}
	tpos_spin_unlock(&pool->lock);
	if (is_poisoned)
		ttmpool_chunks_release(pool, &poisoned);
	return chunk;
}

/* Take one chunk that lacks nothing, if there is one. */
static inline bool take_at_once(struct ttmpool_pool *pool,
				const struct ttmpool_request *req,
				tpos_page_t **pages, tpos_dma_addr_t *dma_addr)
{
	struct ttmpool_chunk *chunk = take_single(pool, req, dma_addr);

	if (!chunk)
		return false;
	if (TPOS_WATCHED)
		tpos_note_issued(pool->dev, chunk);
	ttmpool_chunk_fill(pool, chunk, pages, dma_addr);
	return true;
}

/* As ttmpool_pool_take(), in a call that may sleep until then. */
int ttmpool_pool_take_until(struct ttmpool_pool *pool,
			    const struct ttmpool_request *req,
			    const struct ttmpool_deadline *until,
			    tpos_page_t **pages, tpos_dma_addr_t *dma_addr)
{
	struct take take = {
		.pool = pool, .req = *req, .map = dma_addr, .until = *until
	};
	int err;

	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_take_issue(&take);
	ttmpool_take_hand_out(&take, pages, dma_addr);
	return 0;
}

int ttmpool_pool_take(struct ttmpool_pool *pool,
		      const struct ttmpool_request *req, tpos_page_t **pages,
		      tpos_dma_addr_t *dma_addr)
{
	struct ttmpool_deadline until;

	if (!pages)
		return -EINVAL;
	if (take_at_once(pool, req, pages, dma_addr))
		return 0;
	until = ttmpool_deadline(pool, req->wait_ms);
	return ttmpool_pool_take_until(pool, req, &until, pages, dma_addr);
}

/* Does it go into its bin as it is? Of what may bounce, nothing that is mapped does. */
static bool chunk_is_kept(const struct ttmpool_chunk *chunk)
{
	return (pool_keeps_mapped(chunk->pool) ||
		!ttmpool_chunk_is_streaming(chunk)) &&
	       ttmpool_chunk_is_recycled(chunk);
}

/* The chunk is pooled, and nobody's. */
static void single_leave(struct claim *claim, struct ttmpool_chunk *chunk)
{
	struct ttmpool_pool *pool = claim->pool;
	struct account less = { { 0 } };

	tpos_assert_held(&pool->lock);
	assert_deep(ttmpool_list_empty(&claim->chunks));
	assert_deep(ttmpool_chunk_pages(chunk) == claim->num_pages);
	chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
	ttmpool_list_move_tail(&chunk->link, &claim->chunks);
	ttmpool_account_close_run(pool, &claim->chunks, claim->num_pages,
				  &less);
	ttmpool_account_book(pool, &less);
	pool->stats.gives++;
	chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_ANONYMOUS;
	if (TPOS_WATCHED)
		tpos_note_parked(pool->dev, chunk);
	ttmpool_bins_park_locked(pool, &claim->chunks, PARK_GIVEN);
}

/* Pool all of an array, if it is one chunk that is kept; was it? */
static bool give_single(struct claim *claim)
{
	struct ttmpool_pool *pool = claim->pool;
	unsigned int order = order_of(claim->num_pages);
	struct ttmpool_chunk *chunk;
	bool kept, mapped = false;

	if (order >= TTMPOOL_NR_ORDERS || pool->policy.verify ||
	    !ttmpool_budget_has_room(pool->mgr, claim->num_pages))
		return false;
	tpos_spin_lock(&pool->lock);
	chunk = ttmpool_claim_single(claim, order);
	kept = chunk && chunk_is_kept(chunk);
	if (kept) {
		mapped = chunk->flags & TTMPOOL_CHUNK_MAPPED;
		single_leave(claim, chunk);
	}
	tpos_spin_unlock(&pool->lock);
	if (kept)
		ttmpool_give_follow(pool, true, mapped);
	return kept;
}

int ttmpool_pool_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
		      size_t num_pages, enum ttmpool_caching caching)
{
	return ttmpool_pool_give_ticket(pool, pages, num_pages, caching, 0);
}

int ttmpool_pool_give_ticket(struct ttmpool_pool *pool,
			     tpos_page_t *const *pages, size_t num_pages,
			     enum ttmpool_caching caching, uint32_t ticket)
{
	struct claim claim;
	int err;

	if (!pages || !num_pages)
		return -EINVAL;
	ttmpool_claim_init(&claim, pool, pages, num_pages);
	claim.caching = caching;
	claim.ticket = ticket;
	if (give_single(&claim))
		return 0;
	err = ttmpool_claim_chunks(&claim);
	if (err)
		return err;
	ttmpool_claim_give(&claim);
	return 0;
}
