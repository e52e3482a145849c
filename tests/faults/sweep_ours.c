// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Our pool's operations, for the sweep. Each point has a manager, a pool and a buffer of
 * its own, with the default policy, and ends all of them. A buffer that is swapped has a
 * different byte in each page, which is checked after the swapin. Binding is a driver's
 * task: the one here writes the addresses of the pages to tables, as for a GART, and has
 * to allocate these.
 */

#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>

#include "churn.h"
#include "sweep.h"
#include "ttmpool_system.h"

static struct ttmpool_system ours_system = { .name = "sweep" };
static struct ttmpool_manager mgr;
static struct ttmpool_pool pool;
static struct ttmpool_backend be;
static struct page *pages[SWEEP_PAGES];
static bool marked;

#define GART_ENTRIES (PAGE_SIZE / sizeof(u64))
#define GART_TABLES  DIV_ROUND_UP(SWEEP_PAGES, GART_ENTRIES)

static u64 *gart[GART_TABLES];

static void gart_unbind(struct ttmpool_backend *self)
{
	for (size_t i = 0; i < GART_TABLES; i++) {
		free_page((unsigned long)gart[i]);
		gart[i] = NULL;
	}
}

static int gart_bind(struct ttmpool_backend *self)
{
	for (size_t i = 0; i < self->tt.num_pages; i++) {
		u64 **table = &gart[i / GART_ENTRIES];

		if (!*table)
			*table = (u64 *)get_zeroed_page(GFP_KERNEL);
		if (!*table) {
			gart_unbind(self);
			return -ENOMEM;
		}
		(*table)[i % GART_ENTRIES] = page_to_pfn(self->tt.pages[i]);
	}
	return 0;
}

static int ours_take(struct ttmpool_backend *self)
{
	return ttmpool_backend_plain.populate(self);
}

static int ours_give(struct ttmpool_backend *self)
{
	return ttmpool_backend_plain.unpopulate(self);
}

static const struct ttmpool_backend_funcs ours_funcs = {
	.name = "sweep",
	.populate = ours_take,
	.unpopulate = ours_give,
	.bind = gart_bind,
	.unbind = gart_unbind,
	.movable = true,
	.source = TTMPOOL_PLAIN,
};

static int open_buffer(size_t n, enum ttmpool_caching caching)
{
	struct ttmpool_backend_config config = { .pool = &pool,
						 .funcs = &ours_funcs,
						 .pages = pages,
						 .num_pages = n,
						 .caching = caching };

	marked = false;
	return ttmpool_backend_init(&be, &config);
}

/* Open a pool with chunks of at most 2^@max_order pages. */
static int open_pool(struct device *dev, unsigned int max_order)
{
	struct tpos_device_info info;
	struct ttmpool_policy policy;
	struct ttmpool_pool_config config = { .name = "sweep",
					      .dev = dev,
					      .node = TTMPOOL_NODE_OF_DEVICE,
					      .policy = &policy };

	tpos_device_query(dev, &info);
	ttmpool_policy_init(&policy, &info);
	policy.max_order = min(policy.max_order, max_order);
	return ttmpool_pool_init(&pool, &mgr, &config);
}

static int open_all(struct device *dev, size_t n, enum ttmpool_caching caching,
		    unsigned int max_order)
{
	struct ttmpool_manager_config config = {
		.system = &ours_system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	int err = ttmpool_manager_init(&mgr, &config);

	if (err)
		return err;
	err = open_pool(dev, max_order);
	return err ?: open_buffer(n, caching);
}

static int ours_open(struct device *dev, size_t n, enum ttmpool_caching caching)
{
	return open_all(dev, n, caching, TTMPOOL_NR_ORDERS - 1);
}

/* No chunk covers a whole large entry of the linear map, so each chunk has an entry to
 * split. The kernel's pool has that with chunks of any order, since it changes them page
 * by page. */
static int ours_open_small(struct device *dev, size_t n,
			   enum ttmpool_caching caching)
{
	return open_all(dev, n, caching, PMD_ORDER - 1);
}

static int ours_populate(void)
{
	return ttmpool_populate(&be);
}

static int ours_open_populated(struct device *dev, size_t n,
			       enum ttmpool_caching caching)
{
	int err = ours_open(dev, n, caching);

	return err ?: ours_populate();
}

static int ours_free(void)
{
	int err = ttmpool_unpopulate(&be);

	ttmpool_pool_drain(&pool);
	return err;
}

static int ours_bind(void)
{
	return ttmpool_bind(&be);
}

static int ours_open_marked(struct device *dev, size_t n,
			    enum ttmpool_caching caching)
{
	int err = ours_open_populated(dev, n, caching);

	for (size_t i = 0; !err && i < n; i++)
		memset(page_address(pages[i]), 0x80 + i, PAGE_SIZE);
	marked = !err;
	return err;
}

static int ours_swapout(void)
{
	return ttmpool_swapout(&be, TTMPOOL_ALL_PAGES);
}

static int ours_open_swapped(struct device *dev, size_t n,
			     enum ttmpool_caching caching)
{
	int err = ours_open_marked(dev, n, caching);

	return err ?: ours_swapout();
}

static int ours_swapin(void)
{
	return ttmpool_swapin(&be, TTMPOOL_ALL_PAGES);
}

/* Bring the buffer back from whatever state a failure has left it in. */
static void bring_back(void)
{
	if (be.tt.state != TTMPOOL_TT_POPULATED && ours_swapin())
		churn_wrong("a buffer does not come back, state", be.tt.state);
	for (size_t i = 0; i < be.tt.num_pages; i++)
		if (memchr_inv(page_address(pages[i]), 0x80 + i, PAGE_SIZE))
			churn_wrong("contents are not what they were, page",
				    (long)i);
}

static void ours_close(void)
{
	if (be.tt.state == TTMPOOL_TT_BOUND)
		ttmpool_unbind(&be);
	if (marked)
		bring_back();
	if (be.tt.state != TTMPOOL_TT_EMPTY && ttmpool_unpopulate(&be))
		churn_wrong("unpopulate, state", be.tt.state);
	if (ttmpool_backend_fini(&be) || ttmpool_pool_fini(&pool))
		churn_wrong("pages were in use at the end", 0);
	if (ttmpool_manager_purge_quarantine(&mgr) ||
	    ttmpool_manager_fini(&mgr))
		churn_wrong("pages stay in quarantine", 0);
}

/* "small" is a populate with small chunks. A store allocates each page, so a smaller
 * buffer is enough there. */
const struct sweep_op sweep_ours[] = {
	{ "ours", "small", SWEEP_PAGES / 2, ours_open_small, ours_populate,
	  ours_close },
	{ "ours", "populate", SWEEP_PAGES, ours_open, ours_populate,
	  ours_close },
	{ "ours", "free", SWEEP_PAGES, ours_open_populated, ours_free,
	  ours_close },
	{ "ours", "bind", SWEEP_PAGES, ours_open_populated, ours_bind,
	  ours_close },
	{ "ours", "swapout", 13, ours_open_marked, ours_swapout, ours_close },
	{ "ours", "swapin", 13, ours_open_swapped, ours_swapin, ours_close },
	{}
};
