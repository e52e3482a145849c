// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Buffers of the kernel's shmem helper. */

#include <linux/module.h>
#include <linux/slab.h>

#include "bochs.h"
#include "alloc_shmem.h"

static bool wc;
module_param(wc, bool, 0444);
MODULE_PARM_DESC(wc, "Clients write through write-combining mappings");

struct drm_gem_object *bochs_alloc_object(struct drm_device *drm, size_t size)
{
	struct drm_gem_shmem_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);

	if (!obj)
		return ERR_PTR(-ENOMEM);
	obj->map_wc = wc;
	/* Or reclaim takes pages for clean that only a client has written to. */
	obj->pages_mark_dirty_on_put = true;
	return &obj->base;
}

int bochs_alloc_init(struct bochs *bochs)
{
	return 0;
}
