/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_DROP_IN_H
#define TTM_DROP_IN_H

/* The internal interface between the files of the drop-in. */

#include <linux/kernel.h>

#include <drm/ttm/ttm_pool.h>

#include TTMPOOL_TTM_FLAGS_H

/*
 * The number of TTM's orders: as many as the page allocator's (NR_PAGE_ORDERS),
 * which is more or fewer than the library's if pages are larger.
 */
#define TTM_NR_ORDERS \
	((int)ARRAY_SIZE(((struct ttm_pool *)0)->caching[0].orders))

struct ttm_operation_ctx;
struct ttm_tt;
struct ttmpool_pool;
struct ttmpool_request;

/**
 * ttmpool_ttm_start() - the part of ttm_pool_init() that is the same in every kernel
 *
 * Its caller has noted in @pool what it was asked for.
 */
void ttmpool_ttm_start(struct ttm_pool *pool, struct device *dev, int node);

/**
 * ttmpool_ttm_start_manager() - start the manager of all pools, unless there is one
 *
 * Return: 0, or a negative errno.
 */
int ttmpool_ttm_start_manager(void);

/**
 * ttmpool_ttm_end_manager() - end that manager, if there is one
 *
 * Nobody may use the pages of any pool any more.
 */
void ttmpool_ttm_end_manager(void);

/**
 * ttmpool_ttm_pool() - the library's pool behind TTM's; NULL if it could not be created, or
 * has ended
 */
struct ttmpool_pool *ttmpool_ttm_pool(struct ttm_pool *pool);

/** ttmpool_ttm_request() - the request to the library's pool for all pages of a buffer. */
struct ttmpool_request ttmpool_ttm_request(struct ttm_pool *pool,
					   const struct ttm_tt *tt,
					   const struct ttm_operation_ctx *ctx);

/**
 * ttmpool_ttm_ticket() - the ticket with which the pages of a buffer are taken and given back
 */
u32 ttmpool_ttm_ticket(const struct ttm_tt *tt);

/** ttmpool_ttm_error() - translate an error of the library for TTM's callers. */
int ttmpool_ttm_error(int err);

/**
 * ttmpool_ttm_is_backed_up() - whether ttm_pool_backup() has moved contents to a file
 *
 * False if TTM has no such function.
 */
bool ttmpool_ttm_is_backed_up(const struct ttm_tt *tt);

/** ttmpool_ttm_give() - give back the pages that a buffer has. */
void ttmpool_ttm_give(struct ttmpool_pool *ours, struct ttm_tt *tt, u32 ticket);

/** ttmpool_ttm_backup_init() - create the debugfs files about backups. */
void ttmpool_ttm_backup_init(void);

/**
 * ttmpool_ttm_trim_node() - free pages that are pooled above a node's limit
 *
 * Applies to the node that @pool wants, and only if TTM has a limit for each node. May sleep.
 */
void ttmpool_ttm_trim_node(const struct ttm_pool *pool);

/**
 * ttmpool_ttm_no_device() - the device of pools that name none
 *
 * The caller must hold the shared manager. Returns NULL if the device could not be created.
 */
struct device *ttmpool_ttm_no_device(void);

/** ttmpool_ttm_no_device_put() - end a use of that device; it goes with its last user. */
void ttmpool_ttm_no_device_put(void);

/**
 * ttmpool_ttm_mirror_init(), ttmpool_ttm_mirror() - update the members of @pool that TTM's own
 * tests read: see mirror.c
 */
void ttmpool_ttm_mirror_init(struct ttm_pool *pool);
void ttmpool_ttm_mirror(struct ttm_pool *pool);

#endif
