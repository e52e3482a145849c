/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_LAYOUT_H
#define RECORD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct layout - offsets in TTM's structures, in bytes
 * @tt_pages: ttm_tt.num_pages
 * @tt_flags: ttm_tt.page_flags
 * @tt_caching: ttm_tt.caching
 * @pool_dev: ttm_pool.dev
 * @pool_flags: ttm_pool.alloc_flags, or ttm_pool.use_dma_alloc before Linux 7.1
 * @pool_has_flags: which of the two it is
 * @dev_name: device.kobj.name
 */
struct layout {
	unsigned int tt_pages;
	unsigned int tt_flags;
	unsigned int tt_caching;
	unsigned int pool_dev;
	unsigned int pool_flags;
	bool pool_has_flags;
	unsigned int dev_name;
};

/**
 * layout_read() - read the type information of the running kernel (BTF)
 * @layout: filled in
 *
 * A module that was built on this machine has none, so every loaded module is tried:
 * drivers have the structures, too.
 *
 * Return: 0, or a negative errno, after a line on stderr.
 */
int layout_read(struct layout *layout);

#endif
