/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_RUNS_H
#define TTMPOOL_RUNS_H

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_run - contiguous pages, at contiguous addresses
 * @page: the first of them
 * @dma_addr: its address, 0 if they are not mapped
 * @num_pages: how many
 */
struct ttmpool_run {
	tpos_page_t *page;
	tpos_dma_addr_t dma_addr;
	size_t num_pages;
};

/**
 * ttmpool_runs_take() - hand out pages as runs
 * @pool: the pool
 * @req: what is needed
 * @mapped: they shall be mapped for the device
 * @runs: uninitialised memory, or what ttmpool_runs_give() left
 *
 * As ttmpool_pool_take(), but without arrays: its work and memory grow with the number of
 * chunks, not of pages. The caller gives such pages back by ttmpool_runs_give();
 * ttmpool_pool_give() refuses them. May sleep.
 *
 * Return: as ttmpool_pool_take(). After an error @runs has no pages.
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
 * Return: 0, or -EINVAL if it has no pages: they were given back before, or
 * their pool has been torn down, and has reported them.
 */
int ttmpool_runs_give(struct ttmpool_runs *runs);

/**
 * ttmpool_runs_fill() - write the runs to an array
 * @runs: the runs
 * @to: an array of @room, the caller's
 * @room: write no more than so many
 *
 * Neighbours in memory and in the device's address space are one run.
 *
 * Return: how many runs there are, which may be more than @room.
 */
size_t ttmpool_runs_fill(const struct ttmpool_runs *runs,
			 struct ttmpool_run *to, size_t room);

TPOS_API_END

#endif
