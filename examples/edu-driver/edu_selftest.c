// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The selftest: bytes go from the CPU through a page to the device, and back
 * through the page to the CPU, for pages of every order and caching. Every byte
 * is looked at.
 */

#include <linux/err.h>
#include <linux/string.h>

#include "edu.h"

#define SCREEN_PAGES 75

static void fill(u8 *bytes, size_t page, size_t offset)
{
	for (size_t i = 0; i < EDU_TRANSFER; i++)
		bytes[offset + i] = edu_pattern(page, offset + i);
	wmb(); /* out of the write-combining buffers, before the device looks */
}

static unsigned long count_wrong(const u8 *bytes, size_t page, size_t offset)
{
	unsigned long wrong = 0;

	for (size_t i = 0; i < EDU_TRANSFER; i++)
		wrong += bytes[offset + i] != edu_pattern(page, offset + i);
	return wrong;
}

/* One half of a page: to the device, wiped, and back. */
static int test_transfer(struct edu_bo *bo, size_t page, size_t offset,
			 struct edu_result *result)
{
	u8 *bytes = edu_bo_page(bo, page);
	int err;

	fill(bytes, page, offset);
	err = edu_read(bo->edu, bo->slot, page, offset);
	if (err)
		return err;
	memset(bytes + offset, 0, EDU_TRANSFER);
	wmb(); /* as above */
	err = edu_write(bo->edu, bo->slot, page, offset);
	result->transfers += 2;
	result->wrong += count_wrong(bytes, page, offset);
	return err;
}

static int test_page(struct edu_bo *bo, size_t page, struct edu_result *result)
{
	int err = 0;

	for (size_t at = 0; !err && at < PAGE_SIZE; at += EDU_TRANSFER)
		err = test_transfer(bo, page, at, result);
	return err;
}

/* The first page of a chunk and the last. */
static int test_order(struct edu *edu, unsigned int order,
		      enum ttmpool_caching caching, struct edu_result *result)
{
	size_t num_pages = (size_t)1 << order;
	struct edu_bo *bo = edu_bo_create(edu, num_pages, caching);
	int err;

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	err = test_page(bo, 0, result);
	if (!err && num_pages > 1)
		err = test_page(bo, num_pages - 1, result);
	edu_bo_destroy(bo);
	return err;
}

int edu_selftest(struct edu *edu, struct edu_result *result)
{
	struct ttmpool_policy policy;
	struct tpos_device_info info;
	int err = 0;

	tpos_device_query(&edu->pdev->dev, &info);
	ttmpool_policy_init(&policy, &info);
	for (unsigned int order = 0; !err && order <= policy.max_order; order++)
		for (int c = 0; !err && c < TTMPOOL_CACHING_COUNT; c++)
			err = test_order(edu, order, c, result);
	return err;
}

/* The screen keeps what was drawn on it, whatever happens to other buffers. */
int edu_screen_show(struct edu *edu)
{
	struct edu_bo *bo =
		edu_bo_create(edu, SCREEN_PAGES, TTMPOOL_WRITE_COMBINED);

	if (IS_ERR(bo))
		return PTR_ERR(bo);
	for (size_t page = 0; page < SCREEN_PAGES; page++)
		for (size_t at = 0; at < PAGE_SIZE; at += EDU_TRANSFER)
			fill(edu_bo_page(bo, page), page, at);
	edu->screen = bo;
	return 0;
}

int edu_screen_check(struct edu *edu, struct edu_result *result)
{
	struct edu_bo *bo = edu->screen;

	for (size_t page = 0; page < SCREEN_PAGES; page++)
		for (size_t at = 0; at < PAGE_SIZE; at += EDU_TRANSFER)
			result->wrong +=
				count_wrong(edu_bo_page(bo, page), page, at);
	return test_page(bo, SCREEN_PAGES - 1, result);
}
