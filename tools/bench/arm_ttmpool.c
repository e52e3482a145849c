// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool, with the policy that a pool has when it is not told otherwise, and its
 * worker when the race says so: on its own it would run at any time.
 */

#include <linux/mm.h>
#include <linux/slab.h>

#include <ttmpool_module.h>

#include <ttmpool/ttmpool.h>

#include "race.h"

static struct ttmpool_pool pool;
static struct ttmpool_backend be;

static int arm_open(struct device *dev)
{
	struct ttmpool_pool_config config = { .name = "race",
					      .dev = dev,
					      .node = TTMPOOL_NODE_ANY };

	return ttmpool_pool_init(&pool, ttmpool_module_manager(), &config);
}

static void arm_close(void)
{
	ttmpool_pool_fini(&pool);
}

static int arm_order(size_t pages, enum ttmpool_caching caching)
{
	struct ttmpool_backend_config config = {
		.pool = &pool,
		.funcs = &ttmpool_backend_plain,
		.num_pages = pages,
		.caching = caching,
		.pages = kvcalloc(pages, sizeof(*config.pages), GFP_KERNEL),
		.dma_addr =
			kvcalloc(pages, sizeof(*config.dma_addr), GFP_KERNEL),
	};
	int err = -ENOMEM;

	if (config.pages && config.dma_addr)
		err = ttmpool_backend_init(&be, &config);
	if (!err)
		return 0;
	kvfree(config.pages);
	kvfree(config.dma_addr);
	return err;
}

static int arm_populate(void)
{
	return ttmpool_populate(&be);
}

static void arm_unpopulate(void)
{
	ttmpool_unpopulate(&be);
}

static size_t arm_work(void)
{
	return ttmpool_pool_scrub(&pool, SIZE_MAX);
}

static struct page **arm_pages(void)
{
	return be.tt.pages;
}

static void arm_dispose(void)
{
	ttmpool_backend_fini(&be);
	kvfree(be.tt.pages);
	kvfree(be.dma_addr);
}

int arm_ttmpool_swapout(struct device *dev)
{
	struct ttmpool_pool_stats stats;
	int err = arm_open(dev);

	if (err)
		return err;
	err = arm_order(4096, TTMPOOL_WRITE_COMBINED);
	if (err)
		goto close;
	err = arm_populate();
	if (!err)
		err = ttmpool_swapout(&be, be.tt.num_pages);
	ttmpool_pool_stats(&pool, &stats);
	pr_info("count: W8 wc 4096 copied ttmpool %llu\n",
		(stats.bytes_stored >> PAGE_SHIFT) - stats.pages_adopted);
	pr_info("count: size wc 1 chunk ttmpool %zu\n",
		sizeof(struct ttmpool_chunk));
	if (!err)
		err = ttmpool_drop(&be);
	arm_dispose();
close:
	arm_close();
	return err;
}

const struct arm arm_ttmpool = { .name = "ttmpool",
				 .open = arm_open,
				 .close = arm_close,
				 .order = arm_order,
				 .populate = arm_populate,
				 .unpopulate = arm_unpopulate,
				 .work = arm_work,
				 .pages = arm_pages,
				 .dispose = arm_dispose };
