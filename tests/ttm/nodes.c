// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Drivers may start pools of their own, one for each node (amdgpu's partitions). */

#include "ways.h"

bool ways_pool_of_node(struct ttm_pool *pool, struct device *dev, int node)
{
	ttm_pool_init(pool, dev, node, false, false);
	return true;
}

void ways_pool_of_node_end(struct ttm_pool *pool)
{
	ttm_pool_fini(pool);
}
