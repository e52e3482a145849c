// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Has the hardware told of an error in any page, from 6.3 on: each node counts the
 * errors that memory_failure() has dealt with (action_result() in
 * mm/memory-failure.c), before that returns.
 *
 * The kernel marks pages in other ways, too, but none that a driver has got: a soft
 * offline marks free pages, hugetlb its own, a fatal machine check what kdump must
 * not read, and a machine check in a TDX guest a page of that guest.
 */

#include <linux/mmzone.h>
#include <linux/nodemask.h>

#include "ttmpool_port.h"

/* The search for the last node's successor looks at the whole mask, and is spared. */
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
