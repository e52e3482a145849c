// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A caching change that fails half way, because of the kernel itself: an entry of the
 * linear map that covers 2 MiB must be split for a smaller change, and there is no page
 * for the page table. One call changes two such blocks:
 *
 *     block:         [ a a . . . . . ]   [ b b . . . . . ]
 *     first fails    not split           not split
 *     second fails   split, changed      not split: the kernel leaves it so
 *
 * The code makes this task's n-th allocation fail, from the first to the last one; after
 * each failure the whole linear map must be write-back. A split entry stays split, so the
 * next try uses two other blocks.
 */

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "churn.h"

#define BLOCK_PAGES (PMD_SIZE >> PAGE_SHIFT)
#define CHUNK_ORDER 1

/* How many blocks the code tries before it gives up, and how many allocations may fail
 * before something must be wrong. */
#define PATIENCE 40

/**
 * struct blocks - two blocks side by side, of which a part is changed
 * @held: the first pages of all blocks that were allocated so far
 * @chunks: at the start of each block
 * @list: the batch of both
 */
struct blocks {
	struct list_head held;
	struct ttmpool_chunk chunks[2];
	struct ttmpool_list list;
};

static void blocks_put(struct blocks *blocks)
{
	struct page *page, *after;

	list_for_each_entry_safe(page, after, &blocks->held, lru)
	{
		list_del(&page->lru);
		__free_pages(page, PMD_ORDER + 1);
	}
}

static bool is_whole(struct page *page)
{
	unsigned int level = PG_LEVEL_4K;

	lookup_address((unsigned long)page_address(page), &level);
	return level != PG_LEVEL_4K;
}

static void blocks_set(struct blocks *blocks, struct page *page)
{
	ttmpool_list_init(&blocks->list);
	for (size_t i = 0; i < ARRAY_SIZE(blocks->chunks); i++) {
		struct ttmpool_chunk *chunk = &blocks->chunks[i];

		chunk->page = tpos_page_nth(page, i * BLOCK_PAGES);
		chunk->order = CHUNK_ORDER;
		chunk->caching = TTMPOOL_CACHED;
		ttmpool_list_add_tail(&chunk->link, &blocks->list);
	}
}

/* Find two blocks that were never split. */
static int blocks_get(struct blocks *blocks)
{
	for (int i = 0; i < PATIENCE; i++) {
		struct page *page = alloc_pages(GFP_KERNEL, PMD_ORDER + 1);

		if (!page)
			return -ENOMEM;
		list_add(&page->lru, &blocks->held);
		if (!is_whole(page) ||
		    !is_whole(tpos_page_nth(page, BLOCK_PAGES)))
			continue;
		blocks_set(blocks, page);
		return 0;
	}
	return -EOPNOTSUPP;
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

/* Change both, with the @nth allocation failing. Returns whether there was such an
 * allocation. */
static bool change(struct device *dev, struct blocks *blocks, unsigned int nth,
		   unsigned int *failures)
{
	unsigned int left;
	int err;

	WRITE_ONCE(current->fail_nth, nth);
	err = tpos_caching_set(dev, &blocks->list, TTMPOOL_WRITE_COMBINED);
	left = READ_ONCE(current->fail_nth);
	WRITE_ONCE(current->fail_nth, 0);
	if (err && (err != -ENOMEM || left))
		churn_wrong("caching_set", err);
	if (err)
		(*failures)++;
	else if (tpos_caching_set(dev, &blocks->list, TTMPOOL_CACHED))
		churn_wrong("caching_set, back, allocation", nth);
	check_write_back(blocks, nth);
	return !left;
}

int churn_split(struct device *dev, unsigned int *failures)
{
	struct blocks blocks = {};
	int err = 0;

	INIT_LIST_HEAD(&blocks.held);
	for (unsigned int nth = 1; nth < PATIENCE; nth++) {
		err = blocks_get(&blocks);
		if (err || !change(dev, &blocks, nth, failures))
			break;
	}
	blocks_put(&blocks);
	return err;
}
