// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets: pages, for each manager, and bytes mapped for the device, for each pool and for
 * all pools of a device.
 *
 * A caller takes its part of a budget before it gets the pages or mappings themselves, and
 * returns it after they are gone. It takes all that it asks for in one step, or nothing. So
 * no budget is ever exceeded, not even for a moment, and a request that fails never makes
 * another one fail. What to do when a budget is exhausted is up to the callers: see room.c.
 * Threads that wait until some of it comes back are woken when it does.
 *
 * Linux's TTM has no budget of IOVA space at all: a driver learns that it has run out from
 * a failed dma_map_page(), which ttm_pool turns into -EFAULT.
 */

#include "pool_internal.h"

/* Takes all of @pages from the budget, or nothing. Returns whether it succeeded. */
bool ttmpool_budget_take_pages(struct ttmpool_manager *mgr, size_t pages)
{
	return tpos_atomic_add_unless_above(pages, &mgr->pages,
					    pages_of(&mgr->page_budget));
}

/* Returns how many pages must go back before there is room for @pages: at least one, or 0
 * if there never will be room. */
unsigned long ttmpool_budget_lacks(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long budget = pages_of(&mgr->page_budget);
	unsigned long now = pages_of(&mgr->pages);

	tpos_assert(pages);
	if (pages > budget)
		return 0;
	return now > budget - pages ? now - (budget - pages) : 1;
}

/* Returns whether the budget has room for @pages. */
bool ttmpool_budget_has(struct ttmpool_manager *mgr, size_t pages)
{
	return pages_of(&mgr->pages) + pages <= pages_of(&mgr->page_budget);
}

void ttmpool_budget_return_pages(struct ttmpool_manager *mgr, size_t pages)
{
	long left = tpos_atomic_add_return(-(long)pages, &mgr->pages);

	tpos_assert(left >= 0);
	queue_wake(&mgr->queue);
}

/* Returns whether @pages more would be within the pool limit. */
bool ttmpool_budget_may_pool(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long pooled = pages_of(&mgr->pages_pooled);

	return pooled <= limit && pages <= limit - pooled;
}

/* Returns whether @pages would be within the pool limit if only reserved pages were pooled,
 * because all others had gone to the system. */
bool ttmpool_budget_has_room(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long kept = pages_of(&mgr->pages_kept);

	return kept <= limit && pages <= limit - kept;
}

/* Returns whether @bytes more would be within the pool's own limit. The caller holds the
 * pool's lock. */
static bool pool_may_map(struct ttmpool_pool *pool, uint64_t bytes)
{
	tpos_assert_held(&pool->lock);
	return !pool->mapped_limit ||
	       pool->addresses + bytes <= pool->mapped_limit;
}

/* Returns how many pages may be mapped for the device: no more than its limit, if it has
 * one, and fewer than @below, unless @below is 0. */
static unsigned long iova_most(const struct ttmpool_pool *pool,
			       unsigned long below)
{
	uint64_t limit = pool->iova->limit ? pool->iova->limit : (uint64_t)-1;
	unsigned long most = (unsigned long)(limit >> pool->info.page_shift);

	return below - 1 < most ? below - 1 : most;
}

/* Returns whether the device's mask has room for @bytes of that source. */
static bool device_can_address(const struct ttmpool_pool *pool, uint64_t bytes,
			       enum ttmpool_source source)
{
	return !bytes ||
	       bytes - 1 <=
		       tpos_device_mask(pool->dev, source == TTMPOOL_COHERENT);
}

/*
 * Checks whether a request could be served if nobody else had any page. Returns 0 if so;
 * -ENOMEM if it is for more pages than the page budget; -ENOSPC if @mapped of its pages
 * must be mapped, and a limit or the device's mask does not admit so many.
 */
int ttmpool_budget_admits(struct ttmpool_pool *pool, enum ttmpool_source source,
			  size_t pages, size_t mapped)
{
	uint64_t bytes = pool_bytes(pool, mapped);
	uint64_t limit = pool->iova->limit;

	if (pages > pages_of(&pool->mgr->page_budget))
		return -ENOMEM;
	if ((limit && bytes > limit) ||
	    (pool->mapped_limit && bytes > pool->mapped_limit) ||
	    !device_can_address(pool, bytes, source))
		return -ENOSPC;
	return 0;
}

/* Takes @bytes, which are not 0, from the limits of the pool and of its device: all of
 * them, or nothing. Returns whether it succeeded. @below: it succeeds only if the device
 * then has fewer pages than this mapped; 0: there is no such condition. */
bool ttmpool_budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes,
				unsigned long below)
{
	unsigned long pages = (unsigned long)(bytes >> pool->info.page_shift);
	struct ttmpool_pool_stats *stats = &pool->stats;
	bool fits;

	tpos_assert(bytes);
	assert_deep(pool_bytes(pool, pages) == bytes);
	tpos_spin_lock(&pool->lock);
	fits = pool_may_map(pool, bytes) &&
	       tpos_atomic_add_unless_above(pages, &pool->iova->pages,
					    iova_most(pool, below));
	if (fits) {
		pool->addresses += bytes;
		stats->bytes_mapped += bytes;
	}
	if (stats->bytes_mapped > stats->bytes_mapped_peak)
		stats->bytes_mapped_peak = stats->bytes_mapped;
	tpos_spin_unlock(&pool->lock);
	return fits;
}

/*
 * Mappings of @pages have ended, and the addresses of @back pages are free again. Addresses
 * that are still held count for both limits until they are free.
 *
 * The thread that unmaps the last page of a batch may get here before another thread that
 * has unmapped other pages of it. Until both have been here, fewer addresses are counted
 * than mapped bytes.
 */
void ttmpool_budget_return_mapped(struct ttmpool_pool *pool, size_t pages,
				  size_t back)
{
	long left;

	tpos_assert(pages);
	left = tpos_atomic_add_return(-(long)back, &pool->iova->pages);
	tpos_assert(left >= 0);
	tpos_spin_lock(&pool->lock);
	assert_deep(pool_bytes(pool, pages) <= pool->stats.bytes_mapped);
	assert_deep(pool_bytes(pool, back) <= pool->addresses);
	pool->stats.bytes_mapped -= pool_bytes(pool, pages);
	pool->addresses -= pool_bytes(pool, back);
	tpos_spin_unlock(&pool->lock);
	/* While a batch still holds its addresses, no waiter gains anything. */
	if (back)
		queue_wake(&pool->iova->queue);
}

/*
 * Returns how many bytes of mappings must end so that @wanted, which includes the @bytes of
 * a request, is within @limit; 0 if it is. If any must end, the present mappings come down
 * to the mark @low, or further if @limit requires it. The result is in whole pages, because
 * a limit or a mark need not be a multiple of a page.
 */
static uint64_t excess(const struct ttmpool_pool *pool, uint64_t wanted,
		       uint64_t limit, uint64_t low, uint64_t bytes)
{
	const uint64_t page = pool_bytes(pool, 1);
	uint64_t now = wanted - bytes, more = 0;

	if (wanted <= limit)
		return 0;
	if (low < now)
		more = now - low;
	if (more < wanted - limit)
		more = wanted - limit;
	return (more + page - 1) & ~(page - 1);
}

/* Returns how many bytes of kept mappings the pool must give up so that @bytes fit its own
 * limit. If it must give up any, it goes down to its low mark. */
uint64_t ttmpool_budget_pool_excess(struct ttmpool_pool *pool, uint64_t bytes)
{
	uint64_t wanted;

	tpos_assert(bytes);
	if (!pool->mapped_limit)
		return 0;
	tpos_spin_lock(&pool->lock);
	wanted = pool->addresses + bytes;
	tpos_spin_unlock(&pool->lock);
	return excess(pool, wanted, pool->mapped_limit, pool->mapped_low,
		      bytes);
}

/* As ttmpool_budget_pool_excess(), for all pools of the device, and its limit. @below: see
 * ttmpool_budget_take_mapped(). */
uint64_t ttmpool_budget_device_excess(struct ttmpool_pool *pool, uint64_t bytes,
				      unsigned long below)
{
	struct ttmpool_iova *iova = pool->iova;
	uint64_t now = pool_bytes(pool, pages_of(&iova->pages));

	tpos_assert(bytes);
	return excess(pool, now + bytes,
		      pool_bytes(pool, iova_most(pool, below)),
		      iova->limit ? iova->low : now, bytes);
}

int ttmpool_iova_init(struct ttmpool_iova *iova, uint64_t limit, uint64_t low)
{
	if (limit && low > limit)
		return -EINVAL;
	iova->limit = limit;
	iova->low = low;
	tpos_atomic_set(&iova->pages, 0);
	tpos_atomic_set(&iova->pools, 0);
	ttmpool_queue_init(&iova->queue);
	return 0;
}

void ttmpool_iova_fini(struct ttmpool_iova *iova)
{
	tpos_assert(!pages_of(&iova->pages));
	tpos_assert(!pages_of(&iova->pools));
	ttmpool_queue_fini(&iova->queue);
}

unsigned long ttmpool_iova_pages(struct ttmpool_iova *iova)
{
	return pages_of(&iova->pages);
}
