// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * W8: 64 MiB of write-combined pages are copied to a file of shmem and back. TTM does not
 * export its functions (ttm_tt.c, ttm_tt_swapout() and ttm_tt_swapin()), so this file
 * does the same around TTM's pool: it gets a page of the file, and copies the whole page
 * there. No swap device is involved: the file stays in memory.
 */

#include <linux/err.h>
#include <linux/file.h>
#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/shmem_fs.h>
#include <linux/sizes.h>
#include <linux/swap.h>

#include <ttmpool/ttmpool.h>

#include "../../shim/linux/ttmpool_store.h"
#include "race.h"

#define PAGES (SZ_64M >> PAGE_SHIFT)

static void say_took(const char *what, const struct arm *arm, u64 began)
{
	u64 now = ktime_get_ns();

	pr_info("race: W8 wc %u %s %s %llu\n", PAGES, what, arm->name,
		now - began);
}

static void say_copied(const char *what, const struct arm *arm, u64 pages)
{
	pr_info("count: W8 wc %u %s %s %llu\n", PAGES, what, arm->name, pages);
}

/* Copy in one direction; returns how many pages were copied. */
static long copy_all(struct file *file, struct page **pages, bool out)
{
	for (long i = 0; i < PAGES; i++) {
		struct page *page = shmem_read_mapping_page(file->f_mapping, i);

		if (IS_ERR(page))
			return PTR_ERR(page);
		if (out) {
			copy_highpage(page, pages[i]);
			set_page_dirty(page);
			mark_page_accessed(page);
		} else {
			copy_highpage(pages[i], page);
		}
		put_page(page);
	}
	return PAGES;
}

static int there_and_back_by_copy(const struct arm *arm, struct buffer *buffer)
{
	u64 began = ktime_get_ns();
	struct file *file = ttmpool_store_file("race", SZ_64M);
	long copied;
	int err;

	if (IS_ERR(file)) {
		arm->unpopulate(buffer);
		return PTR_ERR(file);
	}
	copied = copy_all(file, arm->pages(buffer), true);
	arm->unpopulate(buffer);
	say_took("swapout", arm, began);
	say_copied("copied", arm, copied);
	began = ktime_get_ns();
	err = arm->populate(buffer);
	if (!err) {
		copied = copy_all(file, arm->pages(buffer), false);
		say_took("swapin", arm, began);
		say_copied("copied-back", arm, copied);
		arm->unpopulate(buffer);
	}
	fput(file);
	return copied < 0 ? (int)copied : err;
}

static int there_and_back(const struct arm *arm, struct buffer *buffer)
{
	struct ttmpool_backend *be = buffer->arm;
	struct ttmpool_pool_stats stats;
	u64 began = ktime_get_ns();
	int err = ttmpool_swapout(be, PAGES);

	say_took("swapout", arm, began);
	ttmpool_pool_stats(be->pool, &stats);
	say_copied("copied", arm,
		   (stats.bytes_stored >> PAGE_SHIFT) - stats.pages_adopted);
	if (err)
		return err;
	began = ktime_get_ns();
	err = ttmpool_swapin(be, PAGES);
	say_took("swapin", arm, began);
	ttmpool_pool_stats(be->pool, &stats);
	say_copied("copied-back", arm, stats.bytes_restored >> PAGE_SHIFT);
	arm->unpopulate(buffer);
	return err;
}

static int turn_swap(const struct arm *arm, struct device *dev,
		     int (*go)(const struct arm *, struct buffer *))
{
	struct buffer buffer = { .pages = PAGES,
				 .caching = TTMPOOL_WRITE_COMBINED };
	int err = arm->open(dev);

	if (err)
		return err;
	err = arm->order(&buffer);
	if (err)
		goto close;
	err = arm->populate(&buffer);
	if (!err)
		err = go(arm, &buffer);
	arm->dispose(&buffer);
close:
	arm->close();
	return err;
}

int race_swap(struct device *dev)
{
	int err = turn_swap(&arm_ttm, dev, there_and_back_by_copy);

	if (!err)
		err = turn_swap(&arm_ttmpool, dev, there_and_back);
	pr_info("count: size wc 1 chunk ttmpool %zu\n",
		sizeof(struct ttmpool_chunk));
	return err;
}
