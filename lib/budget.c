// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets: pages, per manager, and bytes mapped for the device, per pool.
 *
 * Both are taken before the thing itself and returned after it is gone, so that
 * neither is ever exceeded, not even for a moment. When one is exhausted, what
 * is only kept is given up for what is wanted: pooled pages of any pool for the
 * page budget, kept mappings of this pool for the mapped limit. Only if that is
 * not enough does the caller hear of it.
 *
 * Linux's TTM has no budget of IOVA space at all: a driver learns that it has
 * run out from a failed dma_map_page(), which ttm_pool turns into -EFAULT.
 */

#include "internal.h"

static bool manager_take_pages(struct ttmpool_manager *mgr, long pages)
{
	unsigned long now =
		(unsigned long)tpos_atomic_add_return(pages, &mgr->pages);

	if (now <= (unsigned long)tpos_atomic_read(&mgr->page_budget))
		return true;
	tpos_atomic_add_return(-pages, &mgr->pages);
	return false;
}

int budget_take_pages(struct ttmpool_manager *mgr, size_t pages)
{
	while (!manager_take_pages(mgr, (long)pages))
		if (!manager_reclaim(mgr, pages))
			return -ENOMEM;
	return 0;
}

void budget_return_pages(struct ttmpool_manager *mgr, size_t pages)
{
	tpos_atomic_add_return(-(long)pages, &mgr->pages);
}

/* Take what is left of the limit: all of @bytes, or nothing. */
static bool pool_take_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	struct ttmpool_pool_stats *stats = &pool->stats;
	uint64_t limit = pool->mapped_limit ? pool->mapped_limit : (uint64_t)-1;
	bool fits;

	tpos_spin_lock(&pool->lock);
	fits = bytes <= limit && stats->bytes_mapped <= limit - bytes;
	if (fits)
		stats->bytes_mapped += bytes;
	if (stats->bytes_mapped > stats->bytes_mapped_peak)
		stats->bytes_mapped_peak = stats->bytes_mapped;
	tpos_spin_unlock(&pool->lock);
	return fits;
}

int budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	while (!pool_take_mapped(pool, bytes))
		if (!budget_give_up_mappings(pool, bytes))
			return -EDQUOT;
	return 0;
}

void budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	pool_tally(pool, &pool->stats.bytes_mapped, -bytes);
}

static bool is_coherent(const struct ttmpool_chunk *chunk)
{
	return chunk_source(chunk) == TTMPOOL_COHERENT;
}

/*
 * End the oldest mappings that are only kept, until @bytes of them are gone or
 * none is left. A plain chunk stays pooled without its mapping; a coherent one
 * has to go altogether. Returns how many bytes are no longer mapped.
 */
uint64_t budget_give_up_mappings(struct ttmpool_pool *pool, uint64_t bytes)
{
	size_t pages = (size_t)(bytes >> pool->info.page_shift);
	struct ttmpool_list picked, coherent;
	size_t got;

	ttmpool_list_init(&picked);
	tpos_spin_lock(&pool->lock);
	got = bins_pick_oldest(pool, TTMPOOL_CHUNK_MAPPED, TTMPOOL_CHUNK_MAPPED,
			       pages, &picked);
	tpos_spin_unlock(&pool->lock);
	if (chunks_extract(&picked, is_coherent, &coherent))
		chunks_release(pool, &coherent);
	if (!ttmpool_list_empty(&picked)) {
		chunks_unmap(pool, &picked, false);
		bins_park(pool, &picked, PARK_SPARED);
	}
	return pool_bytes(pool, got);
}
