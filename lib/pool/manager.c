// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The manager: what pools share.
 *
 * It owns no page but those in quarantine. It knows how many pages its pools have and how
 * many of these are pooled, limits both, and stands between them and the system's shrinker.
 * Pools share no other state, except the address budget of a device (struct ttmpool_iova),
 * and there is none at all outside a manager: a test has its own manager, a kernel module
 * has one.
 *
 * Locks, in the order in which they are taken:
 *
 *     swap     a mutex: its holder swaps out a buffer for others
 *     reclaim  a mutex: its holder computes by how much a limit is exceeded, and takes
 *              that out of the bins
 *     scrub    each pool's mutex: held while pooled chunks are cleared or divided
 *     lock     a spinlock: the lists of pools and of buffers, the quarantine
 *     pool     each pool's spinlock: bins, in-use list, counters
 *
 * The list of pools changes under both "reclaim" and "lock", so either suffices to read it.
 * A populate from the bins, and a give-back within the limits, normally take the pool's
 * lock only.
 */

#include "pool_internal.h"

static struct ttmpool_manager *manager_of(struct tpos_shrinker *shrinker)
{
	return ttmpool_list_entry(shrinker, struct ttmpool_manager, shrinker);
}

static unsigned long manager_count(struct tpos_shrinker *shrinker, bool swap)
{
	return ttmpool_manager_shrink_count(manager_of(shrinker), swap);
}

static unsigned long manager_scan(struct tpos_shrinker *shrinker,
				  unsigned long pages, bool swap)
{
	return ttmpool_manager_shrink_scan(manager_of(shrinker), pages, swap);
}

static unsigned long manager_count_node(struct tpos_shrinker *shrinker,
					int node, bool swap)
{
	return ttmpool_manager_shrink_count_node(manager_of(shrinker), node,
						 swap);
}

static unsigned long manager_scan_node(struct tpos_shrinker *shrinker, int node,
				       unsigned long pages, bool swap)
{
	return ttmpool_manager_shrink_scan_node(manager_of(shrinker), node,
						pages, swap);
}

static void manager_fini_locks(struct ttmpool_manager *mgr)
{
	ttmpool_queue_fini(&mgr->lru.followers);
	ttmpool_queue_fini(&mgr->queue);
	tpos_wait_fini(&mgr->turn_ended);
	tpos_spin_fini(&mgr->lock);
	tpos_mutex_fini(&mgr->reclaim);
	tpos_mutex_fini(&mgr->lru.mutex);
}

int ttmpool_manager_init(struct ttmpool_manager *mgr,
			 const struct ttmpool_manager_config *config)
{
	int err;

	if (!config->system)
		return -EINVAL;
	memset(mgr, 0, sizeof(*mgr));
	mgr->system = config->system;
	tpos_mutex_init(&mgr->lru.mutex, mgr->system, TTMPOOL_RANK_SWAP);
	tpos_mutex_init(&mgr->reclaim, mgr->system, TTMPOOL_RANK_RECLAIM);
	tpos_spin_init(&mgr->lock, mgr->system, TTMPOOL_RANK_MANAGER);
	ttmpool_list_init(&mgr->pools);
	ttmpool_list_init(&mgr->turns);
	ttmpool_list_init(&mgr->spaces);
	mgr->turn = &mgr->pools;
	tpos_wait_init(&mgr->turn_ended);
	ttmpool_list_init(&mgr->quarantine);
	ttmpool_list_init(&mgr->broken);
	ttmpool_list_init(&mgr->lru.buffers);
	ttmpool_list_init(&mgr->lru.victims);
	ttmpool_list_init(&mgr->lru.others);
	tpos_atomic_set(&mgr->page_budget, (long)config->page_budget);
	tpos_atomic_set(&mgr->pool_limit, (long)config->pool_limit);
	tpos_atomic_set(&mgr->pages, 0);
	tpos_atomic_set(&mgr->pages_pooled, 0);
	tpos_atomic_set(&mgr->gives, 0);
	tpos_atomic_set(&mgr->pages_kept, 0);
	for (unsigned int i = 0; i <= TTMPOOL_NODE_SLOTS; i++)
		tpos_atomic_set(&mgr->spare_on[i], 0);
	tpos_atomic_set(&mgr->pages_quarantined, 0);
	tpos_atomic_set(&mgr->pages_shrunk, 0);
	tpos_atomic_set(&mgr->lru.pages, 0);
	tpos_atomic_set(&mgr->pages_swapped, 0);
	tpos_atomic_set(&mgr->recalls, 0);
	tpos_atomic_set(&mgr->trims, 0);
	tpos_atomic_set(&mgr->trimmers, 0);
	ttmpool_queue_init(&mgr->queue);
	ttmpool_queue_init(&mgr->lru.followers);
	mgr->shrinker.count = manager_count;
	mgr->shrinker.scan = manager_scan;
	mgr->shrinker.count_node = manager_count_node;
	mgr->shrinker.scan_node = manager_scan_node;
	err = tpos_shrinker_register(mgr->system, &mgr->shrinker);
	if (err)
		goto fini_locks;
	return 0;

fini_locks:
	manager_fini_locks(mgr);
	return err;
}

int ttmpool_manager_fini(struct ttmpool_manager *mgr)
{
	bool busy;

	tpos_spin_lock(&mgr->lock);
	busy = !ttmpool_list_empty(&mgr->pools) || mgr->lru.nr_with_pages ||
	       !ttmpool_list_empty(&mgr->lru.others) ||
	       !ttmpool_list_empty(&mgr->quarantine) ||
	       !ttmpool_list_empty(&mgr->broken) ||
	       pages_of(&mgr->pages_quarantined); /* a thread repairs some */
	tpos_spin_unlock(&mgr->lock);
	if (busy)
		return -EBUSY;
	tpos_assert(!pages_of(&mgr->pages));
	tpos_assert(!pages_of(&mgr->pages_pooled));
	tpos_assert(!pages_of(&mgr->pages_kept));
	tpos_assert(!pages_of(&mgr->pages_quarantined));
	tpos_assert(ttmpool_list_empty(&mgr->turns));
	tpos_assert(ttmpool_list_empty(&mgr->spaces));
	tpos_shrinker_unregister(mgr->system, &mgr->shrinker);
	manager_fini_locks(mgr);
	return 0;
}

void ttmpool_manager_set_pool_limit(struct ttmpool_manager *mgr,
				    unsigned long pages)
{
	tpos_atomic_set(&mgr->pool_limit, (long)pages);
	ttmpool_manager_trim_to_limit(mgr);
}

void ttmpool_manager_set_page_budget(struct ttmpool_manager *mgr,
				     unsigned long pages)
{
	tpos_atomic_set(&mgr->page_budget, (long)pages);
	ttmpool_manager_trim_to_budget(mgr);
	queue_wake(&mgr->queue);
}

unsigned long ttmpool_manager_shrink_count_node(struct ttmpool_manager *mgr,
						int node, bool swap)
{
	unsigned long pages = ttmpool_manager_count_spare_node(mgr, node);

	if (swap)
		pages += ttmpool_swapper_count_idle(mgr);
	if (!pages) /* no scan will follow, which would recall */
		tpos_atomic_add_return(1, &mgr->recalls);
	return pages;
}

unsigned long ttmpool_manager_shrink_scan_node(struct ttmpool_manager *mgr,
					       int node, unsigned long pages,
					       bool swap)
{
	struct ttmpool_ask ask = { .in_reclaim = true };
	unsigned long got;

	tpos_atomic_add_return(1, &mgr->recalls);
	got = ttmpool_manager_retry_quarantine(mgr);
	if (got < pages)
		got += ttmpool_manager_reclaim_node(mgr, node, pages - got);
	if (swap && got < pages)
		got += ttmpool_swapper_swapout(mgr, pages - got, &ask);
	tpos_atomic_add_return((long)got, &mgr->pages_shrunk);
	return got;
}

unsigned long ttmpool_manager_shrink_count(struct ttmpool_manager *mgr,
					   bool swap)
{
	return ttmpool_manager_shrink_count_node(mgr, TTMPOOL_NODE_ANY, swap);
}

unsigned long ttmpool_manager_shrink_scan(struct ttmpool_manager *mgr,
					  unsigned long pages, bool swap)
{
	return ttmpool_manager_shrink_scan_node(mgr, TTMPOOL_NODE_ANY, pages,
						swap);
}

void ttmpool_manager_stats(struct ttmpool_manager *mgr,
			   struct ttmpool_manager_stats *stats)
{
	stats->pages = pages_of(&mgr->pages);
	stats->pages_pooled = pages_of(&mgr->pages_pooled);
	stats->pages_quarantined = pages_of(&mgr->pages_quarantined);
	stats->pages_shrunk = pages_of(&mgr->pages_shrunk);
	stats->pages_swappable = ttmpool_swapper_count(mgr);
	stats->pages_swapped = pages_of(&mgr->pages_swapped);
}
