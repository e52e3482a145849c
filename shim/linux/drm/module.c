// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * drm_gem_ttmpool.ko. Its pools belong to its drivers. It has a queue for what a thread must
 * not do itself: ending an object in reclaim (object.c), and moving contents while a signal is
 * pending (device.c). A queue with a rescuer may not wait for one without, but a change of
 * caching does (vm_unmap_aliases()). So this one has none.
 */

#include <linux/module.h>

#include "drm_gem_ttmpool_internal.h"

struct workqueue_struct *drm_gem_ttmpool_queue;

static int __init drm_gem_ttmpool_init(void)
{
	drm_gem_ttmpool_queue =
		alloc_workqueue("%s", WQ_UNBOUND, 0, KBUILD_MODNAME);
	return drm_gem_ttmpool_queue ? 0 : -ENOMEM;
}

static void __exit drm_gem_ttmpool_exit(void)
{
	destroy_workqueue(drm_gem_ttmpool_queue);
}

module_init(drm_gem_ttmpool_init);
module_exit(drm_gem_ttmpool_exit);
MODULE_DESCRIPTION("GEM objects on ttmpool");
MODULE_LICENSE("Dual MIT/GPL");
