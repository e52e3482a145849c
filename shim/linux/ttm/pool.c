// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The drop-in: TTM's page pool on ttmpool, through the functions that the rest of TTM calls.
 * Drivers find the interface that they know in a ttm.ko that is built with it.
 *
 *     driver --- ttm_tt_populate() --- ttm_pool_alloc()    TTM's interface
 *                                            |
 *                                    ttmpool_pool_take()   the library's
 *
 * TTM embeds its struct ttm_pool in struct ttm_device, and every driver depends on that
 * layout. So it stays as it is, although only the members that others read are used: dev,
 * nid, and how the pool was started. The library's pool is allocated separately, and is
 * found through a list head of TTM's that has no other use here.
 *
 * What TTM promises about a page, and drivers use:
 *
 *     - pages of a chunk are contiguous, and not compound
 *     - page->private of the first page is the chunk's order; for pages of the DMA API
 *       it is not 0, and no other page has the same value
 *     - page->mapping and page->index belong to the driver
 *     - pages of cached buffers are write-back, and on x86 the linear map has the
 *       caching of the pages
 *
 * Differences from TTM's own pool: all pages are cleared, asked for or not, by a worker
 * after they came back; some small cached chunks are pooled; mappings outlive their
 * buffers; each pool has bins of its own, even pools whose pages TTM shares; a wrong
 * give-back is refused and reported; pages in use outlive their pool, until the module ends.
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/hash.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_tt.h>
#include TTMPOOL_TTM_BO_H

#include <ttmpool/pool.h>

#include "../ttmpool_debugfs.h"
#include "../ttmpool_module.h"
#include "ttm_drop_in.h"

/*
 * At most this many cached chunks of each order up to TTMPOOL_STOCK_ORDER stay pooled: with
 * pages of 4 KiB, these are less than 4 MiB. TTM's own pool keeps no cached pages.
 */
#define STOCK 32

static_assert(ttm_uncached == (int)TTMPOOL_UNCACHED);
static_assert(ttm_write_combined == (int)TTMPOOL_WRITE_COMBINED);
static_assert(ttm_cached == (int)TTMPOOL_CACHED);
static_assert(ARRAY_SIZE(((struct ttm_pool *)0)->caching) > ttm_cached);

static struct list_head *slot_of(struct ttm_pool *pool)
{
	return &pool->caching[ttm_cached]
			.orders[TTM_NR_ORDERS - 1]
			.shrinker_list;
}

struct ttmpool_pool *ttmpool_ttm_pool(struct ttm_pool *pool)
{
	return (struct ttmpool_pool *)slot_of(pool)->next;
}

static struct ttmpool_pool *pool_open(struct ttm_pool *pool, struct device *dev,
				      int node)
{
	struct ttmpool_pool *ours = kvzalloc(sizeof(*ours), GFP_KERNEL);
	struct ttmpool_policy policy;
	struct ttmpool_pool_config config = { .name = pool->dev ? dev_name(dev)
								: "no device",
					      .dev = dev,
					      .node = node,
					      .policy = &policy };
	struct tpos_device_info info;

	if (!ours)
		return NULL;
	tpos_device_query(dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = TTMPOOL_NR_ORDERS - 1;
	policy.dma32 = ttm_pool_uses_dma32(pool);
	policy.good_order = ttm_pool_beneficial_order(pool);
	policy.refill = false; /* TTM pools what was given back, and no more */
	policy.scrub = true;   /* as with TTM, no populate waits for it */
	policy.stock = STOCK;
	if (!ttmpool_pool_init(ours, ttmpool_module_manager(), &config))
		return ours;
	kvfree(ours);
	return NULL;
}

/* TTM's function returns nothing: if this one fails, so does each allocation. */
void ttmpool_ttm_start(struct ttm_pool *pool, struct device *dev, int node)
{
	struct ttmpool_pool *ours = NULL;

	WARN_ON(!dev && ttm_pool_uses_dma_alloc(pool));
	pool->dev = dev;
	ttmpool_ttm_mirror_init(pool);
	slot_of(pool)->next = NULL;
	if (ttmpool_ttm_start_manager())
		return;
	if (!dev)
		dev = ttmpool_ttm_no_device();
	if (dev)
		ours = pool_open(pool, dev, node);
	if (!ours && dev && !pool->dev)
		ttmpool_ttm_no_device_put();
	slot_of(pool)->next = (struct list_head *)ours;
}

/* The library reports pages that are still in use, and the manager keeps them. */
void ttm_pool_fini(struct ttm_pool *pool)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);

	if (!ours)
		return;
	slot_of(pool)->next = NULL;
	ttmpool_pool_fini(ours);
	ttmpool_ttm_mirror_init(pool);
	kvfree(ours);
	if (!pool->dev)
		ttmpool_ttm_no_device_put();
}

/*
 * A buffer gives back the pages that were taken for it, and the array that names them belongs
 * to that buffer. So the address of the buffer distinguishes its pages from those of
 * others. Nothing clears the array, and struct ttm_tt has no room for a number. But the pool
 * detects a use of what a free left in the array, until the same buffer is populated again,
 * and then all of the array is overwritten.
 */
u32 ttmpool_ttm_ticket(const struct ttm_tt *tt)
{
	return (hash_ptr(tt, 30) + 1) * 2;
}

/* To TTM, -ENOSPC is a placement that is full, and worth an eviction. */
int ttmpool_ttm_error(int err)
{
	return err == -ENOSPC || err == -EIO ? -EFAULT : err;
}

/*
 * As in TTM: if the caller does not say that the allocation may fail, it does not
 * fail for want of a single page, as long as there is a process that can be killed
 * for it.
 */
static enum ttmpool_effort effort_of(const struct ttm_operation_ctx *ctx)
{
	return ctx->gfp_retry_mayfail ? TTMPOOL_RETRY_MAYFAIL
				      : TTMPOOL_OOM_KILL;
}

struct ttmpool_request ttmpool_ttm_request(struct ttm_pool *pool,
					   const struct ttm_tt *tt,
					   const struct ttm_operation_ctx *ctx)
{
	return (struct ttmpool_request){
		.source = ttm_pool_uses_dma_alloc(pool) ? TTMPOOL_COHERENT
							: TTMPOOL_PLAIN,
		.caching = (int)tt->caching,
		.num_pages = tt->num_pages,
		.killable = true,
		.effort = effort_of(ctx),
		.ticket = ttmpool_ttm_ticket(tt),
	};
}

int ttm_pool_alloc(struct ttm_pool *pool, struct ttm_tt *tt,
		   struct ttm_operation_ctx *ctx)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);
	struct ttmpool_request req = ttmpool_ttm_request(pool, tt, ctx);
	int err;

	if (WARN_ON(ttmpool_ttm_is_backed_up(tt)))
		return -EINVAL;
	WARN_ON(!tt->num_pages || ttm_tt_is_populated(tt));
	WARN_ON(tt->dma_address && !pool->dev);
	if (!ours)
		return -ENOMEM;
	err = ttmpool_pool_take(ours, &req, tt->pages, tt->dma_address);
	if (err)
		return ttmpool_ttm_error(err);
	ttmpool_ttm_mirror(pool);
	return 0;
}

/*
 * A buffer that ends after its pool finds none. Its pages stay in quarantine, because nobody
 * can tell any more whose they are: the pool has reported them when it ended.
 */
void ttm_pool_free(struct ttm_pool *pool, struct ttm_tt *tt)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);

	if (!ours) {
		pr_warn_ratelimited(
			"a buffer of %u pages has outlived its pool\n",
			tt->num_pages);
		return;
	}
	ttmpool_ttm_give(ours, tt, ttmpool_ttm_ticket(tt));
	ttmpool_ttm_trim_node(pool);
	ttmpool_ttm_mirror(pool);
}

int ttm_pool_debugfs(struct ttm_pool *pool, struct seq_file *m)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);

	if (ours)
		ttmpool_debugfs_pool(m, ours);
	return 0;
}
