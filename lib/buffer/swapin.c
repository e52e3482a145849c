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
 * read is dropped from the store, which makes room for the other half. What was
 * had then is what the next hole begins with, and twice that when it has been had a
 * few times: pages that are got and given back in vain are no more than are kept. Who
 * has time sleeps only when there is none for a single page; or for addresses.
 *
 * When no hole is left, whatever an earlier interruption has left half way is
 * made the device's, and the buffer is what it was.
 */

#include "buffer_internal.h"

/* After so many times that a number of pages could be had, twice as many are
 * tried. */
#define TIMES_HAD 8

/**
 * struct swapin - one call
 * @be: the buffer
 * @most: pages to be taken at a time
 * @had: so often they were had
 */
struct swapin {
	struct ttmpool_backend *be;
	size_t most;
	unsigned int had;
};

/* So many pages were had, of those that were tried. */
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

/* Take pages for the hole [first, first + n), or a part of it; how many? */
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
	tpos_assert(first + *n <= be->tt.num_pages);
	if (*n > in->most)
		*n = in->most;
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
	struct swapin in = { .be = be, .most = be->tt.num_pages };
	size_t first = ttmpool_backend_first_hole(be);
	int err = 0;

	while (!err && pages && first < be->tt.num_pages) {
		size_t n = hole_at(be, first, pages);

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
	/* What is over the page budget comes in parts, and is not waited for. */
	err = ttmpool_backend_admits(be, be->tt.num_pages);
	be->until = ttmpool_deadline(be->pool, err ? 0 : be->wait_ms);
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
