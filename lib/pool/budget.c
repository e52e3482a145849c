// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets: pages, per manager, and bytes mapped for the device, per pool and
 * for all pools of a device.
 *
 * Both are taken before the thing itself and returned after it is gone, and taken in
 * one step or not at all. So neither is ever exceeded, not even for a moment, and
 * nobody is refused for what another was refused. What is done when one is
 * exhausted is the business of those who take: see room.c. Whoever waits until some
 * of it comes back is woken when it does.
 *
 * Linux's TTM has no budget of IOVA space at all: a driver learns that it has
 * run out from a failed dma_map_page(), which ttm_pool turns into -EFAULT.
 */

#include "pool_internal.h"

/* Of the budget: all of @pages, or nothing. */
bool ttmpool_budget_take_pages(struct ttmpool_manager *mgr, size_t pages)
{
	return tpos_atomic_add_unless_above(pages, &mgr->pages,
					    pages_of(&mgr->page_budget));
}

/* How many pages have to go back before there is room for @pages? At least one; 0 if
 * there never will be. */
unsigned long ttmpool_budget_lacks(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long budget = pages_of(&mgr->page_budget);
	unsigned long now = pages_of(&mgr->pages);

	tpos_assert(pages);
	if (pages > budget)
		return 0;
	return now > budget - pages ? now - (budget - pages) : 1;
}

/* Is there room for so many? */
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

/* Would so many more be within the pool limit? */
bool ttmpool_budget_may_pool(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long pooled = pages_of(&mgr->pages_pooled);

	return pooled <= limit && pages <= limit - pooled;
}

/* Would so many be within the pool limit if all that may go had gone for them? */
bool ttmpool_budget_has_room(struct ttmpool_manager *mgr, size_t pages)
{
	unsigned long limit = pages_of(&mgr->pool_limit);
	unsigned long kept = pages_of(&mgr->pages_kept);

	return kept <= limit && pages <= limit - kept;
}

/* Would so many bytes more be within the pool's own limit? Its lock is held. */
static bool pool_may_map(struct ttmpool_pool *pool, uint64_t bytes)
{
	tpos_assert_held(&pool->lock);
	return !pool->mapped_limit ||
	       pool->addresses + bytes <= pool->mapped_limit;
}

/* How many pages may be mapped for the device? */
static unsigned long iova_most(const struct ttmpool_pool *pool,
			       unsigned long below)
{
	uint64_t limit = pool->iova->limit ? pool->iova->limit : (uint64_t)-1;
	unsigned long most = (unsigned long)(limit >> pool->info.page_shift);

	return below - 1 < most ? below - 1 : most;
}

/* Has the device addresses for so many bytes of that source? */
static bool device_can_address(const struct ttmpool_pool *pool, uint64_t bytes,
			       enum ttmpool_source source)
{
	return !bytes ||
	       bytes - 1 <=
		       tpos_device_mask(pool->dev, source == TTMPOOL_COHERENT);
}

/*
 * Can a request ever be served, even if nobody else had any page? -ENOMEM if it is for
 * more pages than the page budget; -ENOSPC if more of them than a limit or the device's
 * mask admits have to be @mapped.
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

/* Take it of the pool's limit and of its device's: all of @bytes, which are some,
 * or nothing. @below: and if the device has fewer pages mapped then; 0: that
 * does not matter. */
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
 * Mappings of @pages have ended, and the addresses of @back pages have come back. What
 * is held counts for both limits until it comes back.
 *
 * Whoever unmaps the last page of a batch may be here before one who unmapped others of
 * it: then for a while there are fewer addresses than is mapped by the books.
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
	/* Where a batch holds its addresses, nobody gains by a page of it. */
	if (back)
		queue_wake(&pool->iova->queue);
}

/* How much must go for @bytes to fit, if what is over @limit goes to @low? In whole
 * pages: a limit, or a mark, need not be a multiple of one. */
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

/* How many bytes of mappings that the pool keeps shall be given up, so that @bytes fit
 * its own limit? Down to its low mark. */
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

/* Likewise of all pools of the device, and its limit; @below: see
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
