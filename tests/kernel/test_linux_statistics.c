// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What user space can read of pooled pages (shim/linux/statistics.c). */

#include "check_ktap.h"
#include "rig.h"

#include <ttmpool_system.h>

#define POOLED 4096
/* Each CPU keeps back what it has counted, up to some hundred pages of each counter
 * (mm/vmstat.c, calculate_normal_threshold). */
#define SLACK 1024

static bool is_about(long pages, long wanted)
{
	return pages > wanted - SLACK && pages < wanted + SLACK;
}

/* Pages that lie pooled are in a counter of the kernel's, but for what is reserved, and
 * are not in it any more when the pool has gone. */
static void pooled_pages_are_in_a_counter(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = POOLED };
	long before = (long)ttmpool_spare_stat();
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	CHECK(t, is_about((long)ttmpool_spare_stat() - before, POOLED));
	ttmpool_pool_reserve(&rig->pool[0], POOLED);
	CHECK(t, is_about((long)ttmpool_spare_stat() - before, 0));
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, is_about((long)ttmpool_spare_stat() - before, POOLED));
	CHECK(t, rig_close(t, rig));
	CHECK(t, is_about((long)ttmpool_spare_stat() - before, 0));
}

CHECK_SUITE(linux_statistics, CHECK_CASE(pooled_pages_are_in_a_counter));
