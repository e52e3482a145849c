/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_STORE_H
#define TTMPOOL_LINUX_STORE_H

/* What the files about stores know of each other. */

#include <linux/sched.h>
#include <linux/swap.h>

#include "ttmpool_system.h"

static inline bool ttmpool_is_in_reclaim(void)
{
	return current->flags & PF_MEMALLOC;
}

/* Only the kernel's own thread waits for a disk without anybody waiting for it. */
static inline bool ttmpool_may_write_back(void)
{
	return current_is_kswapd();
}

/* store.c: how memory for its pages is got from here on */
void ttmpool_store_prepare(struct file *store);
/* what the kernel said, in the contract's words */
int ttmpool_store_error(long err);
/* how many pages it keeps; it kept @before */
long ttmpool_store_pages(const struct file *store);
void ttmpool_store_note_change(const struct file *store, long before);
/* begin to write some of them to the swap device */
void ttmpool_store_push(struct file *store, size_t index, size_t pages);

/*
 * compat_store_*.c: a page of a store to be written, locked and referenced,
 * with whatever it contains; the end of that, when all of it was written.
 * compat_replace_*.c: another page in its place, both locked.
 */
int ttmpool_store_begin(struct file *store, size_t index, struct page **page);
void ttmpool_store_end(struct file *store, size_t index, struct page *page);
void ttmpool_store_replace(struct page *old, struct page *page);

/* compat_writeback_*.c: begin to write a page that is locked, and unlock it */
void ttmpool_store_write_back(struct page *page);

/* compat_file_*.c: a file for so many bytes, or an ERR_PTR() */
struct file *ttmpool_store_file(const char *name, loff_t size);

#endif
