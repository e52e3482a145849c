// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Kernels that number what page_pools have mapped, in the mark itself. */

#include <linux/mm.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return page_pool_page_is_pp(page);
}
