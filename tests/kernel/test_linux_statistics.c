// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What user space can read about pooled pages (shim/linux/statistics.c). */

#include "check_ktap.h"
#include "rig.h"

#include <ttmpool_system.h>

#define POOLED 4096
/* Each CPU keeps back some of its counts, up to some hundred pages for each counter
 * (mm/vmstat.c, calculate_normal_threshold). */
#define SLACK 1024

static bool is_about(long pages, long wanted)
{
	return pages > wanted - SLACK && pages < wanted + SLACK;
}

/* A counter of the kernel contains the pooled pages, except the reserved ones, and does
 * not contain them any more when the pool has gone. */
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

static bool active_is(long before, long wanted)
{
	return before < 0 || is_about(ttmpool_active_stat() - before, wanted);
}

/* If the kernel counts the pages of GPUs, each allocated page of both sources is in that
 * counter or in the counter of spare pages, and in none after it was freed. */
static void pages_that_are_out_are_in_one_counter(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = POOLED };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct page **pages = check_zalloc(t, POOLED * sizeof(*pages));
	long active = ttmpool_active_stat();
	long spare = (long)ttmpool_spare_stat();

	CHECK(t, rig && pages);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		req.source = source;
		CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages, NULL),
			 0);
		CHECK(t, active_is(active, POOLED));
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[0], pages, POOLED,
					   TTMPOOL_WRITE_COMBINED),
			 0);
		CHECK(t, active_is(active, 0));
		CHECK(t, is_about((long)ttmpool_spare_stat() - spare, POOLED));
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK(t, active_is(active, 0));
		CHECK(t, is_about((long)ttmpool_spare_stat() - spare, 0));
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_statistics, CHECK_CASE(pooled_pages_are_in_a_counter),
	    CHECK_CASE(pages_that_are_out_are_in_one_counter));
