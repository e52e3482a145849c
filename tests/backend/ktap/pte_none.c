// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the linear map says of a page where it is write-back for ever: nothing. What
 * another mapping shall be is noted in the chunk that the page is a part of, and a page
 * that is of none is what the linear map is.
 */

#include "check_ktap.h"

/* The first page leads to the chunk, and lies at a multiple of its size. */
enum ttmpool_caching page_caching(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++) {
		struct page *first = pfn_to_page(pfn & ~0UL << order);
		struct ttmpool_chunk *chunk = tpos_page_chunk(NULL, first);

		if (chunk && chunk->order >= order)
			return chunk->caching;
	}
	return TTMPOOL_CACHED;
}
