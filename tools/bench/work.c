// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The workloads, each on all pools by turns, A B B A, so that what drifts drifts
 * for all. Before each turn the other pools are empty: their pages have gone
 * back to the system, and this one gets the same.
 *
 *     W1 warm         populate and unpopulate what is pooled
 *     W2 cold         the same with nothing pooled; and beside it, the floor:
 *                     what nobody can leave out
 *     W3 fragmented   both, when only single pages are free
 *     W7 teardown     all that is pooled goes to the system: the last line of
 *                     each turn
 */

#include <linux/highmem.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "race.h"

static const struct arm *const warm_arms[] = { &arm_ttm, &arm_ttmpool, NULL };
static const struct arm *const cold_arms[] = { &arm_ttm, &arm_ttmpool,
					       &arm_floor, NULL };
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

/* There and back, as often as is said, and once more for the events. */
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
	for (int i = 0; !err && i < n; i++)
		err = take_turn(turn, arms[i], dev);
	turn->events = false;
	return err;
}

/* One size, warm and cold. The floor is of whole blocks, where there are any. */
static int go(const char *const names[2], bool whole, size_t pages,
	      enum ttmpool_caching caching, struct device *dev)
{
	struct turn turn = { .workload = names[0],
			     .pages = pages,
			     .caching = caching,
			     .warm = true };
	int err = take_turns(&turn, warm_arms, pages > 4096 ? 1 : 2, dev);

	if (err)
		return err;
	turn.workload = names[1];
	turn.warm = false;
	return take_turns(&turn, whole ? cold_arms : warm_arms, 1, dev);
}

static int go_all(const char *const names[2], bool whole, const size_t *sizes,
		  struct device *dev)
{
	int err = 0;

	for (; !err && *sizes; sizes++)
		for (int c = 0; !err && c < TTMPOOL_CACHING_COUNT; c++)
			if (*sizes <= 4096 || c == TTMPOOL_WRITE_COMBINED)
				err = go(names, whole, *sizes, c, dev);
	return err;
}

/* 1 GiB as flat arrays, and as runs. */
static int go_huge(struct device *dev)
{
	struct turn turn = { .workload = "W1",
			     .pages = SZ_1G >> PAGE_SHIFT,
			     .caching = TTMPOOL_WRITE_COMBINED,
			     .warm = true };

	return take_turns(&turn, huge_arms, 1, dev);
}

/* What it costs to clear a page as the kernel does. */
static int go_clear(void)
{
	struct page *page = alloc_pages(GFP_KERNEL, 9);
	u64 began;

	if (!page)
		return -ENOMEM;
	began = ktime_get_ns();
	for (int i = 0; i < 512; i++)
		clear_highpage(nth_page(page, i));
	pr_info("race: clear wb 512 clear ttm %llu\n", ktime_get_ns() - began);
	__free_pages(page, 9);
	return 0;
}

/*
 * Whose caching change leaves the linear map in one piece? First of all, for what
 * is divided stays so: the pool that leaves it whole before the one that does not.
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
	static const char *const single[] = { "W3-warm", "W3-cold" };
	static const size_t sizes[] = { 1, 16, 512, 4096, 16384, 0 };
	static const size_t single_sizes[] = { 16, 2048, 16384, 0 };
	int err = go_split(dev);

	if (!err)
		err = arm_ttmpool_swapout(dev);
	if (!err)
		err = go_clear();
	if (!err)
		err = go_all(whole, true, sizes, dev);
	if (!err)
		err = go_huge(dev);
	if (err)
		return err;
	err = fragment();
	if (err)
		return err;
	err = go_all(single, false, single_sizes, dev);
	defragment();
	return err;
}
