// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The drop-in: what a driver gets from a ttm.ko that is made with shim/linux/ttm. It is
 * the same code under other names (see Kbuild), called as TTM calls it; so it can run
 * beside the pool of Debian's ttm.ko in the same boot.
 */

#include <linux/dma-mapping.h>

#include <drm/ttm/ttm_device.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include <ttmpool/pool.h>

#include <ttm/ttm_drop_in.h>

#include "arm_tt.h"
#include "ttm_module.h"

int dropin_pool_mgr_init(unsigned long num_pages);
void dropin_pool_mgr_fini(void);
void dropin_pool_fini(struct ttm_pool *pool);
int dropin_pool_alloc(struct ttm_pool *pool, struct ttm_tt *tt,
		      struct ttm_operation_ctx *ctx);
void dropin_pool_free(struct ttm_pool *pool, struct ttm_tt *tt);

struct dentry *ttm_debugfs_root;

static struct ttm_pool pool;
static u64 told;

static int arm_open(struct device *dev)
{
	int err = dropin_pool_mgr_init(0);

	if (err)
		return err;
	memset(&pool, 0, sizeof(pool));
	told = 0;
	ttmpool_ttm_start(&pool, dev, NUMA_NO_NODE);
	if (ttmpool_ttm_pool(&pool))
		return 0;
	dropin_pool_mgr_fini();
	return -ENOMEM;
}

static void arm_close(void)
{
	dropin_pool_fini(&pool);
	dropin_pool_mgr_fini();
}

static int arm_populate(struct buffer *buffer)
{
	struct ttm_operation_ctx ctx = {};

	return dropin_pool_alloc(&pool, buffer->arm, &ctx);
}

static void arm_unpopulate(struct buffer *buffer)
{
	dropin_pool_free(&pool, buffer->arm);
}

/* The drop-in's own worker may be running: wait for what it has begun, and do the rest
 * here. Returns what either has cleared. */
static size_t arm_work(void)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(&pool);
	struct ttmpool_pool_stats stats;
	size_t pages;

	tpos_work_cancel(ours->mgr->system, &ours->scrub_work);
	ttmpool_pool_scrub(ours, SIZE_MAX);
	ttmpool_pool_stats(ours, &stats);
	pages = (stats.bytes_cleared - told) >> PAGE_SHIFT;
	told = stats.bytes_cleared;
	return pages;
}

struct ttm_pool *arm_dropin_pool(void)
{
	return &pool;
}

const struct arm arm_dropin = { .name = "dropin",
				.open = arm_open,
				.close = arm_close,
				.order = tt_order,
				.populate = arm_populate,
				.unpopulate = arm_unpopulate,
				.work = arm_work,
				.pages = tt_pages,
				.dispose = tt_dispose };
