// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reports pages to reclaim that it does not see, where it only knows slab, and
 * counts all that was freed besides, page by page (mm/vmscan.c, shrink_node()).
 */

#include <linux/sched.h>
#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
}
