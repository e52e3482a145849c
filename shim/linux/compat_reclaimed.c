// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reports pages to reclaim that it does not see, where the kernel has a function
 * for that.
 */

#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	mm_account_reclaimed_pages(pages);
}
