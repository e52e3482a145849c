// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A pool for each device. Two lifetimes end here, at different times. The parent (a PCI
 * function, for example) goes when its driver is unbound: by then nothing may be mapped
 * for it. The DRM device goes after its last user: until then, files, mappings and dma-bufs
 * have objects, and objects need the pool.
 *
 * While the parent goes, clients go on: they make objects, use them, and end them. A thread
 * that has the reservation lock of one object may end another. So the parent's end holds no
 * lock while it waits for a reservation lock. It has a reference to that object instead.
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

/*
 * Returns the first object of the list after @prev, or the first of all, with a reference;
 * drops that to @prev, which has kept it on the list. An object without references is on its
 * way out in another thread, and moves to the list of those.
 */
static struct drm_gem_ttmpool_object *
object_after(struct drm_gem_ttmpool_device *device,
	     struct drm_gem_ttmpool_object *prev)
{
	struct drm_gem_ttmpool_object *obj, *next, *found = NULL;

	spin_lock(&device->lock);
	obj = list_prepare_entry(prev, &device->objects, link);
	list_for_each_entry_safe_continue(obj, next, &device->objects, link) {
		if (kref_get_unless_zero(&obj->base.refcount)) {
			found = obj;
			break;
		}
		list_move_tail(&obj->link, &device->ending);
	}
	spin_unlock(&device->lock);
	if (prev)
		drm_gem_object_put(&prev->base);
	return found;
}

/*
 * A worker does it, because whoever unbinds the driver may be killed meanwhile. Then the
 * library would stop moving contents, and they would be lost.
 */
static void objects_leave(struct work_struct *work)
{
	struct drm_gem_ttmpool_device *device =
		container_of(work, struct drm_gem_ttmpool_device, leave_work);
	struct drm_gem_ttmpool_object *obj = NULL;

	while ((obj = object_after(device, obj))) {
		dma_resv_lock(obj->base.resv, NULL);
		drm_gem_ttmpool_leave_device(obj);
		dma_resv_unlock(obj->base.resv);
	}
}

static bool none_is_ending(struct drm_gem_ttmpool_device *device)
{
	bool none;

	spin_lock(&device->lock);
	none = list_empty(&device->ending);
	spin_unlock(&device->lock);
	return none;
}

/* Called when the parent goes. Objects of a device without DMA stay as they are. */
static void parent_goes(void *data)
{
	struct drm_gem_ttmpool_device *device = data;

	WRITE_ONCE(device->gone, true);
	if (!device->no_dma) {
		queue_work(drm_gem_ttmpool_queue, &device->leave_work);
		flush_work(&device->leave_work);
		wait_event(device->ended, none_is_ending(device));
	}
	ttmpool_pool_drain(&device->pool);
}

/* Called when nobody has the DRM device any more. */
static void device_ends(struct drm_device *dev, void *data)
{
	struct drm_gem_ttmpool_device *device = data;

	mutex_lock(&devices_lock);
	list_del(&device->link);
	mutex_unlock(&devices_lock);
	flush_work(&device->late_work);
	drm_WARN_ON(dev, !list_empty(&device->objects));
	drm_WARN_ON(dev, ttmpool_pool_fini(&device->pool));
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
	spin_lock_init(&device->lock);
	INIT_LIST_HEAD(&device->objects);
	INIT_LIST_HEAD(&device->ending);
	init_waitqueue_head(&device->ended);
	init_llist_head(&device->late);
	INIT_WORK(&device->late_work, drm_gem_ttmpool_end_late);
	INIT_WORK(&device->leave_work, objects_leave);
	err = start_pool(device, config);
	if (err)
		return err;
	mutex_lock(&devices_lock);
	list_add(&device->link, &devices);
	mutex_unlock(&devices_lock);
	err = drmm_add_action_or_reset(dev, device_ends, device);
	if (err)
		return err;
	return devm_add_action_or_reset(dev->dev, parent_goes, device);
}
EXPORT_SYMBOL_GPL(drmm_gem_ttmpool_init);
