// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What user space can read about pooled pages.
 *
 * Pooled pages are neither free nor owned by anybody. Without a counter, they would be
 * missing from /proc/meminfo, and a program that decides by MemAvailable whether another
 * one can be started, or has to go, would count them as used. So pages that the shrinker
 * can have are counted as what they are, kernel memory that can be reclaimed:
 *
 *     NR_GPU_RECLAIM               if the kernel has it ("GPUReclaim"); all other
 *                                  pages that the port has are in NR_GPU_ACTIVE
 *                                  ("GPUActive") there: compat_counters_gpu.c
 *     NR_KERNEL_MISC_RECLAIMABLE   otherwise (a part of "KReclaimable" and
 *                                  "MemAvailable"): compat_counters_kernel.c
 *
 * Reserves are not included. Each is a counter of a node: of the node that the pool wants,
 * as for the shrinker, or of the first one that has memory. So the sums are right at any
 * moment. But if a pool wants no node, all of its pooled pages count for the first node,
 * whichever node they are on.
 */

#include <linux/nodemask.h>

#include "ttmpool_system.h"

void tpos_note_spare(struct device *dev, int node, long pages)
{
	if (!tpos_node_has_pages(dev, node))
		node = first_memory_node;
	ttmpool_count_spare(node, pages);
}
