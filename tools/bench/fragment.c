// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory in which only single pages are free: the code takes a part of the memory page by
 * page, takes all larger blocks that are left, and then frees every second page of the
 * part. No two free pages are buddies, and compaction can move nothing, since the held
 * pages are the kernel's. Larger blocks that others free later are taken before every
 * turn. A few small ones are left, because a new thread needs one.
 */

#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/vmalloc.h>

#include "race.h"

/* Half of these will be free: enough for one pool at a time, and for the system. */
#ifndef PART_PAGES
#define PART_PAGES 262144
#endif

#define GFP_TAKE (GFP_NOWAIT | __GFP_NORETRY | __GFP_NOWARN)

/* The held blocks, by order: page->lru links them. */
static struct list_head held[11];

/* How many blocks of which order are left. */
#define SPARE_ORDER  3
#define SPARE_BLOCKS 4

static bool fragmented;

static size_t take(unsigned int order, size_t most)
{
	size_t n = 0;

	for (; n < most; n++) {
		struct page *page = alloc_pages(GFP_TAKE, order);

		if (!page)
			break;
		list_add(&page->lru, &held[order]);
		cond_resched();
	}
	return n;
}

static void give(unsigned int order, bool odd_alone)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &held[order], lru)
	{
		if (odd_alone && !(page_to_pfn(page) & 1))
			continue;
		list_del(&page->lru);
		__free_pages(page, order);
	}
}

int fragment(void)
{
	for (unsigned int order = 0; order < ARRAY_SIZE(held); order++)
		INIT_LIST_HEAD(&held[order]);
	if (take(0, PART_PAGES) < PART_PAGES) {
		give(0, false);
		return -ENOMEM;
	}
	give(0, true);
	fragmented = true;
	return 0;
}

static void spare(void)
{
	struct list_head *list = &held[SPARE_ORDER];

	for (int i = 0; i < SPARE_BLOCKS && !list_empty(list); i++) {
		struct page *page = list_first_entry(list, struct page, lru);

		list_del(&page->lru);
		__free_pages(page, SPARE_ORDER);
	}
}

void fragment_again(void)
{
	if (!fragmented)
		return;
	vm_unmap_aliases(); /* so that recently freed areas are really free */
	for (unsigned int order = ARRAY_SIZE(held) - 1; order; order--)
		take(order, SIZE_MAX);
	spare();
}

void defragment(void)
{
	fragmented = false;
	for (unsigned int order = 0; order < ARRAY_SIZE(held); order++)
		give(order, false);
}
