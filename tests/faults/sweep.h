/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SWEEP_H
#define SWEEP_H

#include <linux/device.h>

#include <ttmpool/ttmpool.h>

/* More pages than a chunk of the largest order that either pool allocates. */
#define SWEEP_PAGES 3000

/**
 * struct sweep_op - an operation of one of the pools
 * @pool: which pool: "ours" or "stock"
 * @name: of the operation
 * @pages: of a buffer; up to SWEEP_PAGES
 * @open: everything before the operation, while nothing fails
 * @run: the operation; may fail
 * @close: cleans up whatever the operation has left, while nothing fails. After it the
 *	system has all pages.
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

/** sweep_ours, sweep_stock - the swept operations; the last one is followed by one
 * without a name. */
extern const struct sweep_op sweep_ours[];
extern const struct sweep_op sweep_stock[];

/** stock_start() - do what loading ttm.ko would do for its pool. */
int stock_start(void);
void stock_end(void);

/** stock_pool_init() - ttm_pool_init(), for ordinary pages from any node. */
struct ttm_pool;
void stock_pool_init(struct ttm_pool *pool, struct device *dev);

/** stock_keep_nothing() - let the pool give all pages back to the system at once; called
 * after stock_start(). */
void stock_keep_nothing(void);

/** blocks_provide() - make the system hand out next only pages whose entries of the
 * linear map were never split.
 * @pages: at least that many of them
 *
 * Return: 0; -ENOMEM if there are no more such pages. If the linear map has only small
 * entries, there is nothing to do. */
int blocks_provide(size_t pages);

/** blocks_end() - give the blocks that were held back to the system. */
void blocks_end(void);

#endif
