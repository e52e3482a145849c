// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The kernel's own pool, as a driver has it: in a struct ttm_device. When the last such
 * device ends, TTM releases all pooled pages. */

#include <linux/dma-mapping.h>

#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_tt.h>

#include "arm_tt.h"

static struct drm_vma_offset_manager offsets;
static struct ttm_device_funcs funcs;
static struct ttm_device bdev;

static int arm_open(struct device *dev)
{
	int err;

	memset(&bdev, 0, sizeof(bdev));
	drm_vma_offset_manager_init(&offsets, 0x100000, 0x1000000);
	err = ttm_device_init(&bdev, &funcs, dev, NULL, &offsets,
			      RACE_TTM_FLAGS);
	if (err)
		drm_vma_offset_manager_destroy(&offsets);
	return err;
}

static void arm_close(void)
{
	ttm_device_fini(&bdev);
	drm_vma_offset_manager_destroy(&offsets);
}

static int arm_populate(struct buffer *buffer)
{
	/* If the machine killed the process, the race would have no result. */
	struct ttm_operation_ctx ctx = { .gfp_retry_mayfail = true };

	return ttm_pool_alloc(&bdev.pool, buffer->arm, &ctx);
}

static void arm_unpopulate(struct buffer *buffer)
{
	ttm_pool_free(&bdev.pool, buffer->arm);
}

struct ttm_pool *arm_ttm_pool(void)
{
	return &bdev.pool;
}

const struct arm arm_ttm = { .name = "ttm",
			     .open = arm_open,
			     .close = arm_close,
			     .order = tt_order,
			     .populate = arm_populate,
			     .unpopulate = arm_unpopulate,
			     .pages = tt_pages,
			     .dispose = tt_dispose };
