// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A TTM device without hardware, with buffer objects in system memory: of each caching,
 * with DMA addresses and without, which TTM backs up as for xe (ttm_bo_shrink()) or swaps
 * out (ttm_device_swapout()).
 */

#include <linux/dma-mapping.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <drm/drm_drv.h>
#include <drm/drm_gem.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_placement.h>

#include "shrink.h"

static struct platform_device *platform;
static struct drm_device *drm;
static struct ttm_device bdev;

static const struct drm_driver driver = {
	.driver_features = DRIVER_GEM,
	.name = "ttm_shrink",
	.desc = "buffers that are shrunk",
};

static const struct ttm_place in_system = { .mem_type = TTM_PL_SYSTEM };
static struct ttm_placement placement = { .num_placement = 1,
					  .placement = &in_system };

/* The number of a kind: bits 0 and 1 choose the caching, bit 2 DMA addresses, bit 3 TTM's
 * own swapping. */
static const enum ttm_caching cachings[] = { ttm_cached, ttm_write_combined,
					     ttm_uncached, ttm_write_combined };
static unsigned int kind_to_open;

static struct ttm_tt *tt_create(struct ttm_buffer_object *bo, u32 flags)
{
	struct ttm_tt *tt = kzalloc(sizeof(*tt), GFP_KERNEL);
	enum ttm_caching caching = cachings[kind_to_open & 3];
	int err;

	if (!tt)
		return NULL;
	err = kind_to_open & 4 ? ttm_sg_tt_init(tt, bo, 0, caching)
			       : ttm_tt_init(tt, bo, 0, caching, 0);
	if (err) {
		kfree(tt);
		return NULL;
	}
	if (kind_to_open & 8)
		return tt;
	tt->page_flags |= TTM_TT_FLAG_EXTERNAL | TTM_TT_FLAG_EXTERNAL_MAPPABLE;
	if (!ttm_tt_setup_backup(tt))
		return tt;
	ttm_tt_fini(tt);
	kfree(tt);
	return NULL;
}

static void tt_destroy(struct ttm_device *dev, struct ttm_tt *tt)
{
	ttm_tt_fini(tt);
	kfree(tt);
}

static int tt_populate(struct ttm_device *dev, struct ttm_tt *tt,
		       struct ttm_operation_ctx *ctx)
{
	if (ttm_tt_is_backed_up(tt))
		return ttm_tt_restore(dev, tt, ctx);
	return ttm_pool_alloc(&dev->pool, tt, ctx);
}

static void tt_unpopulate(struct ttm_device *dev, struct ttm_tt *tt)
{
	ttm_pool_free(&dev->pool, tt);
}

static int move(struct ttm_buffer_object *bo, bool evict,
		struct ttm_operation_ctx *ctx, struct ttm_resource *to,
		struct ttm_place *hop)
{
	ttm_bo_move_null(bo, to);
	return 0;
}

static void evict_flags(struct ttm_buffer_object *bo, struct ttm_placement *to)
{
	*to = placement;
}

static struct ttm_device_funcs funcs = {
	.ttm_tt_create = tt_create,
	.ttm_tt_destroy = tt_destroy,
	.ttm_tt_populate = tt_populate,
	.ttm_tt_unpopulate = tt_unpopulate,
	.move = move,
	.eviction_valuable = ttm_bo_eviction_valuable,
	.evict_flags = evict_flags,
};

struct ttm_device *shrink_bdev(void)
{
	return &bdev;
}

int shrink_device_open(void)
{
	int err;

	platform = platform_device_register_simple("ttm_shrink", -1, NULL, 0);
	if (IS_ERR(platform))
		return PTR_ERR(platform);
	err = dma_set_mask_and_coherent(&platform->dev, DMA_BIT_MASK(64));
	if (err)
		goto unregister;
	drm = drm_dev_alloc(&driver, &platform->dev);
	err = PTR_ERR_OR_ZERO(drm);
	if (err)
		goto unregister;
	err = ttm_device_init(&bdev, &funcs, &platform->dev,
			      drm->anon_inode->i_mapping,
			      drm->vma_offset_manager, 0);
	if (!err)
		return 0;
	drm_dev_put(drm);
unregister:
	platform_device_unregister(platform);
	return err;
}

void shrink_device_close(void)
{
	ttm_device_fini(&bdev);
	drm_dev_put(drm);
	platform_device_unregister(platform);
}

static void buffer_destroy(struct ttm_buffer_object *bo)
{
	drm_gem_object_release(&bo->base);
	kfree(container_of(bo, struct shrink_buffer, bo));
}

/* The new buffer is empty and unlocked. */
struct shrink_buffer *shrink_buffer_open(unsigned int kind, size_t pages)
{
	struct ttm_operation_ctx ctx = {};
	struct shrink_buffer *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (!buf)
		return NULL;
	drm_gem_private_object_init(drm, &buf->bo.base, pages << PAGE_SHIFT);
	kind_to_open = kind;
	if (ttm_bo_init_reserved(&bdev, &buf->bo, ttm_bo_type_kernel,
				 &placement, 0, &ctx, NULL, NULL,
				 buffer_destroy))
		return NULL;
	dma_resv_unlock(buf->bo.base.resv);
	return buf;
}

void shrink_buffer_close(struct shrink_buffer *buf)
{
	ttm_bo_fini(&buf->bo);
}
