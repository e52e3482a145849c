// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ttmpool, for a driver that needs no arrays: the same pages, as runs. */

#include <ttmpool_module.h>

#include <ttmpool/ttmpool.h>

#include "race.h"

static struct ttmpool_pool pool;
static struct ttmpool_request req;
static struct ttmpool_runs runs;

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
	req = (struct ttmpool_request){ .caching = caching,
					.num_pages = pages };
	return 0;
}

static int arm_populate(void)
{
	return ttmpool_runs_take(&pool, &req, true, &runs);
}

static void arm_unpopulate(void)
{
	ttmpool_runs_give(&runs);
}

static size_t arm_work(void)
{
	return ttmpool_pool_scrub(&pool, SIZE_MAX);
}

static void arm_dispose(void)
{
}

const struct arm arm_runs = { .name = "runs",
			      .open = arm_open,
			      .close = arm_close,
			      .order = arm_order,
			      .populate = arm_populate,
			      .unpopulate = arm_unpopulate,
			      .work = arm_work,
			      .dispose = arm_dispose };
