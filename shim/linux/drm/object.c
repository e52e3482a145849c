// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Objects are created, pinned, mapped by the kernel, purged and freed. */

#include <linux/dma-buf.h>
#include <linux/dma-resv.h>
#include <linux/export.h>
#include <linux/iosys-map.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <drm/drm_drv.h>
#include <drm/drm_print.h>

#include "drm_gem_ttmpool_internal.h"

/* The driver may embed the object in its own, and may set functions of its own. */
static struct drm_gem_ttmpool_object *object_alloc(struct drm_device *dev,
						   size_t size)
{
	struct drm_gem_ttmpool_object *obj;
	struct drm_gem_object *base;

	if (!dev->driver->gem_create_object) {
		obj = kzalloc(sizeof(*obj), GFP_KERNEL);
		return obj ? obj : ERR_PTR(-ENOMEM);
	}
	base = dev->driver->gem_create_object(dev, size);
	return IS_ERR(base) ? ERR_CAST(base) : to_drm_gem_ttmpool_obj(base);
}

/* At the head: while the parent goes, its end must not come to an object that is new. */
static void object_register(struct drm_gem_ttmpool_object *obj)
{
	spin_lock(&obj->pool->lock);
	list_add(&obj->link, &obj->pool->objects);
	spin_unlock(&obj->pool->lock);
}

static void object_unregister(struct drm_gem_ttmpool_object *obj)
{
	spin_lock(&obj->pool->lock);
	list_del(&obj->link);
	spin_unlock(&obj->pool->lock);
	wake_up(&obj->pool->ended);
}

/**
 * drm_gem_ttmpool_create_private() - create an object of this device or of another
 * @dev: the device
 * @size: in bytes; rounded up to whole pages
 * @imported: its pages belong to another device
 *
 * May sleep.
 *
 * Return: the object; -EINVAL if @size is 0, or if @dev has no pool; -ENOMEM; what
 * drm_gem_create_mmap_offset() returns.
 */
struct drm_gem_ttmpool_object *
drm_gem_ttmpool_create_private(struct drm_device *dev, size_t size,
			       bool imported)
{
	struct drm_gem_ttmpool_device *pool = drm_gem_ttmpool_find(dev);
	struct drm_gem_ttmpool_object *obj;
	int err;

	if (!pool || !size || size > SIZE_MAX - PAGE_SIZE)
		return ERR_PTR(-EINVAL);
	obj = object_alloc(dev, PAGE_ALIGN(size));
	if (IS_ERR(obj))
		return obj;
	if (!obj->base.funcs)
		obj->base.funcs = &drm_gem_ttmpool_funcs;
	drm_gem_private_object_init(dev, &obj->base, PAGE_ALIGN(size));
	INIT_LIST_HEAD(&obj->madv_list);
	INIT_LIST_HEAD(&obj->link);
	obj->pool = pool;
	err = drm_gem_create_mmap_offset(&obj->base);
	if (err) {
		drm_gem_object_release(&obj->base);
		kfree(obj);
		return ERR_PTR(err);
	}
	if (!imported)
		object_register(obj);
	return obj;
}

/**
 * drm_gem_ttmpool_create() - create an object without pages
 * @dev: a device for which drmm_gem_ttmpool_init() was called
 * @size: in bytes; rounded up to whole pages
 *
 * The object gets pages, all zero, at its first use. May sleep.
 *
 * Return: the object, with one reference; or an error as above.
 */
struct drm_gem_ttmpool_object *drm_gem_ttmpool_create(struct drm_device *dev,
						      size_t size)
{
	return drm_gem_ttmpool_create_private(dev, size, false);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_create);

/* The device forgets the object last: until then, its parent waits for the pages. */
static void object_end(struct drm_gem_ttmpool_object *obj)
{
	if (object_is_imported(obj)) {
		drm_prime_gem_destroy(&obj->base, obj->sgt);
	} else {
		drm_WARN_ON(obj->base.dev, obj->vmap_use_count);
		drm_gem_ttmpool_end_pages(obj);
		object_unregister(obj);
	}
	drm_gem_object_release(&obj->base);
	kfree(obj);
}

/**
 * drm_gem_ttmpool_end_late() - end the objects whose last reference was dropped in reclaim
 * @work: of their device
 */
void drm_gem_ttmpool_end_late(struct work_struct *work)
{
	struct drm_gem_ttmpool_device *device =
		container_of(work, struct drm_gem_ttmpool_device, late_work);
	struct llist_node *late = llist_del_all(&device->late);
	struct drm_gem_ttmpool_object *obj, *next;

	llist_for_each_entry_safe(obj, next, late, late)
		object_end(obj);
}

/**
 * drm_gem_ttmpool_free() - end an object
 * @obj: an object without references; its memory is freed
 *
 * Takes the reservation lock. May sleep. In reclaim, where a driver's shrinker may drop the
 * last reference, a worker does it soon: the thread itself may be swapping out this object,
 * and the end of the object waits for that.
 */
void drm_gem_ttmpool_free(struct drm_gem_ttmpool_object *obj)
{
	struct drm_gem_ttmpool_device *device = obj->pool;

	if (!(current->flags & PF_MEMALLOC)) {
		object_end(obj);
		return;
	}
	/* drm_gem_lru_scan() may have it on a list on this thread's stack. */
	drm_gem_lru_remove(&obj->base);
	llist_add(&obj->late, &device->late);
	queue_work(drm_gem_ttmpool_queue, &device->late_work);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_free);

/**
 * drm_gem_ttmpool_pin_locked() - keep the pages of an object where they are
 * @obj: an object that is not imported; its reservation lock is held
 *
 * Contents that were swapped out come back. May sleep.
 *
 * Return: 0; or an error of drm_gem_ttmpool_get_ready(), and then it is not pinned.
 */
int drm_gem_ttmpool_pin_locked(struct drm_gem_ttmpool_object *obj)
{
	int err;

	dma_resv_assert_held(obj->base.resv);
	if (drm_WARN_ON(obj->base.dev, object_is_imported(obj)))
		return -EINVAL;
	err = drm_gem_ttmpool_get_ready(obj);
	if (!err && obj->be.tt.state == TTMPOOL_TT_POPULATED)
		err = ttmpool_bind(&obj->be);
	if (!err)
		obj->pages_pin_count++;
	return err;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_pin_locked);

/**
 * drm_gem_ttmpool_unpin_locked() - the reverse of drm_gem_ttmpool_pin_locked()
 * @obj: a pinned object; its reservation lock is held
 *
 * After the last unpin, the pages stay until others need them.
 */
void drm_gem_ttmpool_unpin_locked(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_assert_held(obj->base.resv);
	if (drm_WARN_ON(obj->base.dev, !obj->pages_pin_count))
		return;
	if (!--obj->pages_pin_count && obj->be.tt.state == TTMPOOL_TT_BOUND)
		drm_WARN_ON(obj->base.dev, ttmpool_unbind(&obj->be));
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_unpin_locked);

/**
 * drm_gem_ttmpool_pin() - drm_gem_ttmpool_pin_locked() for a caller without the lock
 * @obj: an object that is not imported
 *
 * Return: as there; -EINTR if a signal ended the wait for the lock.
 */
int drm_gem_ttmpool_pin(struct drm_gem_ttmpool_object *obj)
{
	int err = dma_resv_lock_interruptible(obj->base.resv, NULL);

	if (err)
		return err;
	err = drm_gem_ttmpool_pin_locked(obj);
	dma_resv_unlock(obj->base.resv);
	return err;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_pin);

/**
 * drm_gem_ttmpool_unpin() - drm_gem_ttmpool_unpin_locked() for a caller without the lock
 * @obj: a pinned object
 */
void drm_gem_ttmpool_unpin(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_lock(obj->base.resv, NULL);
	drm_gem_ttmpool_unpin_locked(obj);
	dma_resv_unlock(obj->base.resv);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_unpin);

/* The pages must be pinned. */
static int object_map(struct drm_gem_ttmpool_object *obj)
{
	if (!obj->vaddr)
		obj->vaddr = vmap(obj->pages, object_pages(obj), VM_MAP,
				  drm_gem_ttmpool_prot(obj, PAGE_KERNEL));
	return obj->vaddr ? 0 : -ENOMEM;
}

/**
 * drm_gem_ttmpool_vmap_locked() - map an object for the kernel
 * @obj: the object; its reservation lock is held
 * @map: filled in
 *
 * The object is pinned until drm_gem_ttmpool_vunmap_locked(). The mapping stays after
 * that as long as the pages do, so that the next call costs nothing. May sleep.
 *
 * Return: 0; -ENOMEM; what drm_gem_ttmpool_pin_locked() or, for an imported object,
 * dma_buf_vmap() returns. After an error nothing is mapped or pinned.
 */
int drm_gem_ttmpool_vmap_locked(struct drm_gem_ttmpool_object *obj,
				struct iosys_map *map)
{
	int err;

	dma_resv_assert_held(obj->base.resv);
	if (object_is_imported(obj))
		return dma_buf_vmap(obj->base.import_attach->dmabuf, map);
	err = drm_gem_ttmpool_pin_locked(obj);
	if (err)
		return err;
	err = object_map(obj);
	if (err) {
		drm_gem_ttmpool_unpin_locked(obj);
		return err;
	}
	obj->vmap_use_count++;
	iosys_map_set_vaddr(map, obj->vaddr);
	return 0;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_vmap_locked);

/**
 * drm_gem_ttmpool_vunmap_locked() - end the use of the kernel's mapping
 * @obj: the object; its reservation lock is held
 * @map: what drm_gem_ttmpool_vmap_locked() has filled in; cleared
 */
void drm_gem_ttmpool_vunmap_locked(struct drm_gem_ttmpool_object *obj,
				   struct iosys_map *map)
{
	dma_resv_assert_held(obj->base.resv);
	if (object_is_imported(obj)) {
		dma_buf_vunmap(obj->base.import_attach->dmabuf, map);
		return;
	}
	if (drm_WARN_ON(obj->base.dev, !obj->vmap_use_count))
		return;
	obj->vmap_use_count--;
	drm_gem_ttmpool_unpin_locked(obj);
	iosys_map_clear(map);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_vunmap_locked);

/**
 * drm_gem_ttmpool_madvise_locked() - say whether the contents are wanted
 * @obj: the object; its reservation lock is held
 * @madv: 0 if they are; positive if they may be purged
 *
 * Return: whether the contents are still there. Once purged, an object stays purged.
 */
int drm_gem_ttmpool_madvise_locked(struct drm_gem_ttmpool_object *obj, int madv)
{
	dma_resv_assert_held(obj->base.resv);
	if (obj->madv >= 0)
		obj->madv = madv;
	return obj->madv >= 0;
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_madvise_locked);

/**
 * drm_gem_ttmpool_is_purgeable() - whether the contents may be purged
 * @obj: the object; its reservation lock is held
 *
 * Return: whether it has contents that nobody wants, uses or shares.
 */
bool drm_gem_ttmpool_is_purgeable(struct drm_gem_ttmpool_object *obj)
{
	return obj->madv > 0 && object_is_made(obj) &&
	       obj->pages_pin_count == (obj->sgt ? 1 : 0) &&
	       !obj->base.dma_buf && !object_is_imported(obj);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_is_purgeable);

/**
 * drm_gem_ttmpool_purge_locked() - end the contents for good
 * @obj: an object for which drm_gem_ttmpool_is_purgeable() is true; its reservation lock is
 *	held
 *
 * Ends the pages, swapped-out contents and mappings. A process that touches its mapping of
 * the object gets SIGBUS. May sleep.
 */
void drm_gem_ttmpool_purge_locked(struct drm_gem_ttmpool_object *obj)
{
	dma_resv_assert_held(obj->base.resv);
	if (drm_WARN_ON(obj->base.dev, !drm_gem_ttmpool_is_purgeable(obj)))
		return;
	__drm_gem_ttmpool_free_sgt_locked(obj);
	drm_gem_ttmpool_end_contents(obj);
	obj->madv = -1;
	drm_gem_free_mmap_offset(&obj->base);
}
EXPORT_SYMBOL_GPL(drm_gem_ttmpool_purge_locked);
