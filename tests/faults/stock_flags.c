// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's own pool since 7.0: flags, and a limit for each node.
 * ttm_pool_mgr_init() takes 0 for half of the node, and so does page_pool_size: a limit
 * of 0 is set behind them.
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
