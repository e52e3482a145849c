// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pooled pages are given up in reclaim, and become write-back for that: so all that a
 * caching change locks may be locked there. Since 7.0 it locks init_mm's mmap_lock, too.
 * A machine that is short of memory does this, but only where it happens to; here a
 * scan is told to lockdep as a part of reclaim, for each caching, and whoever allocates
 * with one of these locks held is found, at any other time.
 */

#include <linux/mm.h>
#include <linux/sched/mm.h>

#include "churn.h"

#define PAGES 64

/* As mm/page_alloc.c, __perform_reclaim(), does: what is allocated there asks for no
 * reclaim. */
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
