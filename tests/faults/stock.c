// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel's own page pool, to be swept beside ours: its ttm_pool.c, as it is in the
 * source of this kernel, compiled into this module. The rest of TTM is not needed: a
 * struct ttm_tt is an array with a caching. The pool may keep no pages (stock_bools.c,
 * stock_flags.c), so that all of them go to the system when they are given back.
 *
 * The pool has no call that binds or swaps: TTM's drivers and buffers do that.
 */

#include <linux/debugfs.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "churn.h"
#include "sweep.h"
#include "ttm_module.h"

struct dentry *ttm_debugfs_root;

static struct ttm_pool stock_pool;
static struct ttm_tt tt;
static struct page *pages[SWEEP_PAGES];
static bool populated;

int stock_start(void)
{
	int err;

	ttm_debugfs_root = debugfs_create_dir("stock", NULL);
	err = ttm_pool_mgr_init(0);
	if (err)
		debugfs_remove(ttm_debugfs_root);
	else
		stock_keep_nothing();
	return err;
}

void stock_end(void)
{
	ttm_pool_mgr_fini();
	debugfs_remove(ttm_debugfs_root);
}

static int stock_open(struct device *dev, size_t n,
		      enum ttmpool_caching caching)
{
	stock_pool_init(&stock_pool, dev);
	memset(pages, 0, sizeof(pages));
	tt = (struct ttm_tt){ .pages = pages,
			      .num_pages = n,
			      .page_flags = TTM_TT_FLAG_ZERO_ALLOC,
			      .caching = (enum ttm_caching)caching };
	populated = false;
	return 0;
}

static int stock_populate(void)
{
	struct ttm_operation_ctx ctx = {};
	int err = ttm_pool_alloc(&stock_pool, &tt, &ctx);

	populated = !err;
	return err;
}

/* A buffer without pages, too, makes the pool release what is above its limit. */
static int stock_free(void)
{
	if (!populated)
		tt.num_pages = 0;
	ttm_pool_free(&stock_pool, &tt);
	populated = false;
	return 0;
}

static int stock_open_populated(struct device *dev, size_t n,
				enum ttmpool_caching caching)
{
	int err = stock_open(dev, n, caching);

	return err ?: stock_populate();
}

static void stock_close(void)
{
	stock_free();
	ttm_pool_fini(&stock_pool);
}

const struct sweep_op sweep_stock[] = {
	{ "stock", "populate", SWEEP_PAGES, stock_open, stock_populate,
	  stock_close },
	{ "stock", "free", SWEEP_PAGES, stock_open_populated, stock_free,
	  stock_close },
	{}
};
