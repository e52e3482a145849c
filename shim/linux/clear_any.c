// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Clears as the kernel does, page by page. */

#include <linux/highmem.h>
#include <linux/mm.h>

#include "ttmpool_system.h"

void ttmpool_clear_pages(struct page *page, size_t n, bool few)
{
	for (size_t i = 0; i < n; i++)
		clear_highpage(tpos_page_nth(page, i));
}
