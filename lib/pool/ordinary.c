// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Ordinary pages, and back: what is done to chunks that stay in use.
 *
 *                 strip
 *     device  -------------->  ordinary         device: mapped, of the caching
 *     pages   <--------------  pages            wanted, at known addresses
 *               make ready                      ordinary: write-back, not mapped
 *
 * Both changes are made in place, without a copy, in one batch of each kind, and are booked
 * to the accounts of the chunks' owners. The chunks are claimed (claim.c), and may have
 * several owners.
 */

#include "pool_internal.h"

void ttmpool_chunks_mark_anonymous(struct ttmpool_list *chunks, bool anonymous)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_ANONYMOUS;
		if (anonymous && ttmpool_chunk_is_ordinary(chunk))
			chunk->flags |= TTMPOOL_CHUNK_ANONYMOUS;
	}
}

/* Takes what a batch, of any owners, is counted as off the accounts (@sign -1), or adds it
 * to them (1); the chunks stay counted as in use. */
static void chunks_book(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			int sign)
{
	struct ttmpool_list run, done;

	ttmpool_list_init(&done);
	while (!ttmpool_list_empty(chunks)) {
		struct ttmpool_owner *owner =
			ttmpool_chunk_of(chunks->next)->owner;
		struct account sums = { { 0 } }, none = { { 0 } };

		ttmpool_chunks_cut_run(chunks, &run);
		ttmpool_account_add(pool, &run, &sums);
		sums.pages[TTMPOOL_IN_USE] = 0;
		ttmpool_account_change(pool, owner, sign < 0 ? &sums : &none,
				       sign < 0 ? &none : &sums);
		ttmpool_list_splice_tail(&run, &done);
	}
	ttmpool_list_splice(&done, chunks);
}

/*
 * Makes ordinary pages of claimed chunks, which may be of several buffers of a pool. After
 * an error, some are not write-back.
 */
int ttmpool_chunks_make_ordinary(struct ttmpool_pool *pool,
				 struct ttmpool_list *chunks)
{
	int err;

	chunks_book(pool, chunks, -1);
	err = ttmpool_chunks_strip(pool, chunks);
	ttmpool_chunks_mark_anonymous(chunks, true);
	chunks_book(pool, chunks, 1);
	return err;
}

static bool is_not_mapped(const struct ttmpool_chunk *chunk)
{
	return !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}

/* Maps the chunks of a batch that are not mapped, if nobody has to give up anything for it:
 * the caller may hold what others need to do so. */
int ttmpool_chunks_remap(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	struct ttmpool_list work;
	int err;

	if (!ttmpool_chunks_extract(chunks, is_not_mapped, &work))
		return 0;
	pool_note_mask(pool, TTMPOOL_PLAIN);
	err = ttmpool_chunks_map_if_free(pool, &work);
	ttmpool_list_splice(&work, chunks);
	return err;
}

/* Converts the chunks that are of another caching. */
int ttmpool_chunks_convert(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks,
			   enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk, *after;
	struct ttmpool_list work;
	int err = 0;

	ttmpool_list_init(&work);
	ttmpool_for_each_chunk_safe(chunk, after, chunks) {
		if (chunk->caching != caching)
			ttmpool_list_move_tail(&chunk->link, &work);
	}
	if (!ttmpool_list_empty(&work))
		err = ttmpool_chunks_set_caching(pool, &work, caching);
	ttmpool_list_splice(&work, chunks);
	return err;
}

/* Makes pages of the device of claimed chunks, mapped if @map. After an error they are
 * ordinary pages. */
int ttmpool_chunks_make_ready(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_caching caching, bool map)
{
	int err = 0;

	chunks_book(pool, chunks, -1);
	if (map)
		err = ttmpool_chunks_remap(pool, chunks);
	if (!err)
		err = ttmpool_chunks_convert(pool, chunks, caching);
	if (err)
		ttmpool_chunks_strip(pool, chunks);
	ttmpool_chunks_mark_anonymous(chunks, err);
	chunks_book(pool, chunks, 1);
	return err;
}
