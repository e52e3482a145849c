// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a device reaches of pages that have left it, behind an IOMMU that invalidates late
 * (f50, f51), and what the library needs of a device that has gone (f49). The portable
 * half is in test_stale.c and test_teardown.c.
 */

#include <limits.h>

#include <ttmpool/backup.h>

#include "check_cmocka.h"
#include "rig.h"

#define N 5 /* chunks of 4 and of 1 page */

static struct pages *take_some(struct check *t, struct rig *rig,
			       enum ttmpool_source source)
{
	struct pages *some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = N,
					.source = source,
					.caching = TTMPOOL_WRITE_COMBINED });

	return some && !pages_take(some) ? some : NULL;
}

static bool writes(tpos_device_t *dev, tpos_dma_addr_t addr)
{
	static const unsigned char byte = 0xee;

	return !tpsim_device_write(dev, addr + 5, &byte, 1);
}

static uint64_t invalidations(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.iotlb_invalidations;
}

static uint64_t freed_in_reach(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.freed_in_reach;
}

static size_t mappings(struct check *t)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return ledger.mappings;
}

/* A late write of the device reaches no page of the next owner, who reads zeroes. */
static void f50_a_late_write_reaches_no_next_owner(struct check *t)
{
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct rig *rig =
			rig_open(t, &(struct rig_config){ .nr_pools = 2 });
		struct pages *some, *next;

		CHECK(t, rig);
		some = take_some(t, rig, (enum ttmpool_source)source);
		next = pages_open(
			t, rig,
			&(struct pages_config){ .pool = 1, .num_pages = N });
		CHECK(t, some && next);
		for (size_t i = 0; i < N; i++)
			CHECK(t, writes(rig->dev[0], some->dma_addr[i]));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), N);
		CHECK_EQ(t, pages_take(next), 0);
		CHECK(t, next->pages[0] == some->pages[0]);
		for (size_t i = 0; i < N; i++)
			CHECK(t, !writes(rig->dev[0], some->dma_addr[i]));
		CHECK(t, pages_hold(t, next, 0));
		CHECK_EQ(t, pages_give(next), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* With lazy_unmap the device can still reach pages of both sources for a while. */
static void f50_lazy_unmap_is_for_both_sources(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	check_allows_lazy(t);
	policy.lazy_unmap = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct pages *some =
			take_some(t, rig, (enum ttmpool_source)source);

		CHECK(t, some && writes(rig->dev[0], some->dma_addr[0]));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), N);
		CHECK(t, writes(rig->dev[0], some->dma_addr[0]));
		tpsim_iotlb_expire(check_machine(t));
		CHECK(t, !writes(rig->dev[0], some->dma_addr[0]));
	}
	CHECK_EQ(t, freed_in_reach(t), 2 * N);
	CHECK(t, rig_close(t, rig));
}

/* Pages of both sources that leave together cost one invalidation. */
static void f50_both_sources_leave_with_one_invalidation(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *plain, *coherent;
	uint64_t before;

	CHECK(t, rig);
	plain = take_some(t, rig, TTMPOOL_PLAIN);
	coherent = take_some(t, rig, TTMPOOL_COHERENT);
	CHECK(t, plain && coherent);
	CHECK_EQ(t, pages_give(plain), 0);
	CHECK_EQ(t, pages_give(coherent), 0);
	before = invalidations(t);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 2 * N);
	CHECK_EQ(t, invalidations(t), before + 1);
	CHECK(t, rig_close(t, rig));
}

/* One invalidation also cuts off pages that are still in use when their pool ends. */
static void f50_strays_are_cut_off_with_one_invalidation(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	uint64_t before;

	CHECK(t, rig);
	CHECK(t, take_some(t, rig, TTMPOOL_PLAIN));
	CHECK(t, take_some(t, rig, TTMPOOL_COHERENT));
	before = invalidations(t);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 2 * N);
	rig->nr_pools = 0;
	CHECK_EQ(t, invalidations(t), before + 1);
	CHECK_EQ(t, mappings(t), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* If a mapping fails half way, the pages go back to the system, after the part that was
 * mapped is out of the device's reach. */
static void f51_a_mapping_that_fails_half_way_is_undone(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_DMA_MAP,
				     .nth = 1,
				     .times = UINT_MAX,
				     .after = 1,
				     .error = -EIO };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;
	uint64_t before;

	CHECK(t, rig);
	some = pages_open(t, rig, &(struct pages_config){ .num_pages = N });
	CHECK(t, some);
	before = invalidations(t);
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, pages_take(some), -EIO);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, invalidations(t) > before);
	CHECK_EQ(t, freed_in_reach(t), 0);
	CHECK(t, rig_close(t, rig));
}

static struct ttmpool_pool *pool_for(struct check *t, struct rig *rig,
				     const struct tpsim_device_config *config)
{
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));
	struct ttmpool_pool_config pool_config = {
		.name = "special",
		.dev = tpsim_device_create(check_machine(t), config),
		.node = TTMPOOL_NODE_OF_DEVICE
	};

	if (!pool_config.dev ||
	    ttmpool_pool_init(pool, &rig->mgr, &pool_config))
		return NULL;
	return pool;
}

/* For an untrusted device, coherent pages that are not in use are not kept, because they
 * would stay mapped. */
static void f50_a_stranger_keeps_no_coherent_page(struct check *t)
{
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .num_pages = N };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool;
	tpos_dma_addr_t addr[N];
	tpos_page_t *pages[N];

	CHECK(t, rig);
	pool = pool_for(t, rig,
			&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY,
						       .untrusted = true });
	CHECK(t, pool);
	CHECK_EQ(t, ttmpool_pool_take(pool, &req, pages, addr), 0);
	CHECK(t, writes(pool->dev, addr[0]));
	CHECK_EQ(t, ttmpool_pool_give(pool, pages, N, TTMPOOL_UNCACHED), 0);
	CHECK(t, !writes(pool->dev, addr[0]));
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK_EQ(t, ttmpool_pool_prime(pool, &req, true), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	CHECK(t, rig_close(t, rig));
}

/* If only single coherent pages can be cut off from the device, a buffer gets only these,
 * and everything else is as usual. */
static void f50_single_coherent_pages_are_cut_off(struct check *t)
{
	struct ttmpool_request req = { .source = TTMPOOL_COHERENT,
				       .num_pages = N };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats stats;
	struct ttmpool_pool *pool;
	tpos_dma_addr_t addr[N];
	tpos_page_t *pages[N];

	CHECK(t, rig);
	pool = pool_for(
		t, rig,
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY,
					       .coherent_single = true });
	CHECK(t, pool);
	CHECK_EQ(t, ttmpool_pool_take(pool, &req, pages, addr), 0);
	for (int i = 0; i < N; i++)
		CHECK(t, ttmpool_pool_owns(pool, pages[i]));
	ttmpool_pool_stats(pool, &stats);
	CHECK_EQ(t, stats.fallbacks, 0);
	CHECK(t, writes(pool->dev, addr[0]));
	CHECK_EQ(t, ttmpool_pool_fini(pool), N);
	CHECK(t, !writes(pool->dev, addr[0]));
	tpsim_device_destroy(pool->dev);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(late, CHECK_CASE(f50_a_late_write_reaches_no_next_owner),
	    CHECK_CASE(f50_lazy_unmap_is_for_both_sources),
	    CHECK_CASE(f50_both_sources_leave_with_one_invalidation),
	    CHECK_CASE(f50_strays_are_cut_off_with_one_invalidation),
	    CHECK_CASE(f50_a_stranger_keeps_no_coherent_page),
	    CHECK_CASE(f50_single_coherent_pages_are_cut_off),
	    CHECK_CASE(f51_a_mapping_that_fails_half_way_is_undone));

/* A page that could not be made write-back waits in quarantine, unmapped, whatever its
 * source, so the device may go before it. */
static void f49_a_page_of_unknown_caching_outlives_its_device(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1,
				     .times = UINT_MAX };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct pages *some =
			take_some(t, rig, (enum ttmpool_source)source);

		CHECK(t, some && !pages_give(some));
	}
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	rig->nr_pools = 0;
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED), 4);
	CHECK_EQ(t, mappings(t), 0);
	check_unplug(t, 0);
	ttmpool_manager_shrink_scan(&rig->mgr, 0, false);
	CHECK_EQ(t, check_pages_out(t), 2 * N);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	for (int i = 0; check_pages_out(t) && i < 8; i++)
		ttmpool_manager_shrink_scan(&rig->mgr, 2 * N, false);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for a page that the hardware has poisoned. */
static void f49_a_poisoned_page_outlives_its_device(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;
	struct pages *some;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	some = take_some(t, rig, TTMPOOL_COHERENT);
	CHECK(t, some);
	tpsim_page_poison(check_machine(t), some->pages[1]);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	rig->nr_pools = 0;
	check_unplug(t, 0);
	CHECK_EQ(t, check_pages_out(t), 4);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages of unknown caching that are in use when their pool ends may still be written to, so
 * no shrinker repairs and frees them, before their device goes or after. */
static void f49_a_shrinker_frees_no_page_in_use(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1,
				     .times = UINT_MAX };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	tpsim_fault_plan(check_machine(t), &fault);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct pages *some =
			take_some(t, rig, (enum ttmpool_source)source);

		CHECK(t, some);
		CHECK(t, ttmpool_pool_strip(some->pool, some->pages, N, 0) < 0);
	}
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 2 * N);
	rig->nr_pools = 0;
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 2 * N, false), 0);
	check_unplug(t, 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 2 * N, false), 0);
	CHECK_EQ(t, check_pages_out(t), 2 * N);
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* Whoever purges pages says that nobody uses them any more. So if it was in vain, the
 * shrinker may repair and free them. */
static void f49_what_is_purged_in_vain_is_left_to_the_shrinker(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_CACHING_RESET,
				     .nth = 1,
				     .times = UINT_MAX };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, take_some(t, rig, TTMPOOL_PLAIN));
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), N);
	rig->nr_pools = 0;
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), N);
	CHECK_EQ(t, check_pages_out(t), N);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, N, false), N);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(gone, CHECK_CASE(f49_a_page_of_unknown_caching_outlives_its_device),
	    CHECK_CASE(f49_a_poisoned_page_outlives_its_device),
	    CHECK_CASE(f49_a_shrinker_frees_no_page_in_use),
	    CHECK_CASE(f49_what_is_purged_in_vain_is_left_to_the_shrinker));

int main(int argc, char **argv)
{
	static const struct {
		const struct check_suite *suite;
		struct tpsim_config config;
	} machines[] = {
		{ &check_suite_late, { .iommu = TPSIM_IOMMU_LAZY } },
		{ &check_suite_gone, { .iommu = TPSIM_IOMMU_LAZY } },
		{ &check_suite_gone, { .iommu = TPSIM_IOMMU_OFF } },
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		failed |= check_main(argc, argv, machines[i].suite,
				     &machines[i].config);
	return failed;
}
