/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTM_MODULE_H
#define TTM_MODULE_H

/* What the drop-in needs from the file of this name in TTM's source. */

struct dentry;

extern struct dentry *ttm_debugfs_root;

#endif
