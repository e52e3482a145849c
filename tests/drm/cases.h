/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DRM_CASES_H
#define DRM_CASES_H

#include <linux/printk.h>
#include <linux/string.h>

#include <drm/drm_device.h>
#include <drm/drm_drv.h>

#include <drm_gem_ttmpool.h>

#define PAGES 700
#define SIZE  (PAGES * PAGE_SIZE)

/* Print where a case failed, and end it. */
#define CHECK(cond)                                                       \
	do {                                                              \
		if (!(cond)) {                                            \
			pr_info("    # %s:%d: %s\n", kbasename(__FILE__), \
				__LINE__, #cond);                         \
			return false;                                     \
		}                                                         \
	} while (0)

/* device.c: up to two devices without hardware, for which buffers are mapped. */
int devices_start(void);
void devices_end(void);
struct drm_device *device_plug(int id);
void device_unplug(int id);

/* objects.c */
struct drm_gem_ttmpool_object *make_of(struct drm_device *dev, bool wc);
void end(struct drm_gem_ttmpool_object *obj);
void lock(struct drm_gem_ttmpool_object *obj);
void unlock(struct drm_gem_ttmpool_object *obj);
void *visit(struct drm_gem_ttmpool_object *obj, bool fill, u32 seed,
	    bool *good);
bool fill(struct drm_gem_ttmpool_object *obj, u32 seed);
bool holds(struct drm_gem_ttmpool_object *obj, u32 seed);

/* ends.c */
bool an_object_may_end_in_reclaim(void);
bool who_has_one_object_may_end_another(void);
bool a_device_waits_for_who_ends_an_object(void);
bool objects_may_end_while_the_device_goes(void);
bool a_kill_costs_no_contents(void);

#endif
