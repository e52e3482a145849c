// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Kernels in which the mark also holds the number of a page_pool's mapping. */

#include <linux/mm.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return page_pool_page_is_pp(page);
}
