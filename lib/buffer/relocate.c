// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Relocation: contents move to other pages, because the present ones do not suit the
 * device.
 *
 *     plain backend      pages suit if the device reaches them, it can map their
 *                        chunks in one piece, and they are on the node that its
 *                        pool wants
 *     coherent backend   pages suit if they come from the coherent allocator
 *
 * Pages that do not suit are copied, run by run; those that do become the device's in
 * place (ready.c). Pages that are only far, on another node, are copied if pages of the
 * right node are free; otherwise they become the device's where they are, because copying
 * to pages that are no nearer is not worth it. A buffer gets here on its way back to the
 * device: from ordinary pages, or from the store if a part of it had stayed in pages.
 */

#include "buffer_internal.h"

#include "../pool/take.h"

/* Makes the new pages of a copy that was not finished what they were before it: nobody's,
 * with any contents. */
static void copy_forget(struct take *take)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, &take->got) {
		chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_CLEAN;
		if (TPOS_WATCHED && !chunk_is_fresh(chunk))
			tpos_note_parked(take->pool->dev, chunk);
	}
}

/* Copies claimed chunks to those that were taken. A signal ends it only if the old pages are
 * @ordinary: others have been stripped already. After an error, the copies are forgotten. */
static int copy_chunks(struct take *take, struct claim *claim, bool ordinary)
{
	const struct ttmpool_ask ask = { .killable = take->req.killable };
	int err;

	ttmpool_claim_sort(claim);
	ttmpool_take_issue(take);
	err = ttmpool_chunks_copy(take->pool, &take->got, &claim->chunks,
				  ordinary ? &ask : NULL);
	if (err)
		copy_forget(take);
	return err;
}

/*
 * Takes @n pages for a copy. The buffer keeps its own pages until the copy is made, and
 * nobody else can take them meanwhile. So if the page budget has no room for both, nobody
 * is asked to give up anything, and nothing is waited for.
 */
static int copy_take(struct ttmpool_backend *be, size_t n, struct take *take)
{
	size_t own = be->tt.num_pages - be->pages_stored;
	bool counts = be->lru_pages;
	int err;

	err = ttmpool_budget_admits(be->pool, take->req.source, own + n, 0);
	if (err)
		return err;
	take->req.num_pages = n;
	take->req.ticket = be->ticket;
	ttmpool_backend_count_none(be);
	err = ttmpool_take_chunks(take);
	if (counts)
		ttmpool_backend_count_swappable(be);
	return err;
}

/*
 * Copies pages [first, first + n) of a buffer to new pages, which @take describes, and
 * replaces the old pages by them. After an error, nothing has changed.
 */
static int backend_copy(struct ttmpool_backend *be, size_t first, size_t n,
			struct take *take)
{
	struct account before = { { 0 } }, after = { { 0 } };
	tpos_page_t **pages = be->tt.pages + first;
	struct claim claim;
	bool ordinary;
	int err;

	tpos_assert(n);
	tpos_assert(first + n <= be->tt.num_pages);
	err = copy_take(be, n, take);
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
	ordinary = !ttmpool_chunks_have_other(&claim.chunks);
	ttmpool_account_add(be->pool, &claim.chunks, &before);
	ttmpool_chunks_strip(be->pool, &claim.chunks); /* before reading */
	ttmpool_account_add(be->pool, &claim.chunks, &after);
	ttmpool_account_change(be->pool, be->owner, &before, &after);
	assert_deep(ttmpool_chunks_count_pages(&claim.chunks) == n);
	err = copy_chunks(take, &claim, ordinary);
	if (err)
		goto unclaim;
	/* and stay so, if the rest of the buffer cannot follow */
	ttmpool_chunks_mark_anonymous(&take->got, true);
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

/* Copies a whole buffer from pages of the device to ordinary pages. */
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

/* Whether a chunk may become the device's in place. */
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

/*
 * Returns how the pages from @first on suit the device, and sets @n to how many
 * pages are alike in this.
 */
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

/* Returns whether @err means that there is no copy that is nearer: no such pages are
 * available, or the hardware has poisoned some of what would be copied. */
static bool may_stay_far(int err)
{
	return err == -ENOMEM || err == -EFAULT;
}

/* Copies pages that do not suit to pages that do. */
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
		if (err && (fit == MISFIT || !may_stay_far(err)))
			return err;
	}
	return 0;
}

/*
 * Returns 0 if all of a buffer can ever belong to the device, given @pages more
 * pages of the page budget, or an error.
 */
int ttmpool_backend_admits(struct ttmpool_backend *be, size_t pages)
{
	bool mapped = be->dma_addr || be->funcs->source == TTMPOOL_COHERENT;

	return ttmpool_budget_admits(be->pool, be->funcs->source, pages,
				     mapped ? be->tt.num_pages : 0);
}

/*
 * Moves a buffer back to the device. All of the buffer is in pages, and these pages, or
 * copies of them, become the device's. After an error, all of the buffer is still in
 * pages, the same or others.
 */
int ttmpool_backend_return(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	err = ttmpool_backend_admits(be, 0); /* it has its pages already */
	if (err)
		return err;
	/* Claiming checks that the arrays are what the library left there. */
	err = ttmpool_backend_claim(be, &chunks);
	if (err)
		return err;
	ttmpool_chunks_unclaim(be->pool, &chunks);
	err = backend_relocate_misfits(be);
	return err ? err : ttmpool_backend_make_ready(be);
}
