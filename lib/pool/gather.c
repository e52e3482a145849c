// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Gathering: which chunks a buffer gets.
 *
 *     1. pooled chunks on the right node      3. pooled chunks on another node
 *     2. fresh chunks on the right node       4. fresh chunks on any node
 *
 * each from the largest order that fits down to single pages. The right node is the one
 * that the pool wants; chunks on it are "near", others are "far". A pool that wants no node
 * has the first two steps only. For a pool that wants one, the second step takes only what
 * is free: nobody gives up anything, and the system reclaims nothing, for pages on the
 * right node while another node has some. The fourth step makes an effort, and prefers the
 * right node, too.
 *
 * If all that is needed is pooled, nothing is made, and pooled chunks of any order serve: a
 * fresh page of another caching costs a flush on every CPU, and a mapping costs IOVA space,
 * while a smaller chunk costs a few more entries in the device's page table. If something
 * has to be made anyway, the largest chunks are made, and pooled chunks of lower orders
 * serve only where a buffer of fresh pages would have chunks as small:
 *
 *     1100 pages = 512 512 64 8 4        pooled: 256 64 16 1
 *     taken                64            fresh: 512 512 8 4
 *
 * If large chunks are not available without effort, small ones serve after all. (Linux's
 * ttm_pool always tries a fresh large chunk before a pooled small one.) A stock of small
 * chunks (policy.stock) serves only in this way: it is for small buffers.
 *
 * If all of that is not enough, pooled chunks that are too large are divided (split.c). In
 * a pool that was prepared for a time without memory, that comes before the system is
 * asked.
 *
 * The chunks found so far are on one list, by falling order, which is also their order in
 * the buffer. So every chunk starts at a multiple of its own size.
 */

#include "take.h"

#define THIS_NODE_LIGHTLY \
	(TPOS_ALLOC_THIS_NODE | TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM)
/* A request checks for a signal each time it has got this many bytes of fresh pages. */
#define ASK_BYTES ((uint64_t)2 << 20)

/* The order in which the lists of a bin are searched; the second row is for requests that
 * need mappings. */
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
	size_t pages = 0;

	tpos_assert_held(&take->pool->lock);
	for (unsigned int order = 0; order <= take->max_order; order++)
		pages += bins[order].nr_chunks << order;
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
static void take_pieces(struct take *take)
{
	take->hole = 0;
	if (!take->whole)
		return;
	take->whole = false;
	take_pooled(take, 0);
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
static bool take_parts(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	bool more = true, kept = false;

	tpos_assert(!take->primed);
	take_pieces(take);
	while (more && take->req.num_pages) {
		more = take->req.source == TTMPOOL_PLAIN;
		if (more) /* without memory for more spares, the present ones will do */
			kept = ttmpool_spares_keep(pool, TTMPOOL_NR_ORDERS,
						   request_flags(&take->req));
		tpos_mutex_lock(&pool->scrub);
		take_pooled(take, 0);
		take_pooled(take, TTMPOOL_CHUNK_FAR);
		more = more && take->req.num_pages &&
		       (take_split(take) ||
			/* others have used the spares, or dropped them, meanwhile */
			(kept && ttmpool_spares_are_gone(pool)));
		tpos_mutex_unlock(&pool->scrub);
	}
	ttmpool_spares_drop(pool);
	return !take->req.num_pages;
}

/*
 * Takes room for all that is missing: pages, and mappings for those that have none.
 * Coherent pages are always mapped. @effort: if necessary, others have to give up something
 * for it.
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

/* A large chunk is worth one light attempt, because a smaller one will do. If the device
 * works best with one order (policy.good_order), a chunk of that order is worth more, and
 * for chunks of other orders nothing is reclaimed. */
static unsigned int flags_of_order(const struct ttmpool_pool *pool,
				   unsigned int order)
{
	if (!order || order == pool->policy.good_order)
		return 0;
	return pool->policy.good_order
		       ? TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM
		       : TPOS_ALLOC_LIGHT;
}

/* Counts @pages as found. Each time ASK_BYTES were got and more pages are needed, checks
 * for a signal, and returns -EINTR if one interrupts the request. */
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
 * Makes fresh chunks. @strict: only on the node that the pool wants. Returns 0 when nothing
 * more is needed, or the error that ended it.
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

/* Makes what is missing on the right node, if nobody has to give up anything for it. */
static int take_lightly(struct take *take)
{
	int err = take_room(take, false);

	return err ? err : take_fresh(take, true);
}

/* Takes fresh pages on the right node, as long as they cost no effort, and then pooled ones
 * on other nodes. */
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
 * Takes pooled chunks on the right node. If they are not enough, and there cannot be room
 * for the rest, takes none and returns false: another request, which is within the budget,
 * may need what this one would hold in vain.
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

/* Finds pages. What was found before an error stays on the list. */
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
		/* Nobody gives up anything for a large chunk. */
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

/* Counts chunks that the request does not keep as not found, so that it finds as many pages
 * again. */
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

/* Moves chunks that cannot be used to @useless: those that the hardware has poisoned, or
 * those that the device does not reach any more. Returns whether there were any. */
static bool take_sort_out(struct take *take, struct ttmpool_list *useless)
{
	return chunks_extract_poisoned(take->pool, &take->got, useless) ||
	       (take->narrowed &&
		ttmpool_chunks_extract(&take->got,
				       ttmpool_chunk_is_out_of_reach, useless));
}

/* Finds chunks, and replaces those that cannot be used. The chunks are checked before they
 * are cleared, because writing to poisoned memory may do harm, too. */
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

/*
 * Takes all pooled chunks of the requested kind, and gives those that cannot be used to the
 * system. The caller pools the others again, with ttmpool_take_drop().
 */
void ttmpool_take_weed(struct take *take)
{
	struct ttmpool_list useless;

	tpos_assert(!take->whole);
	tpos_assert(!take->looks);
	take->wanted = (size_t)LONG_MAX >> take->pool->info.page_shift;
	take->req.num_pages = take->wanted;
	take->max_order = TTMPOOL_NR_ORDERS - 1;
	ttmpool_list_init(&take->got);
	take_pooled(take, 0);
	take_pooled(take, TTMPOOL_CHUNK_FAR);
	if (take_sort_out(take, &useless)) {
		ttmpool_take_miss(take, &useless);
		ttmpool_chunks_release(take->pool, &useless);
	}
}

/* Reads chunks that were pooled clean. If somebody has written to one, it is dirty. */
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

/* Finds all pages. */
int ttmpool_take_find(struct take *take)
{
	int err = take_gather_sound(take);

	if (take->pool->policy.verify)
		take_verify(take);
	return err;
}
