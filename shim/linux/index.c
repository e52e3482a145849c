// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The index: from a page to the chunk of which it is the first page. It is an array by page
 * frame number, which is read under RCU.
 *
 *     give      pages[i] -> pfn -> chunk, or nothing      xa_load()
 *     alloc     nodes for all entries that may be needed  xa_reserve(), may fail
 *     set       an entry                                  xa_store(), in its node
 *     free      removes entries and nodes                 xa_erase(), then the pages
 *
 * A chunk may be split when there is no memory, and then each of its pages may become the
 * first of another chunk. So one entry is reserved in each node in which its pages lie: the
 * chunk's own entry in the first node, and an empty entry, which names no chunk, at the
 * beginning of each further node. However the chunk is split, the nodes stay, because in
 * each node every part of the chunk with pages there keeps one of these entries, or has
 * one of its own.
 *
 * The index uses no field of struct page. These fields belong to the memory manager. A mark
 * of ours could be taken for somebody else's (the network's page_pool marks its pages in
 * page->lru, with 64 and other values), or theirs for ours; and the fields are removed, one
 * by one. A page that is not in the index does not belong to this library, whatever its
 * descriptor looks like. docs/design.md has the figures.
 *
 * A page that does not belong to the caller may be looked up at any time: see descriptors.c.
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

/* Returns the first page that belongs to the next node of the index. */
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

/* Storing an entry publishes it: rcu_assign_pointer() in xas_store(). */
void tpos_page_set_chunk(struct page *page, struct ttmpool_chunk *chunk)
{
	WARN_ON_ONCE(xa_is_err(
		xa_store(&chunks, page_to_pfn(page), chunk, GFP_NOWAIT)));
}

/* Nobody looks up pages any more. Entries of lost pages may be left. */
void ttmpool_index_end(void)
{
	xa_destroy(&chunks);
}
