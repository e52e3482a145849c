// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Budgets: pages, per manager, and bytes mapped for the device, per pool and
 * for all pools of a device.
 *
 * Both are taken before the thing itself and returned after it is gone, and taken in
 * one step or not at all. So neither is ever exceeded, not even for a moment, and
 * nobody is refused for what another was refused. What is done when one is
 * exhausted is the business of those who take: see room.c. Whoever sleeps until
 * address space comes back is woken when a buffer gives up its own: what is
 * only kept is had without sleeping.
 *
 * Linux's TTM has no budget of IOVA space at all: a driver learns that it has
 * run out from a failed dma_map_page(), which ttm_pool turns into -EFAULT.
 */

#include "pool_internal.h"

#define NAP_MS 100

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

	if (pages > budget)
		return 0;
	return now > budget - pages ? now - (budget - pages) : 1;
}

void ttmpool_budget_return_pages(struct ttmpool_manager *mgr, size_t pages)
{
	long left = tpos_atomic_add_return(-(long)pages, &mgr->pages);

	tpos_assert(left >= 0);
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
static bool pool_may_map(const struct ttmpool_pool *pool, uint64_t bytes)
{
	return !pool->mapped_limit ||
	       pool->stats.bytes_mapped + bytes <= pool->mapped_limit;
}

static bool iova_take(struct ttmpool_pool *pool, uint64_t bytes)
{
	struct ttmpool_iova *iova = pool->iova;
	uint64_t limit = iova->limit ? iova->limit : (uint64_t)-1;
	unsigned int shift = pool->info.page_shift;

	return tpos_atomic_add_unless_above((unsigned long)(bytes >> shift),
					    &iova->pages,
					    (unsigned long)(limit >> shift));
}

/*
 * Can a request of so many pages ever be served, even if nobody else had any? 0;
 * -ENOMEM if they are more than the page budget; -ENOSPC if they have to be @mapped,
 * and are more than a limit for that.
 */
int ttmpool_budget_admits(struct ttmpool_pool *pool, size_t pages, bool mapped)
{
	uint64_t bytes = pool_bytes(pool, pages);
	uint64_t limit = pool->iova->limit;

	if (pages > pages_of(&pool->mgr->page_budget))
		return -ENOMEM;
	if (mapped && ((limit && bytes > limit) ||
		       (pool->mapped_limit && bytes > pool->mapped_limit)))
		return -ENOSPC;
	return 0;
}

/* Take it of the pool's limit and of its device's: all of @bytes, or nothing. */
bool ttmpool_budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	struct ttmpool_pool_stats *stats = &pool->stats;
	bool fits;

	tpos_assert(bytes);
	tpos_spin_lock(&pool->lock);
	fits = pool_may_map(pool, bytes) && iova_take(pool, bytes);
	if (fits)
		stats->bytes_mapped += bytes;
	if (stats->bytes_mapped > stats->bytes_mapped_peak)
		stats->bytes_mapped_peak = stats->bytes_mapped;
	tpos_spin_unlock(&pool->lock);
	return fits;
}

void ttmpool_budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes)
{
	long left;

	tpos_assert(bytes);
	left = tpos_atomic_add_return(-(long)(bytes >> pool->info.page_shift),
				      &pool->iova->pages);
	tpos_assert(left >= 0);
	tpos_spin_lock(&pool->lock);
	assert_deep(bytes <= pool->stats.bytes_mapped);
	pool->stats.bytes_mapped -= bytes;
	tpos_spin_unlock(&pool->lock);
}

/* How much must go for @bytes to fit, if what is over @limit goes to @low? */
static uint64_t excess(uint64_t now, uint64_t bytes, uint64_t limit,
		       uint64_t low)
{
	if (!limit || now + bytes <= limit)
		return 0;
	return low < now ? now - low : bytes;
}

/*
 * How many bytes of kept mappings shall be given up, so that @bytes fit? Down
 * to the low mark of whichever limit stands in the way, and at least as many.
 */
uint64_t ttmpool_budget_mapped_excess(struct ttmpool_pool *pool, uint64_t bytes)
{
	struct ttmpool_iova *iova = pool->iova;
	uint64_t now = pool_bytes(pool, pages_of(&iova->pages));
	uint64_t most = excess(now, bytes, iova->limit, iova->low);
	uint64_t own;

	tpos_spin_lock(&pool->lock);
	own = excess(pool->stats.bytes_mapped, bytes, pool->mapped_limit,
		     pool->mapped_low);
	tpos_spin_unlock(&pool->lock);
	if (own > most)
		most = own;
	return most > bytes ? most : bytes;
}

/*
 * Sleep until a buffer has left address space to others: 0, -ETIMEDOUT or
 * -EINTR. Two who try at the same time may each have had in hand what the other
 * lacked, and nobody wakes either; so both look again after a while.
 */
int ttmpool_budget_wait_mapped(struct ttmpool_pool *pool, long seen,
			       unsigned int *left_ms)
{
	unsigned int nap = *left_ms < NAP_MS ? *left_ms : NAP_MS;
	unsigned int rest = *left_ms - nap;
	int err;

	tpos_assert(nap <= *left_ms);
	pool_tally(pool, &pool->stats.waits, 1);
	err = tpos_wait(&pool->iova->wait, seen, &nap);
	if (err == -ETIMEDOUT && rest)
		err = 0;
	if (*left_ms != TTMPOOL_WAIT_FOREVER)
		*left_ms = rest + nap;
	return err;
}

int ttmpool_iova_init(struct ttmpool_iova *iova, uint64_t limit, uint64_t low)
{
	if (limit && low > limit)
		return -EINVAL;
	iova->limit = limit;
	iova->low = low;
	tpos_atomic_set(&iova->pages, 0);
	tpos_wait_init(&iova->wait);
	return 0;
}

void ttmpool_iova_fini(struct ttmpool_iova *iova)
{
	tpos_wait_fini(&iova->wait);
}

unsigned long ttmpool_iova_pages(struct ttmpool_iova *iova)
{
	return pages_of(&iova->pages);
}
