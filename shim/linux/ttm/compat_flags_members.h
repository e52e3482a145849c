/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef COMPAT_FLAGS_MEMBERS_H
#define COMPAT_FLAGS_MEMBERS_H

/*
 * How a pool was started, where struct ttm_pool has a member for each property. The functions
 * have the names that later kernels have in their ttm_pool_internal.h.
 */

#include <drm/ttm/ttm_pool.h>

static inline bool ttm_pool_uses_dma_alloc(const struct ttm_pool *pool)
{
	return pool->use_dma_alloc;
}

static inline bool ttm_pool_uses_dma32(struct ttm_pool *pool)
{
	return pool->use_dma32;
}

static inline unsigned int ttm_pool_beneficial_order(struct ttm_pool *pool)
{
	return 0;
}

#endif
