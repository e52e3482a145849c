/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_RUNS_H
#define TTMPOOL_RUNS_H

#include <ttmpool/pool.h>

/**
 * struct ttmpool_runs - the pages of a buffer, for those who need no arrays
 * @link: in its pool's list, or alone
 * @chunks: its chunks, by falling order, and on no other list; only to be read,
 *	with ttmpool_for_each_chunk()
 * @pool: where they are from; NULL if it has none
 * @owner: the account that they are charged to, or NULL
 * @num_pages: how many pages they have
 *
 * A device whose page tables have entries for 2 MiB, or a scatterlist, wants to
 * know where each contiguous piece begins and how long it is. An array with an
 * entry a page says that 512 times over, and it has to be written, and read.
 *
 * Its address must not change while it has pages. Members are set by the library
 * alone.
 */
struct ttmpool_runs {
	struct ttmpool_list link;
	struct ttmpool_list chunks;
	struct ttmpool_pool *pool;
	struct ttmpool_owner *owner;
	size_t num_pages;
};

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
 * As ttmpool_pool_take() in all but the arrays: the work and the memory are a
 * chunk's, not a page's. Such pages are given back as runs, and by
 * ttmpool_pool_give() they are refused. May sleep.
 *
 * Return: as ttmpool_pool_take(). After an error @runs has no pages.
 */
int ttmpool_runs_take(struct ttmpool_pool *pool,
		      const struct ttmpool_request *req, bool mapped,
		      struct ttmpool_runs *runs);

/**
 * ttmpool_runs_give() - take them back
 * @runs: what ttmpool_runs_take() filled; it has no pages then
 *
 * May sleep. Does not allocate.
 *
 * Return: 0, or -EINVAL if it has no pages: they were given back before, or
 * their pool has been torn down, and has reported them.
 */
int ttmpool_runs_give(struct ttmpool_runs *runs);

/**
 * ttmpool_runs_fill() - write them down
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

#endif
