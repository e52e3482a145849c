// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Newer kernels: a page has a type, and page_pool has one of these types. */

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return PageNetpp(page);
}
