// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Relocating: contents go to other pages, since those that they are in do not
 * suit the device.
 *
 *     plain backend      suits: pages that the device reaches, in chunks that
 * it can map in one piece, of the node that its pool wants coherent backend
 * suits: the coherent allocator's own
 *
 * What does not suit is copied, run by run; what does becomes the device's in
 * place (ready.c). A buffer comes here on its way back to the device, from
 * ordinary pages, or from the store, when some of it had stayed behind.
 */

#include "buffer_internal.h"

#include "../pool/take.h"

/*
 * Copy pages [first, first + n) of a buffer to others, of that source and
 * caching, and let these take their place. After an error, nothing has changed.
 */
int ttmpool_backend_relocate(struct ttmpool_backend *be, size_t first, size_t n,
			     const struct ttmpool_request *req, bool map)
{
	struct take take = { .pool = be->pool, .map = map, .req = *req };
	struct account before = { { 0 } }, after = { { 0 } };
	tpos_page_t **pages = be->tt.pages + first;
	struct claim claim;
	int err;

	take.req.num_pages = n;
	take.req.ticket = be->ticket;
	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_claim_init(&claim, be->pool, pages, n);
	claim.ticket = be->ticket;
	claim.with_holes = true;
	err = ttmpool_claim_chunks(&claim);
	if (err) {
		ttmpool_take_drop(&take, &take.got);
		return err;
	}
	ttmpool_account_add(be->pool, &claim.chunks, &before);
	ttmpool_chunks_strip(be->pool, &claim.chunks,
			     false); /* before it is read */
	ttmpool_account_add(be->pool, &claim.chunks, &after);
	ttmpool_account_change(be->pool, be->owner, &before, &after);
	ttmpool_claim_sort(&claim);
	ttmpool_take_issue(&take);
	ttmpool_chunks_copy(be->pool, &take.got, &claim.chunks);
	ttmpool_take_hand_out(&take, pages, map ? be->dma_addr + first : NULL);
	ttmpool_chunks_give(be->pool, &claim.chunks, n);
	return 0;
}

/* May this chunk become the device's in place? */
static bool chunk_suits(const struct ttmpool_backend *be,
			const struct ttmpool_chunk *chunk)
{
	if (be->funcs->source == TTMPOOL_COHERENT)
		return ttmpool_chunk_is_coherent(chunk);
	return !(chunk->flags & TTMPOOL_CHUNK_FAR) &&
	       ttmpool_chunk_can_be_used(chunk, be->pool);
}

/* How many pages from @first on are of chunks that suit, or do not? */
static size_t pages_that_suit(const struct ttmpool_backend *be, size_t first,
			      bool suit)
{
	size_t i = first;

	while (i < be->tt.num_pages) {
		const struct ttmpool_chunk *chunk =
			tpos_page_chunk(be->pool->dev, be->tt.pages[i]);

		if (chunk_suits(be, chunk) != suit)
			break;
		i += ttmpool_chunk_pages(chunk);
	}
	return i - first;
}

/* Copy what does not suit to pages that do. */
static int backend_relocate_misfits(struct ttmpool_backend *be)
{
	bool coherent = be->funcs->source == TTMPOOL_COHERENT;
	struct ttmpool_request req = { .source = be->funcs->source,
				       .caching = coherent ? be->tt.caching
							   : TTMPOOL_CACHED,
				       .owner = be->owner,
				       .wait_ms = be->wait_ms };
	size_t first = 0;
	int err = 0;

	while (!err && first < be->tt.num_pages) {
		size_t n;

		first += pages_that_suit(be, first, true);
		n = pages_that_suit(be, first, false);
		if (n)
			err = ttmpool_backend_relocate(
				be, first, n, &req, coherent && be->dma_addr);
		first += n;
	}
	return err;
}

/*
 * Back to the device: all of a buffer is in pages, and they shall be its. After
 * an error, all of it still is, in the same pages or in others.
 */
int ttmpool_backend_return(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	/* Are the arrays what was left there? */
	err = ttmpool_backend_claim(be, &chunks);
	if (err)
		return err;
	ttmpool_chunks_unclaim(be->pool, &chunks);
	err = backend_relocate_misfits(be);
	return err ? err : ttmpool_backend_make_ready(be);
}
