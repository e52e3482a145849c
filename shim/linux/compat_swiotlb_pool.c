// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Where bounce slots lie, since 6.6: in pools, of which the first exists from the
 * start.
 */

#include <linux/device.h>
#include <linux/swiotlb.h>

#include "ttmpool_system.h"

bool ttmpool_bounce_range(struct device *dev, phys_addr_t *start, size_t *size)
{
	struct io_tlb_mem *mem = dev->dma_io_tlb_mem;

	if (!mem || !mem->defpool.nslabs)
		return false;
	*start = mem->defpool.start;
	*size = mem->defpool.end - mem->defpool.start;
	return true;
}
