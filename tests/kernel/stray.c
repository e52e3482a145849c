// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool_stray.ko: a driver of the edu device that forgets the pages that it has taken.
 * When the device or the driver goes, it tears its pool down while pages of both sources
 * are in use. The manager is that of ttmpool.ko, which stays, and has these pages in
 * quarantine.
 *
 * A step of the test machine (tools/kernel/init.sh) removes the device, this module, and
 * ttmpool.ko, in one order and in another.
 */

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <ttmpool/pool.h>

#include "ttmpool_module.h"

#define PAGES 21 /* chunks of 16, 4 and 1 pages */

struct stray {
	struct ttmpool_pool pool;
	struct page *pages[TTMPOOL_SOURCE_COUNT][PAGES];
	dma_addr_t addr[TTMPOOL_SOURCE_COUNT][PAGES];
};

static int stray_take(struct stray *stray)
{
	int err = 0;

	for (int source = 0; source < TTMPOOL_SOURCE_COUNT && !err; source++) {
		struct ttmpool_request req = {
			.source = source,
			.caching = TTMPOOL_WRITE_COMBINED,
			.num_pages = PAGES,
		};

		err = ttmpool_pool_take(&stray->pool, &req,
					stray->pages[source],
					stray->addr[source]);
	}
	return err;
}

static int stray_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct ttmpool_pool_config config = { .name = "stray",
					      .dev = &pdev->dev,
					      .node = TTMPOOL_NODE_OF_DEVICE };
	struct stray *stray;
	int err;

	err = pcim_enable_device(pdev);
	if (!err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	stray = kvzalloc(sizeof(*stray), GFP_KERNEL);
	if (!stray)
		return -ENOMEM;
	err = ttmpool_pool_init(&stray->pool, ttmpool_module_manager(),
				&config);
	if (err)
		goto free;
	err = stray_take(stray);
	if (err)
		goto fini;
	pci_set_drvdata(pdev, stray);
	return 0;

fini:
	ttmpool_pool_fini(&stray->pool);
free:
	kvfree(stray);
	return err;
}

static void stray_remove(struct pci_dev *pdev)
{
	struct stray *stray = pci_get_drvdata(pdev);

	ttmpool_pool_fini(&stray->pool);
	kvfree(stray);
}

static const struct pci_device_id stray_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) }, {}
};

static struct pci_driver stray_driver = { .name = "ttmpool_stray",
					  .id_table = stray_ids,
					  .probe = stray_probe,
					  .remove = stray_remove };

module_pci_driver(stray_driver);
MODULE_DESCRIPTION("A driver that forgets pages");
MODULE_LICENSE("Dual MIT/GPL");
