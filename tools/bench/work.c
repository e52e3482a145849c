// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The workloads, each on all pools in turns, A B B A, so that a drift affects all of
 * them. Before each turn the other pools are empty: their pages have gone back to the
 * system, so that each pool gets the same.
 *
 *     W1 warm         populate and unpopulate with pooled pages
 *     W2 cold         the same with nothing pooled; compared with the floor, the work
 *                     that nothing can avoid
 *     W3 fragmented   both, when only single pages are free
 *     W5 threads      one populates, the other gives back: threads.c
 *     W6 pressure     mixed sizes, while memory is short: pressure.c
 *     W7 teardown     all pooled pages go to the system: the last line of each turn
 *     W8 swap         contents are swapped out and in: swap.c
 *     W9 unbind       W7 of 1 GiB: nothing may stay mapped
 *     W10 backup      TTM's own way to move contents out and back: backup.c
 */

#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "../../shim/linux/ttmpool_system.h"
#include "race.h"

static const struct arm *const warm_arms[] = { &arm_ttm, &arm_dropin,
					       &arm_ttmpool, NULL };
static const struct arm *const cold_arms[] = { &arm_ttm, &arm_dropin,
					       &arm_ttmpool, &arm_floor, NULL };
static const struct arm *const huge_arms[] = { &arm_ttm, &arm_runs, NULL };

static int take_turn(struct turn *turn, const struct arm *arm,
		     struct device *dev)
{
	int err;

	turn->arm = arm;
	fragment_again();
	err = turn_take(turn, dev);
	if (err)
		pr_err("race: %s %zu %s: %d\n", turn->workload, turn->pages,
		       arm->name, err);
	return err;
}

/* Take the turns as often as is said, and once more for the events. */
static int take_turns(struct turn *turn, const struct arm *const *arms,
		      int times, struct device *dev)
{
	int err = 0, n = 0;

	while (arms[n])
		n++;
	for (int i = 0; !err && i < 2 * n * times; i++) {
		int at = i % (2 * n);

		err = take_turn(turn, arms[at < n ? at : 2 * n - 1 - at], dev);
	}
	turn->events = true;
	events_enable();
	for (int i = 0; !err && i < n; i++)
		err = take_turn(turn, arms[i], dev);
	events_disable();
	turn->events = false;
	return err;
}

/* One size, warm and cold. */
static int go(const char *const names[2], size_t pages,
	      enum ttmpool_caching caching, struct device *dev)
{
	struct turn turn = { .workload = names[0],
			     .pages = pages,
			     .caching = caching,
			     .warm = true };
	int err = take_turns(&turn, warm_arms, pages > 16 ? 1 : 2, dev);

	if (err)
		return err;
	turn.workload = names[1];
	turn.warm = false;
	return take_turns(&turn, cold_arms, 1, dev);
}

static int go_all(const char *const names[2], const size_t *sizes,
		  struct device *dev)
{
	int err = 0;

	for (; !err && *sizes; sizes++)
		for (int c = 0; !err && c < TTMPOOL_CACHING_COUNT; c++)
			if (*sizes == 512 || c == TTMPOOL_WRITE_COMBINED)
				err = go(names, *sizes, c, dev);
	return err;
}

/* All mappings that ttmpool made must be gone. */
static void say_mappings_left(void)
{
	pr_info("count: W9 wc 262144 mapped ttmpool %ld\n",
		atomic_long_read(&ttmpool_counters.maps) -
			atomic_long_read(&ttmpool_counters.unmaps));
}

/* 1 GiB as flat arrays, and as runs. */
static int go_huge(struct device *dev)
{
	struct turn turn = { .workload = "W1",
			     .pages = SZ_1G >> PAGE_SHIFT,
			     .caching = TTMPOOL_WRITE_COMBINED,
			     .warm = true };

	int err = take_turns(&turn, huge_arms, 1, dev);

	say_mappings_left();
	return err;
}

/* The sizes for memory in which only single pages are free. */
static int go_single(const size_t *sizes, struct device *dev)
{
	static const char *const names[] = { "W3-warm", "W3-cold" };
	int err = fragment();

	if (err)
		return err;
	err = go_all(names, sizes, dev);
	defragment();
	return err;
}

static int go_threads(struct device *dev)
{
	static const struct arm *const arms[] = { &arm_ttm, &arm_dropin,
						  &arm_ttmpool, &arm_magazine };
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(arms); i++)
		err = race_threads(arms[i], dev);
	return err;
}

/* The cost of clearing a page as TTM does (ttm_pool_type_give()). */
static int go_clear(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	u64 began;

	if (!page)
		return -ENOMEM;
	began = ktime_get_ns();
	for (int i = 0; i < 512; i++)
		clear_page(page_address(page) + i * PAGE_SIZE);
	pr_info("race: clear wb 512 clear ttm %llu\n", ktime_get_ns() - began);
	__free_pages(page, 9);
	return 0;
}

/*
 * Which pool's caching change leaves the linear map in one piece? It runs first, because
 * a split entry stays split: the pool that leaves it whole comes before the other.
 */
static int go_split(struct device *dev)
{
	static const struct arm *const arms[] = { &arm_ttmpool, &arm_ttm,
						  NULL };
	struct turn turn = { .workload = "split",
			     .pages = 16384,
			     .caching = TTMPOOL_WRITE_COMBINED };

	return take_turns(&turn, arms, 0, dev);
}

int race_run(struct device *dev)
{
	static const char *const whole[] = { "W1", "W2" };
	static const size_t sizes[] = { 16, 512, 16384, 0 };
	static const size_t single_sizes[] = { 2048, 16384, 0 };
	int err = go_split(dev);

	if (!err)
		err = race_swap(dev);
	if (!err)
		err = race_backup(dev);
	if (!err)
		err = go_threads(dev);
	if (!err)
		err = go_clear();
	if (!err)
		err = go_all(whole, sizes, dev);
	if (!err)
		err = go_huge(dev);
	return err ?: go_single(single_sizes, dev);
}

/* Without single pages: with them the kernel's own reclaim comes in between, and no two
 * runs are alike. */
int race_run_few(struct device *dev)
{
	static const char *const whole[] = { "W1", "W2" };
	int err = go_split(dev);

	if (!err)
		err = go_threads(dev);
	if (!err)
		err = go(whole, 16, TTMPOOL_WRITE_COMBINED, dev);
	return err ?: go(whole, 4096, TTMPOOL_WRITE_COMBINED, dev);
}

int race_run_pressed(struct device *dev)
{
	static const struct arm *const arms[] = { &arm_ttm, &arm_dropin,
						  &arm_ttmpool, &arm_prepared };
	int err = 0;

	for (size_t i = 0; !err && i < ARRAY_SIZE(arms); i++)
		err = race_pressure(arms[i], dev);
	return err;
}
