/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_RUNS_H
#define TTMPOOL_RUNS_H

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_run - contiguous pages with contiguous addresses
 * @page: the first page
 * @dma_addr: the address of that page; 0 if the pages are not mapped
 * @num_pages: the number of pages
 */
struct ttmpool_run {
	tpos_page_t *page;
	tpos_dma_addr_t dma_addr;
	size_t num_pages;
};

/**
 * ttmpool_runs_take() - hand out pages as runs
 * @pool: the pool
 * @req: the request
 * @mapped: map the pages for the device
 * @runs: uninitialised memory, or what ttmpool_runs_give() left
 *
 * Like ttmpool_pool_take(), but without arrays: the time and the memory that it takes grow
 * with the number of chunks, not with the number of pages. The caller gives such pages back
 * by ttmpool_runs_give(); ttmpool_pool_give() refuses them. May sleep.
 *
 * Return: what ttmpool_pool_take() returns. After an error @runs has no pages.
 */
int TPOS_MUST_CHECK ttmpool_runs_take(struct ttmpool_pool *pool,
				      const struct ttmpool_request *req,
				      bool mapped, struct ttmpool_runs *runs);

/**
 * ttmpool_runs_give() - take runs back
 * @runs: what ttmpool_runs_take() filled; it has no pages afterwards
 *
 * May sleep. Does not allocate.
 *
 * Return: 0, or -EINVAL if @runs has no pages: they were given back before, or their pool
 * has been torn down and has reported them.
 */
int ttmpool_runs_give(struct ttmpool_runs *runs);

/**
 * ttmpool_runs_fill() - write runs to an array
 * @runs: the runs
 * @to: an array of @room elements, which belongs to the caller
 * @room: the most runs that are written
 *
 * Chunks that are neighbours both in memory and in the device's address space form one run.
 *
 * Return: the number of runs, which may be more than @room.
 */
size_t ttmpool_runs_fill(const struct ttmpool_runs *runs,
			 struct ttmpool_run *to, size_t room);

TPOS_API_END

#endif
