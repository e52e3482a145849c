/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DRM_GEM_TTMPOOL_INTERNAL_H
#define DRM_GEM_TTMPOOL_INTERNAL_H

/*
 * The internal interface between the files of this directory:
 *
 *   device.c   a pool for each device, from probe until the last object is gone
 *   pages.c    how an object gets pages, and how it may lose them again
 *   object.c   objects are created, pinned, mapped by the kernel, purged and freed
 *   mmap.c     faults of processes
 *   module.c   a queue for what a thread must not do itself
 *   prime.c    scatter-gather tables, objects of other devices, and handing contents over
 *   funcs.c    functions that DRM calls by pointer, and dumb buffers
 *
 * The order of locks is: an object's reservation lock, the locks of the library. The library
 * only tries a reservation lock. The lock of the device's list of objects is a spinlock, and
 * no other is taken under it.
 */

#include <linux/list.h>
#include <linux/llist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <drm/drm_device.h>

#include "drm_gem_ttmpool.h"

/**
 * struct drm_gem_ttmpool_device - the pool and the objects of a device
 * @link: in the list of all such devices
 * @drm: the device
 * @pool: its pages
 * @funcs: how an object gets pages from the pool
 * @no_dma: nothing is mapped for the device
 * @lock: protects @objects and @ending
 * @objects: all objects that have no other device's pages, except those in @ending
 * @ending: objects that had no references any more when the parent went: other threads end
 *	them
 * @ended: where the parent's end waits until @ending is empty
 * @late: objects whose last reference was dropped in reclaim
 * @late_work: ends those in @late
 * @leave_work: cuts the objects off from the parent
 * @gone: the parent goes or is gone. A user of an object reads it under the object's
 *	reservation lock, which the writer takes afterwards for each object. It takes @lock
 *	before, so users of objects that are added later see it, too
 */
struct drm_gem_ttmpool_device {
	struct list_head link;
	struct drm_device *drm;
	struct ttmpool_pool pool;
	struct ttmpool_backend_funcs funcs;
	bool no_dma;
	spinlock_t lock; /* @objects and @ending */
	struct list_head objects;
	struct list_head ending;
	wait_queue_head_t ended;
	struct llist_head late;
	struct work_struct late_work;
	struct work_struct leave_work;
	bool gone;
};

static inline size_t object_pages(const struct drm_gem_ttmpool_object *obj)
{
	return obj->base.size >> PAGE_SHIFT;
}

/*
 * Returns whether the object belongs to another device and was imported by PRIME.
 */
static inline bool object_is_imported(const struct drm_gem_ttmpool_object *obj)
{
	return obj->base.import_attach;
}

/* Returns whether the object has been used. Before that, it has no backend. */
static inline bool object_is_made(const struct drm_gem_ttmpool_object *obj)
{
	return obj->be.pool;
}

/* module.c */
extern struct workqueue_struct *drm_gem_ttmpool_queue;

/* device.c */
struct drm_gem_ttmpool_device *drm_gem_ttmpool_find(struct drm_device *dev);

/* pages.c */
extern const struct ttmpool_backend_funcs drm_gem_ttmpool_hooks;
int drm_gem_ttmpool_make(struct drm_gem_ttmpool_object *obj);
int drm_gem_ttmpool_get_ready(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_end_mappings(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_leave_device(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_end_contents(struct drm_gem_ttmpool_object *obj);
void drm_gem_ttmpool_end_pages(struct drm_gem_ttmpool_object *obj);
pgprot_t drm_gem_ttmpool_prot(const struct drm_gem_ttmpool_object *obj,
			      pgprot_t prot);

/* object.c */
void drm_gem_ttmpool_end_late(struct work_struct *work);
struct drm_gem_ttmpool_object *
drm_gem_ttmpool_create_private(struct drm_device *dev, size_t size,
			       bool imported);

/* funcs.c */
extern const struct drm_gem_object_funcs drm_gem_ttmpool_funcs;

#endif
