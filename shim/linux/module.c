// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ttmpool.ko: one manager, for as long as the module is loaded. */

#include <linux/debugfs.h>
#include <linux/module.h>

#include "ttmpool_debugfs.h"
#include "ttmpool_module.h"

static struct dentry *debugfs_root;

static int __init ttmpool_module_init(void)
{
	int err = ttmpool_module_get();

	if (err)
		return err;
	debugfs_root = debugfs_create_dir(KBUILD_MODNAME, NULL);
	ttmpool_debugfs_init(ttmpool_module_manager(), debugfs_root);
	return 0;
}

static void __exit ttmpool_module_exit(void)
{
	ttmpool_debugfs_fini();
	debugfs_remove(debugfs_root);
	ttmpool_module_put();
}

module_init(ttmpool_module_init);
module_exit(ttmpool_module_exit);
MODULE_DESCRIPTION("Page pool for GPU drivers");
MODULE_LICENSE("Dual MIT/GPL");
