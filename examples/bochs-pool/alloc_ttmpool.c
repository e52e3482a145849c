// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers of a ttmpool pool. */

#include <linux/module.h>
#include <linux/slab.h>

#include "bochs.h"
#include "alloc_ttmpool.h"

static bool wc;
module_param(wc, bool, 0444);
MODULE_PARM_DESC(wc, "Clients write through write-combining mappings");

static bool dma;
module_param(dma, bool, 0444);
MODULE_PARM_DESC(dma, "Map buffers for the device, which it does not need");

struct drm_gem_object *bochs_alloc_object(struct drm_device *drm, size_t size)
{
	struct drm_gem_ttmpool_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->map_wc = wc;
	return &obj->base;
}

int bochs_alloc_init(struct bochs *bochs)
{
	struct drm_gem_ttmpool_config config = { .no_dma = !dma };

	return drmm_gem_ttmpool_init(&bochs->drm, &config);
}
