// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * From a page to the chunk that it is the first page of: an array by page frame
 * number, which is read under RCU.
 *
 *     give      pages[i] -> pfn -> chunk, or nothing      xa_load()
 *     alloc     room for one entry                        xa_reserve(), may fail
 *     set       the entry                                 xa_store(), in that room
 *     free      none                                      xa_erase(), then the page
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

/* Is it a page at all, and which? Arithmetic alone, as long as the page descriptors
 * are one array (vmemmap or flat memory): nothing is read through the pointer. */
struct ttmpool_chunk *tpos_page_chunk(struct device *dev, struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	if (pfn_to_page(pfn) != page)
		return NULL;
	return xa_load(&chunks, pfn);
}

/* Room for the entry of a page, so that setting it needs no memory. */
bool ttmpool_index_reserve(struct page *page)
{
	return !xa_reserve(&chunks, page_to_pfn(page), TTMPOOL_GFP);
}

/* An entry that is stored is published: rcu_assign_pointer() in xas_store(). */
void tpos_page_set_chunk(struct page *page, struct ttmpool_chunk *chunk)
{
	void *old;

	if (chunk)
		old = xa_store(&chunks, page_to_pfn(page), chunk, TTMPOOL_GFP);
	else
		old = xa_erase(&chunks, page_to_pfn(page));
	WARN_ON_ONCE(xa_is_err(old));
}

/* Nobody looks any more. What may be left are entries of pages that are lost. */
void ttmpool_index_end(void)
{
	xa_destroy(&chunks);
}
