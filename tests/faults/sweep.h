/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SWEEP_H
#define SWEEP_H

#include <linux/device.h>

#include <ttmpool/ttmpool.h>

/* More than a chunk of the largest order that either pool asks for. */
#define SWEEP_PAGES 3000

/**
 * struct sweep_op - an operation of one of the pools
 * @pool: whose: "ours" or "stock"
 * @name: of the operation
 * @pages: of a buffer; up to SWEEP_PAGES
 * @open: all that comes before it, while nothing fails
 * @run: the operation; may fail
 * @close: whatever it has left, while nothing fails. All pages are the system's
 *	after it.
 */
struct sweep_op {
	const char *pool;
	const char *name;
	size_t pages;
	int (*open)(struct device *dev, size_t pages,
		    enum ttmpool_caching caching);
	int (*run)(void);
	void (*close)(void);
};

/** sweep_ours, sweep_stock - what is swept; ended by one without a name. */
extern const struct sweep_op sweep_ours[];
extern const struct sweep_op sweep_stock[];

/** stock_start() - what loading ttm.ko would do for its pool. */
int stock_start(void);
void stock_end(void);

/** stock_pool_init() - ttm_pool_init(), of ordinary pages from any node. */
struct ttm_pool;
void stock_pool_init(struct ttm_pool *pool, struct device *dev);

/** stock_keep_nothing() - what is given back goes to the system, after stock_start(). */
void stock_keep_nothing(void);

/** blocks_provide() - the next pages that the system hands out have never been
 * split in the linear map.
 * @pages: so many of them, and more
 *
 * Return: 0; -ENOMEM if there are no more such pages. Where the linear map has
 * but small entries there is nothing to do. */
int blocks_provide(size_t pages);

/** blocks_end() - those that were passed over go back to the system. */
void blocks_end(void);

#endif
