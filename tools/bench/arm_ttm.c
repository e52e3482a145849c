// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The kernel's own pool, as a driver has it: in a struct ttm_device. With the
 * last of those all pooled pages go. */

#include <linux/dma-mapping.h>

#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_tt.h>

#include "race.h"

static struct drm_vma_offset_manager offsets;
static struct ttm_device_funcs funcs;
static struct ttm_device bdev;
static struct ttm_buffer_object bo;
static struct ttm_tt tt;

static int arm_open(struct device *dev)
{
	int err;

	memset(&bdev, 0, sizeof(bdev));
	drm_vma_offset_manager_init(&offsets, 0x100000, 0x1000000);
	err = ttm_device_init(&bdev, &funcs, dev, NULL, &offsets, false, false);
	if (err)
		drm_vma_offset_manager_destroy(&offsets);
	return err;
}

static void arm_close(void)
{
	ttm_device_fini(&bdev);
	drm_vma_offset_manager_destroy(&offsets);
}

/* As for userspace: cleared. */
static int arm_order(size_t pages, enum ttmpool_caching caching)
{
	memset(&bo, 0, sizeof(bo));
	memset(&tt, 0, sizeof(tt));
	bo.base.size = pages << PAGE_SHIFT;
	return ttm_sg_tt_init(&tt, &bo, TTM_TT_FLAG_ZERO_ALLOC, (int)caching);
}

static int arm_populate(void)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_pool_alloc(&bdev.pool, &tt, &ctx);
}

static void arm_unpopulate(void)
{
	ttm_pool_free(&bdev.pool, &tt);
}

static struct page **arm_pages(void)
{
	return tt.pages;
}

static void arm_dispose(void)
{
	ttm_tt_fini(&tt);
}

const struct arm arm_ttm = { .name = "ttm",
			     .open = arm_open,
			     .close = arm_close,
			     .order = arm_order,
			     .populate = arm_populate,
			     .unpopulate = arm_unpopulate,
			     .pages = arm_pages,
			     .dispose = arm_dispose };
