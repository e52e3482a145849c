// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The race in User-Mode Linux: TTM's pool and the drop-in on the same buffers, in turns,
 * A B B A, each with the other empty. Time is real here, and a line of each turn says
 * what one buffer took:
 *
 *     race: WORK PAGES WHAT ARM PICOSECONDS
 *
 *     populate          from pooled and cleared pages: TTM's pool cleared them when
 *                       they came back, in ours a worker did
 *     unpopulate-bare   of these, and TTM's pool does not clear, which it always does
 *     unpopulate        as usual; ours clears later
 *     both              one after the other, without a worker: ours clears when it
 *                       populates
 *     cold-populate     with nothing pooled
 *     cold-both         and back, which clears once more, at once or later
 *
 * TTM's pool keeps no cached pages, and ours keeps a small stock. So for these there are the
 * last two, and "both" of one buffer after the other.
 *
 * One measurement has so many buffers at once that reading the clock costs nothing. It is
 * a KUnit suite, because KUnit boots here and reports the end.
 */

#include <kunit/device.h>
#include <kunit/test.h>

#include <linux/dma-mapping.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_tt.h>

#include "bench.h"

#define PAIRS  31
#define ROUNDS 4

/* What is raced: plain pages, pages of the DMA API, plain pages on a machine without two
 * free neighbouring pages, and cached pages. */
struct work {
	const char *name;
	enum ttm_caching caching;
	bool coherent;
	bool single;
	const size_t *sizes; /* in pages, up to a 0 */
};

/* One race: @n buffers of @pages each. */
struct site {
	const struct work *work;
	const struct arm *arm;
	struct device *dev;
	size_t pages;
	size_t n;
	struct ttm_buffer_object bo;
	struct ttm_tt *tts;
};

/* As many buffers as fit into 32 MiB, but not thousands, and at least one. */
static size_t buffers_of(size_t pages)
{
	return clamp_t(size_t, 8192 / pages, 1, 1024);
}

static void dispose(struct site *site, size_t n)
{
	while (n--)
		ttm_tt_fini(&site->tts[n]);
	kvfree(site->tts);
}

/* The pages are cleared, as for userspace. */
static int order(struct site *site)
{
	int err = 0;

	site->n = buffers_of(site->pages);
	site->bo.base.size = site->pages << PAGE_SHIFT;
	site->tts = kvcalloc(site->n, sizeof(*site->tts), GFP_KERNEL);
	if (!site->tts)
		return -ENOMEM;
	for (size_t i = 0; i < site->n; i++) {
		err = ttm_sg_tt_init(&site->tts[i], &site->bo,
				     TTM_TT_FLAG_ZERO_ALLOC,
				     site->work->caching);
		if (err) {
			dispose(site, i);
			break;
		}
	}
	return err;
}

static int populate(struct site *site, u64 *ns)
{
	u64 began = ktime_get_ns();
	int err = 0;

	for (size_t i = 0; !err && i < site->n; i++)
		err = site->arm->populate(&site->tts[i]);
	*ns += ktime_get_ns() - began;
	return err;
}

static void unpopulate(struct site *site, u64 *ns)
{
	u64 began = ktime_get_ns();

	for (size_t i = 0; i < site->n; i++)
		site->arm->unpopulate(&site->tts[i]);
	*ns += ktime_get_ns() - began;
}

static void work(struct site *site)
{
	if (site->arm->work)
		site->arm->work();
}

static void say(const struct site *site, const char *what, u64 ns, int rounds)
{
	pr_info("race: %s %zu %s %s %llu\n", site->work->name, site->pages,
		what, site->arm->name, ns * 1000 / (rounds * site->n));
}

static int cold_turn(struct site *site)
{
	u64 there = 0, back = 0;
	int err = populate(site, &there);

	if (err)
		return err;
	unpopulate(site, &back);
	say(site, "cold-populate", there, 1);
	say(site, "cold-both", there + back, 1);
	return 0;
}

static int cold_turns(struct site *site)
{
	int err = 0;

	for (int i = 0; !err && i < ROUNDS; i++)
		err = cold_turn(site);
	return err;
}

/* One buffer after the other comes and goes. */
static int single_turn(struct site *site)
{
	u64 began = ktime_get_ns();
	int err = 0;

	for (size_t i = 0; !err && i < site->n; i++) {
		err = site->arm->populate(&site->tts[i]);
		if (!err)
			site->arm->unpopulate(&site->tts[i]);
	}
	if (!err)
		say(site, "both", ktime_get_ns() - began, 1);
	return err;
}

/* Pages that a worker has cleared. The pooled pages come from the cold turn. */
static int clean_turn(struct site *site)
{
	u64 clean = 0, bare = 0;

	for (int i = 0; i < ROUNDS; i++) {
		int err;

		work(site);
		err = populate(site, &clean);
		if (err)
			return err;
		stock_clears(false);
		unpopulate(site, &bare);
		stock_clears(true);
	}
	say(site, "populate", clean, ROUNDS);
	say(site, "unpopulate-bare", bare, ROUNDS);
	return 0;
}

/* Pages that no worker has cleared. If a worker was running before, the pages are not in
 * a cache, so the first round is not counted. */
static int dirty_turn(struct site *site)
{
	u64 there = 0, back = 0;

	for (int i = 0; i <= ROUNDS; i++) {
		int err;

		if (i == 1)
			there = back = 0;
		err = populate(site, &there);
		if (err)
			return err;
		unpopulate(site, &back);
	}
	say(site, "unpopulate", back, ROUNDS);
	say(site, "both", there + back, ROUNDS);
	return 0;
}

static int both_turns(struct site *site)
{
	int err = 0;

	if (site->work->single) {
		err = fragment();
		if (err)
			return err;
		fragment_again();
	}
	if (site->work->caching == ttm_cached)
		return cold_turns(site) ?: single_turn(site);
	err = cold_turn(site);
	if (!err)
		err = clean_turn(site);
	if (!err)
		err = dirty_turn(site);
	if (site->work->single)
		defragment();
	return err;
}

static int take_turn(struct site *site, const struct arm *arm)
{
	int err = arm->open(site->dev, site->work->coherent);

	if (err)
		return err;
	site->arm = arm;
	err = order(site);
	if (err)
		goto close;
	err = both_turns(site);
	dispose(site, site->n);
close:
	arm->close();
	cond_resched();
	return err;
}

/* The first turns of both are to warm up, and are not counted. */
static int race(struct site *site)
{
	static const struct arm *const arms[] = { &arm_stock, &arm_ours };
	int err = 0;

	for (int i = 0; !err && i <= PAIRS; i++) {
		err = take_turn(site, arms[i % 2]);
		if (!err)
			err = take_turn(site, arms[!(i % 2)]);
	}
	return err;
}

/* The host gives this machine a page at the first access, which takes time. */
static void touch_memory(void)
{
	LIST_HEAD(blocks);
	struct page *page, *next;

	while ((page = alloc_pages(GFP_NOWAIT | __GFP_NOWARN | __GFP_ZERO, 10)))
		list_add(&page->lru, &blocks);
	list_for_each_entry_safe(page, next, &blocks, lru)
		__free_pages(page, 10);
}

static const size_t sizes[] = { 1, 16, 512, 4096, 16384, 0 };
static const size_t single_sizes[] = { 16, 512, 4096, 0 };
static const size_t cached_sizes[] = { 1, 16, 512, 0 };

static const struct work works[] = {
	{ .name = "wc", .caching = ttm_write_combined, .sizes = sizes },
	{ .name = "dma",
	  .caching = ttm_write_combined,
	  .sizes = sizes,
	  .coherent = true },
	{ .name = "single",
	  .caching = ttm_write_combined,
	  .sizes = single_sizes,
	  .single = true },
	{ .name = "cached", .caching = ttm_cached, .sizes = cached_sizes },
};

static void ttm_race(struct kunit *test)
{
	const struct work *work = test->param_value;
	struct site *site = kunit_kzalloc(test, sizeof(*site), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, site);
	site->work = work;
	site->dev = kunit_device_register(test, "race");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, site->dev);
	KUNIT_ASSERT_EQ(test, 0,
			dma_set_mask_and_coherent(site->dev, DMA_BIT_MASK(64)));
	touch_memory();
	for (const size_t *pages = work->sizes; *pages; pages++) {
		site->pages = *pages;
		KUNIT_EXPECT_EQ(test, 0, race(site));
	}
}

static void work_name(const struct work *work, char *name)
{
	strscpy(name, work->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(work, works, work_name);

static struct kunit_case cases[] = {
	KUNIT_CASE_PARAM_ATTR(ttm_race, work_gen_params,
			      { .speed = KUNIT_SPEED_VERY_SLOW }),
	{}
};

static struct kunit_suite suite = { .name = "ttmpool_race",
				    .test_cases = cases };
kunit_test_suite(suite);
