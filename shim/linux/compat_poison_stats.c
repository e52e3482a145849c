// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Whether the hardware has reported an error in any page, since 6.3: each node counts the
 * errors that memory_failure() has handled (action_result() in mm/memory-failure.c), before
 * that returns.
 *
 * The kernel marks pages in other ways, too, but no page that a driver has: a soft offline
 * marks free pages, hugetlb its own pages, a fatal machine check the pages that kdump must
 * not read, and a machine check in a TDX guest a page of that guest.
 */

#include <linux/mmzone.h>
#include <linux/nodemask.h>

#include "ttmpool_port.h"

/*
 * The loop ends after the last node, because the search for the next one would look
 * at the whole mask.
 */
bool tpos_may_be_poisoned(struct device *dev)
{
	unsigned int nodes = nr_online_nodes;
	int node;

	for_each_online_node(node) {
		if (READ_ONCE(NODE_DATA(node)->mf_stats.total))
			return true;
		if (!--nodes)
			break;
	}
	return false;
}
