// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Taking: from a request to pages in the caller's arrays.
 *
 *   find      chooses the chunks (gather.c), and clears those that are dirty
 *   prepare   does what they still need, in one batch each, whatever the mix of fresh
 *             and pooled ones: maps those that are not mapped, and converts those of
 *             another caching
 *   hand out  writes the arrays; nothing can fail any more
 *
 * Pages are cleared before they are mapped, so that a device never sees what another owner
 * left in them. They are mapped before they are converted: if IOVA space is too short for
 * large orders, smaller ones can be tried before any page has been converted. So a populate
 * has one caching batch, never two.
 *
 * If anything fails, the list is divided by the chunks' own states: fresh ones are released
 * with all that was done to them, the others go back into their bins.
 */

#include "take.h"

/* A request checks for a signal each time it has cleared this many bytes. */
#define CLEAR_BYTES ((uint64_t)16 << 20)

static bool is_unmapped(const struct ttmpool_chunk *chunk)
{
	return !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}

/* Moves the first chunks to the end of @run, as long as none is younger than the one before
 * it. */
static void cut_by_age(struct ttmpool_list *chunks, struct ttmpool_list *run)
{
	uint64_t age = (uint64_t)-1;

	while (!ttmpool_list_empty(chunks) &&
	       ttmpool_chunk_of(chunks->next)->age <= age) {
		age = ttmpool_chunk_of(chunks->next)->age;
		ttmpool_list_move_tail(chunks->next, run);
	}
}

/* Merges @from into @into. Both are sorted, the newest first, and so is the result. */
static void merge_by_age(struct ttmpool_list *into, struct ttmpool_list *from)
{
	struct ttmpool_list *at = into->next;

	while (!ttmpool_list_empty(from)) {
		while (at != into && ttmpool_chunk_of(at)->age >=
					     ttmpool_chunk_of(from->next)->age)
			at = at->next;
		ttmpool_list_move_tail(from->next, at);
	}
}

/* Sorts pooled chunks, the newest first. They come from a few lists, each of which was
 * sorted. */
static void sort_by_age(struct ttmpool_list *chunks)
{
	struct ttmpool_list sorted, run;
	size_t runs;

	do {
		ttmpool_list_init(&sorted);
		for (runs = 0; !ttmpool_list_empty(chunks); runs++) {
			struct ttmpool_list other;

			ttmpool_list_init(&run);
			ttmpool_list_init(&other);
			cut_by_age(chunks, &run);
			cut_by_age(chunks, &other);
			merge_by_age(&run, &other);
			ttmpool_list_splice_tail(&run, &sorted);
		}
		ttmpool_list_splice(&sorted, chunks);
	} while (runs > 1);
}

/* Pools chunks again that are not wanted after all, as they were before: with their age,
 * and not mapped if the pool keeps no mappings. */
static void take_spare(struct take *take, struct ttmpool_list *chunks)
{
	tpos_assert(!ttmpool_list_empty(chunks));
	ttmpool_chunks_unkeep(take->pool, chunks);
	sort_by_age(chunks);
	ttmpool_chunks_park(take->pool, chunks, PARK_SPARED);
}

/* Lets go of a batch: releases the fresh chunks, and pools the others again. */
void ttmpool_take_drop(struct take *take, struct ttmpool_list *chunks)
{
	struct ttmpool_list fresh;

	tpos_assert(take->req.num_pages <= take->wanted);
	ttmpool_take_miss(take, chunks);
	ttmpool_chunks_extract(chunks, chunk_is_fresh, &fresh);
	ttmpool_chunks_release(take->pool, &fresh);
	if (!ttmpool_list_empty(chunks))
		take_spare(take, chunks);
}

/* Halves the chunks of @order in a batch of fresh chunks. They are the first of the batch. */
static int take_halve(struct take *take, struct ttmpool_list *fresh,
		      unsigned int order)
{
	struct ttmpool_chunk *chunk, *after;

	ttmpool_for_each_chunk_safe(chunk, after, fresh) {
		assert_deep(chunk_is_fresh(chunk));
		if (chunk->order < order)
			break;
		if (!ttmpool_chunk_split(take->pool, chunk,
					 request_flags(&take->req)))
			return -ENOMEM;
	}
	return 0;
}

/* Moves the first chunks to the end of @some, until these have CLEAR_BYTES. */
static void cut_to_clear(const struct take *take, struct ttmpool_list *chunks,
			 struct ttmpool_list *some)
{
	size_t pages = 0;

	ttmpool_list_init(some);
	do {
		pages += ttmpool_chunk_pages(ttmpool_chunk_of(chunks->next));
		ttmpool_list_move_tail(chunks->next, some);
	} while (!ttmpool_list_empty(chunks) &&
		 pool_bytes(take->pool, pages) < CLEAR_BYTES);
}

/* Clears the dirty chunks, before a device can reach them. Checks for a signal after each
 * CLEAR_BYTES, and returns -EINTR if one interrupts the request. */
static int take_clear(struct take *take)
{
	struct ttmpool_list work, some, done;
	int err = 0;

	if (!take->dirty ||
	    !ttmpool_chunks_extract(&take->got, chunk_is_dirty, &work))
		return 0;
	ttmpool_list_init(&done);
	do {
		cut_to_clear(take, &work, &some);
		ttmpool_chunks_clear(take->pool, &some);
		ttmpool_list_splice_tail(&some, &done);
		if (!ttmpool_list_empty(&work) &&
		    request_is_interrupted(&take->req))
			err = -EINTR;
	} while (!err && !ttmpool_list_empty(&work));
	ttmpool_list_splice_tail(&work, &done);
	ttmpool_chunks_merge(&take->got, &done);
	return err;
}

/*
 * IOVA space has no room for chunks as large as the largest of those that are not mapped.
 * Halves the fresh ones among these, so that no page is got twice; lets go of the pooled
 * ones, and finds as many pages in smaller chunks.
 */
static int take_smaller(struct take *take, struct ttmpool_list *unmapped)
{
	unsigned int order = ttmpool_chunk_of(unmapped->next)->order;
	struct ttmpool_list fresh;
	int err;

	tpos_assert(!ttmpool_list_empty(unmapped));
	tpos_assert(order <= take->max_order);
	if (!order || take->one_order)
		return -ENOSPC;
	pool_tally(take->pool, &take->pool->stats.fallbacks, 1);
	take->max_order = order - 1;
	ttmpool_chunks_extract(unmapped, chunk_is_fresh, &fresh);
	ttmpool_take_drop(take, unmapped);
	err = take_halve(take, &fresh, order);
	ttmpool_list_splice(&fresh, unmapped);
	if (!err)
		err = ttmpool_take_find(take);
	return err ? err : take_clear(take);
}

static int take_map(struct take *take)
{
	struct ttmpool_list work;
	int err = 0;

	while (!err && take->unmapped &&
	       ttmpool_chunks_extract(&take->got, is_unmapped, &work)) {
		struct ttmpool_chunk *chunk;

		err = ttmpool_chunks_map(take->pool, &take->room, &work);
		if (err == -ENOSPC) {
			err = take_smaller(take, &work);
		} else {
			take->bare = 0;
			ttmpool_for_each_chunk(chunk, &work)
				take->remapped += !chunk_is_fresh(chunk);
		}
		ttmpool_chunks_merge(&take->got, &work);
	}
	return err;
}

/*
 * Ends kept mappings of cached pages for a caller that gets no addresses, if the device does
 * not see the CPU's caches. Such a caller cannot sync what the CPU writes, and ending the
 * mapping later would lose it.
 */
static void take_unmap(struct take *take)
{
	struct ttmpool_list mapped;

	if (take->map || take->req.caching != TTMPOOL_CACHED ||
	    !ttmpool_chunks_extract(&take->got, ttmpool_chunk_is_streaming,
				    &mapped))
		return;
	take->bare += ttmpool_chunks_count_pages(&mapped);
	ttmpool_chunks_unmap(take->pool, &mapped, false);
	ttmpool_chunks_merge(&take->got, &mapped);
}

static bool is_cached(const struct ttmpool_chunk *chunk)
{
	return chunk->caching == TTMPOOL_CACHED;
}

static int take_convert(struct take *take)
{
	struct ttmpool_list work, converted, spare;
	struct ttmpool_list *last;
	int err;

	if (take->req.caching == TTMPOOL_CACHED || !take->cached ||
	    !ttmpool_chunks_extract(&take->got, is_cached, &work))
		return 0;
	last = work.prev;
	ttmpool_refill_make(take, &spare);
	ttmpool_list_splice_tail(&spare, &work);
	err = ttmpool_chunks_set_caching(take->pool, &work, take->req.caching);

	ttmpool_list_init(&converted);
	ttmpool_list_cut_through(&work, last, &converted);
	ttmpool_chunks_merge(&take->got, &converted);
	if (err)
		ttmpool_chunks_release(take->pool, &work);
	else
		ttmpool_refill_park(take, &work);
	ttmpool_turn_end(&take->extra);
	return err;
}

/* Finds and prepares all that is asked for. After an error, nothing is left. */
static int take_try(struct take *take)
{
	int err;

	tpos_assert(take->req.num_pages);
	tpos_assert(!take->pages_hit);
	tpos_assert(!take->room.pages);
	take->wanted = take->req.num_pages;
	take->room.one_order = take->one_order;
	take->room.no_wait = take->req.effort == TTMPOOL_NO_WAIT;
	if (take->primed)
		take->room.keeps =
			take->pool->bins[take->req.source][take->req.caching];
	take->room.killable = take->req.killable;
	take->room.until = &take->until;
	take->max_order = take->one_order
				  ? take->order
				  : take->pool->max_order[take->req.source];
	ttmpool_list_init(&take->got);
	err = ttmpool_take_find(take);
	if (!err) {
		ttmpool_take_renew(take);
		err = take_clear(take);
	}
	if (!err && take->map)
		err = take_map(take);
	if (!err)
		err = take_convert(take);
	if (!err)
		take_unmap(take);
	ttmpool_room_return(take->pool, &take->room);
	if (err) {
		ttmpool_take_drop(take, &take->got);
		return err;
	}
	tpos_assert(!take->req.num_pages);
	tpos_assert(!ttmpool_list_empty(&take->got));
	return 0;
}

/* Notes that the chunks that were pooled may be touched again. */
static void chunks_issue(struct take *take)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, &take->got) {
		if (!chunk_is_fresh(chunk))
			tpos_note_issued(take->pool->dev, chunk);
	}
}

/* If nothing watches the pages, nothing has to be noted. */
void ttmpool_take_issue(struct take *take)
{
	if (TPOS_WATCHED)
		chunks_issue(take);
}

/* Returns 0 if the request can ever be served, and -ENOMEM or -ENOSPC if not. */
int ttmpool_take_can_be(struct ttmpool_pool *pool,
			const struct ttmpool_request *req, bool map)
{
	bool mapped = map || req->source == TTMPOOL_COHERENT;

	return ttmpool_budget_admits(pool, req->source, req->num_pages,
				     mapped ? req->num_pages : 0);
}

/* Resets the request for another try: forgets all that the last one found. */
static void take_again(struct take *take)
{
	struct ttmpool_request req = take->req;

	tpos_assert(!take->room.mapped);
	req.num_pages = take->wanted;
	*take = (struct take){ .pool = take->pool,
			       .req = req,
			       .map = take->map,
			       .order = take->order,
			       .one_order = take->one_order,
			       .primed = take->primed,
			       .room.below = take->room.below,
			       .room.next_round = take->room.next_round,
			       .until = take->until };
}

/*
 * Sleeps on the queue of addresses; see ttmpool_queue_wait(). Addresses can also become free
 * without a call of this library, if a device of another driver shares the address space.
 * Only the machine knows that, so it is asked from time to time, with a single page. The
 * request is tried as a whole again only if the machine had an address for that.
 */
static int take_wait_mapped(struct take *take, long seen, struct asking *asking)
{
	struct ttmpool_pool *pool = take->pool;
	int err = ttmpool_queue_wait(pool, &pool->iova->queue, seen,
				     &take->until);

	if (!err && take->room.below && ttmpool_asking_is_due(asking, pool) &&
	    ttmpool_has_addresses(pool, take->req.source)) {
		take->room.below = 0;
		ttmpool_asking_was_told(asking);
	}
	return err;
}

/*
 * Tries again until the request is served, or the time is over. The request holds nothing
 * while it sleeps, and it sleeps on the queue of what was lacking.
 */
static int take_patiently(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	struct ttmpool_queue *pages = &pool->mgr->queue;
	struct ttmpool_queue *mapped = &pool->iova->queue;
	struct asking asking;
	int err;

	ttmpool_asking_begin(&asking, pool);
	ttmpool_queue_enter(pages);
	ttmpool_queue_enter(mapped);
	for (;;) {
		long seen_pages = tpos_wait_count(&pages->wait);
		long seen_mapped = tpos_wait_count(&mapped->wait);

		take_again(take);
		assert_deep(!take->room.pages);
		assert_deep(!take->room.mapped);
		err = take_try(take);
		if (err == NO_PAGES)
			err = ttmpool_queue_wait(pool, pages, seen_pages,
						 &take->until);
		else if (error_of(err) == -ENOSPC)
			err = take_wait_mapped(take, seen_mapped, &asking);
		else
			break;
		if (err)
			break;
	}
	ttmpool_queue_leave(mapped);
	ttmpool_queue_leave(pages);
	return err;
}

/*
 * Finds and prepares all that is asked for, and sleeps for what others have as long as
 * @until says. A request that can never be served is not tried. After an error, nothing is
 * left.
 */
int ttmpool_take_chunks(struct take *take)
{
	struct ttmpool_pool *pool = take->pool;
	int err;

	err = request_check(pool, &take->req);
	if (err)
		return err;
	err = ttmpool_take_can_be(pool, &take->req, take->map);
	if (err)
		goto failed;
	err = take_try(take);
	if (take->until.wait_ms &&
	    (err == NO_PAGES || error_of(err) == -ENOSPC))
		err = take_patiently(take);
	if (!err)
		return 0;
	/* Threads that looked while this request held pages or addresses must look again. */
	queue_wake(&pool->iova->queue);
	queue_wake(&pool->mgr->queue);
failed:
	pool_tally(pool, &pool->stats.takes_failed, 1);
	return error_of(err);
}
