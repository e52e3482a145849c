// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Renewing: small chunks are replaced when large ones can be had.
 *
 * Memory may have been in pieces when a pool got its pages. Without renewing, the pieces
 * would serve for ever: a buffer that comes back is pooled as it is, and the next one is
 * made of its pieces. So a buffer that was put together of many pieces gets one fresh chunk
 * for as many pages, if the system has one free, and these pieces go to the system. It gets
 * no more than one at a time, because each costs a flush for the pages that come and one
 * for those that go. If the gain is small, this is not done each time: a pool that is used
 * by large and small buffers in turn has pieces for a while, and they serve.
 *
 *     found     512  1 1 1 1 ... 1          1024 of 1 page
 *     renewed   512  512  1 1 ... 1         512 of them
 *
 * Nothing is reclaimed for it, and nothing else is given up. A pool that was prepared for a
 * time without memory keeps what it has.
 */

#include "take.h"

/* At least this many pieces are replaced by one chunk. */
#define PIECES_ORDER 3
#define PIECES       ((size_t)1 << PIECES_ORDER)

/* MANY_PIECES pieces or more are replaced at once, if a chunk of the largest order takes
 * their place. Otherwise only every FEW_EVERY-th populate that finds enough pieces replaces
 * some. */
#define MANY_PIECES 32
#define FEW_EVERY   16

/**
 * struct renewal - pieces that one larger chunk can replace
 * @order: the order of the pieces
 * @large: the order of the chunk; equal to @order if there are no such pieces
 * @pieces: how many pieces there are, which may be more than the chunk replaces
 */
struct renewal {
	unsigned int order;
	unsigned int large;
	size_t pieces;
};

/* Returns the order of the largest chunk that has no more than @pages pages. */
static unsigned int order_of(size_t pages)
{
	unsigned int order = 0;

	while (pages >> (order + 1))
		order++;
	return order;
}

/* Finds the lowest order of which there are enough pieces for one larger chunk. */
static struct renewal renew_find(const struct take *take)
{
	struct renewal renewal = { 0 };
	size_t n[TTMPOOL_NR_ORDERS] = { 0 };
	const struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, &take->got)
		n[chunk->order]++;
	for (unsigned int order = 0; order + PIECES_ORDER <= take->max_order;
	     order++) {
		unsigned int large = order + order_of(n[order]);

		if (n[order] < PIECES)
			continue;
		renewal.order = order;
		renewal.large = large < take->max_order ? large
							: take->max_order;
		renewal.pieces = n[order];
		break;
	}
	return renewal;
}

/* Makes one large chunk, if the system has one free, and the budgets have room for it
 * beside the pieces. Returns whether it succeeded. */
static bool renew_make(struct take *take, unsigned int order,
		       struct ttmpool_list *made)
{
	struct ttmpool_pool *pool = take->pool;
	bool is_mapped = take->map || take->req.source == TTMPOOL_COHERENT;
	size_t pages = (size_t)1 << order;
	struct tpos_alloc req = { .source = take->req.source,
				  .order = order,
				  .node = pool->node,
				  .flags = TPOS_ALLOC_LIGHT |
					   TPOS_ALLOC_NO_RECLAIM |
					   pool_zone(pool, take->req.source) };
	struct room room = { .give_ups = ROOM_MOST_GIVE_UPS };
	bool good;

	tpos_assert(order >= PIECES_ORDER);
	tpos_assert(order <= take->max_order);
	if (pool->node != TTMPOOL_NODE_ANY)
		req.flags |= TPOS_ALLOC_THIS_NODE;
	ttmpool_list_init(made);
	good = ttmpool_room_try(pool, &room, pages, is_mapped ? pages : 0) &&
	       !ttmpool_chunk_create(pool, &req, &room, made);
	if (good) /* a plain one is mapped later */
		take->room.mapped += room.mapped;
	else
		ttmpool_room_return(pool, &room);
	return good;
}

/* Moves @n chunks of an order from what was found to @old. */
static void renew_take_out(struct take *take, unsigned int order, size_t n,
			   struct ttmpool_list *old)
{
	struct ttmpool_chunk *chunk, *after;

	ttmpool_list_init(old);
	ttmpool_for_each_chunk_safe(chunk, after, &take->got) {
		if (chunk->order != order || !n)
			continue;
		ttmpool_list_move_tail(&chunk->link, old);
		n--;
	}
	tpos_assert(!n);
}

/* Returns whether it is time to renew, which costs a flush for the pages that come and one
 * for those that go. */
static bool renew_is_due(struct take *take, const struct renewal *renewal)
{
	if (renewal->large == renewal->order)
		return false;
	return (renewal->large == take->max_order &&
		renewal->pieces >= MANY_PIECES) ||
	       tpos_atomic_add_return(1, &take->pool->pieced) % FEW_EVERY == 0;
}

/* After all pages were found: if they are in many small pieces that were pooled, replaces
 * some of them by a large chunk, if that can be had. */
void ttmpool_take_renew(struct take *take)
{
	struct ttmpool_list made, old;
	struct renewal renewal;
	size_t pages;

	tpos_assert(!take->req.num_pages);
	/* Pieces that make up a whole chunk count as that chunk, too. */
	if (take->prepared ||
	    take->chunks_hit + 1 <
		    (take->pages_hit >> take->max_order) + PIECES)
		return;
	renewal = renew_find(take);
	if (!renew_is_due(take, &renewal))
		return;
	take_hold_extra(take);
	if (!renew_make(take, renewal.large, &made))
		goto end;
	pages = (size_t)1 << renewal.large;
	renew_take_out(take, renewal.order, pages >> renewal.order, &old);
	ttmpool_take_miss(take, &old);
	tpos_assert(take->req.num_pages == pages);
	take->req.num_pages -= pages;
	take->renewed = true;
	take->unmapped = true;
	take->cached = true;
	if (take->req.source == TTMPOOL_PLAIN)
		take->bare += pages;
	pool_tally(take->pool, &take->pool->stats.pages_fresh, pages);
	ttmpool_chunks_merge(&take->got, &made);
	ttmpool_chunks_release(take->pool, &old);
end:
	ttmpool_turn_end(&take->extra);
}
