// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Kernels after that: a page has a type, and page_pool's is one of them. */

#include <linux/mm.h>
#include <linux/page-flags.h>

#include "pp.h"

bool pp_is_its(struct page *page)
{
	return PageNetpp(page);
}
