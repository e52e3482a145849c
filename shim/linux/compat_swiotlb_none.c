// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Where bounce slots lie, in a kernel without SWIOTLB: nowhere. */

#include "ttmpool_system.h"

bool ttmpool_bounce_range(struct device *dev, phys_addr_t *start, size_t *size)
{
	return false;
}
