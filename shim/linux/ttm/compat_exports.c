// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The symbols of the pool that drivers see, where drivers do not start pools themselves. The
 * checksum of a symbol covers every type that its arguments lead to, as far as this file
 * knows it. So this file includes what TTM's own pool includes, and nothing of the library.
 */

#include <linux/module.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>

#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_bo_driver.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_module.h"

EXPORT_SYMBOL(ttm_pool_alloc);
EXPORT_SYMBOL(ttm_pool_debugfs);
EXPORT_SYMBOL(ttm_pool_free);
