// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Kernels in which TTM's own pool has a limit for each node: no more pages may be pooled for a
 * node than its share of page_pool_size, which is in proportion to its memory. By default
 * that is half of each node's memory, as with TTM's pool.
 *
 * What counts for a node is what the library would give up for it: the pages of pools that
 * want this node, and of pools that want none. A page that came from another node, because
 * this one had none, counts here, too.
 *
 * One thread trims at a time. A thread that gives pages back meanwhile does not wait: the
 * one that trims checks again after it has released the lock.
 */

#include <linux/math.h>
#include <linux/mmzone.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/numa.h>

#include "../ttmpool_module.h"
#include "ttm_drop_in.h"

static DEFINE_MUTEX(trimming);

static unsigned long memory_of(int node)
{
	const struct zone *zones = NODE_DATA(node)->node_zones;
	unsigned long pages = 0;

	for (int i = 0; i < MAX_NR_ZONES; i++)
		pages += zone_managed_pages(&zones[i]);
	return pages;
}

/*
 * The library does not distinguish more nodes than it has slots for. A node without
 * memory cannot fill up.
 */
static bool has_limit(int node)
{
	return nr_online_nodes > 1 && nr_node_ids <= TTMPOOL_NODE_SLOTS &&
	       node >= 0 && node_online(node) && memory_of(node);
}

static unsigned long limit_of(int node)
{
	unsigned long all = 0;
	int other;

	for_each_online_node(other)
		all += memory_of(other);
	return mult_frac(ttmpool_module_pool_limit(), memory_of(node), all);
}

static unsigned long excess_of(int node)
{
	unsigned long limit = limit_of(node);
	unsigned long pooled = ttmpool_manager_shrink_count_node(
		ttmpool_module_manager(), node, false);

	return pooled > limit ? pooled - limit : 0;
}

void ttmpool_ttm_trim_node(const struct ttm_pool *pool)
{
	unsigned long excess, got = 1;
	int node = pool->nid;

	if (!has_limit(node))
		return;
	while (got && (excess = excess_of(node)) && mutex_trylock(&trimming)) {
		got = ttmpool_manager_shrink_scan_node(ttmpool_module_manager(),
						       node, excess, false);
		mutex_unlock(&trimming);
	}
}
