// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What our shrinker reports to the kernel's reclaim. */

#include <linux/sched.h>
#include <linux/swap.h>

#include "check_ktap.h"
#include "rig.h"

#include <ttmpool_shrinker.h>

/* Call the shrinker like shrink_slab(), in a thread that reclaims. Gives the number of
 * pages that it reports as freed, which is the first member of a struct whose name
 * differs by version. */
static unsigned long scan(struct rig *rig, struct shrink_control *sc,
			  unsigned long *reclaimed)
{
	struct reclaim_state state = {};
	unsigned long got;

	BUILD_BUG_ON(sizeof(state) < sizeof(*reclaimed));
	current->reclaim_state = &state;
	got = ttmpool_shrinker_scan(&rig->mgr.shrinker, sc);
	current->reclaim_state = NULL;
	memcpy(reclaimed, &state, sizeof(*reclaimed));
	return got;
}

/* The slab allocator counts, too, so the number may exceed @pages by what it frees of
 * descriptors. */
static bool came_free(unsigned long reclaimed, unsigned long pages)
{
	return reclaimed >= pages && reclaimed < pages + 32;
}

/* The kernel learns how many pages were freed, and that a whole chunk was scanned if it
 * asked for less; with nothing left, it learns that there is nothing. */
static void s11_the_kernel_is_told_what_came_free(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 64 };
	struct shrink_control sc = { .gfp_mask = GFP_NOFS,
				     .nid = numa_node_id(),
				     .nr_to_scan = 5 };
	unsigned long reclaimed;
	struct rig *rig;

	policy.max_order = 5;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	CHECK_EQ(t, ttmpool_shrinker_count(&rig->mgr.shrinker, &sc), 64);
	CHECK_EQ(t, scan(rig, &sc, &reclaimed), 32);
	CHECK(t, came_free(reclaimed, 32));
	CHECK_EQ(t, sc.nr_scanned, 32);
	sc.nr_to_scan = 1000;
	CHECK_EQ(t, scan(rig, &sc, &reclaimed), 32);
	CHECK(t, came_free(reclaimed, 32));
	CHECK_EQ(t, sc.nr_scanned, 1000);
	CHECK_EQ(t, scan(rig, &sc, &reclaimed), SHRINK_STOP);
	CHECK(t, came_free(reclaimed, 0));
	CHECK_EQ(t, ttmpool_shrinker_count(&rig->mgr.shrinker, &sc),
		 SHRINK_EMPTY);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_shrinker, CHECK_CASE(s11_the_kernel_is_told_what_came_free));
