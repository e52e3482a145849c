// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching where the linear map cannot be changed, which is everywhere but on
 * x86: what a mapping made for a user or for the kernel shall be is taken note
 * of, and whoever makes that mapping reads it from there, as in Linux's TTM
 * (ttm_pool.c, ttm_pool_apply_caching). The linear map stays write-back, and the pages
 * were just cleared or written by it: such a mapping must not read what they were
 * before, nor lose what it writes when the cache lets go of an old line. And when they
 * are to be read by the linear map again, it must not show what it has kept of them.
 */

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

int tpos_caching_set(struct device *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk;
	long pages = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (TTMPOOL_SYNCS_CACHES && chunk->caching != caching)
			ttmpool_flush_pages(chunk->page,
					    ttmpool_chunk_pages(chunk));
		chunk->caching = caching;
		pages += (long)ttmpool_chunk_pages(chunk);
	}
	trace_ttmpool_caching(dev, pages, caching, 0);
	return 0;
}
