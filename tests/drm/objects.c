// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Objects of the cases: all of one size, filled and checked by the CPU. */

#include <linux/dma-resv.h>
#include <linux/iosys-map.h>

#include "cases.h"

struct drm_gem_ttmpool_object *make_of(struct drm_device *dev, bool wc)
{
	struct drm_gem_ttmpool_object *obj = drm_gem_ttmpool_create(dev, SIZE);

	if (IS_ERR(obj))
		return NULL;
	obj->map_wc = wc;
	return obj;
}

void end(struct drm_gem_ttmpool_object *obj)
{
	drm_gem_object_put(&obj->base);
}

void lock(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_lock(obj->base.resv, NULL);
}

void unlock(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_unlock(obj->base.resv);
}

/* Check an object, or with @fill write to it; NULL if it could not be mapped. */
void *visit(struct drm_gem_ttmpool_object *obj, bool fill, u32 seed, bool *good)
{
	struct iosys_map map;
	u32 *words;

	lock(obj);
	if (drm_gem_ttmpool_vmap_locked(obj, &map)) {
		unlock(obj);
		return NULL;
	}
	words = map.vaddr;
	*good = true;
	for (size_t i = 0; i < SIZE / sizeof(*words); i++) {
		if (fill)
			words[i] = seed + i;
		else
			*good &= words[i] == seed + i;
	}
	drm_gem_ttmpool_vunmap_locked(obj, &map);
	unlock(obj);
	return words;
}

bool fill(struct drm_gem_ttmpool_object *obj, u32 seed)
{
	bool good = false;

	return visit(obj, true, seed, &good) && good;
}

bool holds(struct drm_gem_ttmpool_object *obj, u32 seed)
{
	bool good = false;

	return visit(obj, false, seed, &good) && good;
}
