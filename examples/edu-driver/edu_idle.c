// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Idle buffers: filled once, and then nobody's for a while. When memory is
 * short they go to the store, without a word to whoever filled them; when they
 * are wanted they come back, and every byte is looked at.
 *
 * Of sysfs, "fill" makes them, and "check" takes them back.
 */

#include <linux/err.h>

#include "edu.h"

#define IDLE_PAGES 512 /* 2 MiB */

static void idle_write(struct edu_bo *bo, size_t n)
{
	for (size_t page = 0; page < IDLE_PAGES; page++) {
		u8 *bytes = edu_bo_page(bo, page);

		for (size_t i = 0; i < PAGE_SIZE; i++)
			bytes[i] = edu_pattern(page + n, i);
	}
	wmb(); /* out of the write-combining buffers */
}

static unsigned long idle_wrong(struct edu_bo *bo, size_t n)
{
	unsigned long wrong = 0;

	for (size_t page = 0; page < IDLE_PAGES; page++) {
		const u8 *bytes = edu_bo_page(bo, page);

		for (size_t i = 0; i < PAGE_SIZE; i++)
			wrong += bytes[i] != edu_pattern(page + n, i);
	}
	return wrong;
}

void edu_idle_end(struct edu *edu)
{
	for (size_t n = 0; n < EDU_IDLE; n++) {
		if (edu->idle[n])
			edu_bo_destroy(edu->idle[n]);
		edu->idle[n] = NULL;
	}
}

int edu_idle_fill(struct edu *edu, struct edu_result *result)
{
	struct edu_bo *bo;

	edu_idle_end(edu);
	for (size_t n = 0; n < EDU_IDLE; n++) {
		bo = edu_bo_create(edu, IDLE_PAGES, n % TTMPOOL_CACHING_COUNT);
		if (IS_ERR(bo))
			return PTR_ERR(bo);
		edu->idle[n] = bo;
		idle_write(bo, n);
		edu_bo_idle(bo);
	}
	return 0;
}

/* The last page, to the device's own buffer and back. */
static int idle_transfer(struct edu_bo *bo, struct edu_result *result)
{
	int err = edu_read(bo->edu, bo->slot, IDLE_PAGES - 1, 0);

	if (!err)
		err = edu_write(bo->edu, bo->slot, IDLE_PAGES - 1, 0);
	result->transfers += 2;
	return err;
}

int edu_idle_check(struct edu *edu, struct edu_result *result)
{
	int err = 0;

	for (size_t n = 0; !err && n < EDU_IDLE; n++) {
		struct edu_bo *bo = edu->idle[n];

		if (!bo)
			return -ENODATA;
		result->swapped += bo->be.pages_stored;
		err = edu_bo_use(bo);
		if (err)
			break;
		err = idle_transfer(bo, result);
		result->wrong += idle_wrong(bo, n);
		edu_bo_idle(bo);
	}
	return err;
}
