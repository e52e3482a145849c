// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A caching change that fails half way, because of the kernel itself: an entry
 * of the linear map that covers 2 MiB must be split for a smaller change, and
 * there is no page for the page table. Two such blocks are changed in one call:
 *
 *     block:   [ a a . . . . . ] [ b b . . . . . ]
 *     n = 2:   its table fails                      nothing was changed
 *     n = 3:   is split, changed   its table fails  the kernel leaves a so
 *
 * This task's n-th allocation is made to fail, from the first to the last that
 * there is; after each, all of both blocks is write-back.
 */

#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "churn.h"

#define BLOCK_PAGES (PMD_SIZE >> PAGE_SHIFT)
#define CHUNK_ORDER 1

struct blocks {
	struct page *page;
	struct ttmpool_chunk chunks[2];
	struct ttmpool_list list;
};

static void blocks_init(struct blocks *blocks)
{
	ttmpool_list_init(&blocks->list);
	for (size_t i = 0; i < ARRAY_SIZE(blocks->chunks); i++) {
		struct ttmpool_chunk *chunk = &blocks->chunks[i];

		chunk->page = nth_page(blocks->page, i * BLOCK_PAGES);
		chunk->order = CHUNK_ORDER;
		chunk->caching = TTMPOOL_CACHED;
		ttmpool_list_add_tail(&chunk->link, &blocks->list);
	}
}

static bool blocks_are_whole(const struct blocks *blocks)
{
	for (size_t i = 0; i < ARRAY_SIZE(blocks->chunks); i++) {
		struct page *page = blocks->chunks[i].page;
		unsigned int level = PG_LEVEL_4K;

		lookup_address((unsigned long)page_address(page), &level);
		if (level == PG_LEVEL_4K)
			return false;
	}
	return true;
}

static int change(struct device *dev, struct blocks *blocks, unsigned int nth)
{
	int err;

	WRITE_ONCE(current->fail_nth, nth);
	err = tpos_caching_set(dev, &blocks->list, TTMPOOL_WRITE_COMBINED);
	WRITE_ONCE(current->fail_nth, 0);
	return err;
}

static void check_write_back(const struct blocks *blocks, unsigned int nth)
{
	for (size_t i = 0; i < ARRAY_SIZE(blocks->chunks); i++)
		if (blocks->chunks[i].caching != TTMPOOL_CACHED)
			churn_wrong("a chunk is not write-back, allocation",
				    nth);
	if (linear_map_special())
		churn_wrong("the linear map is not write-back, allocation",
			    nth);
}

static unsigned int fail_each(struct device *dev, struct blocks *blocks)
{
	unsigned int nth = 0;
	int err;

	do {
		err = change(dev, blocks, ++nth);
		if (err && err != -ENOMEM)
			churn_wrong("caching_set", err);
		if (err)
			check_write_back(blocks, nth);
	} while (err == -ENOMEM);
	if (tpos_caching_set(dev, &blocks->list, TTMPOOL_CACHED))
		churn_wrong("caching_set, back", nth);
	check_write_back(blocks, nth);
	return nth - 1;
}

int churn_split(struct device *dev, unsigned int *failures)
{
	struct blocks blocks = {};
	int err = 0;

	blocks.page = alloc_pages(GFP_KERNEL, PMD_ORDER + 1);
	if (!blocks.page)
		return -ENOMEM;
	blocks_init(&blocks);
	if (blocks_are_whole(&blocks))
		*failures = fail_each(dev, &blocks);
	else
		err = -EOPNOTSUPP;
	__free_pages(blocks.page, PMD_ORDER + 1);
	return err;
}
