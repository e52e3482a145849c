// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Starting a pool, where TTM names no node. */

#include <linux/device.h>

#include "ttm_drop_in.h"

void ttm_pool_init(struct ttm_pool *pool, struct device *dev,
		   bool use_dma_alloc, bool use_dma32)
{
	pool->use_dma_alloc = use_dma_alloc;
	pool->use_dma32 = use_dma32;
	ttmpool_ttm_start(pool, dev, NUMA_NO_NODE);
}
