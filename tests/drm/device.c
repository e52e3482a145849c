// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Platform devices and their driver, which only starts a pool for each. */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/platform_device.h>

#include <drm/drm_file.h>

#include "cases.h"

static struct platform_device *parents[2];
static struct drm_device *plugged[2];

DEFINE_DRM_GEM_FOPS(cases_fops);

static const struct drm_driver cases_driver = {
	.driver_features = DRIVER_GEM,
	.fops = &cases_fops,
	.name = "ttmpool-cases",
	.desc = "a device without hardware",
	.major = 1,
	DRM_GEM_TTMPOOL_DRIVER_OPS,
};

static int cases_probe(struct platform_device *pdev)
{
	struct drm_device *drm = drm_dev_alloc(&cases_driver, &pdev->dev);
	int err;

	if (IS_ERR(drm))
		return PTR_ERR(drm);
	err = dma_coerce_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		err = drmm_gem_ttmpool_init(drm, NULL);
	if (!err)
		err = drm_dev_register(drm, 0);
	if (err) {
		drm_dev_put(drm);
		return err;
	}
	plugged[pdev->id] = drm;
	return 0;
}

static void cases_remove(struct platform_device *pdev)
{
	drm_dev_unplug(plugged[pdev->id]);
	drm_dev_put(plugged[pdev->id]);
	plugged[pdev->id] = NULL;
}

static struct platform_driver cases_platform_driver = {
	.driver = { .name = "ttmpool_drm_cases" },
	.probe = cases_probe,
	.remove = cases_remove,
};

int devices_start(void)
{
	return platform_driver_register(&cases_platform_driver);
}

void devices_end(void)
{
	platform_driver_unregister(&cases_platform_driver);
}

/* Returns NULL if the device could not be made. */
struct drm_device *device_plug(int id)
{
	parents[id] = platform_device_register_simple("ttmpool_drm_cases", id,
						      NULL, 0);
	if (IS_ERR(parents[id]))
		return NULL;
	if (!plugged[id])
		device_unplug(id);
	return plugged[id];
}

void device_unplug(int id)
{
	platform_device_unregister(parents[id]);
}
