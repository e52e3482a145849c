// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Where bounce slots lie, before 6.6: in one piece of memory. */

#include <linux/device.h>
#include <linux/swiotlb.h>

#include "ttmpool_system.h"

bool ttmpool_bounce_range(struct device *dev, phys_addr_t *start, size_t *size)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (!mem || !mem->nslabs)
		return false;
	*start = mem->start;
	*size = mem->end - mem->start;
	return true;
}
