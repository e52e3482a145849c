// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What all pools of ttm.ko share: the manager; its files in debugfs, which TTM creates with
 * its first device and removes with its last; and a device for pools that name none (qxl's,
 * whose pages are never mapped). That device reaches all of memory, is on no bus, and exists
 * while such pools do.
 *
 * Pages that are in use when their pool ends are in the manager's quarantine from then on,
 * which also holds their device's descriptor. (The driver core frees the memory of the
 * descriptor, not this module.) Their users may be left after the last device: a process
 * that has mapped a buffer, or another driver to which it was exported. So the manager
 * does not end with the last device, but with the module: by then there is neither a driver
 * that needs the module's symbols, nor a file or a mapping that holds such a driver. A TTM
 * that is built into the kernel keeps these pages for good.
 */

#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/seq_file.h>

#include <ttmpool/manager.h>

#include "../ttmpool_debugfs.h"
#include "../ttmpool_module.h"
#include "ttm_drop_in.h"
#include "ttm_module.h"

static DEFINE_MUTEX(lock);
static bool has_manager;
static struct device *no_device;
static unsigned int no_device_users;
static struct dentry *shrink_file;

int ttmpool_ttm_start_manager(void)
{
	int err = 0;

	mutex_lock(&lock);
	if (!has_manager) {
		err = ttmpool_module_get();
		has_manager = !err;
	}
	mutex_unlock(&lock);
	return err;
}

void ttmpool_ttm_end_manager(void)
{
	mutex_lock(&lock);
	if (has_manager)
		ttmpool_module_put();
	has_manager = false;
	mutex_unlock(&lock);
}

struct device *ttmpool_ttm_no_device(void)
{
	struct device *dev;

	mutex_lock(&lock);
	dev = no_device_users ? no_device
			      : root_device_register(KBUILD_MODNAME);
	if (!IS_ERR(dev) && !no_device_users++) {
		dev->dma_mask = &dev->coherent_dma_mask;
		dev->coherent_dma_mask = DMA_BIT_MASK(64);
		no_device = dev;
	}
	mutex_unlock(&lock);
	return IS_ERR(dev) ? NULL : dev;
}

void ttmpool_ttm_no_device_put(void)
{
	mutex_lock(&lock);
	if (!--no_device_users)
		root_device_unregister(no_device);
	mutex_unlock(&lock);
}

/* Like TTM's file of that name: reading it shrinks, as the kernel would. */
static int page_pool_shrink_show(struct seq_file *m, void *data)
{
	struct ttmpool_manager *mgr = ttmpool_module_manager();
	unsigned long count = ttmpool_manager_shrink_count(mgr, false);

	seq_printf(m, "%lu/%lu\n", count,
		   ttmpool_manager_shrink_scan(mgr, 128, false));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(page_pool_shrink);

/*
 * The default of the parameter page_pool_size is also half of memory, so @num_pages
 * is not used. TTM ignores the return value.
 */
int ttm_pool_mgr_init(unsigned long num_pages)
{
	int err = ttmpool_ttm_start_manager();

	if (err)
		return err;
	ttmpool_debugfs_init(ttmpool_module_manager(), ttm_debugfs_root);
	ttmpool_ttm_backup_init();
	shrink_file = debugfs_create_file("page_pool_shrink", 0400,
					  ttm_debugfs_root, NULL,
					  &page_pool_shrink_fops);
	return 0;
}

void ttm_pool_mgr_fini(void)
{
	debugfs_remove(shrink_file);
	shrink_file = NULL;
	ttmpool_debugfs_fini();
}
