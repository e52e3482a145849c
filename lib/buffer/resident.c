// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The resident part of a buffer: the chunks that it has, which may be all or only a few.
 * lib/pool/ordinary.c makes ordinary pages of them, in place.
 *
 * The way back is in ready.c, because it may have to make room for the mappings, and for
 * that another buffer may have to pass through this file.
 */

#include "buffer_internal.h"

/*
 * The first @edge pages are alike: all of them are in pages[], or all are in the store.
 * So the resident part begins at one of two places.
 */
size_t ttmpool_backend_first_page(const struct ttmpool_backend *be)
{
	return be->tt.pages[0] ? 0 : be->edge;
}

size_t ttmpool_backend_first_hole(const struct ttmpool_backend *be)
{
	return be->tt.pages[0] ? be->edge : 0;
}

/*
 * A part of a buffer to claim, and the least number of pages that the buffer has
 * there; the others are in the store.
 */
struct part {
	size_t first;
	size_t end;
	size_t least;
};

/* Claims the chunks that a buffer has within a part, in the order of the buffer. */
static int backend_claim(struct ttmpool_backend *be, const struct part *part,
			 struct ttmpool_list *chunks)
{
	struct claim claim;
	int err;

	tpos_assert(part->first <= part->end);
	tpos_assert(part->end <= be->tt.num_pages);
	ttmpool_list_init(chunks);
	ttmpool_claim_init(&claim, be->pool, be->tt.pages, part->end);
	claim.ticket = be->ticket;
	claim.with_holes = true;
	claim.done = part->first;
	err = ttmpool_claim_chunks(&claim);
	if (err)
		return err;
	if (ttmpool_chunks_count_pages(&claim.chunks) < part->least) {
		ttmpool_chunks_unclaim(be->pool, &claim.chunks);
		return -EINVAL;
	}
	ttmpool_list_splice(&claim.chunks, chunks);
	return 0;
}

/*
 * Claims all chunks of a buffer, in the order of the buffer, which may have holes.
 */
int ttmpool_backend_claim(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks)
{
	const struct part all = { .end = be->tt.num_pages,
				  .least =
					  be->tt.num_pages - be->pages_stored };

	return backend_claim(be, &all, chunks);
}

/*
 * Returns how many pages lie between this entry and the next chunk. The array has not been
 * checked yet: an entry may be a page of another pool, which may end at any time.
 */
static size_t backend_step(const struct ttmpool_backend *be, size_t index)
{
	struct ttmpool_pool *pool = be->pool;
	const struct ttmpool_chunk *chunk;
	size_t pages = 1;

	tpos_spin_lock(&pool->lock);
	tpos_read_lock();
	chunk = tpos_page_chunk(pool->dev, be->tt.pages[index]);
	if (chunk && chunk_is_in_use_of(chunk, pool))
		pages = ttmpool_chunk_pages(chunk);
	tpos_read_unlock();
	tpos_spin_unlock(&pool->lock);
	return pages;
}

/*
 * Claims the first chunks of a buffer, until they have at least @pages pages or
 * there are no more. @end: set to the index from which on nothing is claimed.
 */
int ttmpool_backend_claim_some(struct ttmpool_backend *be, size_t pages,
			       struct ttmpool_list *chunks, size_t *end)
{
	struct part some = { .first = ttmpool_backend_first_page(be),
			     .least = pages };
	size_t got = 0;

	some.end = some.first;
	while (got < pages && some.end < be->tt.num_pages) {
		size_t step = 1;

		if (be->tt.pages[some.end]) {
			step = backend_step(be, some.end);
			got += step;
		}
		some.end += step;
	}
	/* If the array is wrong, claiming finds out. */
	if (some.end > be->tt.num_pages)
		some.end = be->tt.num_pages;
	*end = some.end;
	return backend_claim(be, &some, chunks);
}

/* Zeroes the addresses of these pages, so that nobody uses them any more. */
void ttmpool_backend_forget_addresses(struct ttmpool_backend *be, size_t first,
				      size_t n)
{
	tpos_assert(first + n <= be->tt.num_pages);
	if (be->dma_addr)
		memset(be->dma_addr + first, 0, n * sizeof(*be->dma_addr));
}

/*
 * Makes ordinary pages of all the chunks of a buffer, and forgets their addresses.
 */
int ttmpool_backend_strip(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks)
{
	ttmpool_backend_forget_addresses(be, 0, be->tt.num_pages);
	return ttmpool_chunks_make_ordinary(be->pool, chunks);
}

/*
 * Returns how many pages of a buffer the swapper could take if it got the lock now.
 */
static size_t pages_swappable(const struct ttmpool_backend *be)
{
	if (!be->swappable || (be->tt.state != TTMPOOL_TT_POPULATED &&
			       be->tt.state != TTMPOOL_TT_ANONYMOUS &&
			       be->tt.state != TTMPOOL_TT_PARTIAL))
		return 0;
	return be->tt.num_pages - be->pages_stored;
}

/* Counts @pages as those that a buffer can give. A buffer that has none moves to the list
 * that the swapper does not walk; a buffer that has more pages than before becomes the
 * newest of the list that it walks. */
static void lru_count(struct ttmpool_backend *be, size_t pages)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	tpos_assert(pages != be->lru_pages);
	tpos_atomic_add_return((long)pages - (long)be->lru_pages,
			       &mgr->lru.pages);
	tpos_spin_lock(&mgr->lock);
	if (!be->lru_pages)
		mgr->lru.nr_with_pages++;
	else if (!pages)
		mgr->lru.nr_with_pages--;
	if ((!pages || pages > be->lru_pages) &&
	    !ttmpool_list_empty(&be->lru)) {
		ttmpool_list_del(&be->lru);
		if (pages)
			lru_add_newest(be);
		else
			ttmpool_list_add(&be->lru, &mgr->lru.others);
	}
	if (be->lru_victim)
		mgr->lru.pages_leaving += pages - be->lru_pages;
	be->lru_pages = pages;
	tpos_spin_unlock(&mgr->lock);
}

/*
 * Updates the count of pages that a buffer can give, after it has changed. Returns the
 * count.
 */
size_t ttmpool_backend_count_swappable(struct ttmpool_backend *be)
{
	size_t pages = pages_swappable(be);

	tpos_assert(be->pages_stored <= be->tt.num_pages);
	tpos_assert(pages <= be->tt.num_pages);
	if (pages != be->lru_pages)
		lru_count(be, pages);
	return pages;
}

/*
 * Before the thread that works on a buffer asks for pages: while it has the buffer's lock,
 * nobody can swap out the pages that the buffer has, so they do not count as pages that
 * could go. Ends with ttmpool_backend_count_swappable(), by which the buffer becomes the
 * newest of the list.
 */
void ttmpool_backend_count_none(struct ttmpool_backend *be)
{
	if (be->lru_pages)
		lru_count(be, 0);
}

void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state)
{
	if (state != be->tt.state)
		ttmpool_tt_set_state(&be->tt, state);
	ttmpool_backend_count_swappable(be);
	assert_deep(ttmpool_backend_is_valid(be));
}
