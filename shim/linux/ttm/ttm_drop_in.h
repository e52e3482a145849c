/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_DROP_IN_H
#define TTM_DROP_IN_H

/* What the files of the drop-in know of each other. */

#include <linux/kernel.h>

#include <drm/ttm/ttm_pool.h>

/* How many orders TTM has: as many as the page allocator (NR_PAGE_ORDERS), which is
 * more or fewer than ours where pages are larger. */
#define TTM_NR_ORDERS \
	((int)ARRAY_SIZE(((struct ttm_pool *)0)->caching[0].orders))

struct ttmpool_pool;

/** ttmpool_ttm_start() - what every kernel's ttm_pool_init() does. */
void ttmpool_ttm_start(struct ttm_pool *pool, struct device *dev, int node,
		       bool use_dma_alloc, bool use_dma32);

/** ttmpool_ttm_pool() - ours behind TTM's; NULL if it could not be had. */
struct ttmpool_pool *ttmpool_ttm_pool(struct ttm_pool *pool);

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
