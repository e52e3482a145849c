// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Telling reclaim of pages that it does not see, where it has a function for that. */

#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	mm_account_reclaimed_pages(pages);
}
