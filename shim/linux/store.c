// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The store: a shmem file for each buffer, whose pages the system moves to a swap device
 * when it wants to. A page of the buffer is copied into the page of the file with the same
 * index. This file knows nothing else about the buffer.
 *
 *     buffer  [ chunk of 4 pages ][ page ][ 2 pages ]
 *                 |  copied, then given back
 *     file    [ 0 ][ 1 ][ 2 ][ 3 ][ 4 ][   hole   ]    page cache, or swap
 *
 * The file is written as write(2) would write it (the file's write_begin and write_end),
 * because only then a page that is overwritten as a whole is not cleared before.
 *
 * Memory for it is allocated without the OOM killer, and without a loop that ends only by
 * success (__GFP_RETRY_MAYFAIL): a caller that gets -ENOMEM still has all contents. Inside
 * reclaim there is no other reclaim to wait for, and all of the system's reserves are open.
 * These are for the way to the swap device. So they are closed (__GFP_NOMEMALLOC), except
 * for the half that __GFP_HIGH opens, because as much is given back as is copied.
 *
 * A copy alone frees no memory for reclaim. So what kswapd makes us write is passed on to
 * the swap device at once, as i915's shrinker does with its pages
 * (drivers/gpu/drm/i915/gem/i915_gem_shmem.c, __shmem_writeback). A thread that reclaims
 * because it needs a page itself would wait for the device, with a deep stack and whatever
 * locks it holds. So it leaves the copies to the kernel, which has them on its lists. If a
 * driver only wants its buffer out of the way, the system also decides when.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "ttmpool_store.h"
#include "ttmpool_trace_buffer.h"

void ttmpool_store_prepare(struct file *store)
{
	gfp_t gfp = GFP_HIGHUSER_MOVABLE | __GFP_RETRY_MAYFAIL | __GFP_NOWARN |
		    __GFP_NOMEMALLOC;

	mapping_set_gfp_mask(store->f_mapping,
			     ttmpool_is_in_reclaim() ? gfp | __GFP_HIGH : gfp);
}

/*
 * Any error that is neither about room nor a signal means that the page cannot be
 * read back.
 */
int ttmpool_store_error(long err)
{
	switch (err) {
	case -ENOMEM:
	case -ENOSPC:
	case -EINTR:
		return (int)err;
	default:
		return -EIO;
	}
}

/*
 * Returns the pages in memory and swapped out, by the file's own count in blocks of
 * 512 bytes.
 */
long ttmpool_store_pages(const struct file *store)
{
	return (long)(file_inode(store)->i_blocks >> (PAGE_SHIFT - 9));
}

void ttmpool_store_note_change(const struct file *store, long before)
{
	atomic_long_add(ttmpool_store_pages(store) - before,
			&ttmpool_counters.pages_stored);
}

int tpos_store_create(struct ttmpool_system *system, size_t pages,
		      struct file **store)
{
	struct file *file =
		ttmpool_store_file(system->name, (loff_t)pages << PAGE_SHIFT);

	if (IS_ERR(file))
		return PTR_ERR(file);
	*store = file;
	atomic_long_inc(&ttmpool_counters.stores);
	return 0;
}

/*
 * The file itself is freed a little later (fs/file_table.c, fput). Its pages should
 * not have to wait for that.
 */
void tpos_store_destroy(struct file *store)
{
	long before = ttmpool_store_pages(store);

	shmem_truncate_range(file_inode(store), 0, (loff_t)-1);
	ttmpool_store_note_change(store, before);
	fput(store);
	atomic_long_dec(&ttmpool_counters.stores);
}

static int write_page(struct file *store, size_t index,
		      const struct tpos_span *from, size_t i)
{
	struct page *page;
	void *to;
	int err = ttmpool_store_begin(store, index, &page);

	if (err)
		return ttmpool_store_error(err);
	to = kmap_local_page(page);
	ttmpool_span_read(from, i, to);
	kunmap_local(to);
	ttmpool_store_end(store, index, page);
	return 0;
}

/*
 * A reference keeps the page where it is: reclaim does not write out a page that
 * has a reference from elsewhere (mm/vmscan.c, is_page_cache_freeable).
 */
static int read_page(struct file *store, size_t index,
		     const struct tpos_span *to, size_t i)
{
	struct address_space *mapping = store->f_mapping;
	struct page *page = shmem_read_mapping_page(mapping, index);
	void *from;

	if (IS_ERR(page))
		return ttmpool_store_error(PTR_ERR(page));
	from = kmap_local_page(page);
	ttmpool_span_write(to, i, from);
	kunmap_local(from);
	put_page(page);
	return 0;
}

/* Skips pages that are locked or have left already. */
void ttmpool_store_push(struct file *store, size_t index, size_t pages)
{
	struct address_space *mapping = store->f_mapping;

	for (size_t i = index; i < index + pages; i++) {
		struct page *page = pagecache_get_page(
			mapping, i, FGP_LOCK | FGP_NOWAIT, 0);

		if (!page)
			continue;
		ttmpool_store_write_back(page);
		put_page(page);
	}
}

int tpos_store_write(struct file *store, size_t index,
		     const struct tpos_span *from)
{
	long before = ttmpool_store_pages(store);
	int err = 0;

	ttmpool_store_prepare(store);
	ttmpool_span_for_cpu(from);
	for (size_t i = 0; i < from->pages && !err; i++) {
		err = write_page(store, index + i, from, i);
		cond_resched();
	}
	if (!err && ttmpool_may_write_back())
		ttmpool_store_push(store, index, from->pages);
	ttmpool_store_note_change(store, before);
	trace_ttmpool_swapout(store, index, from->pages, err);
	return err;
}

int tpos_store_read(struct file *store, size_t index,
		    const struct tpos_span *to)
{
	int err = 0;

	ttmpool_store_prepare(store);
	for (size_t i = 0; i < to->pages && !err; i++) {
		err = read_page(store, index + i, to, i);
		cond_resched();
	}
	ttmpool_span_for_device(to);
	trace_ttmpool_swapin(store, index, to->pages, err);
	return err;
}

/* The range ends at the number of its last byte. */
void tpos_store_drop(struct file *store, size_t index, size_t pages)
{
	long before = ttmpool_store_pages(store);
	loff_t start = (loff_t)index << PAGE_SHIFT;

	shmem_truncate_range(file_inode(store), start,
			     start + ((loff_t)pages << PAGE_SHIFT) - 1);
	ttmpool_store_note_change(store, before);
}
