// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's own pool up to 6.x: a bool for each of its two choices, and one limit for
 * all nodes. ttm_pool_mgr_init(0) has set that to 0.
 */

#include "ttm_pool.c"

#include "sweep.h"

void stock_pool_init(struct ttm_pool *pool, struct device *dev)
{
	ttm_pool_init(pool, dev, NUMA_NO_NODE, false, false);
}

void stock_keep_nothing(void)
{
}
