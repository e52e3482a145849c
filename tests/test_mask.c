// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device whose DMA mask changes after its pool was made (f57): the pool follows it, for
 * pages of either source.
 */

#include <ttmpool/backup.h>

#include "rig.h"

#define N        21 /* chunks of 16, 4 and 1 pages */
#define SHORT    28 /* bits */
#define LAST(as) (((uint64_t)1 << (as)) - 1)

static struct pages *open_pages(struct check *t, struct rig *rig, int source,
				size_t n)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = n,
					.source = (enum ttmpool_source)source,
					.caching = TTMPOOL_WRITE_COMBINED });
}

/* Does the device reach all pages, by addresses within the mask? */
static bool reaches(struct check *t, struct pages *some, unsigned int bits)
{
	uint64_t size = (uint64_t)1 << some->pool->info.page_shift;

	for (size_t i = 0; i < some->req.num_pages; i++)
		if (some->dma_addr[i] + size - 1 > LAST(bits))
			return false;
	return check_device_holds(t, some->pool->dev, some->dma_addr[0], 0);
}

/* Can the device have such a mask on this machine? */
static bool can_be_short(struct check *t)
{
	return check_set_mask(t, check_device(t, 0, 64), SHORT);
}

static bool is_beyond(const struct pages *some, unsigned int bits)
{
	for (size_t i = 0; i < some->req.num_pages; i++)
		if (some->dma_addr[i] > LAST(bits))
			return true;
	return false;
}

/* When the mask becomes wider, an address beyond the first mask is not a bad address. */
static void f57_a_wider_mask_is_followed(struct check *t)
{
	static const size_t sizes[] = { 1, N };

	if (!can_be_short(t))
		return;
	for (int i = 0; i < 2 * TTMPOOL_SOURCE_COUNT; i++) {
		struct rig *rig;
		struct pages *some;

		check_set_mask(t, check_device(t, 0, 64), SHORT);
		rig = rig_open(t, &(struct rig_config){ .mask_bits = SHORT });
		CHECK(t, rig);
		some = open_pages(t, rig, i / 2, sizes[i % 2]);
		CHECK(t, some && !pages_cycle(some));
		CHECK(t, check_set_mask(t, rig->dev[0], 64));
		ttmpool_pool_drain(&rig->pool[0]);
		for (int j = 0; j < 2; j++) {
			CHECK_EQ(t, pages_take(some), 0);
			CHECK(t, reaches(t, some, 63));
			CHECK(t, rig_is_quiet(t, rig));
			CHECK_EQ(t, pages_give(some), 0);
		}
		CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* When the mask becomes narrower, pooled pages with a mapping beyond it are not handed
 * out, whether a buffer has one chunk or several. */
static void f57_a_narrower_mask_is_followed(struct check *t)
{
	static const size_t sizes[] = { 1, N };

	if (!can_be_short(t))
		return;
	for (int i = 0; i < 2 * TTMPOOL_SOURCE_COUNT; i++) {
		struct rig *rig;
		struct pages *some;
		bool beyond;

		check_set_mask(t, check_device(t, 0, 64), 64);
		rig = rig_open(t, &(struct rig_config){ 0 });
		CHECK(t, rig);
		some = open_pages(t, rig, i / 2, sizes[i % 2]);
		CHECK(t, some && !pages_take(some));
		beyond = is_beyond(some, SHORT);
		CHECK_EQ(t, pages_give(some), 0);
		CHECK(t, check_set_mask(t, rig->dev[0], SHORT));
		for (int j = 0; j < 2; j++) {
			CHECK_EQ(t, pages_take(some), 0);
			CHECK(t, reaches(t, some, SHORT));
			CHECK(t, pages_hold(t, some, 0));
			CHECK_EQ(t, pages_give(some), 0);
		}
		CHECK(t, !beyond || rig_stats(rig).pages_released);
		CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_BAD_ADDRESS), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Pages that are in use when the mask becomes narrower can be given back, and are not
 * handed out again at their old addresses. */
static void f57_what_is_in_use_comes_back(struct check *t)
{
	if (!can_be_short(t))
		return;
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct rig *rig;
		struct pages *some;

		check_set_mask(t, check_device(t, 0, 64), 64);
		rig = rig_open(t, &(struct rig_config){ 0 });
		CHECK(t, rig);
		some = open_pages(t, rig, source, N);
		CHECK(t, some && !pages_take(some));
		CHECK(t, check_set_mask(t, rig->dev[0], SHORT));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, pages_take(some), 0);
		CHECK(t, reaches(t, some, SHORT));
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Three ways in which pages are made or mapped. */
static int come_by_a_take(struct pages *some)
{
	return pages_cycle(some);
}

static int come_by_a_prime(struct pages *some)
{
	return ttmpool_pool_prime(some->pool, &some->req, true);
}

static int come_by_getting_ready(struct pages *some)
{
	int err = ttmpool_pool_ready(some->pool, &some->req, some->pages,
				     some->dma_addr);

	return err ? err : pages_give(some);
}

/* Pages that were made or mapped while the mask was wider for a time, by a take, a prime
 * or a ready, are not handed out beyond the first mask afterwards. */
static void f57_what_came_by_a_wider_mask_goes(struct check *t)
{
	static int (*const ways[])(struct pages * some) = {
		come_by_a_take, come_by_a_prime, come_by_getting_ready
	};
	static const size_t sizes[] = { 1, N };

	if (!can_be_short(t))
		return;
	for (int i = 0; i < 3 * 2 * TTMPOOL_SOURCE_COUNT; i++) {
		struct pages *some;
		struct rig *rig;

		check_set_mask(t, check_device(t, 0, 64), SHORT);
		rig = rig_open(t, &(struct rig_config){ .mask_bits = SHORT });
		CHECK(t, rig);
		some = open_pages(t, rig, i / 6, sizes[i % 2]);
		CHECK(t, some);
		if (ways[i / 2 % 3] == come_by_getting_ready) {
			CHECK_EQ(t, pages_take(some), 0);
			CHECK_EQ(t,
				 ttmpool_pool_strip(some->pool, some->pages,
						    sizes[i % 2], 0),
				 0);
		}
		check_set_mask(t, rig->dev[0], 64);
		CHECK_EQ(t, ways[i / 2 % 3](some), 0);
		check_set_mask(t, rig->dev[0], SHORT);
		CHECK_EQ(t, pages_take(some), 0);
		CHECK(t, reaches(t, some, SHORT));
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK(t, rig_close(t, rig));
	}
}

CHECK_SUITE(mask, CHECK_CASE(f57_a_wider_mask_is_followed),
	    CHECK_CASE(f57_a_narrower_mask_is_followed),
	    CHECK_CASE(f57_what_is_in_use_comes_back),
	    CHECK_CASE(f57_what_came_by_a_wider_mask_goes));
