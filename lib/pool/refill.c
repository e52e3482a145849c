// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Refill: spare chunks that ride along with a conversion.
 *
 * A caching change costs a flush on every CPU, however many pages it is for. So
 * when a populate has to convert fresh pages anyway, one more chunk is made of
 * each order of which none is pooled, and converted with them: 2 MiB less a
 * page if all were missing. The next buffer finds large chunks where the last
 * ones were, and the odd pages at its end among these.
 *
 *     wanted  512 512 256 64 8 1         pooled by the refill, if missing
 *     spare   .   .   .   128 32 16 4 2  one of each order that is not there
 *
 * A refill is never worth an effort: it takes what the system has free, takes nothing
 * from the shrinker's side of the budget, stays within the pool limit, and is
 * simply smaller, or nothing, where there is no room. And a buffer has no more
 * spare pages made for it than it has itself: what the next one finds is worth as
 * much as this one's own pages, and no more.
 */

#include "take.h"

/* Take room for @pages, if there is some in budgets and limit without giving up
 * anything. Of a prime, all that it makes will be pooled, too. */
static bool refill_takes_room(const struct take *take, size_t pages,
			      struct room *room)
{
	bool mapped = take->req.source == TTMPOOL_COHERENT;

	tpos_assert(!room->pages);
	return ttmpool_budget_may_pool(take->pool->mgr, pages + take->primed) &&
	       ttmpool_room_try(take->pool, room, pages, mapped ? pages : 0);
}

/* Which orders have no free chunk of the kind that is being made? */
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
 * A set of orders, read as a number, is the pages that they have. Nobody pays
 * for more spare pages than for his own: the largest orders are left out.
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

/* Make the spare chunks, if the policy wants any; @spare is initialised. */
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

/* The spare chunks have been converted: they are free for whoever comes. */
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
