// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory whose linear map is in large entries. An entry that is split stays split, and
 * the system hands out first the pages that were freed last; so a caching change that
 * needs an entry to split needs pages that were never used. The code looks at the
 * allocator's largest blocks: it holds back until the end each block with a small entry,
 * and all smaller blocks of that kind; it frees the others just before they are needed.
 */

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/pgtable.h>

#include "sweep.h"

#define BLOCK_PAGES (PMD_SIZE >> PAGE_SHIFT)

/* Smaller blocks serve the odd pages at a buffer's end. */
#define SMALL_ORDER 4

static LIST_HEAD(spent);

static struct page *block_get(unsigned int order)
{
	struct page *page =
		alloc_pages(GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN, order);

	if (page)
		set_page_private(page, order);
	return page;
}

static void block_put(struct page *page)
{
	unsigned int order = page_private(page);

	set_page_private(page, 0);
	__free_pages(page, order);
}

static void blocks_put(struct list_head *blocks)
{
	struct page *page, *after;

	list_for_each_entry_safe(page, after, blocks, lru)
	{
		list_del(&page->lru);
		block_put(page);
	}
}

/* Is no page of the block in a small entry? */
static bool is_whole(struct page *page)
{
	size_t n = 1UL << page_private(page);
	bool whole = true;

	for (size_t i = 0; i < n; i += BLOCK_PAGES) {
		void *at = page_address(tpos_page_nth(page, i));
		unsigned int level;

		whole &= lookup_address((unsigned long)at, &level) &&
			 level != PG_LEVEL_4K;
	}
	return whole;
}

/* Hold blocks back until the next one of this order would come out of a large entry. */
static void hold_back(unsigned int order)
{
	struct page *page;

	while ((page = block_get(order))) {
		if (is_whole(page)) {
			block_put(page);
			return;
		}
		list_add(&page->lru, &spent);
	}
}

int blocks_provide(size_t pages)
{
	LIST_HEAD(whole);
	struct page *page;
	size_t got = 0;

	if (debug_pagealloc_enabled())
		return 0;
	while (got < pages && (page = block_get(MAX_PAGE_ORDER))) {
		if (is_whole(page))
			got += MAX_ORDER_NR_PAGES;
		list_add(&page->lru, is_whole(page) ? &whole : &spent);
	}
	for (unsigned int order = MAX_PAGE_ORDER - 1; order > SMALL_ORDER;
	     order--)
		hold_back(order);
	blocks_put(&whole);
	return got < pages ? -ENOMEM : 0;
}

void blocks_end(void)
{
	blocks_put(&spent);
}
