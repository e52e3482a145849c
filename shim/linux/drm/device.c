// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A pool for each device. Two lifetimes end here, at different times. The parent (a PCI
 * function, for example) goes when its driver is unbound: by then nothing may be mapped
 * for it. The DRM device goes after its last user: until then, files, mappings and dma-bufs
 * have objects, and objects need the pool.
 */

#include <linux/device.h>
#include <linux/dma-resv.h>
#include <linux/export.h>

#include <drm/drm_managed.h>
#include <drm/drm_print.h>

#include <ttmpool_module.h>

#include "drm_gem_ttmpool_internal.h"

static LIST_HEAD(devices);
static DEFINE_MUTEX(devices_lock);

/*
 * Returns the pool of a device, or NULL. The caller holds the device, which holds
 * the pool.
 */
struct drm_gem_ttmpool_device *drm_gem_ttmpool_find(struct drm_device *dev)
{
	struct drm_gem_ttmpool_device *device, *found = NULL;

	mutex_lock(&devices_lock);
	list_for_each_entry(device, &devices, link) {
		if (device->drm == dev)
			found = device;
	}
	mutex_unlock(&devices_lock);
	return found;
}

/* Called when the parent goes. Objects of a device without DMA stay as they are. */
static void parent_goes(void *data)
{
	struct drm_gem_ttmpool_device *device = data;
	struct drm_gem_ttmpool_object *obj;

	mutex_lock(&device->lock);
	WRITE_ONCE(device->gone, true);
	if (!device->no_dma) {
		list_for_each_entry(obj, &device->objects, link) {
			dma_resv_lock(obj->base.resv, NULL);
			drm_gem_ttmpool_leave_device(obj);
			dma_resv_unlock(obj->base.resv);
		}
	}
	mutex_unlock(&device->lock);
	ttmpool_pool_drain(&device->pool);
}

/* Called when nobody has the DRM device any more. */
static void device_ends(struct drm_device *dev, void *data)
{
	struct drm_gem_ttmpool_device *device = data;

	mutex_lock(&devices_lock);
	list_del(&device->link);
	mutex_unlock(&devices_lock);
	drm_WARN_ON(dev, !list_empty(&device->objects));
	drm_WARN_ON(dev, ttmpool_pool_fini(&device->pool));
	mutex_destroy(&device->lock);
	ttmpool_module_put();
}

static int start_pool(struct drm_gem_ttmpool_device *device,
		      const struct drm_gem_ttmpool_config *config)
{
	struct ttmpool_pool_config pool_config = {
		.name = config->name ? config->name : device->drm->unique,
		.dev = device->drm->dev,
		.node = TTMPOOL_NODE_OF_DEVICE,
		.policy = config->policy,
	};
	int err = ttmpool_module_get();

	if (err)
		return err;
	err = ttmpool_pool_init(&device->pool, ttmpool_module_manager(),
				&pool_config);
	if (err) {
		ttmpool_module_put();
		return err;
	}
	device->funcs = *(config->no_dma
				  ? &ttmpool_backend_plain
				  : ttmpool_backend_choose(&device->pool));
	device->funcs.trylock = drm_gem_ttmpool_hooks.trylock;
	device->funcs.unlock = drm_gem_ttmpool_hooks.unlock;
	device->funcs.vacate = drm_gem_ttmpool_hooks.vacate;
	return 0;
}

int drmm_gem_ttmpool_init(struct drm_device *dev,
			  const struct drm_gem_ttmpool_config *config)
{
	static const struct drm_gem_ttmpool_config by_default;
	struct drm_gem_ttmpool_device *device =
		drmm_kzalloc(dev, sizeof(*device), GFP_KERNEL);
	int err;

	if (!device)
		return -ENOMEM;
	if (!config)
		config = &by_default;
	device->drm = dev;
	device->no_dma = config->no_dma;
	mutex_init(&device->lock);
	INIT_LIST_HEAD(&device->objects);
	err = start_pool(device, config);
	if (err) {
		mutex_destroy(&device->lock);
		return err;
	}
	mutex_lock(&devices_lock);
	list_add(&device->link, &devices);
	mutex_unlock(&devices_lock);
	err = drmm_add_action_or_reset(dev, device_ends, device);
	if (err)
		return err;
	return devm_add_action_or_reset(dev->dev, parent_goes, device);
}
EXPORT_SYMBOL_GPL(drmm_gem_ttmpool_init);
