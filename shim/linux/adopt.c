// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Adoption: pages of a chunk become pages of the store, and no byte is copied.
 *
 * No kernel lets a module add a page of its own to a shmem file, because only shmem can
 * account for it. But a page that is there can be replaced by another one
 * (replace_page_cache_folio(), made for FUSE), which takes over its place in the counts and
 * in those of the memory cgroup:
 *
 *     file    [ 0 ][ 1 ][ 2 ][ 3 ]    pages of the file, not even cleared
 *               x    x    x    x
 *     chunk   [ 0 ][ 1 ][ 2 ][ 3 ]    change places with these, which are freed
 *
 * All pages of the file are allocated before the first one is replaced, and replacing
 * cannot fail. So a chunk is adopted as a whole, or not at all.
 *
 * A chunk cannot enter the file as one large folio. It could only replace a large folio that
 * is there already (mem_cgroup_replace_folio() requires as many pages). The function that
 * makes a folio of pages that were allocated without __GFP_COMP is not exported
 * (prep_compound_page()), and a module cannot split pages that were allocated with it
 * (split_page() refuses them).
 *
 * There is no way back: an adopted page is on a list of the memory manager, and no module
 * can take it off. Its contents come back as a copy.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>
#include <linux/swap.h>

#include "ttmpool_store.h"
#include "ttmpool_trace_buffer.h"

/*
 * Returns a page that store_claim() has claimed. It is referenced, so it is there.
 */
static struct page *store_claimed(struct file *store, size_t index)
{
	struct page *page = pagecache_get_page(store->f_mapping, index, 0, 0);

	put_page(page);
	return page;
}

/* Claims a page of the file. No part of a huge page can be replaced. */
static int store_claim(struct file *store, size_t index)
{
	struct page *page;
	int err = ttmpool_store_begin(store, index, &page);

	if (err)
		return ttmpool_store_error(err);
	unlock_page(page);
	if (!PageCompound(page))
		return 0;
	put_page(page);
	return -EOPNOTSUPP;
}

static int store_claim_all(struct file *store, size_t index, size_t pages)
{
	size_t n;
	int err;

	for (n = 0; n < pages; n++) {
		err = store_claim(store, index + n);
		if (err)
			goto unclaim;
	}
	return 0;

unclaim:
	while (n--)
		put_page(store_claimed(store, index + n));
	tpos_store_drop(store, index, pages);
	return err;
}

/* Nobody else uses the page, so its flags are set without atomics. */
static void store_replace(struct file *store, size_t index, struct page *page)
{
	struct page *old = store_claimed(store, index);
	struct folio *folio = page_folio(page);

	set_page_private(page, 0); /* it was the driver's */
	__folio_set_locked(folio);
	__folio_set_swapbacked(folio);
	folio_mark_uptodate(folio);
	lock_page(old);
	ttmpool_store_replace(old, page);
	unlock_page(old);
	put_page(old);
	folio_mark_dirty(folio);
	folio_add_lru(folio);
	folio_unlock(folio);
	folio_put(folio);
}

/*
 * Returns whether a large block should be copied instead. An adopted block stays where it
 * is, in pieces, until its last page has been written out. A copied block is free as a
 * whole at once, and its copies go to small blocks first, if there are any. So if most of
 * the free memory is in smaller blocks than this one, it is copied. Otherwise there are
 * enough blocks of this size, and nothing is copied to get one more. docs/anonymous.md has
 * the figures. The kernel calls that share the unusable free space (mm/vmstat.c,
 * unusable_free_index()). It finds blocks up to PAGE_ALLOC_COSTLY_ORDER for any caller that
 * waits, so these are always adopted.
 */
static bool store_copies(const struct ttmpool_chunk *chunk)
{
	struct zone *zone = page_zone(chunk->page);
	unsigned long smaller = 0, others = 0;

	if (chunk->order <= PAGE_ALLOC_COSTLY_ORDER)
		return false;
	for (int order = 0; order < ARRAY_SIZE(zone->free_area); order++) {
		unsigned long pages = data_race(zone->free_area[order].nr_free)
				      << order;

		if (order < chunk->order)
			smaller += pages;
		else
			others += pages;
	}
	return smaller > others;
}

int tpos_store_adopt(struct file *store, size_t index,
		     struct ttmpool_chunk *chunk)
{
	size_t pages = ttmpool_chunk_pages(chunk);
	long before = ttmpool_store_pages(store);
	int err;

	if (store_copies(chunk))
		return -EOPNOTSUPP;
	ttmpool_store_prepare(store);
	err = store_claim_all(store, index, pages);
	ttmpool_store_note_change(store, before);
	trace_ttmpool_swapout(store, index, pages, err);
	if (err)
		return err;
	if (!(chunk->flags & TTMPOOL_CHUNK_SPLIT))
		split_page(chunk->page, chunk->order);
	ttmpool_index_forget(chunk);
	for (size_t i = 0; i < pages; i++) {
		store_replace(store, index + i, tpos_page_nth(chunk->page, i));
		cond_resched();
	}
	ttmpool_count_out(chunk->page, -(long)pages);
	atomic_long_sub((long)pages, &ttmpool_counters.pages_out);
	if (ttmpool_may_write_back())
		ttmpool_store_push(store, index, pages);
	return 0;
}
