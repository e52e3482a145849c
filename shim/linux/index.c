// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From a page to the chunk that it is the first page of: an array by page frame
 * number, which is read under RCU.
 *
 *     give      pages[i] -> pfn -> chunk, or nothing      xa_load()
 *     alloc     nodes for all entries that it can need    xa_reserve(), may fail
 *     set       an entry                                  xa_store(), in its node
 *     free      none, nor nodes                           xa_erase(), then the pages
 *
 * A chunk can be split when there is no memory, and then each page of it may become the
 * first of another. So one entry is reserved in each node that its pages lie in: the
 * chunk's own, and where it ends an empty one, which tells of no chunk. The nodes stay,
 * however it is split, since in each of them every part of it that has pages there
 * keeps one of these, or an entry of its own.
 *
 * It uses no field of struct page. What is there is the memory manager's, and a
 * mark of ours could be taken for somebody else's (the network's page_pool marks
 * its pages in page->lru, with 64 and more values), or theirs for ours; and the
 * fields go, one by one. What is not in here is not ours, whatever it looks like.
 * docs/design.md has the figures.
 *
 * Looking up a page that is not ours may come at any time: see descriptors.c.
 */

#include <linux/mm.h>
#include <linux/xarray.h>

#include "ttmpool_system.h"

static DEFINE_XARRAY(chunks);

struct ttmpool_chunk *tpos_page_chunk(struct device *dev, struct page *page)
{
	unsigned long pfn;

	if (!ttmpool_is_page(page, &pfn))
		return NULL;
	return xa_load(&chunks, pfn);
}

/* The first page that the next node of the index is for. */
static unsigned long end_of_node(unsigned long pfn)
{
	return round_down(pfn, XA_CHUNK_SIZE) + XA_CHUNK_SIZE;
}

static void forget_up_to(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn = end_of_node(pfn))
		xa_erase(&chunks, pfn);
}

bool ttmpool_index_reserve(struct page *page, size_t pages, gfp_t gfp)
{
	unsigned long first = page_to_pfn(page);
	unsigned long end = first + pages;

	for (unsigned long pfn = first; pfn < end; pfn = end_of_node(pfn))
		if (xa_reserve(&chunks, pfn, gfp)) {
			forget_up_to(first, pfn);
			return false;
		}
	return true;
}

void ttmpool_index_forget(const struct ttmpool_chunk *chunk)
{
	unsigned long first = page_to_pfn(chunk->page);

	forget_up_to(first, first + ttmpool_chunk_pages(chunk));
}

/* An entry that is stored is published: rcu_assign_pointer() in xas_store(). */
void tpos_page_set_chunk(struct page *page, struct ttmpool_chunk *chunk)
{
	WARN_ON_ONCE(xa_is_err(
		xa_store(&chunks, page_to_pfn(page), chunk, GFP_NOWAIT)));
}

/* Nobody looks any more. What may be left are entries of pages that are lost. */
void ttmpool_index_end(void)
{
	xa_destroy(&chunks);
}
