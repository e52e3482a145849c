// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * After a pool has ended with pages in use, its device may go. Whatever happens to the
 * manager then, in any order, does not use the device: its pages are released without it.
 *
 * If a device that has gone is used, the simulated machine ends the program, and a kernel
 * has a general protection fault.
 */

#include "rig.h"

#define N      5 /* chunks of 4 and of 1 page */
#define STRAYS (2 * N)
#define BUDGET (3 * N)
#define WANTED (2 * N) /* fits in the budget, but not beside the strays */

/**
 * struct scene - a pool that ended with pages in use, and another one
 * @others: pages of the other pool, whose device stays
 * @purged: the quarantine is empty
 */
struct scene {
	struct check *t;
	struct rig *rig;
	struct pages *others;
	bool purged;
};

static struct pages *take_some(struct check *t, struct rig *rig,
			       enum ttmpool_source source,
			       enum ttmpool_caching caching)
{
	struct pages *some =
		pages_open(t, rig,
			   &(struct pages_config){ .pool = 1,
						   .num_pages = N,
						   .source = source,
						   .caching = caching });

	return some && !pages_take(some) ? some : NULL;
}

/* Plain and coherent pages of the second device are in use when its pool ends. */
static bool scene_open(struct check *t, struct scene *scene)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .nr_pools = 2,
						  .page_budget = BUDGET });

	*scene = (struct scene){ .t = t, .rig = rig };
	if (!rig)
		return false;
	scene->others = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = WANTED,
					.caching = TTMPOOL_WRITE_COMBINED });
	if (!scene->others ||
	    !take_some(t, rig, TTMPOOL_PLAIN, TTMPOOL_WRITE_COMBINED) ||
	    !take_some(t, rig, TTMPOOL_COHERENT, TTMPOOL_UNCACHED) ||
	    ttmpool_pool_fini(&rig->pool[1]) != STRAYS)
		return false;
	rig->nr_pools = 1;
	return true;
}

static bool scene_close(struct scene *scene)
{
	return !ttmpool_manager_purge_quarantine(&scene->rig->mgr) &&
	       rig_close(scene->t, scene->rig);
}

/* The events that may happen next. Each returns whether it went as it should. */
static bool device_goes(struct scene *scene)
{
	check_unplug(scene->t, 1);
	return true;
}

static bool shrinker_runs(struct scene *scene)
{
	struct ttmpool_manager *mgr = &scene->rig->mgr;

	ttmpool_manager_shrink_count(mgr, true);
	ttmpool_manager_shrink_scan(mgr, STRAYS, true);
	return ttmpool_manager_is_valid(mgr);
}

/* A populate without room in the budget succeeds only if the quarantine is empty. */
static bool populate_is_at_the_budget(struct scene *scene)
{
	if (pages_take(scene->others))
		return !scene->purged;
	return scene->purged && !pages_give(scene->others) &&
	       ttmpool_pool_drain(&scene->rig->pool[0]) == WANTED;
}

static bool quarantine_is_purged(struct scene *scene)
{
	scene->purged = true;
	return !ttmpool_manager_purge_quarantine(&scene->rig->mgr) &&
	       !check_pages_out(scene->t);
}

static bool (*const events[])(struct scene *) = { device_goes, shrinker_runs,
						  populate_is_at_the_budget,
						  quarantine_is_purged };

#define EVENTS (sizeof(events) / sizeof(*events))
#define ORDERS 24 /* of that many events */

/* Play all events, in the @nth of all their orders. */
static bool play(struct scene *scene, unsigned int nth)
{
	unsigned int left[EVENTS] = { 0, 1, 2, 3 };

	for (unsigned int n = EVENTS; n; n--) {
		unsigned int pick = nth % n;

		nth /= n;
		if (!events[left[pick]](scene))
			return false;
		for (; pick + 1 < n; pick++)
			left[pick] = left[pick + 1];
	}
	return true;
}

/* The device goes, the shrinker runs, a populate needs the whole budget, and the
 * quarantine is purged, in any order: each does what it should. */
static void f49_a_device_may_go_at_any_time_after_its_pool(struct check *t)
{
	struct scene scene;

	for (unsigned int order = 0; order < ORDERS; order++) {
		CHECK(t, scene_open(t, &scene));
		CHECK(t, play(&scene, order));
		CHECK(t, scene_close(&scene));
	}
}

/* When two pools of one device have ended, the device may go, though pages of both are in
 * quarantine. */
static void f49_two_pools_leave_one_device(struct check *t)
{
	struct ttmpool_pool_config config = { .name = "second",
					      .node = TTMPOOL_NODE_OF_DEVICE };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *second = check_zalloc(t, sizeof(*second));
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .num_pages = 1 };
	tpos_dma_addr_t addr[2];
	tpos_page_t *page[2];

	CHECK(t, rig && second);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(second, &rig->mgr, &config), 0);
	CHECK_EQ(t, ttmpool_pool_take(second, &req, &page[0], &addr[0]), 0);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page[1], &addr[1]),
		 0);
	CHECK_EQ(t, ttmpool_pool_fini(second), 1);
	/* The other pool still uses the device. */
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page[0], &addr[0]),
		 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 2);
	rig->nr_pools = 0;
	check_unplug(t, 0);
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A device comes and goes several times and leaves pages in use each time: one quarantine
 * keeps the pages of all these devices. */
static void f49_many_devices_leave_one_quarantine(struct check *t)
{
	struct ttmpool_pool_config config = { .name = "visitor",
					      .node = TTMPOOL_NODE_OF_DEVICE };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .num_pages = N };
	tpos_dma_addr_t addr[N];
	tpos_page_t *pages[N];

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		config.dev = check_device(t, 1, 64);
		req.source = i % 2 ? TTMPOOL_COHERENT : TTMPOOL_PLAIN;
		CHECK_EQ(t,
			 ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config),
			 0);
		CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &req, pages, addr),
			 0);
		CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[1]), N);
		check_unplug(t, 1);
	}
	CHECK_EQ(t, check_pages_out(t), 4 * N);
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(teardown,
	    CHECK_CASE(f49_a_device_may_go_at_any_time_after_its_pool),
	    CHECK_CASE(f49_two_pools_leave_one_device),
	    CHECK_CASE(f49_many_devices_leave_one_quarantine));
