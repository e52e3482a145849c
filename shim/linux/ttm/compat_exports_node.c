// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The symbols of the pool that drivers see, where drivers may start pools: see
 * compat_exports.c.
 */

#include <linux/module.h>
#include <linux/dma-mapping.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>

#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>
#include <drm/ttm/ttm_bo.h>

#include "ttm_module.h"

EXPORT_SYMBOL(ttm_pool_alloc);
EXPORT_SYMBOL(ttm_pool_debugfs);
EXPORT_SYMBOL(ttm_pool_fini);
EXPORT_SYMBOL(ttm_pool_free);
EXPORT_SYMBOL(ttm_pool_init);
