// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * In reclaim the pool releases pooled pages and makes them write-back: so every lock that
 * a caching change takes may be taken in reclaim. Since 7.0 that includes init_mm's
 * mmap_lock. A machine that is short of memory does this only by chance; here a scan
 * tells lockdep that it is a part of reclaim, for each caching. Then lockdep reports any
 * code that allocates memory while it holds one of these locks, at any other time.
 */

#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "churn.h"

#define PAGES 64

/* Like __perform_reclaim() in mm/page_alloc.c: allocations in it must not reclaim. */
static void scan_in_reclaim(struct ttmpool_manager *mgr)
{
	unsigned long given;
	unsigned int flags;

	fs_reclaim_acquire(GFP_KERNEL);
	flags = memalloc_noreclaim_save();
	given = ttmpool_manager_shrink_scan(mgr, PAGES, false);
	memalloc_noreclaim_restore(flags);
	fs_reclaim_release(GFP_KERNEL);
	if (!given)
		churn_wrong("nothing was given up in reclaim", 0);
}

void churn_reclaim(struct ttmpool_pool *pool)
{
	struct ttmpool_request req = { .source = TTMPOOL_PLAIN,
				       .num_pages = PAGES };

	for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
		int err;

		if (!pool->policy.recycle[TTMPOOL_PLAIN][c])
			continue;
		req.caching = c;
		err = ttmpool_pool_prime(pool, &req, true);
		if (err)
			churn_wrong("prime", err);
		else
			scan_in_reclaim(pool->mgr);
	}
}
