// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writing a page of a shmem file to the swap device, where shmem has a function for
 * folios (mm/shmem.c, shmem_write_folio).
 */

#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/shmem_fs.h>

#include "ttmpool_store.h"

/*
 * PG_reclaim makes the folio the first to go when it has been written. Only a part
 * of a large folio is known to be complete, so it is left for later.
 */
void ttmpool_store_write_back(struct page *page)
{
	struct folio *folio = page_folio(page);
	int err = AOP_WRITEPAGE_ACTIVATE;

	if (!folio_test_large(folio) && folio_clear_dirty_for_io(folio)) {
		folio_set_reclaim(folio);
		err = shmem_write_folio(folio);
		if (!folio_test_writeback(folio))
			folio_clear_reclaim(folio);
	}
	if (err == AOP_WRITEPAGE_ACTIVATE)
		folio_unlock(folio);
}
