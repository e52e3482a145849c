// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Replacing a page of a shmem file, where the page cache works with pages. */

#include <linux/mm.h>
#include <linux/pagemap.h>

#include "ttmpool_store.h"

void ttmpool_store_replace(struct page *old, struct page *page)
{
	replace_page_cache_page(old, page);
}
