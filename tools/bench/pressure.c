// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * W6: buffers of mixed sizes come and go while memory is short. A hog has taken all but
 * 256 MiB of memory, half of which the kernel keeps for itself; at intervals the hog
 * takes all that is left but 24 MiB, for a while. Then pooled pages must go, through the
 * kernel's own reclaim and its shrinkers. The results are quantiles of the times of
 * populates of each size, without the first thousand buffers, which come before the
 * pressure:
 *
 *     race: W6 wc PAGES p50 ARM n
 *     race: W6 wc PAGES p999 ARM n
 *     race: W6 wc PAGES refused ARM n       populates that found no memory
 *
 * The sizes are those of a desktop: many small ones, and some of 2 MiB. Their order is
 * the same for all arms.
 */

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/sort.h>
#include <linux/vmstat.h>

#include "race.h"

#define SLOTS 64
#define STEPS 4096

/* Steps before that, without pressure, which are not in the results. */
#define WARM_STEPS 1024

/* How much the hog leaves. Periodically, for as many steps, it takes all of that but the
 * kernel's own part, the pages that buffers have at that moment, and some slack for the
 * buffers to grow. */
#define LEFT_PAGES (SZ_256M >> PAGE_SHIFT)
#define RESERVE_PAGES \
	(SZ_128M >> PAGE_SHIFT) /* high marks, and lists of CPUs */
#define SLACK_PAGES ((SZ_16M + SZ_8M) >> PAGE_SHIFT)
#define SURGE_STEPS 64

/* @share: how many of 16 buffers have this size
 * @n: samples in @took, in nanoseconds
 * @refused: populates that failed for lack of memory */
struct size {
	size_t pages;
	unsigned int share;
	size_t n;
	size_t refused;
	u64 *took;
};

static struct size sizes[] = { { .pages = 16, .share = 8 },
			       { .pages = 64, .share = 4 },
			       { .pages = 512, .share = 4 } };

static struct buffer buffers[SLOTS];
static struct size *size_of_slot[SLOTS];
static LIST_HEAD(hogged);
static LIST_HEAD(surge);
static u32 dice;

static u32 roll(u32 below)
{
	dice = dice * 1664525 + 1013904223;
	return (u32)((u64)(dice >> 8) * below >> 24);
}

static void hog_give(struct list_head *list)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, list, lru) __free_page(page);
	INIT_LIST_HEAD(list);
}

/* Allocate as for a process that touches its memory: with all of reclaim, but without the
 * OOM killer. */
static void hog_take(struct list_head *list, size_t pages)
{
	for (; pages; pages--) {
		struct page *page = alloc_page(
			GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN);

		if (!page)
			return;
		list_add(&page->lru, list);
		cond_resched();
	}
}

static void hog_all_but(size_t pages)
{
	size_t free = global_zone_page_state(NR_FREE_PAGES);

	if (free > pages)
		hog_take(&hogged, free - pages);
}

static size_t surge_pages(void)
{
	size_t others = RESERVE_PAGES + SLACK_PAGES;

	for (u32 slot = 0; slot < SLOTS; slot++)
		if (size_of_slot[slot])
			others += size_of_slot[slot]->pages;
	return others < LEFT_PAGES ? LEFT_PAGES - others : 0;
}

static struct size *roll_size(void)
{
	u32 at = roll(16);
	size_t i = 0;

	while (at >= sizes[i].share)
		at -= sizes[i++].share;
	return &sizes[i];
}

static void slot_empty(const struct arm *arm, u32 slot)
{
	if (!size_of_slot[slot])
		return;
	arm->unpopulate(&buffers[slot]);
	arm->dispose(&buffers[slot]);
	size_of_slot[slot] = NULL;
}

/* One buffer ends, and another takes its place. */
static int step(const struct arm *arm)
{
	u32 slot = roll(SLOTS);
	struct size *size = roll_size();
	u64 began;
	int err;

	slot_empty(arm, slot);
	if (arm->work)
		arm->work();
	buffers[slot] = (struct buffer){ .pages = size->pages,
					 .caching = TTMPOOL_WRITE_COMBINED };
	err = arm->order(&buffers[slot]);
	if (err)
		return err;
	began = ktime_get_ns();
	err = arm->populate(&buffers[slot]);
	if (err) {
		arm->dispose(&buffers[slot]);
		size->refused++;
		return err == -ENOMEM ? 0 : err;
	}
	size->took[size->n++] = ktime_get_ns() - began;
	size_of_slot[slot] = size;
	cond_resched();
	return 0;
}

static int compare(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static void say(const struct arm *arm)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		const struct size *size = &sizes[i];

		pr_info("race: W6 wc %zu refused %s %zu\n", size->pages,
			arm->name, size->refused);
		if (!size->n)
			continue;
		sort(size->took, size->n, sizeof(*size->took), compare, NULL);
		pr_info("race: W6 wc %zu p50 %s %llu\n", size->pages, arm->name,
			size->took[size->n / 2]);
		pr_info("race: W6 wc %zu p90 %s %llu\n", size->pages, arm->name,
			size->took[size->n * 9 / 10]);
		pr_info("race: W6 wc %zu p99 %s %llu\n", size->pages, arm->name,
			size->took[size->n * 99 / 100]);
		pr_info("race: W6 wc %zu p999 %s %llu\n", size->pages,
			arm->name, size->took[size->n * 999 / 1000]);
	}
}

/* Run the first steps without pressure, so that nothing is allocated for the first time
 * later, and reset the figures. */
static int warm_up(const struct arm *arm)
{
	int err = 0;

	for (unsigned int i = 0; !err && i < WARM_STEPS; i++)
		err = step(arm);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		sizes[i].n = 0;
		sizes[i].refused = 0;
	}
	return err;
}

static int steps(const struct arm *arm)
{
	int err = warm_up(arm);

	for (unsigned int i = 0; !err && i < STEPS; i++) {
		if (i % (2 * SURGE_STEPS) == SURGE_STEPS)
			hog_take(&surge, surge_pages());
		else if (!(i % (2 * SURGE_STEPS)))
			hog_give(&surge);
		err = step(arm);
	}
	return err;
}

static int samples_alloc(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		sizes[i].n = 0;
		sizes[i].refused = 0;
		sizes[i].took = kvcalloc(STEPS, sizeof(u64), GFP_KERNEL);
		if (!sizes[i].took)
			return -ENOMEM;
	}
	return 0;
}

static void samples_free(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		kvfree(sizes[i].took);
		sizes[i].took = NULL;
	}
}

int race_pressure(const struct arm *arm, struct device *dev)
{
	int err = samples_alloc();

	if (err)
		goto free;
	err = arm->open(dev);
	if (err)
		goto free;
	dice = 1;
	hog_all_but(LEFT_PAGES);
	err = steps(arm);
	for (u32 slot = 0; slot < SLOTS; slot++)
		slot_empty(arm, slot);
	hog_give(&surge);
	arm->close();
	hog_give(&hogged);
	if (!err)
		say(arm);
free:
	samples_free();
	return err;
}
