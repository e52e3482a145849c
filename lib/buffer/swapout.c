// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out: from the pages of a buffer to its store, and the pages to the
 * system.
 *
 *     claim     as many chunks as shall leave, from the first on
 *     probe     one page is written: has the store any room? Nothing has been
 *               done to a page of the buffer yet
 *     strip     no mapping, write-back: one batch each, before the rest is
 *               read, since reading write-combined memory is slow
 *     store     chunk by chunk: the store takes the pages themselves, where it
 *               can, or their contents, page by page; a look for signals before
 *               each
 *     release   in runs of 2 MiB, so that the pages are there for the very
 *               shortage that asked for them, and for the store itself
 *     settle    what was claimed and not stored is the buffer's again; if
 *               nothing of it was stored, as it was before: mapped, and of its
 *               caching
 *
 * The swapper has small buffers claimed, stripped and stored together (lru.c), in
 * one batch of each kind; a large one goes in windows of 16 MiB, so that an error
 * leaves no more than that stripped for nothing.
 *
 * A page of the buffer is where the arrays say: an entry in pages[] is the
 * truth, and no entry means that the store has it. A chunk leaves the arrays
 * when its last page is stored, not before; so whatever fails, nothing is lost,
 * and what the store has of an unfinished chunk is of no consequence.
 *
 * When the store has no memory, what was stored so far is freed first; then the
 * pool's free pages go, reserved ones too, this being what they are reserved
 * for; and only then is the chunk split, so that its stored half can go while
 * the other is still needed. (Linux's TTM held a whole buffer twice until 6.15,
 * and now splits every large page.)
 */

#include "buffer_internal.h"

/* So many pages are stored before they are freed: 2 MiB of small ones. */
#define RELEASE_PAGES 512

/* So many pages of one buffer are stripped together: 16 MiB of small ones. */
#define WINDOW_PAGES 4096

/**
 * struct swapout - one call
 * @pool: of all its buffers
 * @in_reclaim: it is for the system, in a thread that has other things to do: a
 *	signal that does not end the thread does not interrupt it
 * @claimed: chunks of all its buffers, and not stored yet
 * @be: the buffer that is at work
 * @stored: copied, and not freed yet
 * @adopted: the store's now, but for the descriptors
 * @pages: in both of these
 * @wanted: pages that shall leave, at least
 * @gained: pages that have left since the call began
 * @begin: index of the first page of the chunk that is being stored
 * @at: index of the next page to be stored
 */
struct swapout {
	struct ttmpool_pool *pool;
	bool in_reclaim;
	struct ttmpool_list claimed;
	struct ttmpool_backend *be;
	struct ttmpool_list stored;
	struct ttmpool_list adopted;
	size_t pages;
	size_t wanted;
	size_t gained;
	size_t begin;
	size_t at;
};

static int swapout_interrupted(const struct swapout *out)
{
	bool signal = out->in_reclaim ? tpos_fatal_signal_pending()
				      : tpos_signal_pending();

	return signal ? -EINTR : 0;
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
	ttmpool_chunks_release(pool, &out->stored);
	ttmpool_chunks_forget(pool, &out->adopted);
	queue_wake(&pool->mgr->lru.followers);
	out->pages = 0;
}

static struct ttmpool_chunk *swapout_chunk(const struct swapout *out)
{
	assert_deep(out->begin < out->be->tt.num_pages);
	return tpos_page_chunk(out->pool->dev, out->be->tt.pages[out->begin]);
}

/* Go to the next chunk of the buffer that was claimed; is there one? */
static bool swapout_next(struct swapout *out)
{
	const struct ttmpool_tt *tt = &out->be->tt;

	while (out->begin < tt->num_pages && !tt->pages[out->begin])
		out->begin++;
	return out->begin < tt->num_pages &&
	       swapout_chunk(out)->state == TTMPOOL_CHUNK_LEAVING;
}

/* From here on, @be is at work. */
static void swapout_turn_to(struct swapout *out, struct ttmpool_backend *be)
{
	out->be = be;
	out->begin = ttmpool_backend_first_page(be);
}

/* All of the chunk is in the store: it is not the buffer's any more. */
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
	if (out->pages >= RELEASE_PAGES)
		swapout_release(out);
}

/* Halve the chunk until a part of it is stored, and let that go. */
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

/* The store has no memory: make some. Returns whether there is more now. */
static bool swapout_make_room(struct swapout *out)
{
	if (!out->pages && ttmpool_pool_reclaim(out->pool, RELEASE_PAGES, true))
		return true;
	if (!out->pages && !swapout_split(out))
		return false;
	swapout_release(out);
	return true;
}

/* Write the page at @at, of the chunk that begins at @begin. */
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
 * Has the store room for anything? One page of @be tells, read as its device left
 * it, before any buffer loses what costs flushes to get back. What the store keeps
 * of that page is written again. Where there is nothing to lose, it is not asked.
 */
static int swapout_probe(struct swapout *out, struct ttmpool_backend *be)
{
	if (out->gained || !ttmpool_chunks_have_other(&out->claimed))
		return 0;
	tpos_assert(be->store);
	swapout_turn_to(out, be);
	swapout_next(out);
	if (!chunk_may_be_read(out->pool, swapout_chunk(out)))
		return -EFAULT;
	out->at = out->begin;
	return swapout_write(out);
}

/* Copy the chunk that begins at @begin, or as many halves of it as can be. */
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

drop: /* what cannot leave takes no room */
	tpos_store_drop(out->be->store, out->begin, out->at - out->begin + 1);
	return err;
}

/* Let the store have the pages themselves. -ENOMEM: it has none to give for all
 * of them at once, so they are to be copied, one by one. */
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

/* Store the chunk that begins at @begin, unless the hardware has poisoned some of it:
 * nobody may read that, and the system may not have it. */
static int swapout_store_chunk(struct swapout *out)
{
	int err;

	if (!chunk_may_be_read(out->pool, swapout_chunk(out)))
		return -EFAULT;
	err = swapout_adopt(out);
	if (err == -EOPNOTSUPP || err == -ENOMEM)
		err = swapout_copy(out);
	return err;
}

/* Store what was claimed of a buffer, if it is wanted still. */
static int swapout_store(struct swapout *out, struct ttmpool_backend *be)
{
	int err = 0;

	tpos_assert(be->store);
	tpos_assert(!out->pages);
	swapout_turn_to(out, be);
	while (!err && out->gained < out->wanted && swapout_next(out)) {
		err = swapout_store_chunk(out);
		tpos_cond_resched();
	}
	swapout_release(out);
	return err;
}

/* Have a store; what the pool has reserved may go for it. */
static int swapout_open_store(struct ttmpool_backend *be)
{
	int err;

	if (be->store)
		return 0;
	do {
		err = ttmpool_backend_open_store(be);
	} while (err == -ENOMEM &&
		 ttmpool_pool_reclaim(be->pool, RELEASE_PAGES, true));
	return err;
}

/*
 * Have a store for a buffer, and claim the first of its chunks, of at least
 * @pages pages if it has so many. After an error, nothing has changed.
 */
static int swapout_claim(struct swapout *out, struct ttmpool_backend *be,
			 size_t pages)
{
	struct ttmpool_list chunks;
	int err;

	err = swapout_open_store(be);
	if (err)
		return err;
	err = ttmpool_backend_claim_some(be, pages, &chunks);
	if (!err)
		ttmpool_list_splice_tail(&chunks, &out->claimed);
	else if (!be->pages_stored)
		ttmpool_backend_close_store(be);
	return err;
}

/*
 * What was claimed of a buffer and is here still is the buffer's again. If nothing
 * of the buffer was stored, it is what it was, if that can be had for the asking.
 */
static void swapout_settle(struct swapout *out, struct ttmpool_backend *be)
{
	enum ttmpool_tt_state state = TTMPOOL_TT_PARTIAL;
	struct ttmpool_list rest;

	ttmpool_list_init(&rest);
	for (swapout_turn_to(out, be); swapout_next(out);) {
		struct ttmpool_chunk *chunk = swapout_chunk(out);

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

/* Claim what shall leave next, of one buffer after another. @n: of so many. */
static int swapout_enter(struct swapout *out, struct party *party, size_t *n)
{
	size_t left = out->wanted - out->gained;
	int err = 0;

	tpos_assert(left);
	if (left > WINDOW_PAGES)
		left = WINDOW_PAGES;
	for (*n = 0; left; ++*n) {
		struct ttmpool_backend *be = party->be[*n];
		size_t here = be->tt.num_pages - be->pages_stored;

		tpos_assert(*n < party->n); /* they have all that is wanted */
		if (here > left)
			here = left;
		left -= here;
		err = swapout_claim(out, be, here);
		if (!err)
			continue;
		party->vain = be;
		break;
	}
	return err;
}

/* Strip what was claimed of the first @n buffers in one batch, and store it. */
static int swapout_move(struct swapout *out, struct party *party, size_t n)
{
	int err = swapout_probe(out, party->be[0]);

	if (err) {
		party->vain = party->be[0];
		return err;
	}
	/* What does not become write-back is quarantined when it goes. */
	ttmpool_chunks_make_ordinary(out->pool, &out->claimed);
	for (size_t i = 0; i < n && !err; i++) {
		size_t had = out->gained;

		err = swapout_store(out, party->be[i]);
		if (err && out->gained == had)
			party->vain = party->be[i];
	}
	return err;
}

/* Have some leave, at most WINDOW_PAGES and the rest of a chunk. */
static int swapout_window(struct swapout *out, struct party *party)
{
	int err, moved = 0;
	size_t n;

	err = swapout_enter(out, party, &n);
	if (n)
		moved = swapout_move(out, party, n);
	for (size_t i = 0; i < n; i++)
		swapout_settle(out, party->be[i]);
	return moved ? moved : err;
}

/*
 * Swap out buffers of one pool, that have pages, until party->pages pages have
 * left. Returns the error that ended it; party->gained says how many have.
 */
int ttmpool_party_swapout(struct party *party)
{
	struct swapout out = { .pool = party->be[0]->pool,
			       .in_reclaim = party->in_reclaim,
			       .wanted = party->pages };
	int err;

	tpos_assert(party->n);
	tpos_assert(party->pages);
	party->vain = NULL;
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
	party->gained = out.gained;
	return err;
}

/* Is there anything in a buffer of this state that could leave? */
static bool has_pages(const struct ttmpool_backend *be)
{
	return be->tt.state == TTMPOOL_TT_POPULATED ||
	       be->tt.state == TTMPOOL_TT_ANONYMOUS ||
	       be->tt.state == TTMPOOL_TT_PARTIAL;
}

int ttmpool_swapout(struct ttmpool_backend *be, size_t pages)
{
	struct party alone = { .be = { be }, .n = 1, .pages = pages };

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (!has_pages(be) || !pages)
		return -EINVAL;
	if (pages > be->tt.num_pages - be->pages_stored)
		alone.pages = be->tt.num_pages - be->pages_stored;
	return ttmpool_party_swapout(&alone);
}
