// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Many of a kind: more pools, chunks or failures than the library examines under one hold
 * of its lock. It releases the lock in between, and leaves nothing out.
 */

#include <limits.h>
#include <stdlib.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WC TTMPOOL_WRITE_COMBINED

#define MANY_POOLS   130 /* LOOKS in turn.c is 128 */
#define MANY_BUFFERS 300 /* longer than a list that is walked in one go */

/* A manager with many pools of one device. */
struct crowd {
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool[MANY_POOLS];
	int n;
};

static bool crowd_open(struct check *t, struct crowd *crowd)
{
	struct ttmpool_manager_config mgr_config = {
		.system = t->system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .dev = check_device(t, 0, 64),
					      .node = TTMPOOL_NODE_OF_DEVICE,
					      .policy = &policy };

	if (ttmpool_manager_init(&crowd->mgr, &mgr_config))
		return false;
	for (; crowd->n < MANY_POOLS; crowd->n++)
		if (ttmpool_pool_init(&crowd->pool[crowd->n], &crowd->mgr,
				      &config))
			return false;
	return true;
}

static bool crowd_close(struct crowd *crowd)
{
	bool good = true;

	while (crowd->n)
		good &= !ttmpool_pool_fini(&crowd->pool[--crowd->n]);
	return good && !ttmpool_manager_fini(&crowd->mgr);
}

/* The check of the list of buffers examines the whole list, however long it is. */
static void s11_a_long_list_of_buffers_is_checked(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *bufs[MANY_BUFFERS];

	CHECK(t, rig);
	for (size_t i = 0; i < MANY_BUFFERS; i++) {
		bufs[i] = buffer_open(
			t, rig,
			&(struct buffer_config){ .funcs = &buffer_plain });
		CHECK(t, bufs[i] && !ttmpool_lru_add(&bufs[i]->be));
	}
	CHECK(t, ttmpool_manager_is_valid(&rig->mgr));
	for (size_t i = 0; i < MANY_BUFFERS; i++)
		ttmpool_lru_remove(&bufs[i]->be);
	CHECK(t, rig_close(t, rig));
}

/* The shrinker finds the one pool of many that has pages to give up, and finds out when
 * none has. */
static void s11_no_pool_of_many_is_missed(struct check *t)
{
	struct ttmpool_request one = { .caching = WC, .num_pages = 1 };
	struct crowd *crowd = check_zalloc(t, sizeof(*crowd));

	CHECK(t, crowd && crowd_open(t, crowd));
	for (int i = 0; i < MANY_POOLS; i += MANY_POOLS - 1) {
		CHECK_EQ(t, ttmpool_pool_prime(&crowd->pool[i], &one, false),
			 0);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&crowd->mgr, 1, false),
			 1);
	}
	/* One page of the pool is not reserved, but it is in a chunk of two. */
	one.num_pages = 2;
	CHECK_EQ(t, ttmpool_pool_prime(&crowd->pool[0], &one, false), 0);
	ttmpool_pool_reserve(&crowd->pool[0], 1);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&crowd->mgr, false), 1);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&crowd->mgr, 1, false), 0);
	CHECK(t, crowd_close(crowd));
}

/* If no pooled page could go, a scan visits no pool. */
static void s11_a_scan_for_nothing_asks_no_pool(struct check *t)
{
	struct crowd *crowd = check_zalloc(t, sizeof(*crowd));
	struct tpsim_counters before, after;

	CHECK(t, crowd && crowd_open(t, crowd));
	tpsim_counters(check_machine(t), &before);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&crowd->mgr, 1, true), 0);
	tpsim_counters(check_machine(t), &after);
	CHECK(t, after.locks_taken - before.locks_taken <= 4);
	CHECK(t, crowd_close(crowd));
}

/* The shrinker tries a chunk that cannot be made write-back less and less often, but does
 * not stop: once it succeeds, the chunk goes back to the system. */
static void f24_what_is_broken_for_long_is_tried_still(struct check *t)
{
	static const struct tpsim_fault fault = {
		.call = TPSIM_CALL_CACHING_RESET, .nth = 1, .times = UINT_MAX
	};
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request one = { .caching = WC, .num_pages = 1 };
	struct ttmpool_manager_stats stats;
	unsigned long calls, tries = 0;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &one, false), 0);
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 0);
	calls = tpsim_fault_calls(check_machine(t), fault.call);
	for (int i = 0; i < 8192; i++)
		ttmpool_manager_shrink_scan(&rig->mgr, 1, false);
	tries = tpsim_fault_calls(check_machine(t), fault.call) - calls;
	CHECK(t, tries > 24 && tries < 64);
	tpsim_fault_clear(check_machine(t));
	for (int i = 0; i < 2048; i++)
		ttmpool_manager_shrink_scan(&rig->mgr, 1, false);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 0);
	CHECK(t, rig_close(t, rig));
}

/* With policy.verify, the pool compares a new address with those of at most a few
 * thousand pages in use, some hundred at a time. */
static void f14_addresses_are_compared_in_slices(struct check *t)
{
	enum {
		CHUNKS = 3000
	};
	struct ttmpool_policy policy = rig_policy(t);
	struct pages_config config = { .caching = WC };
	struct pages **some = check_zalloc(t, CHUNKS * sizeof(*some));
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig && some);
	for (int i = 0; i < CHUNKS; i++) {
		/* The last batch has more chunks than are compared. */
		config.num_pages = i == CHUNKS - 1 ? 3 : 1;
		some[i] = pages_open(t, rig, &config);
		CHECK(t, some[i]);
		CHECK_EQ(t, pages_take(some[i]), 0);
	}
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS), 0);
	CHECK(t, rig_is_quiet(t, rig));
	for (int i = 0; i < CHUNKS; i++)
		CHECK_EQ(t, pages_give(some[i]), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that lacks one page at a large budget makes room for 512 pages more, and not
 * for all. */
static void s11_slack_is_bounded(struct check *t)
{
	enum {
		BUDGET = 6000,
		MOST = 512
	};
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = BUDGET });
	struct ttmpool_request most = { .caching = WC, .num_pages = BUDGET };
	struct pages *one;

	CHECK(t, rig);
	/* Single pages, so that no chunk is larger than what is lacking. */
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &most, false), 0);
	one = pages_open(t, rig,
			 &(struct pages_config){ .caching = TTMPOOL_UNCACHED });
	CHECK(t, one);
	CHECK_EQ(t, pages_take(one), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, BUDGET - 1 - MOST);
	CHECK_EQ(t, pages_give(one), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* When memory is short, a swap-in takes few pages at a time, and more again after some
 * successes: it does not take 512 pages in 512 calls. */
static void s07_a_swapin_takes_more_again(struct check *t)
{
	enum {
		PAGES = 512,
		FAILURES = 10 + 9 + 8 + 7 + 6 + 5 + 4 + 3 + 2
	};
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain,
					.caching = WC };
	struct buffer *buf;
	uint64_t takes;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 7);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	takes = rig_stats(rig).takes;
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = FAILURES });
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), FAILURES);
	takes = rig_stats(rig).takes - takes;
	CHECK(t, takes >= 8 && takes <= 8 * 8);
	CHECK(t, buffer_is_stamped(t, buf, 7));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(bounds, CHECK_CASE(s11_no_pool_of_many_is_missed),
	    CHECK_CASE(s11_a_scan_for_nothing_asks_no_pool),
	    CHECK_CASE(s11_a_long_list_of_buffers_is_checked),
	    CHECK_CASE(f24_what_is_broken_for_long_is_tried_still),
	    CHECK_CASE(f14_addresses_are_compared_in_slices),
	    CHECK_CASE(s11_slack_is_bounded),
	    CHECK_CASE(s07_a_swapin_takes_more_again));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 32768 };

	return check_main(argc, argv, &check_suite_bounds, &config);
}
