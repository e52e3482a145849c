// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backup, where TTM has it (ttm_bo_shrink(), for xe): the contents of a buffer go to a file
 * in shmem, and its pages to the system. An entry of tt->pages is a page; or a handle, which
 * says where in the file its contents are; or nothing.
 *
 *     probe    store one page as it is, to see whether there is any room, before anything
 *              is done to the buffer
 *     strip    unmap a slice of the buffer and make it write-back, in one batch of each
 *              kind, because write-combined memory is slow to read
 *     store    store chunk by chunk, and free each at once, because the system is short of
 *              pages
 *     ready    if nothing could be stored, make the slice what it was
 *
 * If there is no memory for the rest of a chunk, the part that was stored leaves, and the
 * chunk is halved only as often as this requires. What was stored and could not leave is
 * dropped. The rest of the slice stays stripped, and what lies behind the slice stays as
 * the device left it: restoring finds out what each chunk lacks (compat_restore.c).
 *
 * All of this runs in a thread of the system, in reclaim. Only the file allocates memory
 * here, and, for descriptors, the halving of a chunk.
 */

#include <linux/mm.h>
#include <linux/sizes.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_tt.h>

#include <ttmpool/backup.h>

#include "../ttmpool_module.h"
#include "ttm_backup_faults.h"
#include "ttm_drop_in.h"

/* This many pages are stripped together, apart from the last chunk: 8 MiB. */
#define SLICE_PAGES (SZ_8M >> PAGE_SHIFT)

/*
 * As in TTM: the file's pages may come from the last reserves, because there will
 * be more memory afterwards. Chunks of more than one page may not use these (store()).
 */
#define FILE_GFP (GFP_KERNEL | __GFP_HIGH | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/**
 * struct backup - one call
 * @ours: the pool
 * @tt: the buffer
 * @ticket: the ticket of its pages
 * @flags: TTM's flags of the call
 * @end: index of the page before which the call ends
 * @gone: number of pages that have left
 */
struct backup {
	struct ttmpool_pool *ours;
	struct ttm_tt *tt;
	u32 ticket;
	const struct ttm_backup_flags *flags;
	pgoff_t end;
	long gone;
};

bool ttmpool_ttm_is_backed_up(const struct ttm_tt *tt)
{
	return ttm_tt_is_backed_up(tt);
}

static bool is_page(const struct page *page)
{
	return page && !ttm_backup_page_ptr_is_handle(page);
}

/* Returns where the run of entries ends that are pages, or that are not. */
static pgoff_t end_of_run(const struct ttm_tt *tt, pgoff_t i)
{
	bool wanted = is_page(tt->pages[i]);

	while (i < tt->num_pages && is_page(tt->pages[i]) == wanted)
		i++;
	return i;
}

/*
 * Gives back @n pages. If a backup has left them in another condition than TTM believes, the
 * pool refuses them, and they go to the system.
 */
static void give_run(struct ttmpool_pool *ours, struct ttm_tt *tt, pgoff_t i,
		     pgoff_t n, u32 ticket)
{
	if (ttmpool_pool_give_ticket(ours, tt->pages + i, n, (int)tt->caching,
				     ticket))
		WARN_ON(ttmpool_pool_give_up(ours, tt->pages + i, n, ticket));
}

/*
 * Only a backup replaces an entry by a handle or empties it, and TTM marks the buffer then.
 * So in any other buffer the entries need not be looked at one by one.
 */
void ttmpool_ttm_give(struct ttmpool_pool *ours, struct ttm_tt *tt, u32 ticket)
{
	if (!ttm_tt_is_backed_up(tt)) {
		give_run(ours, tt, 0, tt->num_pages, ticket);
		return;
	}
	for (pgoff_t i = 0, end; i < tt->num_pages; i = end) {
		end = end_of_run(tt, i);
		if (is_page(tt->pages[i]))
			give_run(ours, tt, i, end - i, ticket);
	}
}

static unsigned int order_at(const struct backup *backup, pgoff_t i)
{
	return page_private(backup->tt->pages[i]);
}

/*
 * Stores 1 << @order pages. Sets *stored to how many were stored. Returns a handle
 * for the first page, which those of the others follow; or an error if none was
 * stored.
 */
static s64 store(const struct backup *backup, pgoff_t i, unsigned int order,
		 bool writeback, pgoff_t *stored)
{
	gfp_t gfp = FILE_GFP | (order ? __GFP_NOMEMALLOC : 0);

	return ttm_backup_backup_folio(backup->tt->backup,
				       page_folio(backup->tt->pages[i]), order,
				       writeback, i, GFP_HIGHUSER, gfp, stored);
}

/*
 * Returns whether none of the pages is poisoned: nobody may read a page that the
 * hardware has poisoned.
 */
static bool is_sound(const struct page *page, pgoff_t n)
{
	for (pgoff_t i = 0; i < n; i++)
		if (PageHWPoison(page + i))
			return false;
	return true;
}

/* Writes handles into the entries of the first pages, which have left. */
static void leave(struct backup *backup, pgoff_t i, pgoff_t n, s64 handle)
{
	for (pgoff_t j = 0; j < n; j++)
		backup->tt->pages[i + j] =
			ttm_backup_handle_to_page_ptr(handle + j);
	backup->gone += n;
}

/*
 * Lets the part of a chunk leave that was stored. Returns how many of its pages
 * have left.
 */
static pgoff_t leave_part(struct backup *backup, pgoff_t i, pgoff_t stored,
			  s64 handle)
{
	long gone = ttmpool_pool_give_up_part(
		backup->ours, backup->tt->pages + i, 1UL << order_at(backup, i),
		stored, backup->ticket);

	if (gone < 0)
		gone = 0;
	for (pgoff_t j = gone; j < stored; j++)
		ttm_backup_drop(backup->tt->backup, handle + j);
	leave(backup, i, gone, handle);
	return gone;
}

/* Stores the chunk at *i, and moves *i behind what has left. */
static int store_chunk(struct backup *backup, pgoff_t *i)
{
	unsigned int order = order_at(backup, *i);
	pgoff_t stored, n = 1UL << order;
	s64 handle;

	if (!is_sound(backup->tt->pages[*i], n)) {
		*i += n;
		return 0;
	}
	handle = store(backup, *i, order, backup->flags->writeback, &stored);
	if (handle < 0)
		return handle;
	if (stored < n) {
		stored = leave_part(backup, *i, stored, handle);
		*i += stored;
		return stored ? 0 : -ENOMEM;
	}
	if (ttmpool_pool_give_up(backup->ours, backup->tt->pages + *i, n,
				 backup->ticket)) {
		while (n--)
			ttm_backup_drop(backup->tt->backup, handle + n);
		return -EINVAL;
	}
	leave(backup, *i, n, handle);
	*i += n;
	return 0;
}

/*
 * Finds out whether the file has room for anything, by storing one page, read as
 * the device left it. Returns its handle, or an error; or 0 if the file was not asked,
 * because the buffer has nothing to lose.
 */
static s64 probe(const struct backup *backup, pgoff_t i)
{
	const struct ttm_tt *tt = backup->tt;
	pgoff_t stored;

	if ((tt->caching == ttm_cached && !tt->dma_address) ||
	    !is_sound(tt->pages[i], 1))
		return 0;
	return store(backup, i, 0, false, &stored);
}

/*
 * Called if none of these pages, nor any before them, could be stored: makes them
 * the device's again, if that is possible without taking anything from others.
 */
static void undo(const struct backup *backup, pgoff_t i, pgoff_t end)
{
	struct ttm_tt *tt = backup->tt;
	struct ttmpool_request req = { .caching = (int)tt->caching,
				       .num_pages = end - i,
				       .ticket = backup->ticket };

	if (ttmpool_pool_ready(backup->ours, &req, tt->pages + i,
			       tt->dma_address ? tt->dma_address + i : NULL))
		pr_warn_once(
			"a buffer could not be what it was before a backup\n");
}

static int store_slice(struct backup *backup, pgoff_t i, pgoff_t end)
{
	pgoff_t first = i;
	s64 handle = probe(backup, i);
	int err;

	if (handle < 0)
		return handle;
	err = ttmpool_pool_strip(backup->ours, backup->tt->pages + i, end - i,
				 backup->ticket);
	if (err == -EINVAL)
		goto drop;
	/*
	 * A chunk that could not be made write-back is quarantined when it leaves.
	 */
	do {
		err = store_chunk(backup, &i);
		cond_resched();
	} while (!err && i < end);
	if (backup->gone)
		return err;
	undo(backup, first, end);
drop:
	if (handle && is_page(backup->tt->pages[first]))
		ttm_backup_drop(backup->tt->backup, handle);
	return err;
}

/* Returns where a slice ends that begins with the chunk at @i. */
static pgoff_t end_of_slice(const struct backup *backup, pgoff_t i)
{
	pgoff_t end = i;

	while (end < backup->end && end - i < SLICE_PAGES &&
	       is_page(backup->tt->pages[end]))
		end += 1UL << order_at(backup, end);
	return end;
}

static int store_all(struct backup *backup)
{
	pgoff_t i = 0, end;
	int err = 0;

	while (!err && i < backup->end) {
		if (!is_page(backup->tt->pages[i])) {
			i++;
			continue;
		}
		end = end_of_slice(backup, i);
		err = store_slice(backup, i, end);
		i = end;
	}
	return err;
}

/* Frees all pages at once, because nobody wants the contents. */
static long purge(struct backup *backup)
{
	struct ttm_tt *tt = backup->tt;

	for (pgoff_t i = 0, end; i < tt->num_pages; i = end) {
		end = end_of_run(tt, i);
		if (!is_page(tt->pages[i]) ||
		    ttmpool_pool_give_up(backup->ours, tt->pages + i, end - i,
					 backup->ticket))
			continue;
		memset(tt->pages + i, 0, (end - i) * sizeof(*tt->pages));
		backup->gone += end - i;
	}
	return backup->gone;
}

/*
 * A buffer of which a part has left counts as backed up. A buffer of which nothing
 * has left is what it was. TTM tells the two apart by the sign of the return value.
 */
long ttm_pool_backup(struct ttm_pool *pool, struct ttm_tt *tt,
		     const struct ttm_backup_flags *flags)
{
	struct backup backup = { .ours = ttmpool_ttm_pool(pool),
				 .tt = tt,
				 .ticket = ttmpool_ttm_ticket(tt),
				 .flags = flags,
				 .end = tt->num_pages };
	int err;

	if (WARN_ON(ttm_tt_is_backed_up(tt)))
		return -EINVAL;
	if (!backup.ours || ttm_pool_uses_dma_alloc(pool) ||
	    (!flags->purge && !ttm_backup_bytes_avail()))
		return -EBUSY;
	if (flags->purge)
		return purge(&backup);
	/* as in TTM: a fault makes the call end half way */
	if (ttmpool_ttm_backup_fails())
		backup.end = DIV_ROUND_UP(tt->num_pages, 2);
	err = store_all(&backup);
	return backup.gone ?: err;
}
