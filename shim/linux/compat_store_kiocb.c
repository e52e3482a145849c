// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Writing to pages of a shmem file, where write_begin() returns a folio, and takes
 * the I/O control block.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "ttmpool_store.h"

int ttmpool_store_begin(struct file *store, size_t index, struct page **page)
{
	struct address_space *mapping = store->f_mapping;
	struct folio *folio;
	struct kiocb iocb;
	void *data;
	int err;

	init_sync_kiocb(&iocb, store);
	err = mapping->a_ops->write_begin(&iocb, mapping,
					  (loff_t)index << PAGE_SHIFT,
					  PAGE_SIZE, &folio, &data);
	if (!err)
		*page = folio_file_page(folio, index);
	return err;
}

void ttmpool_store_end(struct file *store, size_t index, struct page *page)
{
	struct address_space *mapping = store->f_mapping;
	struct kiocb iocb;

	init_sync_kiocb(&iocb, store);
	mapping->a_ops->write_end(&iocb, mapping, (loff_t)index << PAGE_SHIFT,
				  PAGE_SIZE, PAGE_SIZE, page_folio(page), NULL);
}
