// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Both pools behind the same calls. TTM's pool is in a struct ttm_device; the end of the
 * last device releases its pages. The drop-in's functions are those of TTM, under the
 * names that bench.mk gave them; its manager begins with the first pool, and ends with
 * the last.
 */

#include <linux/mm.h>

#include <drm/drm_vma_manager.h>
#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_tt.h>

#include <ttmpool/pool.h>

#include "bench.h"

int ours_ttm_pool_alloc(struct ttm_pool *pool, struct ttm_tt *tt,
			struct ttm_operation_ctx *ctx);
void ours_ttm_pool_free(struct ttm_pool *pool, struct ttm_tt *tt);
void ours_ttm_pool_init(struct ttm_pool *pool, struct device *dev, int nid,
			bool use_dma_alloc, bool use_dma32);
void ours_ttm_pool_fini(struct ttm_pool *pool);
struct ttmpool_pool *ttmpool_ttm_pool(struct ttm_pool *pool);

static struct drm_vma_offset_manager offsets;
static struct ttm_device_funcs funcs;
static struct ttm_device bdev;
static struct ttm_pool ours;

static int stock_open(struct device *dev, bool coherent)
{
	int err;

	memset(&bdev, 0, sizeof(bdev));
	drm_vma_offset_manager_init(&offsets, 0x100000, 0x1000000);
	err = ttm_device_init(&bdev, &funcs, dev, NULL, &offsets, coherent,
			      false);
	if (err)
		drm_vma_offset_manager_destroy(&offsets);
	return err;
}

static void stock_close(void)
{
	ttm_device_fini(&bdev);
	drm_vma_offset_manager_destroy(&offsets);
}

static int stock_populate(struct ttm_tt *tt)
{
	struct ttm_operation_ctx ctx = {};

	return ttm_pool_alloc(&bdev.pool, tt, &ctx);
}

static void stock_unpopulate(struct ttm_tt *tt)
{
	ttm_pool_free(&bdev.pool, tt);
}

static int ours_open(struct device *dev, bool coherent)
{
	memset(&ours, 0, sizeof(ours));
	ours_ttm_pool_init(&ours, dev, NUMA_NO_NODE, coherent, false);
	return ttmpool_ttm_pool(&ours) ? 0 : -ENOMEM;
}

static void ours_close(void)
{
	ours_ttm_pool_fini(&ours);
}

static int ours_populate(struct ttm_tt *tt)
{
	struct ttm_operation_ctx ctx = {};

	return ours_ttm_pool_alloc(&ours, tt, &ctx);
}

static void ours_unpopulate(struct ttm_tt *tt)
{
	ours_ttm_pool_free(&ours, tt);
}

static void ours_work(void)
{
	ttmpool_pool_scrub(ttmpool_ttm_pool(&ours), SIZE_MAX);
}

const struct arm arm_stock = { .name = "ttm",
			       .open = stock_open,
			       .close = stock_close,
			       .populate = stock_populate,
			       .unpopulate = stock_unpopulate };
const struct arm arm_ours = { .name = "ttmpool",
			      .open = ours_open,
			      .close = ours_close,
			      .populate = ours_populate,
			      .unpopulate = ours_unpopulate,
			      .work = ours_work };
