// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Probe and remove. What belongs to the PCI function ends with it (devm, pcim); what
 * clients may still have ends with the DRM device (drmm).
 */

#include <linux/module.h>

#include <drm/drm_atomic_helper.h>
#include <drm/drm_drv.h>
#include <drm/drm_file.h>
#include <drm/drm_gem.h>
#include <drm/drm_ioctl.h>

#include "bochs.h"
#include BOCHS_ALLOC_H

static const struct file_operations bochs_fops = {
	.owner = THIS_MODULE,
	DRM_GEM_FOPS,
	.show_fdinfo = drm_show_fdinfo,
};

static const struct drm_driver bochs_driver = {
	.driver_features = DRIVER_GEM | DRIVER_MODESET | DRIVER_ATOMIC,
	.fops = &bochs_fops,
	.name = KBUILD_MODNAME,
	.desc = "QEMU's display, for one allocator or the other",
	.major = 1,
	.gem_create_object = bochs_alloc_object,
	.show_fdinfo = drm_show_memory_stats,
	BOCHS_ALLOC_DRIVER_OPS,
};

static int bochs_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct bochs *bochs = devm_drm_dev_alloc(&pdev->dev, &bochs_driver,
						 struct bochs, drm);
	int err;

	if (IS_ERR(bochs))
		return PTR_ERR(bochs);
	pci_set_drvdata(pdev, bochs);
	err = bochs_hw_init(bochs, pdev);
	if (err)
		return err;
	err = bochs_alloc_init(bochs);
	if (err)
		return err;
	err = bochs_kms_init(bochs);
	if (err)
		return err;
	return drm_dev_register(&bochs->drm, 0);
}

/* Clients may have the device open, and buffers mapped, for as long as they like. */
static void bochs_remove(struct pci_dev *pdev)
{
	struct bochs *bochs = pci_get_drvdata(pdev);

	drm_dev_unplug(&bochs->drm);
	drm_atomic_helper_shutdown(&bochs->drm);
}

static const struct pci_device_id bochs_ids[] = {
	{ PCI_DEVICE(0x1234, 0x1111) }, {}
};

static struct pci_driver bochs_pci_driver = {
	.name = KBUILD_MODNAME,
	.id_table = bochs_ids,
	.probe = bochs_probe,
	.remove = bochs_remove,
};

module_pci_driver(bochs_pci_driver);
MODULE_DESCRIPTION("QEMU's display, for one allocator or the other");
MODULE_LICENSE("Dual MIT/GPL");
