// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault sweep of what gets pages and gives them back: see sweep.h.
 */

#include <limits.h>

#include "sweep.h"

/* An empty buffer, and nothing pooled. */
static bool prepare_cold(struct stage *stage)
{
	stage->buf = sweep_buffer(stage, SWEEP_PAGES, false);
	return stage->buf;
}

static bool prepare_coherent(struct stage *stage)
{
	stage->buf = sweep_buffer(stage, SWEEP_PAGES, true);
	return stage->buf;
}

/* An empty buffer, and a part of what it needs is pooled. */
static bool prepare_mixed(struct stage *stage)
{
	struct buffer *small = sweep_buffer(stage, 13, false);

	return small && !buffer_cycle(small) && prepare_cold(stage);
}

/* All that it needs is pooled, but no longer mapped. */
static bool prepare_unmapped(struct stage *stage)
{
	struct buffer *bare;

	bare = buffer_open(
		stage->t, stage->rig,
		&(struct buffer_config){ .num_pages = SWEEP_PAGES,
					 .unmapped = true,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .funcs = &ttmpool_backend_plain });
	return bare && !buffer_cycle(bare) && prepare_cold(stage);
}

static bool prepare_populated(struct stage *stage)
{
	return prepare_cold(stage) && !ttmpool_populate(&stage->buf->be);
}

/* Nothing but pooled pages. */
static bool prepare_pooled(struct stage *stage)
{
	stage->other = sweep_buffer(stage, SWEEP_PAGES, false);
	return stage->other && !buffer_cycle(stage->other);
}

/* A buffer whose pages will not be pooled, but go to the system at once. */
static bool prepare_leaving(struct stage *stage)
{
	ttmpool_manager_set_pool_limit(&stage->rig->mgr, 0);
	return prepare_populated(stage);
}

static int play_populate(struct stage *stage)
{
	return ttmpool_populate(&stage->buf->be);
}

static int play_unpopulate(struct stage *stage)
{
	return ttmpool_unpopulate(&stage->buf->be);
}

static int play_prime(struct stage *stage)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = SWEEP_PAGES };

	return ttmpool_pool_prime(&stage->rig->pool[0], &req, true);
}

/* Release paths cannot fail: what cannot be released is quarantined. */
static int play_drain(struct stage *stage)
{
	ttmpool_pool_drain(&stage->rig->pool[0]);
	return 0;
}

static int play_shrink(struct stage *stage)
{
	ttmpool_manager_shrink_scan(&stage->rig->mgr, ULONG_MAX, true);
	return 0;
}

static int play_limit(struct stage *stage)
{
	ttmpool_manager_set_pool_limit(&stage->rig->mgr, 0);
	return 0;
}

static int play_budget(struct stage *stage)
{
	ttmpool_manager_set_page_budget(&stage->rig->mgr, 0);
	ttmpool_manager_set_page_budget(&stage->rig->mgr, TTMPOOL_NO_LIMIT);
	return 0;
}

/* The pool is torn down with all that it keeps, and starts anew. */
static int play_teardown(struct stage *stage)
{
	struct ttmpool_pool *pool = &stage->rig->pool[0];
	struct ttmpool_pool_config config = { .name = "anew",
					      .dev = stage->rig->dev[0],
					      .node = TTMPOOL_NODE_ANY };

	return ttmpool_pool_fini(pool)
		       ? -EBUSY
		       : ttmpool_pool_init(pool, &stage->rig->mgr, &config);
}

/* A second manager comes and goes. */
static int play_manager(struct stage *stage)
{
	struct ttmpool_manager_config config = { .system = stage->t->system };
	struct ttmpool_manager mgr;
	int err = ttmpool_manager_init(&mgr, &config);

	return err ? err : ttmpool_manager_fini(&mgr);
}

static bool is_empty(struct stage *stage)
{
	return stage->buf->be.tt.state == TTMPOOL_TT_EMPTY &&
	       ttmpool_tt_is_valid(&stage->buf->be.tt) &&
	       !stage->buf->dma_addr[0] &&
	       !stage->buf->dma_addr[SWEEP_PAGES - 1];
}

static bool is_nothing_pooled(struct stage *stage)
{
	return !rig_stats(stage->rig).pages_pooled;
}

static bool is_anything(struct stage *stage)
{
	(void)stage;
	return true;
}

static bool prepare_nothing(struct stage *stage)
{
	(void)stage;
	return true;
}

static const struct scene scenes[] = {
	{ "manager", prepare_nothing, play_manager, is_anything, NULL, false },
	{ "populate-cold", prepare_cold, play_populate, is_empty, NULL, false },
	{ "populate-refill", prepare_cold, play_populate, is_empty, NULL,
	  true },
	{ "populate-coherent", prepare_coherent, play_populate, is_empty, NULL,
	  false },
	{ "populate-mixed", prepare_mixed, play_populate, is_empty, NULL,
	  false },
	{ "populate-unmapped", prepare_unmapped, play_populate, is_empty, NULL,
	  false },
	{ "prime", prepare_nothing, play_prime, is_nothing_pooled, NULL,
	  false },
	{ "unpopulate", prepare_populated, play_unpopulate, is_anything, NULL,
	  false },
	{ "unpopulate-release", prepare_leaving, play_unpopulate, is_anything,
	  NULL, false },
	{ "teardown", prepare_pooled, play_teardown, is_anything, NULL, false },
	{ "drain", prepare_pooled, play_drain, is_anything, NULL, false },
	{ "shrink", prepare_pooled, play_shrink, is_anything, NULL, false },
	{ "limit", prepare_pooled, play_limit, is_anything, NULL, false },
	{ "budget", prepare_pooled, play_budget, is_anything, NULL, false },
};

#define NR_SCENES (sizeof(scenes) / sizeof(*scenes))

#define CALLS                                                             \
	(1u << TPSIM_CALL_PAGES_ALLOC | 1u << TPSIM_CALL_COHERENT_ALLOC | \
	 1u << TPSIM_CALL_CACHING_SET | 1u << TPSIM_CALL_CACHING_RESET |  \
	 1u << TPSIM_CALL_DMA_MAP | 1u << TPSIM_CALL_ZALLOC |             \
	 1u << TPSIM_CALL_SHRINKER_REGISTER)

/* Whatever call fails in whatever operation, nothing is lost and nothing stays.
 */
static void every_failure_of_every_operation_is_survived(struct check *t)
{
	CHECK(t, sweep_scenes(t, scenes, NR_SCENES, CALLS));
}

static bool plan_both(struct check *t, unsigned int times)
{
	struct tpsim_machine *machine = check_machine(t);

	tpsim_fault_plan(machine,
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1,
						.after = 2 });
	tpsim_fault_plan(machine, &(struct tpsim_fault){
					  .call = TPSIM_CALL_CACHING_RESET,
					  .nth = 1,
					  .times = times });
	return true;
}

/* If a failed caching change cannot be undone either, the pages are set aside,
 * and the populate fails as if nothing had been. */
static void a_failed_roll_back_quarantines(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, sweep_open(&stage, t, &scenes[1]));
	CHECK(t, plan_both(t, UINT_MAX));
	CHECK(t, ttmpool_populate(&stage.buf->be) < 0);
	ttmpool_manager_stats(&stage.rig->mgr, &stats);
	CHECK(t, stats.pages_quarantined > 0);
	CHECK(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED) > 0);
	CHECK(t, is_empty(&stage));
	CHECK(t, rig_is_quiet(t, stage.rig));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&stage.rig->mgr),
		 stats.pages_quarantined);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_populate(&stage.buf->be), 0);
	CHECK(t, sweep_close(&stage));
}

/* The shrinker tries again with what could not be made write-back. */
static void the_shrinker_retries_a_roll_back(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, sweep_open(&stage, t, &scenes[1]));
	CHECK(t, plan_both(t, UINT_MAX));
	CHECK(t, ttmpool_populate(&stage.buf->be) < 0);
	tpsim_fault_clear(check_machine(t));
	ttmpool_manager_shrink_scan(&stage.rig->mgr, 0, true);
	ttmpool_manager_stats(&stage.rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 0);
	CHECK_EQ(t, stats.pages, 0);
	CHECK(t, sweep_close(&stage));
}

CHECK_SUITE(sweep, CHECK_CASE(every_failure_of_every_operation_is_survived),
	    CHECK_CASE(a_failed_roll_back_quarantines),
	    CHECK_CASE(the_shrinker_retries_a_roll_back));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_sweep, &config);
}
