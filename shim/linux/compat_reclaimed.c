// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pages that were reclaimed beside the kernel's own lists, since 6.4. */

#include <linux/swap.h>

#include "ttmpool_shrinker.h"

void ttmpool_account_reclaimed(unsigned long pages)
{
	mm_account_reclaimed_pages(pages);
}
