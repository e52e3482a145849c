// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The caching of a page on a machine whose linear map is always write-back. The chunk of
 * the page records the caching that another mapping should have; a page without a chunk
 * has that of the linear map.
 */

#include "check_ktap.h"

/* The first page of a chunk leads to the chunk, and lies at a multiple of its size. */
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
