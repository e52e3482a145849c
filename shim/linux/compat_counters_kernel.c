// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The kernel has a counter for pages that the shrinker can have, but none for pages
 * that GPUs use.
 */

#include <linux/mm.h> /* before vmstat.h, which needs it */
#include <linux/vmstat.h>

#include "ttmpool_system.h"

void ttmpool_count_out(struct page *page, long pages)
{
}

void ttmpool_count_spare(int node, long pages)
{
	mod_node_page_state(NODE_DATA(node), NR_KERNEL_MISC_RECLAIMABLE, pages);
}

long ttmpool_active_stat(void)
{
	return -1;
}

unsigned long ttmpool_spare_stat(void)
{
	return global_node_page_state(NR_KERNEL_MISC_RECLAIMABLE);
}
