// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writing a page of a shmem file to the swap device, where the file's mapping has
 * its own writepage().
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/writeback.h>

#include "ttmpool_store.h"

/*
 * PG_reclaim makes the page the first to go when it has been written. Only a part
 * of a huge page is known to be complete, so it is left for later.
 */
void ttmpool_store_write_back(struct page *page)
{
	struct writeback_control wbc = { .sync_mode = WB_SYNC_NONE,
					 .nr_to_write = 1,
					 .range_end = LLONG_MAX,
					 .for_reclaim = 1 };
	int err = AOP_WRITEPAGE_ACTIVATE;

	if (!PageCompound(page) && clear_page_dirty_for_io(page)) {
		SetPageReclaim(page);
		err = page->mapping->a_ops->writepage(page, &wbc);
		if (!PageWriteback(page))
			ClearPageReclaim(page);
	}
	if (err == AOP_WRITEPAGE_ACTIVATE)
		unlock_page(page);
}
