// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets: pages, per manager, and bytes mapped for the device, per pool.
 *
 * Both are taken before the thing itself and returned after it is gone, so that
 * neither is ever exceeded, not even for a moment. What is done when one is
 * exhausted is the business of those who take: see make.c.
 *
 * Linux's TTM has no budget of IOVA space at all: a driver learns that it has
 * run out from a failed dma_map_page(), which ttm_pool turns into -EFAULT.
 */

#include "internal.h"

bool budget_take_pages(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long now =
		(unsigned long)tpos_atomic_add_return((long)pages, &mgr->pages);

	if (now <= (unsigned long)tpos_atomic_read(&mgr->page_budget))
		return true;
	budget_return_pages(mgr, pages);
	return false;
}

void budget_return_pages(struct ttmpool_manager *mgr, size_t pages)
{
	tpos_atomic_add_return(-(long)pages, &mgr->pages);
}

/* Would so many more be within the pool limit? */
bool budget_may_pool(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long limit = (unsigned long)tpos_atomic_read(&mgr->pool_limit);
	unsigned long pooled =
		(unsigned long)tpos_atomic_read(&mgr->pages_pooled);

	return pooled <= limit && pages <= limit - pooled;
}

/* Take what is left of the limit: all of @bytes, or nothing. */
bool budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes)
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

void budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	pool_tally(pool, &pool->stats.bytes_mapped, -bytes);
}
