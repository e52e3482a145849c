// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A load for a kernel in which calls are made to fail. The load itself makes nothing
 * fail, except for split and sweep: the failures come from outside, through debugfs and
 * /proc/self/fail-nth. Its files in /sys/module/ttmpool_churn/parameters:
 *
 *     run      write: a manager, a pool and their traffic, from the first call to the
 *              last. Calls may fail, but must leave nothing wrong.
 *     settle   write, when nothing fails any more: purge the quarantine; then no page
 *              may be out, and the whole linear map must be write-back. An error if
 *              not, or if a run was wrong
 *     reclaim  write: reclaim.c, in which nothing fails, and settle
 *     split    write: split.c, which makes calls fail itself, and settle
 *     sweep    write: sweep.c, which does so, too, and settle
 *
 *     refused  read: how many calls returned an error so far
 *     splits   read: how many failures split has made
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>

#include "churn.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static struct ttmpool_system churn_system = { .name = "churn" };
static struct ttmpool_manager mgr;
static struct ttmpool_pool pool;
static struct device *device;
static bool is_open;
static long pages_out_before;
static unsigned long refused;
static unsigned int splits;
static unsigned long wrong;

module_param(splits, uint, 0444);
MODULE_PARM_DESC(splits, "Failures that split has made");
module_param(refused, ulong, 0444);
MODULE_PARM_DESC(refused, "Calls that returned an error so far");

void churn_wrong(const char *what, long value)
{
	pr_err("wrong: %s: %ld\n", what, value);
	wrong++;
}

void churn_excuses(const char *what, int err)
{
	if (!err)
		return;
	refused++;
	if (err != -ENOMEM && err != -ENOSPC && err != -EIO)
		churn_wrong(what, err);
}

static long pages_out(void)
{
	return atomic_long_read(&ttmpool_module_counters()->pages_out);
}

/* Run @load with a new manager and pool, from the first call to the last. */
static void churn_run(void (*load)(struct ttmpool_pool *pool))
{
	struct ttmpool_manager_config config = {
		.system = &churn_system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_pool_config pool_config = {
		.name = "churn",
		.dev = device,
		.node = TTMPOOL_NODE_OF_DEVICE,
	};
	int err = ttmpool_manager_init(&mgr, &config);

	churn_excuses("manager_init", err);
	if (err)
		return;
	is_open = true;
	err = ttmpool_pool_init(&pool, &mgr, &pool_config);
	churn_excuses("pool_init", err);
	if (err)
		goto manager_fini;
	load(&pool);
	if (ttmpool_pool_fini(&pool))
		churn_wrong("pages were in use at the end", 0);
	if (!ttmpool_manager_is_valid(&mgr))
		churn_wrong("the manager's counters disagree", 0);
manager_fini:
	is_open = ttmpool_manager_fini(&mgr) != 0;
}

static void churn_settle(void)
{
	unsigned long special;

	if (is_open) {
		unsigned long left = ttmpool_manager_purge_quarantine(&mgr);

		if (left)
			churn_wrong("pages stay in quarantine", (long)left);
		if (!left && ttmpool_manager_fini(&mgr))
			churn_wrong("the manager does not end", 0);
		is_open = left;
	}
	if (pages_out() != pages_out_before)
		churn_wrong("pages are not back",
			    pages_out() - pages_out_before);
	special = linear_map_special();
	if (special)
		churn_wrong("bytes of the linear map are not write-back",
			    (long)special);
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	if (is_open || !device)
		return -EBUSY;
	churn_run(churn_traffic);
	return 0;
}

static int settle_set(const char *val, const struct kernel_param *kp)
{
	unsigned long found;

	churn_settle();
	found = wrong;
	wrong = 0;
	return found ? -EUCLEAN : 0;
}

static int reclaim_set(const char *val, const struct kernel_param *kp)
{
	if (is_open || !device)
		return -EBUSY;
	churn_run(churn_reclaim);
	return settle_set(val, kp);
}

static int split_set(const char *val, const struct kernel_param *kp)
{
	int err = device ? churn_split(device, &splits) : -EBUSY;

	return err ?: settle_set(val, kp);
}

static int sweep_set(const char *val, const struct kernel_param *kp)
{
	int err = device ? churn_sweep(device) : -EBUSY;

	return err ?: settle_set(val, kp);
}

static const struct kernel_param_ops run_ops = { .set = run_set };
static const struct kernel_param_ops settle_ops = { .set = settle_set };
static const struct kernel_param_ops reclaim_ops = { .set = reclaim_set };
static const struct kernel_param_ops split_ops = { .set = split_set };
static const struct kernel_param_ops sweep_ops = { .set = sweep_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "Write anything: one round of traffic");
module_param_cb(settle, &settle_ops, NULL, 0200);
MODULE_PARM_DESC(settle, "Write anything: nothing may be left");
module_param_cb(reclaim, &reclaim_ops, NULL, 0200);
MODULE_PARM_DESC(reclaim, "Write anything: caching changes in reclaim");
module_param_cb(split, &split_ops, NULL, 0200);
MODULE_PARM_DESC(split,
		 "Write anything: entries of the linear map cannot be split");
module_param_cb(sweep, &sweep_ops, NULL, 0200);
MODULE_PARM_DESC(sweep, "Write anything: each allocation fails, of two pools");

static int churn_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	/* One device is enough. */
	if (device)
		return -ENODEV;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		device = &pdev->dev;
	return err;
}

static void churn_remove(struct pci_dev *pdev)
{
	device = NULL;
}

static const struct pci_device_id churn_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) }, {}
};

static struct pci_driver churn_driver = { .name = KBUILD_MODNAME,
					  .id_table = churn_ids,
					  .probe = churn_probe,
					  .remove = churn_remove };

static int __init churn_init(void)
{
	int err = churn_traffic_init();

	if (err)
		return err;
	pages_out_before = pages_out();
	err = pci_register_driver(&churn_driver);
	if (err)
		churn_traffic_fini();
	return err;
}

static void __exit churn_exit(void)
{
	pci_unregister_driver(&churn_driver);
	churn_traffic_fini();
}

module_init(churn_init);
module_exit(churn_exit);
MODULE_DESCRIPTION("Traffic for a kernel in which things fail");
MODULE_LICENSE("Dual MIT/GPL");
