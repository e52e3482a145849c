// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Before Linux 6.16, and in kernels with CONFIG_DMA_API_DEBUG (ttmpool.mk), no
 * addresses are shared: each chunk is mapped by itself.
 */

#include "ttmpool_system.h"

long ttmpool_range_map(struct device *dev, struct ttmpool_list *first,
		       struct ttmpool_list *end)
{
	return -EOPNOTSUPP;
}

size_t ttmpool_range_unmap(struct device *dev, struct ttmpool_list *first,
			   struct ttmpool_list *end)
{
	return 0;
}
