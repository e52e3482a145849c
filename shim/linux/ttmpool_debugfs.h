/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_DEBUGFS_H
#define TTMPOOL_LINUX_DEBUGFS_H

struct dentry;
struct seq_file;
struct ttmpool_manager;
struct ttmpool_pool;

/** ttmpool_debugfs_init() - create the files about @mgr in the directory @dir. */
void ttmpool_debugfs_init(struct ttmpool_manager *mgr, struct dentry *dir);

/** ttmpool_debugfs_pool() - print the table of one pool. */
void ttmpool_debugfs_pool(struct seq_file *m, struct ttmpool_pool *pool);

/** ttmpool_debugfs_fini() - remove the files, if there are any, and wait for their readers. */
void ttmpool_debugfs_fini(void);

#endif
