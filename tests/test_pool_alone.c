// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The pool floor by itself: this program links ttmpool::pool, which has no buffers; it
 * takes, recycles and shrinks pages and tears pools down.
 */

#include "rig.h"

#define N 37 /* chunks of 32, 4 and 1 pages */

static struct pages *wc_pages(struct check *t, struct rig *rig)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = N,
					.caching = TTMPOOL_WRITE_COMBINED });
}

/* The pool hands out pages that are zero, have the requested caching, and can be reached
 * by the device. */
static void s05_a_pool_alone_populates(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = wc_pages(t, rig);
	CHECK(t, some);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK(t, pages_are_of(t, some, TTMPOOL_WRITE_COMBINED));
	CHECK(t, pages_hold(t, some, 0));
	CHECK(t, pages_fill(t, some, 0x5a));
	CHECK(t,
	      check_device_holds(t, rig->dev[0], some->dma_addr[N - 1], 0x5a));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that were given back are handed out again, zeroed, and no fresh page is taken. */
static void s10_a_pool_alone_recycles(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = wc_pages(t, rig);
	CHECK(t, some);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK(t, pages_fill(t, some, 0x5a));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, N);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK(t, pages_hold(t, some, 0));
	CHECK_EQ(t, rig_stats(rig).pages_hit, N);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, N);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* The shrinker releases the pooled pages, and no buffer could be swapped out. */
static void s11_a_pool_alone_shrinks(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager_stats stats;
	struct pages *some;

	CHECK(t, rig);
	some = wc_pages(t, rig);
	CHECK(t, some);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 0);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), N);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, N, true), N);
	CHECK_EQ(t, check_pages_out(t), 0);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_shrunk, N);
	CHECK_EQ(t, stats.pages_swappable, 0);
	CHECK(t, rig_close(t, rig));
}

/* If the budget is used up and nothing can be swapped out, a take fails and leaves its
 * arrays empty. */
static void s06_a_pool_alone_has_nothing_to_swap_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .page_budget = N });
	struct pages *first, *second;

	CHECK(t, rig);
	first = wc_pages(t, rig);
	second = wc_pages(t, rig);
	CHECK(t, first && second);
	CHECK_EQ(t, pages_take(first), 0);
	CHECK_EQ(t, pages_take(second), -ENOMEM);
	CHECK(t, !second->pages[0] && !second->dma_addr[0]);
	CHECK_EQ(t, pages_give(first), 0);
	CHECK_EQ(t, pages_cycle(second), 0);
	CHECK(t, rig_close(t, rig));
}

/* When a pool with pooled pages is torn down, the system gets all of them. */
static void s11_a_pool_alone_is_torn_down(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct pages *some;

	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		some = wc_pages(t, rig);
		CHECK(t, some);
		some->pool = &rig->pool[i];
		CHECK_EQ(t, pages_cycle(some), 0);
	}
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[1]), 0);
	rig->nr_pools = 1;
	CHECK_EQ(t, check_pages_out(t), N);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(pool_alone, CHECK_CASE(s05_a_pool_alone_populates),
	    CHECK_CASE(s10_a_pool_alone_recycles),
	    CHECK_CASE(s11_a_pool_alone_shrinks),
	    CHECK_CASE(s06_a_pool_alone_has_nothing_to_swap_out),
	    CHECK_CASE(s11_a_pool_alone_is_torn_down));
