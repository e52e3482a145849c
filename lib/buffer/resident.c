// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The resident part of a buffer: the chunks that it has, be they all or a few,
 * and what they are counted as.
 *
 *                 strip
 *     device  -------------->  ordinary         device: mapped, of the caching
 *     pages   <--------------  pages            wanted, at known addresses
 *               make ready                      ordinary: write-back, not
 * mapped
 *
 * Both go in place, without a copy, and in one batch of each kind. The way back
 * is in ready.c, since it may have to make room for the mappings, and that may
 * take another buffer through this file.
 */

#include "buffer_internal.h"

/* Claim all chunks of a buffer, in its order; it may have holes. */
int ttmpool_backend_claim(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks)
{
	struct claim claim;
	int err;

	ttmpool_claim_init(&claim, be->pool, be->tt.pages, be->tt.num_pages);
	claim.ticket = be->ticket;
	claim.with_holes = true;
	err = ttmpool_claim_chunks(&claim);
	ttmpool_list_init(chunks);
	ttmpool_list_splice(&claim.chunks, chunks);
	return err;
}

void ttmpool_chunks_mark_anonymous(struct ttmpool_list *chunks, bool anonymous)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_ANONYMOUS;
		if (anonymous && ttmpool_chunk_is_ordinary(chunk))
			chunk->flags |= TTMPOOL_CHUNK_ANONYMOUS;
	}
}

/*
 * Make ordinary pages of claimed chunks; their addresses are gone. An error
 * says that some are not write-back.
 */
int ttmpool_backend_strip(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks)
{
	struct account before = { { 0 } }, after = { { 0 } };
	int err;

	if (be->dma_addr)
		memset(be->dma_addr, 0,
		       be->tt.num_pages * sizeof(*be->dma_addr));
	ttmpool_account_add(be->pool, chunks, &before);
	err = ttmpool_chunks_strip(be->pool, chunks, false);
	ttmpool_chunks_mark_anonymous(chunks, true);
	ttmpool_account_add(be->pool, chunks, &after);
	ttmpool_account_change(be->pool, be->owner, &before, &after);
	tpos_wake(&be->pool->iova->wait);
	return err;
}

/* How many of its pages could the swapper have, if it got the lock now? */
static size_t pages_swappable(const struct ttmpool_backend *be)
{
	if (!be->swappable || (be->tt.state != TTMPOOL_TT_POPULATED &&
			       be->tt.state != TTMPOOL_TT_ANONYMOUS &&
			       be->tt.state != TTMPOOL_TT_PARTIAL))
		return 0;
	return be->tt.num_pages - be->pages_stored;
}

void ttmpool_backend_count_swappable(struct ttmpool_backend *be)
{
	size_t pages = pages_swappable(be);

	tpos_assert(be->pages_stored <= be->tt.num_pages);
	tpos_assert(pages <= be->tt.num_pages);
	if (pages != be->lru_pages)
		tpos_atomic_add_return((long)pages - (long)be->lru_pages,
				       &be->pool->mgr->lru.pages);
	be->lru_pages = pages;
}

void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state)
{
	if (state != be->tt.state)
		ttmpool_tt_set_state(&be->tt, state);
	ttmpool_backend_count_swappable(be);
	assert_deep(ttmpool_backend_is_valid(be));
}
