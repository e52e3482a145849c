// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping in: from the store to pages of the device.
 *
 * A hole in pages[] is what the store has. Pages for a whole hole are taken
 * from the pool at once, as a populate would take them: recycled ones are
 * mapped and of the right caching already, and what is fresh is converted in
 * one batch. They are filled from the store in that condition, since writing
 * write-combined memory is fast.
 *
 *     pages[]  a a a a . . . . . . . .     4 pages resident, 8 in the store
 *              a a a a b b b b c c . .     taken, and 6 of them read when it
 * fails a a a a b b b b . . . .     kept: whole chunks; the rest is given back,
 * and the store has it still
 *
 * Where there is no memory for a whole hole, half of it is tried: what has been
 * read is dropped from the store, which makes room for the other half.
 *
 * When no hole is left, whatever an earlier interruption has left half way is
 * made the device's, and the buffer is what it was.
 */

#include "buffer_internal.h"

/* Take pages for the hole [first, first + n), or a part of it; how many? */
static int swapin_take(struct ttmpool_backend *be, size_t first, size_t *n)
{
	struct ttmpool_request req = { .source = be->funcs->source,
				       .caching = be->tt.caching,
				       .owner = be->owner,
				       .wait_ms = be->wait_ms,
				       .ticket = be->ticket };
	tpos_dma_addr_t *dma_addr = be->dma_addr ? be->dma_addr + first : NULL;
	int err;

	for (;; *n /= 2) {
		req.num_pages = *n;
		err = ttmpool_pool_take(be->pool, &req, be->tt.pages + first,
					dma_addr);
		if (err != -ENOMEM || *n == 1)
			return err;
	}
}

static int swapin_page(struct ttmpool_backend *be, size_t index,
		       const struct tpos_span *page)
{
	int err = tpos_store_read(be->store, index, page);

	return err ? err : ttmpool_backend_check_sum(be, index, page);
}

/* Read pages [first, first + n); return how many whole chunks' pages came. */
static int swapin_read(struct ttmpool_backend *be, size_t first, size_t n,
		       size_t *came)
{
	*came = 0;
	while (*came < n) {
		struct tpos_span page = { .chunk = tpos_page_chunk(
						  be->pool->dev,
						  be->tt.pages[first + *came]),
					  .pages = 1 };
		size_t end = ttmpool_chunk_pages(page.chunk);

		for (; page.first < end; page.first++) {
			int err = -EINTR;

			if (!tpos_signal_pending())
				err = swapin_page(
					be, first + *came + page.first, &page);
			if (err)
				return err;
		}
		*came += end;
		tpos_cond_resched();
	}
	return 0;
}

/* Pages [first, first + n) were taken, and not filled: there is a hole again.
 */
static void swapin_untake(struct ttmpool_backend *be, size_t first, size_t n)
{
	int err;

	if (!n)
		return;
	err = ttmpool_pool_give_ticket(be->pool, be->tt.pages + first, n,
				       be->tt.caching, be->ticket);
	tpos_assert(!err);
	memset(be->tt.pages + first, 0, n * sizeof(*be->tt.pages));
	if (be->dma_addr)
		memset(be->dma_addr + first, 0, n * sizeof(*be->dma_addr));
}

/* Bring in up to @n pages from @first on, where all are in the store. */
static int swapin_hole(struct ttmpool_backend *be, size_t first, size_t *n)
{
	struct ttmpool_pool *pool = be->pool;
	size_t came;
	int err;

	err = swapin_take(be, first, n);
	if (err)
		return err;
	err = swapin_read(be, first, *n, &came);
	swapin_untake(be, first + came, *n - came);
	if (!came)
		return err;
	tpos_assert(came <= be->pages_stored);
	tpos_store_drop(be->store, first, came);
	be->pages_stored -= came;
	ttmpool_account_swapped(pool, be->owner, -(long)came);
	pool_tally(pool, &pool->stats.bytes_restored, pool_bytes(pool, came));
	return err;
}

/* How many pages from @first on are in the store, of @most that matter? */
static size_t hole_at(const struct ttmpool_backend *be, size_t first,
		      size_t most)
{
	size_t n = 0;

	while (n < most && first + n < be->tt.num_pages &&
	       !be->tt.pages[first + n])
		n++;
	return n;
}

static int swapin_run(struct ttmpool_backend *be, size_t pages)
{
	size_t first = 0;
	int err = 0;

	while (!err && pages && be->pages_stored) {
		size_t n = hole_at(be, first, pages);

		if (!n) {
			first++;
			continue;
		}
		err = swapin_hole(be, first, &n);
		first += n;
		pages -= n;
	}
	return err;
}

int ttmpool_swapin(struct ttmpool_backend *be, size_t pages)
{
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if ((be->tt.state != TTMPOOL_TT_SWAPPED &&
	     be->tt.state != TTMPOOL_TT_PARTIAL) ||
	    !pages)
		return -EINVAL;
	err = swapin_run(be, pages);
	if (!err && !be->pages_stored)
		err = ttmpool_backend_return(be);
	if (err || be->pages_stored) {
		ttmpool_backend_set_state(be,
					  be->pages_stored == be->tt.num_pages
						  ? TTMPOOL_TT_SWAPPED
						  : TTMPOOL_TT_PARTIAL);
		return err;
	}
	ttmpool_backend_close_store(be);
	ttmpool_backend_set_state(be, TTMPOOL_TT_POPULATED);
	return 0;
}
