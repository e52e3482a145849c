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
 * chunks (policy.stock) is for small buffers, even if it has all that a larger one needs: it
 * serves that one in the same way, as if something had to be made.
 *
 * If all of that is not enough, pooled chunks that are too large are divided (split.c). At
 * the page budget, that comes before anybody gives up pages; in a pool that was prepared for
 * a time without memory, before the system is asked.
 *
 * The chunks found so far are on one list, by falling order, which is also their order in
 * the buffer. So every chunk starts at a multiple of its own size.
 */

#include "take.h"

#define THIS_NODE_LIGHTLY \
	(TPOS_ALLOC_THIS_NODE | TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM)
/* A request checks for a signal each time it has got this many bytes of fresh pages. */
#define ASK_BYTES ((uint64_t)2 << 20)

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
			ttmpool_take_pieces(take);
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
		ttmpool_take_pieces(take);
		err = take_lightly(take);
	}
	if (err && !take->near)
		ttmpool_take_pooled(take, TTMPOOL_CHUNK_FAR);
	return err;
}

/* Returns whether there would be addresses for all that is needed, within the limits, if all
 * kept mappings ended, those of the needed pages included. */
static bool take_may_map(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	size_t mapped = take->req.num_pages + take->bare;

	if ((!take->map && take->req.source != TTMPOOL_COHERENT) ||
	    (!pool->mapped_limit && !pool->iova->limit) ||
	    mapped <= take->room.mapped)
		return true;
	return ttmpool_mappings_suffice(
		pool, pool_bytes(pool, mapped - take->room.mapped));
}

/*
 * Takes pooled chunks on the right node. If they are not enough, and there cannot be room
 * for the rest, takes none and returns NO_PAGES or NO_MAPPED: another request, which is
 * within the limits, may need what this one would hold in vain. Returns -EINTR if a signal
 * ended the wait for pages in others' hands.
 */
static int take_first(struct take *take)
{
	int err;

	take->looks = true;
	ttmpool_take_pooled(take, 0);
	take->looks = false;
	if (!take->lacks)
		return 0;
	if (!take_may_map(take))
		return NO_MAPPED;
	err = ttmpool_room_may_be(take->pool, &take->room, take->req.num_pages,
				  take->lacks);
	if (!err)
		ttmpool_take_pooled(take, 0);
	return err;
}

/* Makes what is missing, if the budgets have room. */
static int take_made(struct take *take)
{
	int err = take_room(take, true);

	return err ? err : take_fresh(take, false);
}

/* Returns whether the page budget has no room for what is missing, while as many pages of
 * the kind are pooled, in chunks that are too large. */
static bool take_parts_come_first(const struct take *take)
{
	size_t missing = take->req.num_pages, has = take->room.pages;

	return !take->primed && !take->lacks &&
	       take->req.source == TTMPOOL_PLAIN && missing > has &&
	       !ttmpool_budget_has(take->pool->mgr, missing - has);
}

/* Makes what is missing, or takes parts of pooled chunks. If the page budget has no room,
 * parts come first, because nobody has to give up anything for them; otherwise the system is
 * asked first. While descriptors for the parts are made, the shrinker may give these chunks
 * to the system; then the request asks the system again. */
static int take_last(struct take *take)
{
	tpos_atomic_t *shrunk = &take->pool->mgr->pages_shrunk;
	long before;
	int err;

	if (take_parts_come_first(take) && ttmpool_take_parts(take))
		return take_room(take, true);
	err = take_made(take);
	before = tpos_atomic_read(shrunk);
	if (err != -ENOMEM || take->primed)
		return err;
	if (ttmpool_take_parts(take))
		return take_room(take, true);
	return tpos_atomic_read(shrunk) == before ? err : take_made(take);
}

/* Finds pages. What was found before an error stays on the list. */
static int take_gather(struct take *take)
{
	int err;

	take->hole = 0;
	take->whole = !take->one_order && !take->primed;
	if (!take->primed) {
		err = take_first(take);
		if (err)
			return err;
		if (take->prepared && !take->near)
			ttmpool_take_parts(take);
		err = -ENOMEM;
		if (take->pool->node != TTMPOOL_NODE_ANY)
			err = take_near(take);
		if (!err || take->near || err == -EINTR)
			return err;
		/* Nobody gives up anything for a large chunk. */
		if (take->whole && take_room(take, false))
			ttmpool_take_pieces(take);
	}
	return take_last(take);
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
	ttmpool_take_pooled(take, 0);
	ttmpool_take_pooled(take, TTMPOOL_CHUNK_FAR);
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
