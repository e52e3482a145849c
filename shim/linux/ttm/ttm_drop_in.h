/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_DROP_IN_H
#define TTM_DROP_IN_H

/* What the files of the drop-in know of each other. */

#include <drm/ttm/ttm_pool.h>

struct ttmpool_pool;

/** ttm_drop_in_start() - what every kernel's ttm_pool_init() does. */
void ttm_drop_in_start(struct ttm_pool *pool, struct device *dev, int node,
		       bool use_dma_alloc, bool use_dma32);

/** ttm_drop_in_pool() - ours behind TTM's; NULL if it could not be had. */
struct ttmpool_pool *ttm_drop_in_pool(struct ttm_pool *pool);

/** ttm_no_device() - stands for the device of who names none; NULL if it could
 * not be made. For who holds the shared manager. */
struct device *ttm_no_device(void);

/** ttm_no_device_put() - it goes with the last user. */
void ttm_no_device_put(void);

/** ttm_mirror_init(), ttm_mirror() - make the members of @pool that TTM's own
 * tests read say what is so: see mirror.c. */
void ttm_mirror_init(struct ttm_pool *pool);
void ttm_mirror(struct ttm_pool *pool);

#endif
