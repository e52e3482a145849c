// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Picking: which pooled chunks a request gets (gather.c has the plan).
 *
 *     orders    from the largest that fits down to single pages; if something is made
 *               anyway, holes are left for large fresh chunks, and lower orders fill the
 *               rest
 *     lists     in each order, the chunks that need the least work come first: clean before
 *               dirty; and if the request needs mappings, mapped before unmapped
 *     parts     at last, chunks that are too large are divided (split.c)
 *
 * At most TTMPOOL_HOLD_CHUNKS chunks are picked under one hold of the pool's lock.
 */

#include "take.h"

/* The order in which the lists of a bin are searched; the second row is for requests that
 * need mappings. */
static const uint8_t list_preference[2][4] = {
	{ TTMPOOL_CHUNK_CLEAN, 0, TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN,
	  TTMPOOL_CHUNK_MAPPED },
	{ TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN, TTMPOOL_CHUNK_MAPPED,
	  TTMPOOL_CHUNK_CLEAN, 0 },
};

/* Takes pooled chunks of one kind, at most @most, and notes what they lack. Returns how
 * many. */
static size_t take_pick(struct take *take, struct bins_kind kind, size_t most,
			struct ttmpool_list *picked)
{
	struct ttmpool_bin *bin =
		&take->pool->bins[take->req.source][take->req.caching]
				 [kind.order];
	size_t n = ttmpool_bins_pick(take->pool, bin, kind, most, picked);

	if (!n)
		return 0;
	assert_deep(n <= most);
	assert_deep(n << kind.order <= take->req.num_pages);
	take->req.num_pages -= n << kind.order;
	take->pages_hit += n << kind.order;
	take->chunks_hit += n;
	take->dirty |= !(kind.flags & TTMPOOL_CHUNK_CLEAN);
	take->unmapped |= !(kind.flags & TTMPOOL_CHUNK_MAPPED);
	if (!(kind.flags & TTMPOOL_CHUNK_MAPPED))
		take->bare += n << kind.order;
	return n;
}

/* Takes pooled chunks of one order, at most @most, the kinds that cost least first. Returns
 * how many. */
static size_t take_pick_order(struct take *take, struct bins_kind kind,
			      size_t most, struct ttmpool_list *picked)
{
	const unsigned int far = kind.flags;
	const size_t fits = (take->req.num_pages - take->hole) >> kind.order;
	size_t n = 0;

	if (most > fits)
		most = fits;
	for (int i = 0; i < 4 && n < most; i++) {
		kind.flags = list_preference[take->map][i] | far;
		n += take_pick(take, kind, most - n, picked);
	}
	return n;
}

/* Leaves the pages that no pooled chunk of this order provides to fresh chunks, if the
 * request makes any. */
static void take_leave_hole(struct take *take, unsigned int order)
{
	size_t missing = take->req.num_pages - take->hole;

	if (!take->whole)
		return;
	assert_deep(take->hole <= take->req.num_pages);
	take->hole += missing >> order << order;
}

/* Returns how many of the needed pages are not pooled, and must be made. The caller holds
 * the pool's lock. */
static size_t take_lacks(const struct take *take)
{
	const struct ttmpool_bin *bins =
		take->pool->bins[take->req.source][take->req.caching];
	size_t pages = bins_pages(bins, take->max_order + 1);

	tpos_assert_held(&take->pool->lock);
	return pages < take->req.num_pages ? take->req.num_pages - pages : 0;
}

/* Takes pooled chunks of the orders below @end, but no more than may be taken under one
 * hold of the lock. @far: 0, or TTMPOOL_CHUNK_FAR for chunks on another node. Returns the
 * @end with which to go on. */
static unsigned int take_pick_some(struct take *take, unsigned int far,
				   unsigned int end,
				   struct ttmpool_list *picked)
{
	const struct ttmpool_bin *bins =
		take->pool->bins[take->req.source][take->req.caching];
	size_t left = TTMPOOL_HOLD_CHUNKS;

	tpos_assert_held(&take->pool->lock);
	while (end > take->order) {
		struct bins_kind kind = { .order = end - 1, .flags = far };

		if (bins[kind.order].nr_chunks)
			left -= take_pick_order(take, kind, left, picked);
		if (!left)
			break;
		take_leave_hole(take, kind.order);
		if (take->req.num_pages == take->hole)
			return take->order;
		end--;
	}
	return end;
}

/* Returns whether what is pooled of the requested kind is only a stock for small buffers. */
static bool take_finds_stock(const struct take *take)
{
	const struct ttmpool_pool *pool = take->pool;
	const struct ttmpool_request *req = &take->req;

	return pool_has_stock(pool, req->source, req->caching) &&
	       !pool->policy.recycle[req->source][req->caching];
}

/* Takes pooled chunks of all orders that fit. @far: see take_pick_some(). If take->looks is
 * set, and not enough chunks are pooled, takes none. */
void ttmpool_take_pooled(struct take *take, unsigned int far)
{
	unsigned int end =
		order_at_most(take->max_order, take->req.num_pages) + 1;
	struct ttmpool_pool *pool = take->pool;
	struct ttmpool_list picked;

	ttmpool_list_init(&picked);
	for (bool first = true; end > take->order; first = false) {
		tpos_spin_lock(&pool->lock);
		if (first) {
			take->lacks = take_lacks(take);
			take->whole = take->whole && !pool->prepared &&
				      (take->lacks || take_finds_stock(take));
		}
		take->prepared = pool->prepared;
		take->narrowed |= pool_is_narrowed(pool, take->req.source);
		end = take->lacks && take->looks
			      ? take->order
			      : take_pick_some(take, far, end, &picked);
		tpos_spin_unlock(&pool->lock);
	}
	ttmpool_chunks_merge(&take->got, &picked);
}

/* Large chunks are not available without effort: takes pooled chunks of any order instead. */
void ttmpool_take_pieces(struct take *take)
{
	take->hole = 0;
	if (!take->whole)
		return;
	take->whole = false;
	ttmpool_take_pooled(take, 0);
}

/* Divides a pooled chunk that is larger than what fits. Returns whether there was one. */
static bool take_split(struct take *take)
{
	return ttmpool_bins_split(
		take->pool, take->req.caching,
		order_at_most(take->max_order, take->req.num_pages));
}

/*
 * Takes what is pooled on any node, including chunks that are just being cleared or
 * divided, and parts of chunks that are too large. Returns whether it found all that was
 * missing. No large chunk is divided in vain, because one that is larger than what fits has
 * enough pages.
 */
bool ttmpool_take_parts(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	bool more = true, kept = false;

	tpos_assert(!take->primed);
	ttmpool_take_pieces(take);
	while (more && take->req.num_pages) {
		more = take->req.source == TTMPOOL_PLAIN;
		if (more) /* without memory for more spares, the present ones will do */
			kept = ttmpool_spares_keep(pool, TTMPOOL_NR_ORDERS,
						   request_flags(&take->req));
		tpos_mutex_lock(&pool->scrub);
		ttmpool_take_pooled(take, 0);
		ttmpool_take_pooled(take, TTMPOOL_CHUNK_FAR);
		more = more && take->req.num_pages &&
		       (take_split(take) ||
			/* others have used the spares, or dropped them, meanwhile */
			(kept && ttmpool_spares_are_gone(pool)));
		tpos_mutex_unlock(&pool->scrub);
	}
	ttmpool_spares_drop(pool);
	return !take->req.num_pages;
}
