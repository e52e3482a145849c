// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swap-outs that cannot go on (S7): the store fails, half way or again and again, or a signal
 * comes. What does that cost the buffers, and which of them is tried next?
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define SEED  7
#define PAGES 8  /* of each buffer */
#define MOST  20 /* buffers */

static struct buffer *idle[MOST];
static unsigned long vacated;

static void count_vacated(struct ttmpool_backend *be)
{
	vacated += be->tt.state != TTMPOOL_TT_SWAPPED;
}

/* A rig with @n idle buffers of single pages, the oldest first. */
static struct rig *crowd(struct check *t, size_t n)
{
	static struct ttmpool_backend_funcs funcs;
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED,
					.funcs = &funcs };
	struct rig *rig;

	policy.max_order = 0;
	funcs = buffer_plain;
	funcs.vacate = count_vacated;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	for (size_t i = 0; rig && i < n; i++) {
		idle[i] = buffer_ready(t, rig, &config, SEED);
		if (!idle[i] || ttmpool_lru_add(&idle[i]->be))
			return NULL;
	}
	vacated = 0;
	return rig;
}

/* Has nothing been lost, and is nothing left? */
static bool end(struct check *t, struct rig *rig, size_t n)
{
	bool good = ttmpool_manager_is_valid(&rig->mgr);

	for (size_t i = 0; i < n; i++) {
		struct ttmpool_backend *be = &idle[i]->be;

		ttmpool_lru_remove(be);
		good &= be->tt.state == TTMPOOL_TT_POPULATED ||
			!ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
		good &= buffer_is_stamped(t, idle[i], SEED);
		good &= !ttmpool_drop(be);
	}
	return good && rig_close(t, rig);
}

/* From the @nth call on, writing to a store fails. */
static void writes_fail(struct check *t, unsigned long nth, int error)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_WRITE,
						.nth = nth,
						.times = UINT_MAX,
						.error = error });
}

static size_t stored(size_t i)
{
	return idle[i]->be.pages_stored;
}

/* A store that keeps failing costs each call of the shrinker one new store, and the mappings of
 * one buffer. When it has room again, many buffers leave together as before. */
static void s07_a_store_that_keeps_failing_costs_one_buffer(struct check *t)
{
	static const int errors[] = { -ENOMEM, -ENOSPC, -EIO };
	struct tpsim_machine *m = check_machine(t);

	for (size_t e = 0; e < 3; e++) {
		struct rig *rig = crowd(t, MOST);
		unsigned long stores, batches;

		CHECK(t, rig);
		writes_fail(t, 1, errors[e]);
		CHECK_EQ(t,
			 ttmpool_manager_shrink_scan(&rig->mgr, MOST * PAGES,
						     true),
			 0);
		vacated = 0;
		stores = tpsim_fault_calls(m, TPSIM_CALL_STORE_CREATE);
		for (unsigned long calls = 1; calls <= 3; calls++) {
			CHECK_EQ(t,
				 ttmpool_manager_shrink_scan(
					 &rig->mgr, MOST * PAGES, true),
				 0);
			CHECK_EQ(t, vacated, calls);
			CHECK_EQ(t,
				 tpsim_fault_calls(m, TPSIM_CALL_STORE_CREATE),
				 stores + calls);
		}
		tpsim_fault_clear(m);
		batches = rig_stats(rig).caching_batches;
		CHECK_EQ(t,
			 ttmpool_manager_shrink_scan(&rig->mgr, MOST * PAGES,
						     true),
			 MOST * PAGES);
		CHECK(t, rig_stats(rig).caching_batches <= batches + 3);
		CHECK(t, end(t, rig, MOST));
	}
}

/* A buffer that the store fails half way is tried last, as one that it fails at once. */
static void s07_whom_the_store_fails_half_way_is_tried_last(struct check *t)
{
	for (size_t left = 0; left < PAGES; left++) {
		struct rig *rig = crowd(t, 2);

		CHECK(t, rig);
		/* the first call is the probe */
		writes_fail(t, left ? left + 2 : 1, -EIO);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, PAGES, true),
			 left);
		tpsim_fault_clear(check_machine(t));
		CHECK_EQ(t, stored(0), left);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, PAGES, true),
			 PAGES);
		CHECK_EQ(t, stored(0), left);
		CHECK_EQ(t, stored(1), PAGES);
		CHECK(t, end(t, rig, 2));
	}
}

/* A signal is no fault of the buffer: the one that it stops half way is the next. */
static void s07_who_is_stopped_half_way_is_the_next(struct check *t)
{
	struct tpsim_machine *m = check_machine(t);
	bool halves = false;

	for (unsigned int looks = 1; !halves; looks++) {
		struct rig *rig = crowd(t, 2);
		unsigned long left;

		CHECK(t, rig);
		tpsim_signal_after(m, looks);
		left = ttmpool_manager_swapout(&rig->mgr, PAGES);
		tpsim_signal_clear(m);
		CHECK(t, left < PAGES);
		halves = left >= PAGES / 2;
		CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, PAGES - left),
			 PAGES - left);
		CHECK_EQ(t, stored(0), PAGES);
		CHECK_EQ(t, stored(1), 0);
		CHECK(t, end(t, rig, 2));
	}
}

/* A swap-out that a signal stops before it begins ends no mappings. */
static void s07_who_is_stopped_at_once_vacates_nobody(struct check *t)
{
	struct tpsim_machine *m = check_machine(t);
	struct rig *rig = crowd(t, MOST);

	CHECK(t, rig);
	tpsim_kill_after(m, 1);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, PAGES, true), 0);
	tpsim_signal_clear(m);
	tpsim_signal_after(m, 1);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, PAGES), 0);
	tpsim_signal_clear(m);
	CHECK_EQ(t, vacated, 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, PAGES), PAGES);
	CHECK_EQ(t, vacated, 1);
	CHECK(t, end(t, rig, MOST));
}

/* Pages that are given back to a pool that keeps them, one before each swap-out. */
static struct pages *given[4];
static size_t gifts;

static void give_one(struct ttmpool_backend *be)
{
	count_vacated(be);
	if (gifts < 4 && !pages_give(given[gifts]))
		gifts++;
}

/* A request whose swap-outs gain nothing tries that twice, however often what other threads do
 * gives it a reason to look again. */
static void s06_a_request_swaps_out_in_vain_twice(struct check *t)
{
	struct pages_config one = { .pool = 1,
				    .caching = TTMPOOL_WRITE_COMBINED };
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer_config config = { .num_pages = PAGES };
	static struct ttmpool_backend_funcs funcs;
	struct rig *rig;
	struct buffer *wants;

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
						.page_budget = PAGES + 4,
						.policy = &policy });
	CHECK(t, rig);
	funcs = buffer_plain;
	funcs.vacate = give_one;
	wants = buffer_open(t, rig, &config);
	config.funcs = &funcs;
	idle[0] = buffer_ready(t, rig, &config, SEED);
	CHECK(t, wants && idle[0] && !ttmpool_lru_add(&idle[0]->be));
	ttmpool_pool_reserve(&rig->pool[1], 4);
	for (size_t i = 0; i < 4; i++) {
		given[i] = pages_open(t, rig, &one);
		CHECK(t, given[i] && !pages_take(given[i]));
	}
	gifts = 0;
	vacated = 0;
	writes_fail(t, 1, -EIO);
	CHECK_EQ(t, ttmpool_populate(&wants->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, vacated, 2);
	while (gifts < 4)
		CHECK_EQ(t, pages_give(given[gifts++]), 0);
	CHECK(t, end(t, rig, 1));
}

CHECK_SUITE(vain, CHECK_CASE(s07_a_store_that_keeps_failing_costs_one_buffer),
	    CHECK_CASE(s07_whom_the_store_fails_half_way_is_tried_last),
	    CHECK_CASE(s07_who_is_stopped_half_way_is_the_next),
	    CHECK_CASE(s07_who_is_stopped_at_once_vacates_nobody),
	    CHECK_CASE(s06_a_request_swaps_out_in_vain_twice));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_vain, &config);
}
