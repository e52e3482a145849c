/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_DROP_IN_H
#define TTM_DROP_IN_H

/* What the files of the drop-in know of each other. */

#include <linux/kernel.h>

#include <drm/ttm/ttm_pool.h>

#include TTMPOOL_TTM_FLAGS_H

/* How many orders TTM has: as many as the page allocator (NR_PAGE_ORDERS), which is
 * more or fewer than ours where pages are larger. */
#define TTM_NR_ORDERS \
	((int)ARRAY_SIZE(((struct ttm_pool *)0)->caching[0].orders))

struct ttm_operation_ctx;
struct ttm_tt;
struct ttmpool_pool;
struct ttmpool_request;

/** ttmpool_ttm_start() - what every kernel's ttm_pool_init() does, when it has noted in
 * @pool what its caller asked for. */
void ttmpool_ttm_start(struct ttm_pool *pool, struct device *dev, int node);

/** ttmpool_ttm_pool() - ours behind TTM's; NULL if it could not be had. */
struct ttmpool_pool *ttmpool_ttm_pool(struct ttm_pool *pool);

/** ttmpool_ttm_request() - what is asked for of ours for all of a buffer. */
struct ttmpool_request ttmpool_ttm_request(struct ttm_pool *pool,
					   const struct ttm_tt *tt,
					   const struct ttm_operation_ctx *ctx);

/** ttmpool_ttm_ticket() - what the pages of a buffer are taken with, and given back. */
u32 ttmpool_ttm_ticket(const struct ttm_tt *tt);

/** ttmpool_ttm_error() - an error of ours, as TTM's callers know it. */
int ttmpool_ttm_error(int err);

/** ttmpool_ttm_is_backed_up() - has TTM moved the contents of the buffer to a file, by
 * ttm_pool_backup()? False where it has no such function. */
bool ttmpool_ttm_is_backed_up(const struct ttm_tt *tt);

/** ttmpool_ttm_give() - take back what a buffer has. */
void ttmpool_ttm_give(struct ttmpool_pool *ours, struct ttm_tt *tt, u32 ticket);

/** ttmpool_ttm_backup_init() - what of it can be seen in debugfs. */
void ttmpool_ttm_backup_init(void);

/** ttmpool_ttm_trim_node() - what lies pooled above the limit of the node that @pool wants
 * goes to the system, where TTM has a limit for each node. May sleep. */
void ttmpool_ttm_trim_node(const struct ttm_pool *pool);

/** ttmpool_ttm_no_device() - stands for the device of who names none; NULL if it could
 * not be made. For who holds the shared manager. */
struct device *ttmpool_ttm_no_device(void);

/** ttmpool_ttm_no_device_put() - it goes with the last user. */
void ttmpool_ttm_no_device_put(void);

/** ttmpool_ttm_mirror_init(), ttmpool_ttm_mirror() - make the members of @pool that TTM's own
 * tests read say what is so: see mirror.c. */
void ttmpool_ttm_mirror_init(struct ttm_pool *pool);
void ttmpool_ttm_mirror(struct ttm_pool *pool);

#endif
