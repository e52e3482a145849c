// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out: from the pages of a buffer to its store, and the pages to the
 * system.
 *
 *     claim     all chunks that the buffer has
 *     strip     no mapping, write-back: one batch each, before anything is
 *               read, since reading write-combined memory is slow
 *     store     chunk by chunk: the store takes the pages themselves, where it
 *               can, or their contents, page by page; a look for signals before
 *               each
 *     release   in runs of 2 MiB, so that the pages are there for the very
 *               shortage that asked for them, and for the store itself
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

/**
 * struct swapout - one call
 * @be: of this buffer
 * @chunks: claimed, and not stored yet
 * @stored: copied, and not freed yet
 * @adopted: the store's now, but for the descriptors
 * @pages: in both of these
 * @begin: index of the first page of the chunk that is being stored
 * @at: index of the next page to be stored
 */
struct swapout {
	struct ttmpool_backend *be;
	struct ttmpool_list chunks;
	struct ttmpool_list stored;
	struct ttmpool_list adopted;
	size_t pages;
	size_t begin;
	size_t at;
};

static void swapout_release(struct swapout *out)
{
	struct ttmpool_pool *pool = out->be->pool;

	if (!out->pages)
		return;
	ttmpool_account_close(pool, &out->stored);
	ttmpool_account_close(pool, &out->adopted);
	ttmpool_account_swapped(pool, out->be->owner, (long)out->pages);
	pool_tally(pool, &pool->stats.bytes_stored,
		   pool_bytes(pool, out->pages));
	ttmpool_chunks_release(pool, &out->stored);
	ttmpool_chunks_forget(pool, &out->adopted);
	tpos_wake(&pool->iova->wait);
	out->pages = 0;
}

static struct ttmpool_chunk *swapout_chunk(const struct swapout *out)
{
	return tpos_page_chunk(out->be->pool->dev,
			       out->be->tt.pages[out->begin]);
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
	be->pages_stored += n;
	out->begin += n;
	out->pages += n;
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
		if (!ttmpool_chunk_split(out->be->pool, chunk))
			return false;
	swapout_leave(out, chunk, &out->stored);
	return true;
}

/* The store has no memory: make some. Returns whether there is more now. */
static bool swapout_make_room(struct swapout *out)
{
	if (!out->pages &&
	    ttmpool_pool_reclaim(out->be->pool, RELEASE_PAGES, true))
		return true;
	if (!out->pages && !swapout_split(out))
		return false;
	swapout_release(out);
	return true;
}

/* Copy the chunk that begins at @begin, or as many halves of it as can be. */
static int swapout_copy(struct swapout *out)
{
	struct tpos_span page = { .pages = 1 };
	int err;

	out->at = out->begin;
	for (;;) {
		page.chunk = swapout_chunk(out);
		page.first = out->at - out->begin;
		if (tpos_signal_pending())
			return -EINTR;
		ttmpool_backend_note_sums(out->be, out->at, &page);
		err = tpos_store_write(out->be->store, out->at, &page);
		if (err == -ENOMEM && swapout_make_room(out))
			continue;
		if (err)
			return err;
		out->at++;
		if (page.first + 1 == ttmpool_chunk_pages(page.chunk))
			break;
	}
	swapout_leave(out, swapout_chunk(out), &out->stored);
	return 0;
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
	if (tpos_signal_pending())
		return -EINTR;
	ttmpool_backend_note_sums(out->be, out->begin, &all);
	err = tpos_store_adopt(out->be->store, out->begin, chunk);
	if (!err)
		swapout_leave(out, chunk, &out->adopted);
	return err;
}

static int swapout_store(struct swapout *out)
{
	int err = swapout_adopt(out);

	return err == -EOPNOTSUPP || err == -ENOMEM ? swapout_copy(out) : err;
}

/* Store chunks from the first on, for at least @pages pages. */
static int swapout_run(struct swapout *out, size_t pages)
{
	struct ttmpool_backend *be = out->be;
	size_t most = be->tt.num_pages - be->pages_stored;
	size_t target = be->pages_stored + (pages < most ? pages : most);
	int err = 0;

	while (!err && be->pages_stored < target) {
		if (be->tt.pages[out->begin])
			err = swapout_store(out);
		else
			out->begin++;
		tpos_cond_resched();
	}
	swapout_release(out);
	return err;
}

/* Take the chunks of the buffer, and make ordinary pages of them. */
static int swapout_begin(struct swapout *out, struct ttmpool_backend *be)
{
	int err;

	*out = (struct swapout){ .be = be };
	ttmpool_list_init(&out->stored);
	ttmpool_list_init(&out->adopted);
	err = ttmpool_backend_claim(be, &out->chunks);
	if (err)
		return err;
	/* A chunk that does not become write-back is quarantined when it goes.
	 */
	ttmpool_backend_strip(be, &out->chunks);
	return 0;
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

/* Is there anything in a buffer of this state that could leave? */
static bool has_pages(const struct ttmpool_backend *be)
{
	return be->tt.state == TTMPOOL_TT_POPULATED ||
	       be->tt.state == TTMPOOL_TT_ANONYMOUS ||
	       be->tt.state == TTMPOOL_TT_PARTIAL;
}

int ttmpool_swapout(struct ttmpool_backend *be, size_t pages)
{
	enum ttmpool_tt_state state = TTMPOOL_TT_PARTIAL;
	struct swapout out;
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (!has_pages(be) || !pages)
		return -EINVAL;
	err = swapout_open_store(be);
	if (err)
		return err;
	err = swapout_begin(&out, be);
	if (err) {
		if (!be->pages_stored)
			ttmpool_backend_close_store(be);
		return err;
	}
	err = swapout_run(&out, pages);
	ttmpool_chunks_unclaim(be->pool, &out.chunks);
	if (be->pages_stored == be->tt.num_pages)
		state = TTMPOOL_TT_SWAPPED;
	else if (!be->pages_stored && be->tt.state == TTMPOOL_TT_ANONYMOUS)
		state = TTMPOOL_TT_ANONYMOUS;
	ttmpool_backend_set_state(be, state);
	return err;
}
