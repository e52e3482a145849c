// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pools: one per device, with the device's constraints, a policy, the free chunks and the
 * counters.
 *
 *     manager --- page budget, pool limit, shrinker, quarantine
 *       |
 *       +-- pool (device A) --- in use: chunk, chunk, ...
 *       |     |
 *       |     +-- bins[source][caching][order] --- chunk, chunk, ...
 *       |
 *       +-- pool (device B) --- ...
 *
 * A chunk belongs to the pool that made it, unless its buffer is handed over to another
 * device (ttmpool_handover()): its pages lie where that pool's device can reach them, and
 * its mapping is that device's. A pool for each device also makes it safe to keep mappings:
 * no other device's IOMMU domain is concerned.
 *
 * What the device reports limits what the policy may ask for. That is applied once, here,
 * so that no other file has to check it again.
 */

#include "pool_internal.h"

/* Up to 2 MiB, which is what one entry of the usual page directories covers. */
#define DEFAULT_CHUNK_SHIFT 21

void ttmpool_policy_init(struct ttmpool_policy *policy,
			 const struct tpos_device_info *info)
{
	*policy =
		(struct ttmpool_policy){ .keep_mapped = true, .refill = true };
	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++) {
		policy->recycle[TTMPOOL_PLAIN][caching] = caching !=
							  TTMPOOL_CACHED;
		policy->recycle[TTMPOOL_COHERENT][caching] = true;
	}
	policy->max_order = DEFAULT_CHUNK_SHIFT - info->page_shift;
}

/* Applies what policy and device together admit. */
static void pool_apply_bounds(struct ttmpool_pool *pool)
{
	const struct tpos_device_info *info = &pool->info;
	unsigned int order = pool->policy.max_order;

	if (order > info->max_order)
		order = info->max_order;
	pool->max_order[TTMPOOL_COHERENT] = order;
	while (order && info->max_mapping &&
	       info->max_mapping < pool_bytes(pool, (size_t)1 << order))
		order--;
	pool->max_order[TTMPOOL_PLAIN] = order;
	if (info->coherent_single)
		pool->max_order[TTMPOOL_COHERENT] = 0;
	if (info->untrusted || info->bounces)
		pool->policy.keep_mapped = false;
	if (info->untrusted) /* mapped as long as they are pooled */
		memset(pool->policy.recycle[TTMPOOL_COHERENT], 0,
		       sizeof(pool->policy.recycle[TTMPOOL_COHERENT]));
}

static int pool_configure(struct ttmpool_pool *pool,
			  const struct ttmpool_pool_config *config)
{
	if (!config->dev || config->node < TTMPOOL_NODE_OF_DEVICE)
		return -EINVAL;
	if (config->policy && config->policy->max_order >= TTMPOOL_NR_ORDERS)
		return -EINVAL;
	if (config->mapped_low > config->mapped_limit)
		return -EINVAL;
	pool->name = config->name ? config->name : "unnamed";
	pool->dev = config->dev;
	pool->mapped_limit = config->mapped_limit;
	pool->mapped_low = config->mapped_low ? config->mapped_low
					      : config->mapped_limit;
	tpos_device_query(pool->dev, &pool->info);
	tpos_atomic_set(&pool->bounces, pool->info.bounces);
	for (int i = 0; i < TTMPOOL_SOURCE_COUNT; i++)
		pool->mask[i] =
			tpos_device_mask(pool->dev, i == TTMPOOL_COHERENT);
	pool->node = config->node == TTMPOOL_NODE_OF_DEVICE ? pool->info.node
							    : config->node;
	pool->node_slot = tpos_node_has_pages(pool->dev, pool->node)
				  ? node_slot(pool->node)
				  : 0;
	pool->counts_apart = pool->node_slot;
	if (config->policy)
		pool->policy = *config->policy;
	else
		ttmpool_policy_init(&pool->policy, &pool->info);
	pool_apply_bounds(pool);
	return 0;
}

/* Sets the address budget of the pool: the driver's, or the one that the pools of its
 * device share. */
static int pool_enter_space(struct ttmpool_pool *pool,
			    struct ttmpool_iova *iova)
{
	pool->shares_space = !iova;
	if (!iova)
		return ttmpool_space_join(pool);
	pool->iova = iova;
	tpos_atomic_add_return(1, &iova->pools);
	return 0;
}

static void pool_leave_space(struct ttmpool_pool *pool)
{
	long left = 0;

	if (pool->shares_space)
		ttmpool_space_leave(pool);
	else
		left = tpos_atomic_add_return(-1, &pool->iova->pools);
	tpos_assert(left >= 0);
}

int ttmpool_pool_init(struct ttmpool_pool *pool, struct ttmpool_manager *mgr,
		      const struct ttmpool_pool_config *config)
{
	int err;

	if (!mgr)
		return -EINVAL;
	memset(pool, 0, sizeof(*pool));
	err = pool_configure(pool, config);
	if (err)
		return err;
	pool->mgr = mgr;
	err = pool_enter_space(pool, config->iova);
	if (err)
		return err;
	tpos_spin_init(&pool->lock, mgr->system, TTMPOOL_RANK_POOL);
	tpos_mutex_init(&pool->scrub, mgr->system, TTMPOOL_RANK_SCRUB);
	tpos_work_init(&pool->scrub_work, ttmpool_pool_scrub_work);
	tpos_atomic_set(&pool->tickets, 0);
	tpos_atomic_set(&pool->pieced, 0);
	ttmpool_list_init(&pool->in_use);
	ttmpool_list_init(&pool->runs);
	ttmpool_list_init(&pool->held);
	ttmpool_list_init(&pool->spares);
	ttmpool_bins_init(pool);

	ttmpool_turns_enter(pool);
	ttmpool_manager_trim(mgr);
	return 0;
}

/* The pool of these runs ends: moves their chunks to @strays, and leaves the runs without
 * pages. */
static void runs_forsake(struct ttmpool_pool *pool, struct ttmpool_list *strays)
{
	while (!ttmpool_list_empty(&pool->runs)) {
		struct ttmpool_runs *runs = ttmpool_list_entry(
			pool->runs.next, struct ttmpool_runs, link);

		ttmpool_list_del(&runs->link);
		ttmpool_list_splice_tail(&runs->chunks, strays);
		ttmpool_list_init(&runs->link);
		runs->pool = NULL;
		runs->owner = NULL;
		runs->num_pages = 0;
	}
}

/* Reports the chunks that nobody has given back, with their owners, and quarantines them.
 * Returns how many pages they have. */
static size_t pool_quarantine_strays(struct ttmpool_pool *pool)
{
	struct ttmpool_list strays;
	struct ttmpool_chunk *chunk;
	size_t pages;

	ttmpool_list_init(&strays);
	tpos_spin_lock(&pool->lock);
	tpos_assert(pool->going);
	ttmpool_list_splice(&pool->in_use, &strays);
	ttmpool_list_splice_tail(&pool->held, &strays);
	tpos_spin_unlock(&pool->lock);
	runs_forsake(pool, &strays);
	ttmpool_chunks_leave(pool, &strays);
	pages = ttmpool_chunks_count_pages(&strays);

	ttmpool_for_each_chunk(chunk, &strays)
		ttmpool_pool_report(pool, TTMPOOL_REPORT_IN_USE, chunk, NULL);
	ttmpool_account_close(pool, &strays);
	ttmpool_chunks_cut_off(pool, &strays, false);
	ttmpool_chunks_quarantine(pool, &strays, true);
	return pages;
}

size_t ttmpool_pool_fini(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;
	size_t strays = 0;

	tpos_work_cancel(mgr->system, &pool->scrub_work);
	/* Others count these pages, and wait for them, as long as they find the pool. */
	ttmpool_pool_reclaim(pool, (size_t)-1, true);
	ttmpool_turns_leave(pool);
	ttmpool_pool_reclaim(pool, (size_t)-1, true);
	pool->prepared = false;
	ttmpool_spares_drop(pool);
	if (!ttmpool_list_empty(&pool->in_use) ||
	    !ttmpool_list_empty(&pool->runs) ||
	    !ttmpool_list_empty(&pool->held))
		strays = pool_quarantine_strays(pool);
	tpos_assert(!pool->stats.pages_in_use);
	tpos_assert(!pool->stats.pages_pooled);
	tpos_assert(!pool->stats.bytes_mapped);
	tpos_assert(!pool->pooled_mapped);
	tpos_assert(!pool->addresses);
	tpos_assert(ttmpool_list_empty(&pool->spares));
	pool_leave_space(pool);
	tpos_spin_fini(&pool->lock);
	tpos_mutex_fini(&pool->scrub);
	ttmpool_manager_trim(mgr);
	return strays;
}

size_t ttmpool_pool_drain(struct ttmpool_pool *pool)
{
	size_t pages = ttmpool_pool_reclaim(pool, (size_t)-1, true);

	/* What other threads had out of the bins may be pooled again. */
	if (ttmpool_turns_wait(pool->mgr)) {
		pages += ttmpool_pool_reclaim(pool, (size_t)-1, true);
		ttmpool_turns_wait(pool->mgr);
	}
	return pages;
}

uint32_t ttmpool_pool_new_ticket(struct ttmpool_pool *pool)
{
	return pool_issue_ticket(pool, TICKET_ISSUED);
}

void ttmpool_pool_reserve(struct ttmpool_pool *pool, size_t pages)
{
	struct ttmpool_manager *mgr = pool->mgr;
	bool spared = false, mapped = false;

	tpos_spin_lock(&pool->lock);
	pool->reserve_after = pages;
	pool->prepared_after &= !!pages;
	memset(pool->kinds_kept, 0, sizeof(pool->kinds_kept));
	if (!pool->preparing) {
		spared = pages < pool->reserve &&
			 pages < pool->stats.pages_pooled;
		mapped = spared && pages < pool->pooled_mapped;
		ttmpool_bins_reserve(pool, pages);
		pool->prepared = pool->prepared_after;
	}
	tpos_spin_unlock(&pool->lock);
	ttmpool_spares_drop(pool);
	if (pages_of(&mgr->pages_pooled) > pages_of(&mgr->pool_limit))
		ttmpool_manager_trim_to_limit(mgr);
	if (spared)
		queue_wake(&mgr->queue);
	if (mapped)
		queue_wake(&pool->iova->queue);
}

void ttmpool_pool_stats(struct ttmpool_pool *pool,
			struct ttmpool_pool_stats *stats)
{
	tpos_spin_lock(&pool->lock);
	*stats = pool->stats;
	if (pool->addresses > stats->bytes_mapped)
		stats->bytes_held = pool->addresses - stats->bytes_mapped;
	tpos_spin_unlock(&pool->lock);
}

size_t ttmpool_pool_count(struct ttmpool_pool *pool, enum ttmpool_source source,
			  enum ttmpool_caching caching, unsigned int order)
{
	size_t n;

	if ((unsigned int)source >= TTMPOOL_SOURCE_COUNT ||
	    (unsigned int)caching >= TTMPOOL_CACHING_COUNT ||
	    order >= TTMPOOL_NR_ORDERS)
		return 0;
	tpos_spin_lock(&pool->lock);
	n = pool->bins[source][caching][order].nr_chunks;
	tpos_spin_unlock(&pool->lock);
	return n;
}
