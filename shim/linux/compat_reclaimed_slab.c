// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Telling reclaim of pages that it does not see, where it knows of slab alone, and counts
 * by the page whatever was freed besides (mm/vmscan.c, shrink_node()). */

#include <linux/sched.h>
#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
}
