// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Older TTM: a driver passes one bool for each choice. */

#include "ways.h"

int ways_device_init(struct ttm_device *bdev, struct ttm_device_funcs *funcs,
		     const struct way *way, struct device *dev,
		     struct drm_vma_offset_manager *offsets)
{
	return ttm_device_init(bdev, funcs, way->device ? dev : NULL, NULL,
			       offsets, way->dma_alloc, way->dma32);
}
