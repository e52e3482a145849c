// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The registers: an index each, two bytes wide, from 0x500 on in the third BAR. */

#include <linux/dma-mapping.h>

#include "bochs.h"

#define REG_ID      0
#define REG_XRES    1
#define REG_YRES    2
#define REG_BPP     3
#define REG_ENABLE  4
#define REG_WIDTH   6
#define REG_HEIGHT  7
#define REG_XOFFSET 8
#define REG_YOFFSET 9
#define REG_MEMORY  10 /* in units of 64 KiB */

#define ID_MASK  0xfff0
#define ID_BOCHS 0xb0c0

#define ENABLE_ON     0x01
#define ENABLE_LINEAR 0x40
#define ENABLE_KEEP   0x80 /* what is in memory */

static void write_reg(struct bochs *bochs, unsigned int reg, u16 value)
{
	writew(value, bochs->regs + 0x500 + 2 * reg);
}

static u16 read_reg(struct bochs *bochs, unsigned int reg)
{
	return readw(bochs->regs + 0x500 + 2 * reg);
}

/* The memory is read only for checksums of what it shows (bochs_frames.c). */
static int map_bars(struct bochs *bochs, struct pci_dev *pdev)
{
	struct device *dev = &pdev->dev;

	bochs->vram_size = pci_resource_len(pdev, 0);
	if (!devm_request_mem_region(dev, pci_resource_start(pdev, 0),
				     bochs->vram_size, KBUILD_MODNAME) ||
	    !devm_request_mem_region(dev, pci_resource_start(pdev, 2),
				     pci_resource_len(pdev, 2), KBUILD_MODNAME))
		return -EBUSY;
	bochs->vram = devm_ioremap_wc(dev, pci_resource_start(pdev, 0),
				      bochs->vram_size);
	bochs->regs = devm_ioremap(dev, pci_resource_start(pdev, 2),
				   pci_resource_len(pdev, 2));
	return bochs->vram && bochs->regs ? 0 : -ENOMEM;
}

int bochs_hw_init(struct bochs *bochs, struct pci_dev *pdev)
{
	int err = pcim_enable_device(pdev);

	if (err)
		return err;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (err)
		return err;
	err = map_bars(bochs, pdev);
	if (err)
		return err;
	if ((read_reg(bochs, REG_ID) & ID_MASK) != ID_BOCHS)
		return -ENODEV;
	bochs->vram_size = min_t(size_t, bochs->vram_size,
				 read_reg(bochs, REG_MEMORY) << 16);
	return 0;
}

void bochs_hw_show(struct bochs *bochs, unsigned int width, unsigned int height)
{
	write_reg(bochs, REG_ENABLE, 0);
	write_reg(bochs, REG_BPP, 8 * BOCHS_BYTES);
	write_reg(bochs, REG_XRES, width);
	write_reg(bochs, REG_YRES, height);
	write_reg(bochs, REG_WIDTH, width);
	write_reg(bochs, REG_HEIGHT, height);
	write_reg(bochs, REG_XOFFSET, 0);
	write_reg(bochs, REG_YOFFSET, 0);
	write_reg(bochs, REG_ENABLE, ENABLE_ON | ENABLE_LINEAR | ENABLE_KEEP);
	bochs->shown = (size_t)width * height * BOCHS_BYTES;
}

void bochs_hw_hide(struct bochs *bochs)
{
	write_reg(bochs, REG_ENABLE, 0);
	bochs->shown = 0;
}
