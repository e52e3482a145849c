// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching where the linear map cannot be changed, which is everywhere but on x86. The port
 * only notes which caching a mapping for a user or for the kernel shall have, and the code
 * that makes that mapping reads it from there, as in Linux's TTM (ttm_pool.c,
 * ttm_pool_apply_caching). The linear map stays write-back, and the pages were just cleared
 * or written through it. So the pages are flushed: such a mapping must not read what they
 * contained before, nor lose what it writes when the cache evicts an old line. When the
 * pages are to be read through the linear map again, it must not show old lines that the
 * cache has kept.
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
