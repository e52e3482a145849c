// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The race: TTM's page pool, ttmpool, and ttmpool under TTM's interface (the drop-in) do
 * the same work in one boot, for the first edu device that is found. It runs when the
 * module is loaded, and writes to the kernel's log: see work.c.
 */

#include <linux/cpumask.h>
#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/sched.h>

#include <ttm/ttm_drop_in.h>

#include "../../shim/linux/ttmpool_module.h"
#include "race.h"

static char *part = "all";
module_param(part, charp, 0444);
MODULE_PARM_DESC(part, "all, few (what is compared with limits), or pressure");

static int run(struct device *dev)
{
	int err;

	/* Free pages in the lists of another processor would come and go with the
	 * processor on which this runs. */
	err = set_cpus_allowed_ptr(current, cpumask_of(0));
	if (!err)
		err = events_open();
	if (err)
		return err;
	if (!strcmp(part, "few"))
		err = race_run_few(dev);
	else if (!strcmp(part, "pressure"))
		err = race_run_pressed(dev);
	else
		err = race_run(dev);
	events_close();
	return err;
}

static int __init race_init(void)
{
	struct pci_dev *pdev = pci_get_device(0x1234, 0x11e8, NULL);
	int err;

	if (!pdev)
		return -ENODEV;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		err = ttmpool_module_get();
	if (!err) {
		err = run(&pdev->dev);
		ttmpool_ttm_end_manager();
		ttmpool_module_put();
	}
	pci_dev_put(pdev);
	return err;
}

static void __exit race_exit(void)
{
}

module_init(race_init);
module_exit(race_exit);
MODULE_DESCRIPTION("TTM's page pool and ttmpool on the same work");
MODULE_LICENSE("Dual MIT/GPL");
