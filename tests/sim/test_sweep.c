// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fault sweep of the operations that get pages and give them back: see sweep.h.
 */

#include <limits.h>

#include "sweep.h"

#define CALLS                                                             \
	(1u << TPSIM_CALL_PAGES_ALLOC | 1u << TPSIM_CALL_COHERENT_ALLOC | \
	 1u << TPSIM_CALL_CACHING_SET | 1u << TPSIM_CALL_CACHING_RESET |  \
	 1u << TPSIM_CALL_DMA_MAP | 1u << TPSIM_CALL_ZALLOC |             \
	 1u << TPSIM_CALL_SHRINKER_REGISTER)

/* Whatever call fails in whatever operation, nothing is lost and nothing is left. */
static void every_failure_of_every_operation_is_survived(struct check *t)
{
	CHECK(t, sweep_scenes(t, sweep_pages_scenes, sweep_pages_nr, CALLS));
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

/* If a failed caching change cannot be undone either, the pages are quarantined, and the
 * populate fails and leaves the buffer empty. */
static void a_failed_roll_back_quarantines(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, sweep_open(&stage, t, &sweep_pages_scenes[1]));
	CHECK(t, plan_both(t, UINT_MAX));
	CHECK(t, ttmpool_populate(&stage.buf->be) < 0);
	ttmpool_manager_stats(&stage.rig->mgr, &stats);
	CHECK(t, stats.pages_quarantined > 0);
	CHECK(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED) > 0);
	CHECK(t, !stage.buf->pages[0] && !stage.buf->dma_addr[0]);
	CHECK(t, rig_is_quiet(t, stage.rig));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&stage.rig->mgr),
		 stats.pages_quarantined);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_populate(&stage.buf->be), 0);
	CHECK(t, sweep_close(&stage));
}

/* The shrinker tries again to make such pages write-back. */
static void the_shrinker_retries_a_roll_back(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct stage stage;

	CHECK(t, sweep_open(&stage, t, &sweep_pages_scenes[1]));
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
