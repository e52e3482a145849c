// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ttmpool for a driver that needs no arrays: the same pages, as runs. */

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

static void arm_close(void)
{
	ttmpool_pool_fini(&pool);
}

static int arm_order(struct buffer *buffer)
{
	buffer->arm = kzalloc(sizeof(struct ttmpool_runs), GFP_KERNEL);
	return buffer->arm ? 0 : -ENOMEM;
}

static int arm_populate(struct buffer *buffer)
{
	struct ttmpool_request req = { .caching = buffer->caching,
				       .num_pages = buffer->pages };

	return ttmpool_runs_take(&pool, &req, true, buffer->arm);
}

static void arm_unpopulate(struct buffer *buffer)
{
	ttmpool_runs_give(buffer->arm);
}

static size_t arm_work(void)
{
	return ttmpool_pool_scrub(&pool, SIZE_MAX);
}

static void arm_dispose(struct buffer *buffer)
{
	kfree(buffer->arm);
}

const struct arm arm_runs = { .name = "runs",
			      .open = arm_open,
			      .close = arm_close,
			      .order = arm_order,
			      .populate = arm_populate,
			      .unpopulate = arm_unpopulate,
			      .work = arm_work,
			      .dispose = arm_dispose };
