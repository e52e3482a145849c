// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What user space can read of pooled pages.
 *
 * Pages that lie in a pool are neither free nor anybody's. Without a counter they are
 * missing from /proc/meminfo, and who decides by MemAvailable whether a program can
 * be started, or one has to go, counts them as used. So those that the shrinker can
 * have are counted as what they are, memory of the kernel that can be reclaimed:
 *
 *     NR_GPU_RECLAIM               where the kernel has it ("GPUReclaim"); all other
 *                                  pages that are out are in NR_GPU_ACTIVE ("GPUActive")
 *                                  there: compat_counters_gpu.c
 *     NR_KERNEL_MISC_RECLAIMABLE   else (a part of "KReclaimable" and "MemAvailable"):
 *                                  compat_counters_kernel.c
 *
 * Reserves are not among them. Each is a counter of a node: of the one that the pool
 * wants, as for the shrinker, or of the first one that has memory. So the sums are right
 * at any moment, while of a node that a pool without a wish has pages of, what lies
 * pooled is counted for the first one.
 */

#include <linux/nodemask.h>

#include "ttmpool_system.h"

void tpos_note_spare(struct device *dev, int node, long pages)
{
	if (!tpos_node_has_pages(dev, node))
		node = first_memory_node;
	ttmpool_count_spare(node, pages);
}
