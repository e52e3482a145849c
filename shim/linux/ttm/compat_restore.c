// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The way back from a backup (compat_backup.c), and the end of a buffer that was backed up.
 *
 *     tt->pages   [h h h h][p p][h h][. . . .]    handles, pages that stayed, nothing
 *                  fresh    ready |-- fresh --|
 *
 * Pages that stayed become the device's in place. Only if that is not possible, they are
 * copied to fresh pages. For handles, fresh pages are taken, and the contents are read from
 * the file into them, in pieces of at most 4 MiB. When a piece is complete, the array gets
 * the pages, and the file drops its copy. So whatever fails, each entry is a page or a handle
 * with all of its contents, and the next call begins with what is missing. There is no
 * record of how far a call came: each chunk says what it lacks.
 *
 * A piece that was interrupted is read again from its beginning. So that repeated signals
 * cannot keep a buffer from coming back, the pieces become half as large each time that a
 * call ends without completing a piece, down to one page. tt->restore, which belongs to
 * this file, only holds the number of such calls.
 */

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

#include <ttmpool/backup.h>

#include "../ttmpool_module.h"
#include "ttm_backup_faults.h"
#include "ttm_drop_in.h"

/* A piece is at most as large as the largest chunk. */
#define PIECE_ORDER (TTMPOOL_NR_ORDERS - 1)

/**
 * struct restore - one call
 * @ours: the pool
 * @tt: the buffer
 * @ctx: TTM's context of the call
 * @req: the request to the pool
 * @pages, @dma_addr: of the current piece; @dma_addr is NULL if the buffer has none
 * @pieces: number of pieces that came back
 */
struct restore {
	struct ttmpool_pool *ours;
	struct ttm_tt *tt;
	const struct ttm_operation_ctx *ctx;
	struct ttmpool_request req;
	struct page **pages;
	dma_addr_t *dma_addr;
	unsigned long pieces;
};

static bool is_page(const struct page *page)
{
	return page && !ttm_backup_page_ptr_is_handle(page);
}

/* Returns how many calls in a row ended without a piece. */
static unsigned long tries(const struct ttm_tt *tt)
{
	return (unsigned long)tt->restore;
}

static void set_tries(struct ttm_tt *tt, unsigned long n)
{
	tt->restore = (struct ttm_pool_tt_restore *)min(n, PIECE_ORDER + 0UL);
}

static int interruption(const struct restore *restore)
{
	if (!restore->ctx->interruptible)
		return 0;
	return signal_pending(current) || ttmpool_ttm_backup_fails() ? -EINTR
								     : 0;
}

/* Reads what an entry stands for into a fresh page, which is zero. */
static int read_entry(const struct restore *restore, struct page *entry,
		      struct page *to)
{
	gfp_t gfp = restore->ctx->gfp_retry_mayfail
			    ? __GFP_RETRY_MAYFAIL | __GFP_NOWARN
			    : 0;
	int err;

	if (!entry)
		return 0;
	if (is_page(entry)) {
		/* nobody may read a page that the hardware has poisoned */
		if (PageHWPoison(entry))
			return -EFAULT;
		copy_highpage(to, entry);
		return 0;
	}
	err = interruption(restore);
	if (err)
		return err;
	return ttm_backup_copy_page(restore->tt->backup, to,
				    ttm_backup_page_ptr_to_handle(entry),
				    restore->ctx->interruptible, gfp);
}

/*
 * Called when a piece is complete: the buffer gets the pages, and their sources are
 * freed.
 */
static void commit(struct restore *restore, pgoff_t i, pgoff_t n)
{
	struct ttm_tt *tt = restore->tt;

	if (is_page(tt->pages[i]))
		WARN_ON(ttmpool_pool_give_up(restore->ours, tt->pages + i, n,
					     restore->req.ticket));
	for (pgoff_t j = 0; j < n; j++) {
		struct page *entry = tt->pages[i + j];

		if (entry && !is_page(entry))
			ttm_backup_drop(tt->backup,
					ttm_backup_page_ptr_to_handle(entry));
		tt->pages[i + j] = restore->pages[j];
		if (restore->dma_addr)
			tt->dma_address[i + j] = restore->dma_addr[j];
	}
	restore->pieces++;
}

/*
 * Puts fresh pages in the place of some entries, which are the pages of one chunk,
 * or no pages.
 */
static int renew(struct restore *restore, pgoff_t i, pgoff_t n)
{
	struct ttmpool_request req = restore->req;
	int err;

	req.num_pages = n;
	err = ttmpool_pool_take(restore->ours, &req, restore->pages,
				restore->dma_addr);
	if (err)
		return ttmpool_ttm_error(err);
	for (pgoff_t j = 0; j < n && !err; j++) {
		err = read_entry(restore, restore->tt->pages[i + j],
				 restore->pages[j]);
		cond_resched();
	}
	if (err)
		WARN_ON(ttmpool_pool_give_ticket(restore->ours, restore->pages,
						 n, req.caching, req.ticket));
	else
		commit(restore, i, n);
	return err;
}

/* Makes pages that stayed, of one chunk, the device's. */
static int keep(struct restore *restore, pgoff_t i, pgoff_t n)
{
	struct ttm_tt *tt = restore->tt;
	struct ttmpool_request req = restore->req;

	req.num_pages = n;
	if (!ttmpool_pool_ready(restore->ours, &req, tt->pages + i,
				tt->dma_address ? tt->dma_address + i : NULL))
		return 0;
	return renew(restore, i, n);
}

/*
 * Returns how many entries from here on are no pages, counting to the end of a
 * piece.
 */
static pgoff_t hole_at(const struct restore *restore, pgoff_t i)
{
	const struct ttm_tt *tt = restore->tt;
	pgoff_t piece = 1UL << (PIECE_ORDER - tries(tt));
	pgoff_t end = min(round_up(i + 1, piece), tt->num_pages + 0UL);
	pgoff_t n = 0;

	while (i + n < end && !is_page(tt->pages[i + n]))
		n++;
	return n;
}

static int restore_all(struct restore *restore)
{
	const struct ttm_tt *tt = restore->tt;
	pgoff_t i = 0, n;
	int err = 0;

	for (; !err && i < tt->num_pages; i += n) {
		if (is_page(tt->pages[i])) {
			n = 1UL << page_private(tt->pages[i]);
			err = keep(restore, i, n);
		} else {
			n = hole_at(restore, i);
			err = renew(restore, i, n);
		}
	}
	return err;
}

/* Allocates the arrays for a piece that is not complete. */
static int restore_open(struct restore *restore)
{
	size_t n = min(1UL << PIECE_ORDER, restore->tt->num_pages + 0UL);

	restore->pages = kvmalloc_array(n, sizeof(*restore->pages),
					GFP_KERNEL | __GFP_NOWARN);
	if (restore->tt->dma_address)
		restore->dma_addr = kvmalloc_array(n,
						   sizeof(*restore->dma_addr),
						   GFP_KERNEL | __GFP_NOWARN);
	if (restore->pages && (restore->dma_addr || !restore->tt->dma_address))
		return 0;
	return -ENOMEM;
}

int ttm_pool_restore_and_alloc(struct ttm_pool *pool, struct ttm_tt *tt,
			       const struct ttm_operation_ctx *ctx)
{
	struct restore restore = { .ours = ttmpool_ttm_pool(pool),
				   .tt = tt,
				   .ctx = ctx,
				   .req = ttmpool_ttm_request(pool, tt, ctx) };
	int err;

	if (WARN_ON(!ttm_tt_is_backed_up(tt)))
		return -EINVAL;
	if (!restore.ours)
		return -ENOMEM;
	restore.req.killable = !ctx->interruptible;
	err = restore_open(&restore);
	if (!err) {
		err = restore_all(&restore);
		set_tries(tt, err && !restore.pieces ? tries(tt) + 1 : 0);
	}
	kvfree(restore.dma_addr);
	kvfree(restore.pages);
	return err;
}

/* A search for the pool that has a page. */
struct search {
	struct page *page;
	struct ttmpool_pool *found;
};

static void look_at_pool(struct ttmpool_pool *pool, void *arg)
{
	struct search *search = arg;

	if (!search->found && ttmpool_pool_owns(pool, search->page))
		search->found = pool;
}

/* Finds the pool that has a page. All pages of a buffer are of one pool, so the pool that was
 * found for another page of it is tried first. */
static struct ttmpool_pool *pool_with(struct ttmpool_pool *last,
				      struct page *page)
{
	struct search search = { .page = page };

	if (last && ttmpool_pool_owns(last, page))
		return last;
	ttmpool_manager_each_pool(ttmpool_module_manager(), look_at_pool,
				  &search);
	return search.found;
}

/* TTM names no pool here, so the pages have to be searched for in all pools. */
void ttm_pool_drop_backed_up(struct ttm_tt *tt)
{
	struct ttmpool_pool *ours = NULL;

	WARN_ON(!ttm_tt_is_backed_up(tt));
	for (pgoff_t i = 0, n; i < tt->num_pages; i += n) {
		struct page *entry = tt->pages[i];

		n = 1;
		if (is_page(entry)) {
			n = 1UL << page_private(entry);
			ours = pool_with(ours, entry);
			WARN_ON(!ours ||
				ttmpool_pool_give_up(ours, tt->pages + i, n,
						     ttmpool_ttm_ticket(tt)));
		} else if (entry) {
			ttm_backup_drop(tt->backup,
					ttm_backup_page_ptr_to_handle(entry));
		}
		memset(tt->pages + i, 0, n * sizeof(*tt->pages));
	}
	tt->restore = NULL;
}
