// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The workloads, each on both pools by turns, A B B A, so that what drifts
 * drifts for both. Before each turn the other pool is empty: its pages have
 * gone back to the system, and this one gets the same.
 *
 *     W1 warm         populate and unpopulate what is pooled
 *     W2 cold         the same with nothing pooled
 *     W3 fragmented   both, when only single pages are free
 *     W7 teardown     all that is pooled goes to the system
 *
 * A line each: "race: WORKLOAD CACHING PAGES WHAT ARM NANOSECONDS", where the
 * machine's clock counts instructions, a nanosecond each; and once more with
 * the events counted: "events: WORKLOAD CACHING PAGES WHAT ARM name=n ...".
 */

#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>

#include "race.h"

static const char *const caching_names[] = { [TTMPOOL_UNCACHED] = "uc",
					     [TTMPOOL_WRITE_COMBINED] = "wc",
					     [TTMPOOL_CACHED] = "wb" };

/**
 * struct turn - what is done, by whom
 * @workload: its name
 * @arm: which pool
 * @pages, @caching: the buffer
 * @warm: pooled pages are there before
 * @events: count these, not the time
 */
struct turn {
	const char *workload;
	const struct arm *arm;
	size_t pages;
	enum ttmpool_caching caching;
	bool warm;
	bool events;
};

static char text[300];
static u64 began;

static void start(const struct turn *turn)
{
	if (turn->events)
		events_start();
	began = ktime_get_ns();
}

static void stop(const struct turn *turn, const char *what)
{
	u64 took = ktime_get_ns() - began;

	if (turn->events) {
		events_stop(text, sizeof(text));
		pr_info("events: %s %s %zu %s %s%s\n", turn->workload,
			caching_names[turn->caching], turn->pages, what,
			turn->arm->name, text);
		return;
	}
	pr_info("race: %s %s %zu %s %s %llu\n", turn->workload,
		caching_names[turn->caching], turn->pages, what,
		turn->arm->name, took);
}

static int populate_and_back(const struct turn *turn)
{
	const struct arm *arm = turn->arm;
	int err;

	if (turn->warm) {
		err = arm->populate();
		if (err)
			return err;
		arm->unpopulate();
	}
	start(turn);
	err = arm->populate();
	stop(turn, "populate");
	if (err)
		return err;
	start(turn);
	arm->unpopulate();
	stop(turn, "unpopulate");
	return 0;
}

static int take_turn(const struct turn *turn, struct device *dev)
{
	const struct arm *arm = turn->arm;
	int err = arm->open(dev);

	if (err)
		return err;
	err = arm->order(turn->pages, turn->caching);
	if (err)
		goto close;
	err = populate_and_back(turn);
	arm->dispose();
close:
	start(turn);
	arm->close();
	if (!err && turn->warm)
		stop(turn, "teardown");
	else if (turn->events)
		events_stop(text, sizeof(text));
	return err;
}

static int take_turns(struct turn *turn, struct device *dev)
{
	static const struct arm *const order[] = { &arm_ttm, &arm_ttmpool,
						   &arm_ttmpool, &arm_ttm };
	int err = 0;

	for (int i = 0; !err && i < 8; i++) {
		turn->arm = order[i % 4];
		turn->events = i >= 6; /* one of each */
		err = take_turn(turn, dev);
	}
	if (err)
		pr_err("race: %s %zu %s: %d\n", turn->workload, turn->pages,
		       turn->arm->name, err);
	return err;
}

/* Each size, caching and temperature. */
static int go(const char *warm, const char *cold, const size_t *sizes,
	      struct device *dev)
{
	int err = 0;

	for (; !err && *sizes; sizes++)
		for (int c = 0; !err && c < TTMPOOL_CACHING_COUNT; c++)
			for (int is_warm = 1; !err && is_warm >= 0; is_warm--) {
				struct turn turn = { .workload = is_warm ? warm
									 : cold,
						     .pages = *sizes,
						     .caching = c,
						     .warm = is_warm };

				err = take_turns(&turn, dev);
			}
	return err;
}

/* Take single pages until there are few, and give every second one back: no two
 * that are free are buddies. */
static void fragment(struct list_head *held)
{
	struct page *page, *next;
	bool odd;

	while (global_zone_page_state(NR_FREE_PAGES) > 16384) {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (!page)
			break;
		list_add(&page->lru, held);
		cond_resched();
	}
	list_for_each_entry_safe(page, next, held, lru)
	{
		odd = page_to_pfn(page) & 1;
		if (!odd)
			continue;
		list_del(&page->lru);
		__free_page(page);
	}
}

static void defragment(struct list_head *held)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, held, lru)
	{
		list_del(&page->lru);
		__free_page(page);
	}
}

int race_run(struct device *dev)
{
	static const size_t sizes[] = { 1, 16, 512, 4096, 0 };
	static const size_t small_sizes[] = { 16, 512, 0 };
	LIST_HEAD(held);
	int err = go("W1", "W2", sizes, dev);

	if (err)
		return err;
	fragment(&held);
	err = go("W3-warm", "W3-cold", small_sizes, dev);
	defragment(&held);
	return err;
}
