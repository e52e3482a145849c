// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Renewing: small chunks go when there are large ones to be had.
 *
 * Memory may have been in pieces when a pool got its pages. They would serve for ever:
 * a buffer that comes back is pooled as it is, and the next one is made of its pieces.
 * So a buffer that was put together of many of them gets one fresh chunk of the largest
 * order for as many pages, if the system has one free, and these pieces go to the system:
 * no more than one at a time, since each costs a flush for what comes and one for what goes.
 *
 *     found     512  1 1 1 1 ... 1          1024 of 1 page
 *     renewed   512  512  1 1 ... 1         512 of them
 *
 * Nothing is reclaimed for it, and nothing else is given up. A pool that was prepared for
 * a time without memory keeps what it has.
 */

#include "take.h"

/* So many pieces at least are given for one chunk. */
#define PIECES_ORDER 5
#define PIECES       ((size_t)1 << PIECES_ORDER)

/* Of which order are there chunks enough that as many pages are one large chunk? The
 * lowest; or the largest order, if there is none. */
static unsigned int renew_order(const struct take *take)
{
	size_t n[TTMPOOL_NR_ORDERS] = { 0 };
	const struct ttmpool_chunk *chunk;
	unsigned int order = 0;

	ttmpool_for_each_chunk(chunk, &take->got)
		n[chunk->order]++;
	while (order + PIECES_ORDER <= take->max_order &&
	       n[order] >> (take->max_order - order) == 0)
		order++;
	return order + PIECES_ORDER <= take->max_order ? order
						       : take->max_order;
}

/* Have one large chunk, if it is free, and there is room for it beside the pieces. */
static bool renew_make(struct take *take, struct ttmpool_list *made)
{
	struct ttmpool_pool *pool = take->pool;
	bool is_mapped = take->map || take->req.source == TTMPOOL_COHERENT;
	size_t pages = (size_t)1 << take->max_order;
	struct tpos_alloc req = { .source = take->req.source,
				  .order = take->max_order,
				  .node = pool->node,
				  .flags = TPOS_ALLOC_LIGHT |
					   TPOS_ALLOC_NO_RECLAIM |
					   pool_zone(pool, take->req.source) };

	if (pool->node != TTMPOOL_NODE_ANY)
		req.flags |= TPOS_ALLOC_THIS_NODE;
	ttmpool_list_init(made);
	return ttmpool_room_try(pool, &take->room, pages,
				is_mapped ? take->bare + pages : 0) &&
	       !ttmpool_chunk_create(pool, &req, &take->room, made);
}

/* Move @n chunks of an order from what was found to @old. */
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

/* All is found: is it in many small pieces that were pooled, and can that be better? */
void ttmpool_take_renew(struct take *take)
{
	size_t pages = (size_t)1 << take->max_order;
	struct ttmpool_list made, old;
	unsigned int order;

	if (take->prepared ||
	    take->chunks_hit < (take->pages_hit >> take->max_order) + PIECES)
		return;
	order = renew_order(take);
	if (order == take->max_order || !renew_make(take, &made))
		return;
	renew_take_out(take, order, pages >> order, &old);
	ttmpool_take_miss(take, &old);
	take->req.num_pages -= pages;
	take->renewed = true;
	take->unmapped = true;
	take->cached = true;
	if (take->req.source == TTMPOOL_PLAIN)
		take->bare += pages;
	pool_tally(take->pool, &take->pool->stats.pages_fresh, pages);
	ttmpool_chunks_merge(&take->got, &made);
	ttmpool_chunks_release(take->pool, &old);
}
