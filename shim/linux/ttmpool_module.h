/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_MODULE_H
#define TTMPOOL_LINUX_MODULE_H

/*
 * What ttmpool.ko and the drop-in for ttm.ko have beyond the library: one
 * manager for all their users. A driver that embeds the library has a manager
 * of its own, and none of this.
 */

#include <ttmpool/manager.h>

/** ttmpool_module_manager() - the one that all drivers share; never NULL. */
struct ttmpool_manager *ttmpool_module_manager(void);

/** ttmpool_module_get() - the shared manager shall be there from now on; 0, or
 * why it could not be started. */
int ttmpool_module_get(void);

/** ttmpool_module_put() - and need not be any more. */
void ttmpool_module_put(void);

struct ttmpool_counters;

/** ttmpool_module_counters() - see ttmpool_system.h. */
const struct ttmpool_counters *ttmpool_module_counters(void);

#endif
