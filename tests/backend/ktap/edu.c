// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * QEMU's edu device, for the tests: a DMA engine behind any IOMMU.
 *
 * It has a buffer of its own, and copies between that and memory. To see what it read,
 * the test lets it write its buffer to a page that it can surely reach, the landing page.
 */

#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "check_ktap.h"

#define EDU_DMA_SRC     0x80
#define EDU_DMA_DST     0x88
#define EDU_DMA_COUNT   0x90
#define EDU_DMA_COMMAND 0x98
#define EDU_RUN         1
#define EDU_TO_MEMORY   2
#define EDU_BUFFER      0x40000

/* How long a transfer takes, and the longest time that it may take. */
#define EDU_TRANSFER_MS 100
#define EDU_PATIENCE_MS 2000

struct edu {
	struct pci_dev *pdev;
	void __iomem *regs;
	void *landing;
	dma_addr_t landing_addr;
};

static struct edu *edus[NR_EDU];
static struct pci_bus *edu_bus;

struct edu *edu_get(int which)
{
	return edus[which];
}

struct edu *edu_of(struct device *dev)
{
	return dev_get_drvdata(dev);
}

struct device *edu_dev(struct edu *edu)
{
	return &edu->pdev->dev;
}

static void edu_start(struct edu *edu, u64 from, u64 to, unsigned int command)
{
	writeq(from, edu->regs + EDU_DMA_SRC);
	writeq(to, edu->regs + EDU_DMA_DST);
	writeq(EDU_TRANSFER, edu->regs + EDU_DMA_COUNT);
	writeq(EDU_RUN | command, edu->regs + EDU_DMA_COMMAND);
}

void edu_begin_store(struct edu *edu, dma_addr_t addr)
{
	edu_start(edu, EDU_BUFFER, addr, EDU_TO_MEMORY);
}

bool edu_is_busy(struct edu *edu)
{
	return readl(edu->regs + EDU_DMA_COMMAND) & EDU_RUN;
}

int edu_finish(struct edu *edu)
{
	for (int ms = 0; ms < EDU_PATIENCE_MS; ms += EDU_TRANSFER_MS) {
		msleep(EDU_TRANSFER_MS + 1);
		if (!edu_is_busy(edu))
			return 0;
	}
	return -ETIMEDOUT;
}

int edu_load(struct edu *edu, dma_addr_t addr)
{
	edu_start(edu, addr, EDU_BUFFER, 0);
	return edu_finish(edu);
}

int edu_store(struct edu *edu, dma_addr_t addr)
{
	edu_start(edu, EDU_BUFFER, addr, EDU_TO_MEMORY);
	return edu_finish(edu);
}

int edu_fill(struct edu *edu, unsigned char byte)
{
	memset(edu->landing, byte, EDU_TRANSFER);
	return edu_load(edu, edu->landing_addr);
}

bool edu_holds(struct edu *edu, unsigned char byte)
{
	memset(edu->landing, ~byte, EDU_TRANSFER);
	return !edu_store(edu, edu->landing_addr) &&
	       !memchr_inv(edu->landing, byte, EDU_TRANSFER);
}

/* The buffer is first filled with another byte, so that it shows only what the device has
 * read. */
bool edu_reads(struct edu *edu, dma_addr_t addr, unsigned char byte)
{
	for (size_t at = 0; at < PAGE_SIZE; at += EDU_TRANSFER)
		if (edu_fill(edu, ~byte) || edu_load(edu, addr + at) ||
		    !edu_holds(edu, byte))
			return false;
	return true;
}

static int edu_enable(struct edu *edu)
{
	struct pci_dev *pdev = edu->pdev;
	int err = pcim_enable_device(pdev);

	if (!err)
		err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	pci_set_master(pdev);
	edu->regs = pcim_iomap(pdev, 0, 0);
	edu->landing = dmam_alloc_coherent(&pdev->dev, PAGE_SIZE,
					   &edu->landing_addr, GFP_KERNEL);
	return edu->regs && edu->landing ? 0 : -ENOMEM;
}

static int edu_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu *edu = devm_kzalloc(&pdev->dev, sizeof(*edu), GFP_KERNEL);
	int err;

	if (!edu)
		return -ENOMEM;
	edu->pdev = pdev;
	err = edu_enable(edu);
	if (err)
		return err;
	pci_set_drvdata(pdev, edu);
	edu_bus = pdev->bus;
	for (int i = 0; i < NR_EDU; i++) {
		if (edus[i])
			continue;
		edus[i] = edu;
		return 0;
	}
	return -ENOSPC;
}

static void edu_remove(struct pci_dev *pdev)
{
	for (int i = 0; i < NR_EDU; i++)
		if (edus[i] == pci_get_drvdata(pdev))
			edus[i] = NULL;
}

static const struct pci_device_id edu_ids[] = { { PCI_DEVICE(0x1234, 0x11e8) },
						{} };

static struct pci_driver edu_driver = { .name = "ttmpool_ktap",
					.id_table = edu_ids,
					.probe = edu_probe,
					.remove = edu_remove };

void edu_unplug(struct edu *edu)
{
	pci_stop_and_remove_bus_device_locked(edu->pdev);
}

void edu_plug(void)
{
	pci_lock_rescan_remove();
	pci_rescan_bus(edu_bus);
	pci_unlock_rescan_remove();
}

int edu_register(void)
{
	return pci_register_driver(&edu_driver);
}

void edu_unregister(void)
{
	pci_unregister_driver(&edu_driver);
}
