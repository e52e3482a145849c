// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pages that were reclaimed beside the kernel's own lists, until 6.3: slab is what they
 * are counted as. */

#include <linux/sched.h>
#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	if (current->reclaim_state)
		current->reclaim_state->reclaimed_slab += pages;
}
