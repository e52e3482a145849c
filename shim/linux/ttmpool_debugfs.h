/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_DEBUGFS_H
#define TTMPOOL_LINUX_DEBUGFS_H

struct ttmpool_manager;

/** ttmpool_debugfs_init() - files about @mgr in debugfs, directory ttmpool. */
void ttmpool_debugfs_init(struct ttmpool_manager *mgr);

/** ttmpool_debugfs_fini() - take them away, and wait for their readers. */
void ttmpool_debugfs_fini(void);

#endif
