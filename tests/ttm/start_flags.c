// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Newer TTM: a driver passes its choices as flags, and may start pools of its own, one
 * for each node (amdgpu's partitions). */

#include <drm/ttm/ttm_allocation.h>

#include "ways.h"

int ways_device_init(struct ttm_device *bdev, struct ttm_device_funcs *funcs,
		     const struct way *way, struct device *dev,
		     struct drm_vma_offset_manager *offsets)
{
	unsigned int flags =
		TTM_ALLOCATION_POOL_BENEFICIAL_ORDER(way->good_order);

	if (way->dma_alloc)
		flags |= TTM_ALLOCATION_POOL_USE_DMA_ALLOC;
	if (way->dma32)
		flags |= TTM_ALLOCATION_POOL_USE_DMA32;
	return ttm_device_init(bdev, funcs, way->device ? dev : NULL, NULL,
			       offsets, flags);
}

bool ways_pool_of_node(struct ttm_pool *pool, struct device *dev, int node)
{
	ttm_pool_init(pool, dev, node, 0);
	return true;
}

void ways_pool_of_node_end(struct ttm_pool *pool)
{
	ttm_pool_fini(pool);
}
