// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The short way in and out, for buffers of one chunk.
 *
 * Most buffers are small, and of a size for which there is one chunk, which lies in its
 * bin, mapped as it was left. Then nothing can fail, and nothing has to be undone: the
 * chunk goes from one list to another, and is counted on the way. The pool's lock is taken
 * once each way, or twice if the chunk has to be cleared. If nothing is pooled that would
 * serve, one chunk is made, if nobody has to give up anything for it.
 *
 *                            bins                      in use
 *     take    1 chunk   [c] ------- (clear) ----------> [c]     short
 *             others    find, clear, map, convert, hand out     long (take.c)
 *     give    1 chunk   [c] <-------------------------- [c]     short
 *             others    pool or release, claimed before         long (give.c)
 *
 * Only what comes back by the short way can become part of a stock (policy.stock), because
 * a stock is for buffers of one chunk. Apart from that, the short way does what the long one
 * would have done, or nothing at all: a request that it is not made for is no error, and goes
 * the long way. The long way also finds and reports everything that is wrong with an array.
 * Nothing is summed over a list here: what the long way counts for a batch is known of one
 * chunk.
 */

#include "take.h"

/* Returns the order of one chunk of @pages; TTMPOOL_NR_ORDERS if there is none. */
static inline unsigned int order_of(size_t pages)
{
	unsigned int order = 0;

	if (pages & (pages - 1))
		return TTMPOOL_NR_ORDERS;
	while (order < TTMPOOL_NR_ORDERS && pages >> order > 1)
		order++;
	return order;
}

/* Returns whether a chunk says all that must be known of its pages, so that they need not
 * be examined. */
static inline bool pool_believes(struct ttmpool_pool *pool)
{
	return !pool->policy.verify && !pool_may_bounce(pool);
}

/* Counts @pages more of one owner as in use, and, if @mapped, as mapped; fewer if @pages is
 * negative. */
static inline void single_count(struct ttmpool_pool *pool,
				struct ttmpool_owner *owner, long pages,
				bool mapped)
{
	struct ttmpool_pool_stats *stats = &pool->stats;

	tpos_assert_held(&pool->lock);
	stats->pages_in_use += (uint64_t)pages;
	if (stats->pages_in_use > stats->pages_in_use_peak)
		stats->pages_in_use_peak = stats->pages_in_use;
	assert_deep(stats->pages_in_use <= LONG_MAX);
	assert_deep(stats->pages_anonymous <= stats->pages_in_use);
	if (!owner)
		return;
	tpos_atomic_add_return(pages, &owner->pages[TTMPOOL_IN_USE]);
	if (mapped)
		tpos_atomic_add_return(pages, &owner->pages[TTMPOOL_MAPPED]);
}

/* Takes a chunk with these flags out of its bin, the newest of its list. Returns it, or
 * NULL. */
static struct ttmpool_chunk *single_pick(struct ttmpool_pool *pool,
					 struct ttmpool_bin *bin,
					 struct bins_kind kind)
{
	struct ttmpool_list *list = &bin->lists[kind.flags];
	struct ttmpool_list picked;
	struct ttmpool_chunk *chunk;

	if (!ttmpool_list_empty(list)) {
		chunk = ttmpool_chunk_of(list->next);
		ttmpool_list_del(&chunk->link);
		ttmpool_bin_count(pool, bin, chunk, -1);
		ttmpool_bins_count(pool, -(long)ttmpool_chunk_pages(chunk));
		return chunk;
	}
	ttmpool_list_init(&picked);
	if (!ttmpool_bins_pick_moved(pool, bin, kind, 1, &picked))
		return NULL;
	return ttmpool_chunk_of(picked.next);
}

/* Gives the chunk to the owner, and counts it. */
static void single_enter(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req,
			 struct ttmpool_chunk *chunk)
{
	long pages = (long)req->num_pages;

	tpos_assert_held(&pool->lock);
	assert_deep(ttmpool_chunk_pages(chunk) == req->num_pages);
	chunk_hand_out(chunk, req->owner, req->ticket);
	ttmpool_list_add_tail(&chunk->link, &pool->in_use);
	single_count(pool, req->owner, pages,
		     chunk->flags & TTMPOOL_CHUNK_MAPPED);
	pool->stats.takes++;
}

/* Takes a chunk of the size and kind that a request asks for out of its bin, a clean one if
 * there is one. Returns NULL if there is none, or if pooled chunks may be beyond the
 * device's mask. The caller holds the pool's lock. */
static inline struct ttmpool_chunk *
single_find(struct ttmpool_pool *pool, const struct ttmpool_request *req,
	    struct bins_kind kind)
{
	struct ttmpool_bin *bin =
		&pool->bins[req->source][req->caching][kind.order];
	struct ttmpool_chunk *chunk;

	if (pool_is_narrowed(pool, req->source) || !bin->nr_chunks)
		return NULL;
	kind.flags |= TTMPOOL_CHUNK_CLEAN;
	chunk = single_pick(pool, bin, kind);
	if (chunk)
		return chunk;
	kind.flags &= ~TTMPOOL_CHUNK_CLEAN;
	return single_pick(pool, bin, kind);
}

/*
 * Returns whether a fresh chunk may be made at once. It may not if chunks are pooled that
 * would serve, if spare ones would be made along with it, if the node matters, if the pool
 * is prepared, or if addresses may be available only in pieces. Of a stock, smaller chunks
 * would not serve. The caller holds the pool's lock.
 */
static inline bool single_may_be_fresh(const struct ttmpool_pool *pool,
				       const struct ttmpool_request *req,
				       unsigned int order, bool map)
{
	const struct ttmpool_bin *bins = pool->bins[req->source][req->caching];

	if ((req->caching != TTMPOOL_CACHED && pool->policy.refill) ||
	    pool->node != TTMPOOL_NODE_ANY || pool->prepared ||
	    (map && order && pool->info.has_iommu))
		return false;
	while (order && !bins[order].nr_chunks &&
	       pool->policy.recycle[req->source][req->caching])
		order--;
	return !bins[order].nr_chunks;
}

/* Maps and converts one fresh chunk, which is alone in a list. If it needs a mapping, there
 * is room for it. */
static int single_prepare(struct ttmpool_pool *pool,
			  const struct ttmpool_request *req, struct room *room,
			  struct ttmpool_list *made)
{
	int err = 0;

	if (room->mapped)
		err = ttmpool_chunks_map(pool, room, made);
	if (!err && req->caching != TTMPOOL_CACHED)
		err = ttmpool_chunks_set_caching(pool, made, req->caching);
	return err;
}

/*
 * Makes one chunk, if there are room, free memory and addresses for which nobody has to
 * give up anything. Otherwise returns NULL. That is no error: the request goes the long
 * way.
 */
static struct ttmpool_chunk *single_make(struct ttmpool_pool *pool,
					 const struct ttmpool_request *req,
					 unsigned int order, bool map)
{
	const struct tpos_alloc alloc = {
		.source = req->source,
		.order = order,
		.node = TTMPOOL_NODE_ANY,
		.flags = TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM |
			 pool_zone(pool, req->source),
	};
	const bool mapped = map || req->source == TTMPOOL_COHERENT;
	struct ttmpool_list made;
	struct room room = { .give_ups = ROOM_MOST_GIVE_UPS };
	int err = -ENOMEM;

	ttmpool_list_init(&made);
	if (ttmpool_room_try(pool, &room, req->num_pages,
			     mapped ? req->num_pages : 0))
		err = ttmpool_chunk_create(pool, &alloc, &room, &made);
	if (!err)
		err = single_prepare(pool, req, &room, &made);
	ttmpool_room_return(pool, &room);
	/* chunks that bounce are counted on the long way */
	if (!err && !pool_may_bounce(pool))
		return ttmpool_chunk_of(made.next);
	pool_tally(pool, &pool->stats.pages_fresh,
		   ttmpool_chunks_count_pages(&made));
	ttmpool_chunks_release(pool, &made);
	return NULL;
}

/* Hands out a pooled chunk that is clear. The caller holds the pool's lock. */
static void single_hit(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool map,
		       struct ttmpool_chunk *chunk)
{
	single_enter(pool, req, chunk);
	pool->stats.pages_hit += req->num_pages;
	pool->stats.maps_kept += map;
	if (TPOS_WATCHED)
		tpos_note_issued(pool->dev, chunk);
}

/* Clears a chunk that is out of its bin, and hands it out. If the hardware has poisoned it,
 * releases it, and the long way finds another. */
static struct ttmpool_chunk *single_clear(struct ttmpool_pool *pool,
					  const struct ttmpool_request *req,
					  bool map, struct ttmpool_chunk *chunk)
{
	struct ttmpool_list picked;

	ttmpool_list_init(&picked);
	ttmpool_list_add(&chunk->link, &picked);
	if (!chunk_may_be_read(pool, chunk)) {
		ttmpool_chunks_release(pool, &picked);
		return NULL;
	}
	ttmpool_chunks_clear_uncounted(pool, &picked);
	tpos_spin_lock(&pool->lock);
	single_hit(pool, req, map, chunk);
	pool->stats.bytes_cleared += pool_bytes(pool, req->num_pages);
	tpos_spin_unlock(&pool->lock);
	return chunk;
}

/* Hands out a fresh chunk, if one can be made at once. */
static struct ttmpool_chunk *single_miss(struct ttmpool_pool *pool,
					 const struct ttmpool_request *req,
					 unsigned int order, bool map)
{
	struct ttmpool_chunk *chunk = single_make(pool, req, order, map);

	if (!chunk)
		return NULL;
	tpos_spin_lock(&pool->lock);
	single_enter(pool, req, chunk);
	pool->stats.pages_fresh += req->num_pages;
	tpos_spin_unlock(&pool->lock);
	return chunk;
}

/* Takes one pooled chunk that needs nothing but clearing, if there is one of that size; or
 * makes one, if nothing is pooled that would serve. Returns NULL if the request must go the
 * long way. */
struct ttmpool_chunk *ttmpool_single_take(struct ttmpool_pool *pool,
					  const struct ttmpool_request *req,
					  bool map)
{
	struct bins_kind kind = { .order = order_of(req->num_pages),
				  .flags = map ? TTMPOOL_CHUNK_MAPPED : 0 };
	struct ttmpool_chunk *chunk;
	bool is_ready, is_fresh;

	if (request_check(pool, req) ||
	    kind.order > pool->max_order[req->source] || !pool_believes(pool) ||
	    req->num_pages > pages_of(&pool->mgr->page_budget))
		return NULL;
	tpos_spin_lock(&pool->lock);
	chunk = single_find(pool, req, kind);
	is_ready = chunk && !chunk_is_dirty(chunk) &&
		   chunk_may_be_read(pool, chunk);
	if (is_ready)
		single_hit(pool, req, map, chunk);
	is_fresh = !chunk && single_may_be_fresh(pool, req, kind.order, map);
	tpos_spin_unlock(&pool->lock);
	if (is_fresh)
		return single_miss(pool, req, kind.order, map);
	if (chunk && !is_ready)
		return single_clear(pool, req, map, chunk);
	return chunk;
}

/* Returns whether the chunk can be pooled as it is. One that must be unmapped first goes
 * the long way. */
static inline bool single_may_leave(const struct ttmpool_pool *pool,
				    const struct ttmpool_chunk *chunk)
{
	return pool->policy.keep_mapped || !ttmpool_chunk_is_streaming(chunk);
}

/* Returns whether the pool keeps a chunk that comes back. */
static inline bool single_is_kept(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk)
{
	const enum ttmpool_source source = chunk_source(chunk);
	const struct ttmpool_bin *bins = pool->bins[source][chunk->caching];

	if (pool->policy.recycle[source][chunk->caching])
		return true;
	return pool_has_stock(pool, source, chunk->caching) &&
	       chunk->order <= TTMPOOL_STOCK_ORDER &&
	       bins[chunk->order].nr_chunks < pool->policy.stock;
}

/* Takes the chunk off its owner's account, and marks it as leaving. It is still on the
 * in-use list. */
static void single_leave(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk)
{
	single_count(pool, chunk->owner, -(long)ttmpool_chunk_pages(chunk),
		     chunk->flags & TTMPOOL_CHUNK_MAPPED);
	pool->stats.gives++;
	chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
}

/* Pools a chunk that leaves. Returns whether the caller must queue the worker that clears
 * it. */
static bool single_park(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk)
{
	struct ttmpool_bin *bin =
		&pool->bins[chunk_source(chunk)][chunk->caching][chunk->order];

	if (TPOS_WATCHED)
		tpos_note_parked(pool->dev, chunk);
	ttmpool_bins_park_one(pool, bin, chunk);
	ttmpool_bins_count(pool, (long)ttmpool_chunk_pages(chunk));
	return pool_asks_scrub(pool);
}

/* Takes back all of an array, if it is one chunk that can leave at once. Returns whether it
 * did. */
bool ttmpool_single_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
			 size_t num_pages, enum ttmpool_caching caching,
			 uint32_t ticket)
{
	const unsigned int order = order_of(num_pages);
	struct ttmpool_chunk *chunk;
	struct ttmpool_list released;
	bool mapped, kept, scrub = false;

	if (order >= TTMPOOL_NR_ORDERS ||
	    (unsigned int)caching >= TTMPOOL_CACHING_COUNT ||
	    !pool_believes(pool) ||
	    !ttmpool_budget_has_room(pool->mgr, num_pages))
		return false;
	ttmpool_list_init(&released);
	tpos_spin_lock(&pool->lock);
	chunk = ttmpool_claim_single(pool, pages, order, caching, ticket);
	if (!chunk || !single_may_leave(pool, chunk)) {
		tpos_spin_unlock(&pool->lock);
		return false;
	}
	mapped = chunk->flags & TTMPOOL_CHUNK_MAPPED;
	kept = single_is_kept(pool, chunk);
	single_leave(pool, chunk);
	if (kept)
		scrub = single_park(pool, chunk);
	else
		ttmpool_list_move_tail(&chunk->link, &released);
	tpos_spin_unlock(&pool->lock);
	if (kept)
		give_follow(pool, scrub, mapped);
	else
		ttmpool_chunks_release(pool, &released);
	return true;
}
