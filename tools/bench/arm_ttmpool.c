// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool, with the default policy of a pool; its worker runs when the race says so,
 * since by itself it would run at any time. And a second arm, prepared for a driver that
 * would rather keep pages than wait for them.
 */

#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include <ttmpool/ttmpool.h>

#include "../../shim/linux/ttmpool_module.h"
#include "race.h"

static struct ttmpool_pool pool;

static int arm_open(struct device *dev)
{
	struct ttmpool_pool_config config = { .name = "race",
					      .dev = dev,
					      .node = TTMPOOL_NODE_ANY };

	return ttmpool_pool_init(&pool, ttmpool_module_manager(), &config);
}

static int arm_open_prepared(struct device *dev)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = SZ_64M >> PAGE_SHIFT };
	int err = arm_open(dev);

	if (err)
		return err;
	err = ttmpool_pool_prepare(&pool, &req);
	if (err)
		ttmpool_pool_fini(&pool);
	return err;
}

static void arm_close(void)
{
	ttmpool_pool_fini(&pool);
}

static void buffer_free(struct ttmpool_backend *be)
{
	kvfree(be->tt.pages);
	kvfree(be->dma_addr);
	kfree(be);
}

static int arm_order(struct buffer *buffer)
{
	struct ttmpool_backend *be = kzalloc(sizeof(*be), GFP_KERNEL);
	struct ttmpool_backend_config config = {
		.pool = &pool,
		.funcs = &ttmpool_backend_plain,
		.num_pages = buffer->pages,
		.caching = buffer->caching,
	};
	int err = -ENOMEM;

	if (!be)
		return err;
	config.pages =
		kvcalloc(buffer->pages, sizeof(*config.pages), GFP_KERNEL);
	config.dma_addr =
		kvcalloc(buffer->pages, sizeof(*config.dma_addr), GFP_KERNEL);
	if (config.pages && config.dma_addr)
		err = ttmpool_backend_init(be, &config);
	if (err) {
		kvfree(config.pages);
		kvfree(config.dma_addr);
		kfree(be);
		return err;
	}
	buffer->arm = be;
	return 0;
}

static int arm_populate(struct buffer *buffer)
{
	return ttmpool_populate(buffer->arm);
}

static void arm_unpopulate(struct buffer *buffer)
{
	WARN_ON(ttmpool_unpopulate(buffer->arm));
}

static size_t arm_work(void)
{
	return ttmpool_pool_scrub(&pool, SIZE_MAX);
}

static struct page **arm_pages(struct buffer *buffer)
{
	const struct ttmpool_backend *be = buffer->arm;

	return be->tt.pages;
}

static void arm_dispose(struct buffer *buffer)
{
	WARN_ON(ttmpool_backend_fini(buffer->arm));
	buffer_free(buffer->arm);
}

#define ARM(called, opens)                                         \
	{                                                          \
		.name = called, .open = opens, .close = arm_close, \
		.order = arm_order, .populate = arm_populate,      \
		.unpopulate = arm_unpopulate, .work = arm_work,    \
		.pages = arm_pages, .dispose = arm_dispose,        \
	}

const struct arm arm_ttmpool = ARM("ttmpool", arm_open);
const struct arm arm_prepared = ARM("prepared", arm_open_prepared);
