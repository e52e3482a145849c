// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Counters of GPUs' pages, which the kernel has since 7.1: what the shrinker can have of
 * a pool, and all other pages that are out. What was got of the system is in the second,
 * of the page's own node, from then on; what becomes spare moves to the first.
 */

#include <linux/mm.h> /* before vmstat.h, which stands on it */
#include <linux/vmstat.h>

#include "ttmpool_system.h"

void ttmpool_count_out(struct page *page, long pages)
{
	mod_node_page_state(page_pgdat(page), NR_GPU_ACTIVE, pages);
}

void ttmpool_count_spare(int node, long pages)
{
	mod_node_page_state(NODE_DATA(node), NR_GPU_ACTIVE, -pages);
	mod_node_page_state(NODE_DATA(node), NR_GPU_RECLAIM, pages);
}

long ttmpool_active_stat(void)
{
	return global_node_page_state(NR_GPU_ACTIVE);
}

unsigned long ttmpool_spare_stat(void)
{
	return global_node_page_state(NR_GPU_RECLAIM);
}
