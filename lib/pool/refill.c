// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Refill: spare chunks that are converted along with those of a populate.
 *
 * A caching change costs a flush on every CPU, whatever the number of pages. So if a
 * populate has to convert fresh pages anyway, the pool makes one more chunk of each order
 * of which none is pooled, and converts it with them: 2 MiB less a page if all were
 * missing. The next buffer finds its large chunks where earlier buffers left them, and the
 * odd pages at its end among the spare chunks.
 *
 *     wanted  512 512 256 64 8 1         pooled by the refill, if missing
 *     spare   .   .   .   128 32 16 4 2  one of each order that is not there
 *
 * A refill is never worth an effort. It takes only what the system has free, makes nobody
 * give up room in the budgets, and stays within the pool limit; if there is too little
 * room, it is smaller, or does not happen. And a buffer has no more spare pages made for it
 * than it has itself: what the next buffer finds is worth as much as this one's own pages,
 * and no more.
 */

#include "take.h"

/* Takes room for @pages, if the budgets and the pool limit have some without anybody giving
 * up anything. All that a prime makes will be pooled, too. Returns whether it succeeded. */
static bool refill_takes_room(const struct take *take, size_t pages,
			      struct room *room)
{
	bool mapped = take->req.source == TTMPOOL_COHERENT;

	tpos_assert(!room->pages);
	return ttmpool_budget_may_pool(take->pool->mgr, pages + take->primed) &&
	       ttmpool_room_try(take->pool, room, pages, mapped ? pages : 0);
}

/* Returns the orders, below the largest, of which no chunk of this kind is pooled. */
static unsigned int refill_missing(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	const struct ttmpool_bin *bins =
		pool->bins[take->req.source][take->req.caching];
	unsigned int missing = 0;

	tpos_spin_lock(&pool->lock);
	for (unsigned int order = 0; order < pool->max_order[take->req.source];
	     order++)
		if (!bins[order].nr_chunks)
			missing |= 1u << order;
	tpos_spin_unlock(&pool->lock);
	return missing;
}

/*
 * A set of orders, read as a number, is the number of pages that their chunks have. A
 * buffer has no more spare pages made for it than it has itself: the largest orders are
 * left out.
 */
static unsigned int refill_within(unsigned int orders, size_t pages)
{
	unsigned int most = (1u << TTMPOOL_NR_ORDERS) - 1;

	tpos_assert(pages);
	tpos_assert(orders <= most);
	while (orders > pages) {
		most >>= 1;
		orders &= most;
	}
	return orders;
}

/* Makes the spare chunks, if the policy wants any. @spare need not be initialised. */
void ttmpool_refill_make(struct take *take, struct ttmpool_list *spare)
{
	struct ttmpool_pool *pool = take->pool;
	struct tpos_alloc req = { .source = take->req.source,
				  .node = pool->node,
				  .flags = TPOS_ALLOC_LIGHT |
					   TPOS_ALLOC_NO_RECLAIM |
					   pool_zone(pool, take->req.source) };
	unsigned int missing;
	struct room room = { .give_ups = ROOM_MOST_GIVE_UPS };

	tpos_assert(take->req.caching != TTMPOOL_CACHED);
	ttmpool_list_init(spare);
	if (pool->node != TTMPOOL_NODE_ANY)
		req.flags |= TPOS_ALLOC_THIS_NODE;
	if (!pool->policy.refill || take->renewed ||
	    !pool->policy.recycle[take->req.source][take->req.caching])
		return;
	missing = refill_missing(take);
	missing = refill_within(missing, take->wanted);
	take_hold_extra(take);
	if (!refill_takes_room(take, missing, &room))
		return;
	for (; missing >> req.order; req.order++)
		if (missing >> req.order & 1)
			ttmpool_chunk_create(pool, &req, &room, spare);
	assert_deep(ttmpool_chunks_count_pages(spare) <= take->wanted);
	ttmpool_room_return(pool, &room);
	pool_tally(pool, &pool->stats.pages_fresh,
		   ttmpool_chunks_count_pages(spare));
}

/* Pools the spare chunks, which have been converted. */
void ttmpool_refill_park(struct take *take, struct ttmpool_list *spare)
{
	struct ttmpool_chunk *chunk;

	if (ttmpool_list_empty(spare))
		return;
	ttmpool_for_each_chunk(chunk, spare) {
		assert_deep(chunk->caching == take->req.caching);
		assert_deep(chunk->state == TTMPOOL_CHUNK_FRESH);
		tpos_note_parked(take->pool->dev, chunk);
	}
	ttmpool_chunks_park(take->pool, spare, PARK_GIVEN);
}
