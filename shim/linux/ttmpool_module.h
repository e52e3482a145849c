/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_MODULE_H
#define TTMPOOL_LINUX_MODULE_H

/*
 * What ttmpool.ko has beyond the library: one manager for all its users. A
 * driver that embeds the library has a manager of its own, and none of this.
 */

#include <ttmpool/manager.h>

/** ttmpool_module_manager() - the one that all drivers share; never NULL. */
struct ttmpool_manager *ttmpool_module_manager(void);

struct ttmpool_counters;

/** ttmpool_module_counters() - see ttmpool_system.h. */
const struct ttmpool_counters *ttmpool_module_counters(void);

#endif
