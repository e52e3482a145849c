// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What TTM promises of its page pool, whichever is chosen, and no other suite looks at:
 * what a buffer gets, and backup where it cannot store anything. User-Mode Linux has no
 * swap space, so nothing is stored here.
 */

#include <linux/highmem.h>
#include <linux/mm.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_kunit_helpers.h"

/* So many pages have a buffer: not a power of two, so more than one chunk. */
#define PAGES 21

struct site {
	struct ttm_test_devices *devs;
	struct ttm_pool pool;
	struct ttm_tt tt;
};

static int site_init(struct kunit *test)
{
	struct site *site = kunit_kzalloc(test, sizeof(*site), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, site);
	site->devs = ttm_test_devices_basic(test);
	test->priv = site;
	return 0;
}

static void site_exit(struct kunit *test)
{
	struct site *site = test->priv;

	ttm_test_devices_put(test, site->devs);
}

/* Start a pool, and a buffer that has its pages. */
static struct site *populated(struct kunit *test, unsigned int alloc_flags,
			      enum ttm_caching caching)
{
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct site *site = test->priv;
	struct ttm_buffer_object *bo;

	bo = ttm_bo_kunit_init(test, site->devs, PAGES * PAGE_SIZE, NULL);
	KUNIT_ASSERT_NOT_NULL(test, bo);
	ttm_pool_init(&site->pool, site->devs->dev, NUMA_NO_NODE, alloc_flags);
	KUNIT_ASSERT_EQ(
		test, 0,
		ttm_tt_init(&site->tt, bo, TTM_TT_FLAG_ZERO_ALLOC, caching, 0));
	KUNIT_ASSERT_EQ(test, 0, ttm_pool_alloc(&site->pool, &site->tt, &ctx));
	return site;
}

static void end(struct site *site)
{
	ttm_tt_fini(&site->tt);
	ttm_pool_fini(&site->pool);
}

/* The order of a chunk stands in its first page, and its pages follow each other. */
static void ttm_pool_both_orders(struct kunit *test)
{
	struct site *site = populated(test, 0, ttm_write_combined);
	struct page **pages = site->tt.pages;
	pgoff_t n;

	for (pgoff_t i = 0; i < PAGES; i += n) {
		KUNIT_ASSERT_LE(test, page_private(pages[i]), MAX_PAGE_ORDER);
		n = 1UL << page_private(pages[i]);
		KUNIT_ASSERT_LE(test, i + n, PAGES);
		for (pgoff_t j = 1; j < n; j++)
			KUNIT_EXPECT_EQ(test, page_to_pfn(pages[i]) + j,
					page_to_pfn(pages[i + j]));
	}
	ttm_pool_free(&site->pool, &site->tt);
	end(site);
}

/* Pages that are pooled are zero when the next buffer has them. */
static void ttm_pool_both_zero(struct kunit *test)
{
	struct site *site =
		populated(test, TTM_ALLOCATION_POOL_USE_DMA_ALLOC, ttm_cached);
	struct ttm_operation_ctx ctx = { .interruptible = true };
	struct ttm_tt *tt = &site->tt;

	for (int i = 0; i < PAGES; i++)
		memset(page_address(tt->pages[i]), 0xa5, PAGE_SIZE);
	ttm_pool_free(&site->pool, tt);
	KUNIT_ASSERT_EQ(test, 0, ttm_pool_alloc(&site->pool, tt, &ctx));
	for (int i = 0; i < PAGES; i++)
		KUNIT_EXPECT_NULL(test, memchr_inv(page_address(tt->pages[i]),
						   0, PAGE_SIZE));
	ttm_pool_free(&site->pool, tt);
	end(site);
}

/* Without swap space a backup does nothing to a buffer. */
static void ttm_pool_both_backup_without_swap(struct kunit *test)
{
	const struct ttm_backup_flags flags = {};
	struct site *site = populated(test, 0, ttm_cached);
	struct page *first = site->tt.pages[0];

	if (ttm_backup_bytes_avail())
		kunit_skip(test, "there is swap space");
	KUNIT_EXPECT_EQ(test, -EBUSY,
			ttm_pool_backup(&site->pool, &site->tt, &flags));
	KUNIT_EXPECT_PTR_EQ(test, first, site->tt.pages[0]);
	ttm_pool_free(&site->pool, &site->tt);
	end(site);
}

/* Pages of the DMA API are neither backed up nor purged. */
static void ttm_pool_both_backup_dma_alloc(struct kunit *test)
{
	const struct ttm_backup_flags flags = { .purge = 1 };
	struct site *site =
		populated(test, TTM_ALLOCATION_POOL_USE_DMA_ALLOC, ttm_cached);
	struct page *first = site->tt.pages[0];

	KUNIT_EXPECT_EQ(test, -EBUSY,
			ttm_pool_backup(&site->pool, &site->tt, &flags));
	KUNIT_EXPECT_PTR_EQ(test, first, site->tt.pages[0]);
	ttm_pool_free(&site->pool, &site->tt);
	end(site);
}

/* A purge says how many pages have gone, which is all of them, and leaves none in the
 * array.
 */
static void ttm_pool_both_purge(struct kunit *test)
{
	const struct ttm_backup_flags flags = { .purge = 1 };
	struct site *site = populated(test, 0, ttm_write_combined);

	KUNIT_EXPECT_EQ(test, PAGES,
			ttm_pool_backup(&site->pool, &site->tt, &flags));
	for (int i = 0; i < PAGES; i++)
		KUNIT_EXPECT_NULL(test, site->tt.pages[i]);
	end(site);
}

/* A pool that has started has nothing pooled, and one that has ended has nothing left. */
static void ttm_pool_both_lists(struct kunit *test)
{
	struct site *site =
		populated(test, TTM_ALLOCATION_POOL_USE_DMA_ALLOC, ttm_cached);
	struct ttm_pool_type *pt = &site->pool.caching[ttm_cached].orders[0];

	KUNIT_EXPECT_EQ(test, 0, list_lru_count(&pt->pages));
	ttm_pool_free(&site->pool, &site->tt);
	KUNIT_EXPECT_NE(test, 0, list_lru_count(&pt->pages));
	end(site);
	KUNIT_EXPECT_EQ(test, 0, list_lru_count(&pt->pages));
}

static struct kunit_case cases[] = { KUNIT_CASE(ttm_pool_both_orders),
				     KUNIT_CASE(ttm_pool_both_zero),
				     KUNIT_CASE(
					     ttm_pool_both_backup_without_swap),
				     KUNIT_CASE(ttm_pool_both_backup_dma_alloc),
				     KUNIT_CASE(ttm_pool_both_purge),
				     KUNIT_CASE(ttm_pool_both_lists),
				     {} };

static struct kunit_suite suite = {
	.name = "ttm_pool_both",
	.init = site_init,
	.exit = site_exit,
	.test_cases = cases,
};

kunit_test_suites(&suite);

MODULE_DESCRIPTION("KUnit tests for what each page pool of TTM promises");
MODULE_LICENSE("Dual MIT/GPL");
