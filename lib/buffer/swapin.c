// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping in: from the store to pages of the device.
 *
 * A hole in pages[] is a part of the buffer that is in the store. Pages for a whole hole
 * are taken from the pool at once, as a populate would take them: recycled pages are
 * mapped and have the right caching already, and fresh ones are converted in one batch.
 * The contents are then read straight from the store into these pages, because writing
 * write-combined memory is fast.
 *
 *     pages[]  a a a a . . . . . . . .   4 pages are resident, 8 are in the store
 *              a a a a b b b b c c . .   8 pages were taken, and 6 read; then an error
 *              a a a a b b b b . . . .   whole chunks are kept; the other pages go back,
 *                                        and the store still has their contents
 *
 * If there is no memory for a whole hole, half of it is tried. Pages that have been read
 * are dropped from the store, which makes room for the other half. The next hole begins
 * with as many pages as the last attempt got, and that number doubles after it was
 * available a few times. So the pages that are taken and given back unused are no more
 * than the pages that are kept. A caller that has time sleeps only if there is no memory
 * for a single page, or for addresses.
 *
 * When no hole is left, the chunks that an earlier interruption left half way become the
 * device's, and the buffer is as it was before.
 */

#include "buffer_internal.h"

/* After a number of pages was available this many times, twice as many are tried. */
#define TIMES_HAD 8

/**
 * struct swapin - one call
 * @be: the buffer
 * @most: number of pages to take at a time
 * @had: how many times in a row that number was available
 */
struct swapin {
	struct ttmpool_backend *be;
	size_t most;
	unsigned int had;
};

/* Learns from an attempt that got @had of the @tried pages. */
static void swapin_learn(struct swapin *in, size_t tried, size_t had)
{
	tpos_assert(had);
	tpos_assert(had <= tried);
	if (had < tried) {
		in->most = had;
		in->had = 0;
	} else if (had == in->most && ++in->had == TIMES_HAD) {
		in->most *= 2;
		in->had = 0;
	}
}

/*
 * Takes pages for [first, first + n), which is a hole or the beginning of one, or for its
 * first part, and sets @n to how many.
 */
static int swapin_take(struct swapin *in, size_t first, size_t *n)
{
	static const struct ttmpool_deadline at_once;
	struct ttmpool_backend *be = in->be;
	struct ttmpool_request req = { .source = be->funcs->source,
				       .caching = be->tt.caching,
				       .owner = be->owner,
				       .killable = be->killable,
				       .ticket = be->ticket };
	tpos_dma_addr_t *dma_addr = be->dma_addr ? be->dma_addr + first : NULL;
	size_t tried;
	int err;

	tpos_assert(*n);
	tpos_assert(*n <= in->most);
	tpos_assert(first + *n <= be->tt.num_pages);
	tried = *n;
	for (;; *n /= 2) {
		req.num_pages = *n;
		err = ttmpool_pool_take_until(be->pool, &req, &at_once,
					      be->tt.pages + first, dma_addr);
		if (be->until.wait_ms &&
		    (err == -ENOSPC || (err == -ENOMEM && *n == 1)))
			err = ttmpool_pool_take_until(
				be->pool, &req, &be->until,
				be->tt.pages + first, dma_addr);
		if (err != -ENOMEM || *n == 1)
			break;
	}
	swapin_learn(in, tried, *n);
	return err;
}

/* Returns whether a signal interrupts the swap-in. */
static bool swapin_interrupted(const struct ttmpool_backend *be)
{
	return be->killable ? tpos_fatal_signal_pending()
			    : tpos_signal_pending();
}

static int swapin_page(struct ttmpool_backend *be, size_t index,
		       const struct tpos_span *page)
{
	int err = tpos_store_read(be->store, index, page);

	return err ? err : ttmpool_backend_check_sum(be, index, page);
}

/*
 * Reads pages [first, first + n). Sets @came to the number of pages in the chunks
 * that were read completely.
 */
static int swapin_read(struct ttmpool_backend *be, size_t first, size_t n,
		       size_t *came)
{
	assert_deep(be->tt.pages[first]);
	*came = 0;
	while (*came < n) {
		struct tpos_span page = { .chunk = tpos_page_chunk(
						  be->pool->dev,
						  be->tt.pages[first + *came]),
					  .pages = 1 };
		size_t end = ttmpool_chunk_pages(page.chunk);

		for (; page.first < end; page.first++) {
			int err = -EINTR;

			if (!swapin_interrupted(be))
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

/*
 * Gives back pages [first, first + n), which were taken and not filled. This leaves
 * a hole.
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

/* Brings in up to @n pages from @first on, all of which are in the store. */
static int swapin_hole(struct swapin *in, size_t first, size_t *n)
{
	struct ttmpool_backend *be = in->be;
	struct ttmpool_pool *pool = be->pool;
	size_t came;
	int err;

	tpos_assert(be->store);
	assert_deep(!be->tt.pages[first]);
	err = swapin_take(in, first, n);
	if (err)
		return err;
	err = swapin_read(be, first, *n, &came);
	tpos_assert(came <= *n);
	swapin_untake(be, first + came, *n - came);
	if (!came)
		return err;
	tpos_assert(came <= be->pages_stored);
	tpos_store_drop(be->store, first, came);
	be->pages_stored -= came;
	be->edge = first + came;
	ttmpool_account_swapped(pool, be->owner, -(long)came);
	pool_tally(pool, &pool->stats.bytes_restored, pool_bytes(pool, came));
	return err;
}

/*
 * Returns how many pages from @first on are in the store, counting no further than
 * @most.
 */
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
	struct swapin in = { .be = be, .most = be->tt.num_pages };
	size_t first = ttmpool_backend_first_hole(be);
	int err = 0;

	while (!err && pages && first < be->tt.num_pages) {
		size_t n =
			hole_at(be, first, pages < in.most ? pages : in.most);

		if (!n) {
			first++;
			continue;
		}
		err = swapin_hole(&in, first, &n);
		first += n;
		pages -= n;
	}
	return err;
}

int ttmpool_swapin(struct ttmpool_backend *be, size_t pages)
{
	enum ttmpool_tt_state state = TTMPOOL_TT_PARTIAL;
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if ((be->tt.state != TTMPOOL_TT_SWAPPED &&
	     be->tt.state != TTMPOOL_TT_PARTIAL) ||
	    !pages)
		return -EINVAL;
	err = ttmpool_backend_admits(be, 0);
	if (err && pages >= be->pages_stored)
		return err;
	/* A buffer that exceeds the page budget comes in parts, without waiting. */
	err = ttmpool_backend_admits(be, be->tt.num_pages);
	be->until = ttmpool_deadline(be->pool, err ? 0 : be->wait_ms);
	ttmpool_backend_count_none(be);
	err = swapin_run(be, pages);
	if (!be->pages_stored) {
		ttmpool_backend_close_store(be);
		err = ttmpool_backend_return(be);
	}
	if (be->pages_stored == be->tt.num_pages)
		state = TTMPOOL_TT_SWAPPED;
	else if (!be->pages_stored && !err)
		state = TTMPOOL_TT_POPULATED;
	ttmpool_backend_set_state(be, state);
	return err;
}
