// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out: contents go from the pages of a buffer to its store, and the pages go to
 * the system.
 *
 *     claim     as many chunks as shall leave, beginning with the first
 *     probe     write one page, to see whether the store has any room, before
 *               anything is done to the pages of the buffer
 *     strip     unmap the chunks and make them write-back, in one batch each.
 *               This comes before the rest is read, because reading
 *               write-combined memory is slow
 *     store     chunk by chunk: the store adopts the pages themselves if it can;
 *               otherwise it copies their contents, page by page. Before each
 *               step the code checks for signals
 *     release   free the pages in runs of 2 MiB, so that they relieve the shortage
 *               that caused the swapout, and are there for the store itself
 *     settle    chunks that were claimed and not stored belong to the buffer
 *               again. If no part of the buffer was stored, they are mapped and
 *               have their caching, as before
 *
 * The swapper claims, strips and stores small buffers together (round.c), in one batch of
 * each kind. A large buffer leaves in windows of 16 MiB, so that after an error no more
 * than that was stripped without being stored.
 *
 * The arrays say where a page of the buffer is: an entry in pages[] is the page, and no
 * entry means that the store has it. A chunk leaves the arrays when its last page has
 * been stored, not before. So no failure loses anything, and it does not matter what the
 * store has of an unfinished chunk.
 *
 * If the store has no memory, three measures follow in this order: free what has been
 * stored so far; free the pool's pooled pages, including the reserve, because this is
 * what the reserve is for; and only then split the chunk, so that its stored half can
 * leave while the other half is still needed. (Linux's TTM held a whole buffer twice
 * until 6.15, and now splits every large page.) A store that is full for good gets as much
 * of a chunk as it has room for. Then it has no room for the next request, which finds that
 * out before it strips anything.
 */

#include "buffer_internal.h"

#define RELEASE_BYTES ((uint64_t)2 << 20)

/* Returns how many pages are stored before they are freed. */
static size_t store_batch(const struct ttmpool_pool *pool)
{
	return pool_pages_of(pool, RELEASE_BYTES);
}

/**
 * struct swapout - one call
 * @pool: the pool of all buffers of the call
 * @ask: the request for which pages leave: which signals interrupt it, and its deadline
 * @claimed: chunks of all buffers that are not stored yet
 * @be: the buffer that is being stored
 * @stored: chunks that were copied, and are not freed yet
 * @adopted: chunks whose pages the store owns; only the descriptors are left
 * @pages: number of pages in @stored and @adopted
 * @wanted: least number of pages to leave
 * @gained: number of pages that have left since the call began
 * @freed: of these, the number that went to the system
 * @begin: index of the first page of the chunk that is being stored
 * @end: what @be has before this index was claimed
 * @at: index of the next page to be stored
 */
struct swapout {
	struct ttmpool_pool *pool;
	const struct ttmpool_ask *ask;
	struct ttmpool_list claimed;
	struct ttmpool_backend *be;
	struct ttmpool_list stored;
	struct ttmpool_list adopted;
	size_t pages;
	size_t wanted;
	size_t gained;
	size_t freed;
	size_t begin;
	size_t end;
	size_t at;
};

static int swapout_interrupted(const struct swapout *out)
{
	return ttmpool_ask_check(out->pool->mgr, out->ask);
}

static void swapout_release(struct swapout *out)
{
	struct ttmpool_pool *pool = out->pool;

	if (!out->pages)
		return;
	tpos_assert(out->pages <= out->be->pages_stored);
	assert_deep(ttmpool_chunks_count_pages(&out->stored) +
			    ttmpool_chunks_count_pages(&out->adopted) ==
		    out->pages);
	ttmpool_account_close(pool, &out->stored);
	ttmpool_account_close(pool, &out->adopted);
	ttmpool_account_swapped(pool, out->be->owner, (long)out->pages);
	pool_tally(pool, &pool->stats.bytes_stored,
		   pool_bytes(pool, out->pages));
	out->freed += ttmpool_chunks_count_pages(&out->adopted);
	out->freed += ttmpool_chunks_release(pool, &out->stored);
	ttmpool_chunks_forget(pool, &out->adopted);
	queue_wake(&pool->mgr->lru.followers);
	out->pages = 0;
}

static struct ttmpool_chunk *swapout_chunk(const struct swapout *out)
{
	assert_deep(out->begin < out->be->tt.num_pages);
	return tpos_page_chunk(out->pool->dev, out->be->tt.pages[out->begin]);
}

/*
 * Goes to the next chunk of the buffer that was claimed. Returns whether there is one. The
 * entries behind those chunks have not been checked.
 */
static bool swapout_next(struct swapout *out)
{
	while (out->begin < out->end && !out->be->tt.pages[out->begin])
		out->begin++;
	return out->begin < out->end;
}

/* Begins to work on the @i-th buffer of a party. */
static void swapout_turn_to(struct swapout *out, const struct party *party,
			    size_t i)
{
	out->be = party->be[i];
	out->begin = ttmpool_backend_first_page(out->be);
	out->end = party->end[i];
}

/* Takes a chunk away from the buffer, after all of it has been stored. */
static void swapout_leave(struct swapout *out, struct ttmpool_chunk *chunk,
			  struct ttmpool_list *where)
{
	struct ttmpool_backend *be = out->be;
	size_t n = ttmpool_chunk_pages(chunk);

	tpos_assert(n <= be->tt.num_pages - out->begin);
	tpos_assert(be->pages_stored + n <= be->tt.num_pages);
	assert_deep(chunk->state == TTMPOOL_CHUNK_LEAVING);
	ttmpool_list_move_tail(&chunk->link, where);
	memset(be->tt.pages + out->begin, 0, n * sizeof(*be->tt.pages));
	ttmpool_backend_forget_addresses(be, out->begin, n);
	be->pages_stored += n;
	out->begin += n;
	be->edge = out->begin;
	out->pages += n;
	out->gained += n;
	if (out->pages >= store_batch(out->pool))
		swapout_release(out);
}

/*
 * Halves the chunk until one part of it has been stored completely, and lets that
 * part leave.
 */
static bool swapout_split(struct swapout *out)
{
	struct ttmpool_chunk *chunk = swapout_chunk(out);
	size_t done = out->at - out->begin;

	if (!done || ttmpool_chunk_is_coherent(chunk))
		return false;
	while (ttmpool_chunk_pages(chunk) > done)
		if (!ttmpool_chunk_split(out->pool, chunk, 0))
			return false;
	swapout_leave(out, chunk, &out->stored);
	return true;
}

/* Makes memory for the store, which has none. Returns whether there is more now. */
static bool swapout_make_room(struct swapout *out)
{
	if (!out->pages &&
	    ttmpool_pool_reclaim(out->pool, store_batch(out->pool), true))
		return true;
	if (!out->pages && !swapout_split(out))
		return false;
	swapout_release(out);
	return true;
}

/* Writes the page at @at, which is in the chunk that begins at @begin. */
static int swapout_write(struct swapout *out)
{
	struct tpos_span page = { .pages = 1 };
	int err;

	do {
		page.chunk = swapout_chunk(out);
		page.first = out->at - out->begin;
		err = swapout_interrupted(out);
		if (err)
			return err;
		err = tpos_store_write(out->be->store, out->at, &page);
	} while (err == -ENOMEM && swapout_make_room(out));
	return err;
}

/*
 * Finds out whether the store has room for anything: writes one page of the first buffer, as
 * its device left it, before any buffer loses mappings and caching that cost flushes to
 * restore. The same page is written again later. The store is not asked if all chunks are
 * ordinary and so have nothing to lose, or if pages have left already.
 */
static int swapout_probe(struct swapout *out, const struct party *party)
{
	if (out->gained || !ttmpool_chunks_have_other(&out->claimed))
		return 0;
	swapout_turn_to(out, party, 0);
	tpos_assert(out->be->store);
	swapout_next(out);
	if (!chunk_may_be_read(out->pool, swapout_chunk(out)))
		return -EFAULT;
	out->at = out->begin;
	return swapout_write(out);
}

/* Drops the page that the probe wrote, unless it has left the buffer: what stays here must
 * take no room in the store. */
static void swapout_unprobe(struct swapout *out, const struct party *party)
{
	swapout_turn_to(out, party, 0);
	if (swapout_next(out))
		tpos_store_drop(out->be->store, out->begin, 1);
}

/* Copies the chunk that begins at @begin, or as many of its halves as possible. */
static int swapout_copy(struct swapout *out)
{
	struct tpos_span page = { .pages = 1 };
	int err;

	for (out->at = out->begin;; out->at++) {
		page.chunk = swapout_chunk(out);
		page.first = out->at - out->begin;
		if (page.first == ttmpool_chunk_pages(page.chunk))
			break;
		ttmpool_backend_note_sums(out->be, out->at, &page);
		err = swapout_write(out);
		if (err)
			goto drop;
	}
	swapout_leave(out, swapout_chunk(out), &out->stored);
	return 0;

drop:
	/* a store that is full for good gets a part of the chunk */
	while (err == -ENOSPC && swapout_split(out))
		;
	/* pages that cannot leave must take no room in the store */
	tpos_store_drop(out->be->store, out->begin, out->at - out->begin + 1);
	return err;
}

/*
 * Lets the store adopt the pages themselves. -ENOMEM or -ENOSPC means that the store has no
 * memory or no room to adopt all of them at once, so they are to be copied one by one.
 */
static int swapout_adopt(struct swapout *out)
{
	struct ttmpool_chunk *chunk = swapout_chunk(out);
	struct tpos_span all = { .chunk = chunk,
				 .pages = ttmpool_chunk_pages(chunk) };
	int err;

	if (!ttmpool_chunk_is_ordinary(chunk))
		return -EOPNOTSUPP;
	err = swapout_interrupted(out);
	if (err)
		return err;
	ttmpool_backend_note_sums(out->be, out->begin, &all);
	err = tpos_store_adopt(out->be->store, out->begin, chunk);
	if (!err)
		swapout_leave(out, chunk, &out->adopted);
	return err;
}

/*
 * Stores the chunk that begins at @begin, unless the hardware has poisoned a page
 * of it: nobody may read such a page, and the system may not get it.
 */
static int swapout_store_chunk(struct swapout *out)
{
	int err;

	if (!chunk_may_be_read(out->pool, swapout_chunk(out)))
		return -EFAULT;
	err = swapout_adopt(out);
	if (err == -EOPNOTSUPP || err == -ENOMEM || err == -ENOSPC)
		err = swapout_copy(out);
	return err;
}

/* Stores the claimed chunks of the @i-th buffer, as long as more pages are wanted. */
static int swapout_store(struct swapout *out, const struct party *party,
			 size_t i)
{
	int err = 0;

	tpos_assert(!out->pages);
	swapout_turn_to(out, party, i);
	tpos_assert(out->be->store);
	while (!err && out->gained < out->wanted && swapout_next(out)) {
		err = swapout_store_chunk(out);
		tpos_cond_resched();
	}
	swapout_release(out);
	return err;
}

/*
 * Creates a store if the buffer has none. The pool's reserve may be freed for it.
 */
static int swapout_open_store(struct ttmpool_backend *be)
{
	int err;

	if (be->store)
		return 0;
	do {
		err = ttmpool_backend_open_store(be);
	} while (err == -ENOMEM &&
		 ttmpool_pool_reclaim(be->pool, store_batch(be->pool), true));
	return err;
}

/*
 * Creates a store for a buffer, and claims its first chunks, until they have at least
 * @pages pages or there are no more. @end: set to the index from which on nothing is
 * claimed. After an error, nothing has changed.
 */
static int swapout_claim(struct swapout *out, struct ttmpool_backend *be,
			 size_t pages, size_t *end)
{
	struct ttmpool_list chunks;
	int err;

	err = swapout_open_store(be);
	if (err)
		return err;
	err = ttmpool_backend_claim_some(be, pages, &chunks, end);
	if (!err)
		ttmpool_list_splice_tail(&chunks, &out->claimed);
	else if (!be->pages_stored)
		ttmpool_backend_close_store(be);
	return err;
}

/*
 * Gives claimed chunks that are still here back to the buffer. If no part of the buffer
 * was stored, it becomes what it was, if that is possible without taking anything from
 * others.
 */
static void swapout_settle(struct swapout *out, const struct party *party,
			   size_t i)
{
	enum ttmpool_tt_state state = TTMPOOL_TT_PARTIAL;
	struct ttmpool_backend *be = party->be[i];
	struct ttmpool_list rest;

	ttmpool_list_init(&rest);
	for (swapout_turn_to(out, party, i); swapout_next(out);) {
		struct ttmpool_chunk *chunk = swapout_chunk(out);

		assert_deep(chunk->state == TTMPOOL_CHUNK_LEAVING);
		ttmpool_list_move_tail(&chunk->link, &rest);
		out->begin += ttmpool_chunk_pages(chunk);
	}
	if (be->pages_stored == be->tt.num_pages)
		state = TTMPOOL_TT_SWAPPED;
	else if (!be->pages_stored && (be->tt.state != TTMPOOL_TT_POPULATED ||
				       !ttmpool_backend_restore(be, &rest)))
		state = be->tt.state;
	ttmpool_chunks_unclaim(be->pool, &rest);
	if (!be->pages_stored)
		ttmpool_backend_close_store(be);
	ttmpool_backend_set_state(be, state);
}

/*
 * Claims the chunks that shall leave next, from one buffer after another. Sets @n
 * to the number of buffers.
 */
static int swapout_enter(struct swapout *out, struct party *party, size_t *n)
{
	size_t left = out->wanted - out->gained;
	int err = 0;

	tpos_assert(left);
	if (left > window_pages(out->pool))
		left = window_pages(out->pool);
	for (*n = 0; left; ++*n) {
		struct ttmpool_backend *be = party->be[*n];
		size_t here = be->tt.num_pages - be->pages_stored;

		tpos_assert(*n < party->n); /* the buffers have enough */
		if (here > left)
			here = left;
		left -= here;
		err = swapout_claim(out, be, here, &party->end[*n]);
		if (!err)
			continue;
		party->failed = be;
		break;
	}
	return err;
}

/* Strip what was claimed of the first @n buffers in one batch, and store it. */
static int swapout_move(struct swapout *out, struct party *party, size_t n)
{
	int err = swapout_probe(out, party);

	if (err) {
		party->failed = party->be[0];
		goto drop;
	}
	/*
	 * A chunk that could not be made write-back is quarantined when it leaves.
	 */
	ttmpool_chunks_make_ordinary(out->pool, &out->claimed);
	for (size_t i = 0; i < n && !err; i++) {
		err = swapout_store(out, party, i);
		if (err)
			party->failed = party->be[i];
	}
	if (!err)
		return 0;
drop:
	swapout_unprobe(out, party);
	return err;
}

/* Lets at most window_pages() and the rest of a chunk leave. */
static int swapout_window(struct swapout *out, struct party *party)
{
	int err, moved = 0;
	size_t n;

	err = swapout_enter(out, party, &n);
	if (n)
		moved = swapout_move(out, party, n);
	for (size_t i = 0; i < n; i++)
		swapout_settle(out, party, i);
	return moved ? moved : err;
}

/*
 * Swaps out buffers of one pool, which have pages, until party->pages pages have left.
 * Returns the error that ended it; party->gained says how many pages have left, and
 * party->freed how many of them the system has.
 */
int ttmpool_party_swapout(struct party *party)
{
	struct swapout out = { .pool = party->be[0]->pool,
			       .ask = party->ask,
			       .wanted = party->pages };
	int err;

	tpos_assert(party->n);
	tpos_assert(party->pages);
	party->failed = NULL;
	ttmpool_list_init(&out.claimed);
	ttmpool_list_init(&out.stored);
	ttmpool_list_init(&out.adopted);
	err = swapout_interrupted(&out);
	while (!err && out.gained < out.wanted) {
		size_t had = out.gained;

		err = swapout_window(&out, party);
		tpos_assert(out.gained >= had + !err);
	}
	tpos_assert(ttmpool_list_empty(&out.claimed));
	tpos_assert(ttmpool_list_empty(&out.stored));
	tpos_assert(ttmpool_list_empty(&out.adopted));
	tpos_assert(out.freed <= out.gained);
	if (err == -EINTR || err == -ETIMEDOUT)
		party->failed = NULL;
	party->gained = out.gained;
	party->freed = out.freed;
	return err;
}

/* Returns whether a buffer of this state has pages that could leave. */
static bool has_pages(const struct ttmpool_backend *be)
{
	return be->tt.state == TTMPOOL_TT_POPULATED ||
	       be->tt.state == TTMPOOL_TT_ANONYMOUS ||
	       be->tt.state == TTMPOOL_TT_PARTIAL;
}

int ttmpool_swapout(struct ttmpool_backend *be, size_t pages)
{
	const struct ttmpool_ask ask = { .killable = be->killable };
	struct party alone = {
		.be = { be }, .n = 1, .pages = pages, .ask = &ask
	};

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (!has_pages(be) || !pages)
		return -EINVAL;
	if (pages > be->tt.num_pages - be->pages_stored)
		alone.pages = be->tt.num_pages - be->pages_stored;
	return ttmpool_party_swapout(&alone);
}
