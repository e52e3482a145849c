// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The counters of GPUs' pages, which the kernel has since 7.1: one for pages that the
 * shrinker can have, and one for all other pages. A page that the port gets from the system
 * counts in the second, for its own node, from then on; when it becomes spare, it moves to
 * the first.
 */

#include <linux/mm.h> /* before vmstat.h, which needs it */
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
