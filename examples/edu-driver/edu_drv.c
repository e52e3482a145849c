// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Probe and remove. The pool is born when the driver knows what its device can
 * reach, which is after the DMA mask is set, and dies after the last buffer. It
 * is embedded in the driver's own structure, as ttm_device is.
 *
 * Attributes in sysfs say, when read, what they found: "selftest" sends bytes
 * through new buffers of every kind, "screen" looks at the one that was bound
 * all the time, "fill" makes idle buffers, and "check" looks at these.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/sysfs.h>

#include "edu.h"

static unsigned int dma_bits = 28;
module_param(dma_bits, uint, 0444);
MODULE_PARM_DESC(dma_bits,
		 "Address bits that the device has (QEMU's default: 28)");

static ssize_t show_result(struct device *dev, char *buf,
			   int (*test)(struct edu *edu,
				       struct edu_result *result))
{
	struct edu *edu = dev_get_drvdata(dev);
	struct edu_result result = {};
	int err;

	mutex_lock(&edu->lock);
	err = test(edu, &result);
	mutex_unlock(&edu->lock);
	if (err)
		return err;
	return sysfs_emit(buf, "%s transfers=%lu swapped=%lu wrong=%lu\n",
			  edu->funcs.name, result.transfers, result.swapped,
			  result.wrong);
}

static ssize_t selftest_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return show_result(dev, buf, edu_selftest);
}
static DEVICE_ATTR_RO(selftest);

static ssize_t screen_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return show_result(dev, buf, edu_screen_check);
}
static DEVICE_ATTR_RO(screen);

static ssize_t fill_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return show_result(dev, buf, edu_idle_fill);
}
static DEVICE_ATTR_RO(fill);

static ssize_t check_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return show_result(dev, buf, edu_idle_check);
}
static DEVICE_ATTR_RO(check);

static struct attribute *edu_attrs[] = { &dev_attr_selftest.attr,
					 &dev_attr_screen.attr,
					 &dev_attr_fill.attr,
					 &dev_attr_check.attr, NULL };
ATTRIBUTE_GROUPS(edu);

static int edu_enable(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(dma_bits));
	if (err)
		return err;
	edu->regs = pcim_iomap(pdev, 0, 0);
	if (!edu->regs)
		return -ENOMEM;
	pci_set_master(pdev);
	return 0;
}

static int edu_open_pool(struct edu *edu)
{
	struct ttmpool_pool_config config = {
		.name = pci_name(edu->pdev),
		.dev = &edu->pdev->dev,
		.node = TTMPOOL_NODE_OF_DEVICE,
	};

	return ttmpool_pool_init(&edu->pool, edu_manager(), &config);
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	int err;

	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	mutex_init(&edu->lock);
	pci_set_drvdata(pdev, edu);
	err = edu_enable(edu);
	if (err)
		return err;
	err = edu_open_pool(edu);
	if (err)
		return err;
	edu_choose_funcs(edu);
	err = edu_screen_show(edu);
	if (err)
		goto fini_pool;
	pci_info(pdev, "buffers of %s pages\n", edu->funcs.name);
	return 0;

fini_pool:
	ttmpool_pool_fini(&edu->pool);
	return err;
}

static void edu_remove(struct pci_dev *pdev)
{
	struct edu *edu = pci_get_drvdata(pdev);

	edu_idle_end(edu);
	edu_bo_destroy(edu->screen);
	WARN_ON(ttmpool_pool_fini(&edu->pool));
}

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) },
						{} };
MODULE_DEVICE_TABLE(pci, edu_ids);

static struct pci_driver edu_driver = { .name = KBUILD_MODNAME,
					.id_table = edu_ids,
					.probe = edu_probe,
					.remove = edu_remove,
					.dev_groups = edu_groups };

static int __init edu_init(void)
{
	int err = edu_manager_start();

	if (err)
		return err;
	err = pci_register_driver(&edu_driver);
	if (err)
		edu_manager_end();
	return err;
}

static void __exit edu_exit(void)
{
	pci_unregister_driver(&edu_driver);
	edu_manager_end();
}

module_init(edu_init);
module_exit(edu_exit);
MODULE_DESCRIPTION("QEMU's edu device, on ttmpool");
MODULE_LICENSE("Dual MIT/GPL");
