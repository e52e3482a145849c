// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's own pool since 7.0: flags, and a limit for each node. Both
 * ttm_pool_mgr_init() and page_pool_size take 0 for half of the node, so this file sets a
 * limit of 0 directly.
 */

#include "ttm_pool.c"

#include "sweep.h"

void stock_pool_init(struct ttm_pool *pool, struct device *dev)
{
	ttm_pool_init(pool, dev, NUMA_NO_NODE, 0);
}

void stock_keep_nothing(void)
{
	int nid;

	for_each_node(nid) pool_node_limit[nid] = 0;
}
