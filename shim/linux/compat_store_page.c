// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Writing to pages of a shmem file, where write_begin() returns a page. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "ttmpool_store.h"

int ttmpool_store_begin(struct file *store, size_t index, struct page **page)
{
	struct address_space *mapping = store->f_mapping;
	void *data;

	return mapping->a_ops->write_begin(store, mapping,
					   (loff_t)index << PAGE_SHIFT,
					   PAGE_SIZE, page, &data);
}

void ttmpool_store_end(struct file *store, size_t index, struct page *page)
{
	struct address_space *mapping = store->f_mapping;

	mapping->a_ops->write_end(store, mapping, (loff_t)index << PAGE_SHIFT,
				  PAGE_SIZE, PAGE_SIZE, page, NULL);
}
