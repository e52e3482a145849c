// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Relocating: contents go to other pages, since those that they are in do not
 * suit the device.
 *
 *     plain backend      suits: pages that the device reaches, in chunks that it
 *                        can map in one piece, of the node that its pool wants
 *     coherent backend   suits: the coherent allocator's own
 *
 * What does not suit is copied, run by run; what does becomes the device's in
 * place (ready.c). What is only far, of another node, is copied if there are pages
 * of the right one for the asking, and else becomes the device's where it is: pages
 * that are no nearer are not worth a copy. A buffer comes here on its way back to the device, from
 * ordinary pages, or from the store, when some of it had stayed behind.
 */

#include "buffer_internal.h"

#include "../pool/take.h"

/*
 * Copy pages [first, first + n) of a buffer to others, as @take says, and let these
 * take their place. After an error, nothing has changed.
 */
static int backend_copy(struct ttmpool_backend *be, size_t first, size_t n,
			struct take *take)
{
	struct account before = { { 0 } }, after = { { 0 } };
	tpos_page_t **pages = be->tt.pages + first;
	struct claim claim;
	int err;

	tpos_assert(n);
	tpos_assert(first + n <= be->tt.num_pages);
	take->req.num_pages = n;
	take->req.ticket = be->ticket;
	err = ttmpool_take_chunks(take);
	if (err)
		return err;
	tpos_assert(!take->req.num_pages);
	ttmpool_claim_init(&claim, be->pool, pages, n);
	claim.ticket = be->ticket;
	claim.with_holes = true;
	err = ttmpool_claim_chunks(&claim);
	if (err)
		goto drop;
	if (!chunks_may_be_read(be->pool, &claim.chunks)) {
		err = -EFAULT;
		goto unclaim;
	}
	ttmpool_account_add(be->pool, &claim.chunks, &before);
	ttmpool_chunks_strip(be->pool, &claim.chunks); /* before it is read */
	ttmpool_account_add(be->pool, &claim.chunks, &after);
	ttmpool_account_change(be->pool, be->owner, &before, &after);
	assert_deep(ttmpool_chunks_count_pages(&claim.chunks) == n);
	ttmpool_claim_sort(&claim);
	ttmpool_take_issue(take);
	ttmpool_chunks_copy(be->pool, &take->got, &claim.chunks);
	ttmpool_take_hand_out(take, pages,
			      take->map ? be->dma_addr + first : NULL);
	ttmpool_chunks_give(be->pool, &claim.chunks, n);
	return 0;

unclaim:
	ttmpool_chunks_unclaim(be->pool, &claim.chunks);
drop:
	ttmpool_take_drop(take, &take->got);
	return err;
}

/* All of a buffer that is the device's goes to ordinary pages. */
int ttmpool_backend_copy_to_plain(struct ttmpool_backend *be)
{
	struct take take = { .pool = be->pool,
			     .req = { .source = TTMPOOL_PLAIN,
				      .caching = TTMPOOL_CACHED,
				      .owner = be->owner,
				      .killable = be->killable },
			     .until = be->until };

	return backend_copy(be, 0, be->tt.num_pages, &take);
}

/* May a chunk become the device's in place? */
enum fit {
	FITS,
	FAR,
	MISFIT,
};

static enum fit chunk_fit(const struct ttmpool_backend *be,
			  const struct ttmpool_chunk *chunk)
{
	if (be->funcs->source == TTMPOOL_COHERENT)
		return ttmpool_chunk_is_coherent(chunk) ? FITS : MISFIT;
	if (!ttmpool_chunk_can_be_used(chunk, be->pool))
		return MISFIT;
	return chunk->flags & TTMPOOL_CHUNK_FAR ? FAR : FITS;
}

/* What are the pages from @first on, and how many are like that? */
static enum fit backend_fit(const struct ttmpool_backend *be, size_t first,
			    size_t *n)
{
	enum fit all = FITS;
	size_t i = first;

	while (i < be->tt.num_pages) {
		const struct ttmpool_chunk *chunk =
			tpos_page_chunk(be->pool->dev, be->tt.pages[i]);
		enum fit fit = chunk_fit(be, chunk);

		if (i == first)
			all = fit;
		if (fit != all)
			break;
		i += ttmpool_chunk_pages(chunk);
	}
	tpos_assert(i > first);
	tpos_assert(i <= be->tt.num_pages);
	*n = i - first;
	return all;
}

/* Copy what does not suit to pages that do. */
static int backend_relocate_misfits(struct ttmpool_backend *be)
{
	bool coherent = be->funcs->source == TTMPOOL_COHERENT;
	int err = 0;

	for (size_t n, first = 0; first < be->tt.num_pages; first += n) {
		enum fit fit = backend_fit(be, first, &n);
		struct take take = {
			.pool = be->pool,
			.req = { .source = be->funcs->source,
				 .caching = coherent ? be->tt.caching
						     : TTMPOOL_CACHED,
				 .owner = be->owner,
				 .killable = be->killable },
			.map = coherent && be->dma_addr,
			.near = fit == FAR,
		};

		if (fit == FITS)
			continue;
		if (fit == MISFIT)
			take.until = be->until;
		err = backend_copy(be, first, n, &take);
		if (err && (fit == MISFIT || err != -ENOMEM))
			return err;
	}
	return 0;
}

/* Can all of a buffer ever be the device's, with @pages of the page budget? */
int ttmpool_backend_admits(struct ttmpool_backend *be, size_t pages)
{
	bool mapped = be->dma_addr || be->funcs->source == TTMPOOL_COHERENT;

	return ttmpool_budget_admits(be->pool, be->funcs->source, pages,
				     mapped ? be->tt.num_pages : 0);
}

/*
 * Back to the device: all of a buffer is in pages, and they shall be its. After
 * an error, all of it still is, in the same pages or in others.
 */
int ttmpool_backend_return(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	err = ttmpool_backend_admits(be, 0); /* it has its pages */
	if (err)
		return err;
	/* Are the arrays what was left there? */
	err = ttmpool_backend_claim(be, &chunks);
	if (err)
		return err;
	ttmpool_chunks_unclaim(be->pool, &chunks);
	err = backend_relocate_misfits(be);
	return err ? err : ttmpool_backend_make_ready(be);
}
