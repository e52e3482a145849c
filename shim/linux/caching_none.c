// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching where the linear map cannot be changed, which is everywhere but on
 * x86: what a mapping made for a user or for the kernel shall be is taken note
 * of, and whoever makes that mapping reads it from there. Linux's TTM does the
 * same (ttm_pool.c, ttm_pool_apply_caching).
 */

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

int tpos_caching_set(struct device *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk;
	long pages = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->caching = caching;
		pages += (long)ttmpool_chunk_pages(chunk);
	}
	trace_ttmpool_caching(dev, pages, caching, 0);
	return 0;
}
