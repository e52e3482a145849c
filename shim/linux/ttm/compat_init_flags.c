// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Starting a pool, where TTM names a node, and the properties of the pool are bits
 * of one number.
 */

#include <linux/device.h>

#include "ttm_drop_in.h"

void ttm_pool_init(struct ttm_pool *pool, struct device *dev, int nid,
		   unsigned int alloc_flags)
{
	pool->nid = nid;
	pool->alloc_flags = alloc_flags;
	ttmpool_ttm_start(pool, dev, nid);
}
