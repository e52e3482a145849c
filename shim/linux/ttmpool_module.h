/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_MODULE_H
#define TTMPOOL_LINUX_MODULE_H

/*
 * What ttmpool.ko and the drop-in for ttm.ko add to the library: one manager for all their
 * users. A driver that embeds the library may link module_manager.o, and then has such a
 * manager for itself, or may have a manager of its own.
 */

#include <ttmpool/manager.h>

/** ttmpool_module_manager() - the manager that all drivers share; never NULL. */
struct ttmpool_manager *ttmpool_module_manager(void);

/**
 * ttmpool_module_get() - start the shared manager, unless another user has done so
 *
 * A driver calls it when its module is loaded. In ttmpool.ko the manager always exists, and
 * this function only counts users.
 *
 * Return: 0, or a negative errno; then ttmpool_module_put() must not be called.
 */
int ttmpool_module_get(void);

/**
 * ttmpool_module_put() - end the use of the shared manager
 *
 * The caller must have no pools any more. The last user ends the manager, and with it the
 * quarantine: pages that were in use when their pool ended go to the system. So a module
 * with a manager of its own ends its use when it is unloaded, and not with a device, because
 * somebody may still use such pages then.
 */
void ttmpool_module_put(void);

/**
 * ttmpool_module_pool_limit() - the current value of the parameter page_pool_size
 *
 * The caller must hold the shared manager.
 */
unsigned long ttmpool_module_pool_limit(void);

struct ttmpool_counters;

/** ttmpool_module_counters() - see ttmpool_system.h. */
const struct ttmpool_counters *ttmpool_module_counters(void);

#endif
