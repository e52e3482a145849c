// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Gathering: which chunks a buffer gets.
 *
 *     1. pooled chunks of the right node      3. pooled chunks of another node
 *     2. fresh chunks of the right node       4. fresh chunks of any node
 *
 * each from the largest order that fits down to single pages. A pool without a
 * node has the first two steps alone. With a node, the second one takes what is free
 * and no more: nobody has to give up anything, and the system reclaims nothing, for
 * pages of the right node, while another node has some. The fourth makes an effort,
 * and prefers the right node, too.
 *
 * If all that is needed is pooled, nothing is made, and pooled chunks serve whatever
 * their order: a fresh page of another caching costs a flush on every CPU, and a mapping
 * costs IOVA space, while a smaller chunk costs a few more entries in the device's page
 * table. If something has to be made anyway, it is the largest chunks, and those of
 * lower orders serve where a buffer of fresh pages would have as small ones:
 *
 *     1100 pages = 512 512 64 8 4        pooled: 256 64 16 1
 *     taken                64            fresh: 512 512 8 4
 *
 * Where large chunks cannot be had for the asking, small ones serve after all. (Linux's
 * ttm_pool tries a fresh large chunk before a pooled small one, always.)
 *
 * When all of that is not enough, pooled chunks that are too large are divided
 * (split.c). In a pool that was prepared for a time without memory, that comes before
 * the system is asked.
 *
 * The chunks found so far are on one list, by falling order, which is also the
 * order in the buffer: every chunk then starts at a multiple of its own size.
 */

#include "take.h"

#define THIS_NODE_LIGHTLY \
	(TPOS_ALLOC_THIS_NODE | TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM)
/* So often it is asked whether a signal has come. */
#define ASK_BYTES ((uint64_t)2 << 20)

/* In which order the lists of a bin are asked, by whether to map. */
static const uint8_t list_preference[2][4] = {
	{ TTMPOOL_CHUNK_CLEAN, 0, TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN,
	  TTMPOOL_CHUNK_MAPPED },
	{ TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN, TTMPOOL_CHUNK_MAPPED,
	  TTMPOOL_CHUNK_CLEAN, 0 },
};

static unsigned int order_at_most(unsigned int order, size_t pages)
{
	unsigned int fits = 0;

	while (fits < order && pages >> (fits + 1))
		fits++;
	return fits;
}

/* Take what there is of one kind, and note what it lacks; how many chunks, of at most
 * @most? */
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

/* Of one order, the kinds that cost the least first; no more than @most. */
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

/* What was not there of this order shall be fresh, if anything shall. */
static void take_leave_hole(struct take *take, unsigned int order)
{
	size_t missing = take->req.num_pages - take->hole;

	if (!take->whole)
		return;
	assert_deep(take->hole <= take->req.num_pages);
	take->hole += missing >> order << order;
}

/* How much less is pooled than what is needed, so that it has to be made? The pool's lock
 * is held. */
static size_t take_lacks(const struct take *take)
{
	const struct ttmpool_bin *bins =
		take->pool->bins[take->req.source][take->req.caching];
	size_t pages = 0;

	tpos_assert_held(&take->pool->lock);
	for (unsigned int order = 0; order <= take->max_order; order++)
		pages += bins[order].nr_chunks << order;
	return pages < take->req.num_pages ? take->req.num_pages - pages : 0;
}

/* Take pooled chunks, near or far, of the orders below @end, as many as one may while
 * others wait for the lock. Returns the @end from which to go on. */
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

/* Take pooled chunks, near or far, of all orders that fit; or see that they will not do. */
static void take_pooled(struct take *take, unsigned int far)
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
			take->whole = take->whole && take->lacks &&
				      !pool->prepared;
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

/* Large chunks cannot be had for the asking: take what is pooled, of any order. */
static void take_pieces(struct take *take)
{
	take->hole = 0;
	if (!take->whole)
		return;
	take->whole = false;
	take_pooled(take, 0);
}

/* Divide a pooled chunk that is larger than what fits. */
static bool take_split(struct take *take)
{
	return ttmpool_bins_split(
		take->pool, take->req.caching,
		order_at_most(take->max_order, take->req.num_pages));
}

/*
 * Take what is pooled, near or far, also what is just being cleared or divided, and
 * parts of chunks that are too large; was that all that is needed? Nobody is robbed
 * of a large chunk in vain: one that is larger than what fits has all that is missing.
 */
static bool take_parts(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	bool more = true, kept = false;

	tpos_assert(!take->primed);
	take_pieces(take);
	while (more && take->req.num_pages) {
		more = take->req.source == TTMPOOL_PLAIN;
		if (more) /* without memory for these, those that there are will do */
			kept = ttmpool_spares_keep(pool, TTMPOOL_NR_ORDERS,
						   request_flags(&take->req));
		tpos_mutex_lock(&pool->scrub);
		take_pooled(take, 0);
		take_pooled(take, TTMPOOL_CHUNK_FAR);
		more = more && take->req.num_pages &&
		       (take_split(take) ||
			/* others have used them, or dropped them, meanwhile */
			(kept && ttmpool_spares_are_gone(pool)));
		tpos_mutex_unlock(&pool->scrub);
	}
	ttmpool_spares_drop(pool);
	return !take->req.num_pages;
}

/*
 * Take room for all that is missing: pages, and the mappings of those that have
 * none. Coherent pages are always mapped. @effort: others may have to give up
 * something for it.
 */
static int take_room(struct take *take, bool effort)
{
	bool is_mapped = take->map || take->req.source == TTMPOOL_COHERENT;
	size_t missing = take->req.num_pages;
	size_t mapped = is_mapped ? missing + take->bare : 0;

	if (effort)
		return ttmpool_room_make(take->pool, &take->room, missing,
					 mapped);
	return ttmpool_room_try(take->pool, &take->room, missing, mapped)
		       ? 0
		       : -ENOMEM;
}

/* A large chunk is worth one light attempt, since a smaller one will do. Where the device
 * gains by one order alone, that is worth more, and others are worth none. */
static unsigned int flags_of_order(const struct ttmpool_pool *pool,
				   unsigned int order)
{
	if (!order || order == pool->policy.good_order)
		return 0;
	return pool->policy.good_order
		       ? TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM
		       : TPOS_ALLOC_LIGHT;
}

/* So many pages were got. If many more are wanted, has the thread something better to
 * do? */
static int take_count(struct take *take, size_t pages)
{
	tpos_assert(pages <= take->req.num_pages);
	take->req.num_pages -= pages;
	take->asked += pages;
	if (!take->req.num_pages ||
	    pool_bytes(take->pool, take->asked) < ASK_BYTES)
		return 0;
	take->asked = 0;
	return request_is_interrupted(&take->req) ? -EINTR : 0;
}

/*
 * Make fresh chunks. @strict: of the node that the pool wants, or none. Returns
 * the error that ended it, or 0 if nothing more is needed.
 */
static int take_fresh(struct take *take, bool strict)
{
	struct ttmpool_pool *pool = take->pool;
	struct tpos_alloc req = { .source = take->req.source,
				  .order = take->max_order,
				  .node = pool->node };
	struct ttmpool_list made;
	size_t pages;
	int err = 0;

	if (!take->req.num_pages)
		return 0;
	take->unmapped = true;
	take->cached = true;
	ttmpool_list_init(&made);
	do {
		req.order = order_at_most(req.order, take->req.num_pages);
		req.flags = (strict ? THIS_NODE_LIGHTLY
				    : request_flags(&take->req)) |
			    flags_of_order(pool, req.order) |
			    pool_zone(pool, req.source);
		err = ttmpool_chunk_create(pool, &req, &take->room, &made);
		if (!err) {
			err = take_count(take, (size_t)1 << req.order);
		} else if (req.order && !take->one_order) {
			take_pieces(take);
			req.order--;
			pool_tally(pool, &pool->stats.fallbacks, 1);
			err = 0;
		}
	} while (!err && take->req.num_pages);
	pages = ttmpool_chunks_count_pages(&made);
	pool_tally(pool, &pool->stats.pages_fresh, pages);
	if (req.source == TTMPOOL_PLAIN)
		take->bare += pages;
	ttmpool_chunks_merge(&take->got, &made);
	return err;
}

/* Make what is missing of the right node, if nobody has to give up anything for it. */
static int take_lightly(struct take *take)
{
	int err = take_room(take, false);

	return err ? err : take_fresh(take, true);
}

/* Take pages of the node that is wanted, as long as they are to be had lightly, and
 * pooled ones of others. */
static int take_near(struct take *take)
{
	int err;

	tpos_assert(take->pool->node != TTMPOOL_NODE_ANY);
	err = take_lightly(take);
	if (err == -EINTR)
		return err;
	if (err && take->whole) {
		take_pieces(take);
		err = take_lightly(take);
	}
	if (err && !take->near)
		take_pooled(take, TTMPOOL_CHUNK_FAR);
	return err;
}

/*
 * Take pooled chunks of the node that is wanted. Where they will not do, they stay where
 * they are unless the others may be had, too: what this request holds in vain, another that
 * is within the budget would miss.
 */
static bool take_first(struct take *take)
{
	take->looks = true;
	take_pooled(take, 0);
	take->looks = false;
	if (!take->lacks)
		return true;
	if (!ttmpool_room_may_be(take->pool, &take->room, take->req.num_pages,
				 take->lacks))
		return false;
	take_pooled(take, 0);
	return true;
}

/* Find pages; what was found before an error stays on the list. */
static int take_gather(struct take *take)
{
	int err;

	take->hole = 0;
	take->whole = !take->one_order && !take->primed;
	if (!take->primed) {
		if (!take_first(take))
			return NO_PAGES;
		if (take->prepared && !take->near)
			take_parts(take);
		err = -ENOMEM;
		if (take->pool->node != TTMPOOL_NODE_ANY)
			err = take_near(take);
		if (!err || take->near || err == -EINTR)
			return err;
		/* For a large chunk nobody gives up anything. */
		if (take->whole && take_room(take, false))
			take_pieces(take);
	}
	err = take_room(take, true);
	if (!err)
		err = take_fresh(take, false);
	if (err == -ENOMEM && !take->primed && take_parts(take))
		err = take_room(take, true);
	return err;
}

/* These were found in vain: as many have to be found once more. */
void ttmpool_take_miss(struct take *take, const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		size_t pages = ttmpool_chunk_pages(chunk);

		take->req.num_pages += pages;
		if (!(chunk->flags & TTMPOOL_CHUNK_MAPPED))
			take->bare -= pages;
		if (chunk_is_fresh(chunk))
			continue;
		tpos_assert(take->pages_hit >= pages);
		tpos_assert(take->chunks_hit > 0);
		take->pages_hit -= pages;
		take->chunks_hit--;
	}
}

/* What cannot be used goes to @useless: what the hardware has poisoned, and what the
 * device does not reach any more. */
static bool take_sort_out(struct take *take, struct ttmpool_list *useless)
{
	return chunks_extract_poisoned(take->pool, &take->got, useless) ||
	       (take->narrowed &&
		ttmpool_chunks_extract(&take->got,
				       ttmpool_chunk_is_out_of_reach, useless));
}

/* Find chunks that can be used, instead of any others. They are looked at before they
 * are cleared: to write to poisoned memory may do harm, too. */
static int take_gather_sound(struct take *take)
{
	struct ttmpool_list useless;
	int err = take_gather(take);

	while (!err && take_sort_out(take, &useless)) {
		ttmpool_take_miss(take, &useless);
		ttmpool_chunks_release(take->pool, &useless);
		err = take_gather(take);
	}
	return err;
}

/* What was pooled clean is read; what somebody wrote to is dirty. */
static void take_verify(struct take *take)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, &take->got) {
		if (chunk->state == TTMPOOL_CHUNK_POOLED &&
		    !chunk_is_dirty(chunk))
			ttmpool_chunk_verify(take->pool, chunk);
		take->dirty |= chunk_is_dirty(chunk);
	}
}

/* Find all pages. */
int ttmpool_take_find(struct take *take)
{
	int err = take_gather_sound(take);

	if (take->pool->policy.verify)
		take_verify(take);
	return err;
}
