/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_STORE_H
#define TTMPOOL_LINUX_STORE_H

/* The internal interface between the files about stores. */

#include <linux/sched.h>
#include <linux/swap.h>

#include "ttmpool_system.h"

static inline bool ttmpool_is_in_reclaim(void)
{
	return current->flags & PF_MEMALLOC;
}

/* Only kswapd can wait for a disk without another thread waiting for it. */
static inline bool ttmpool_may_write_back(void)
{
	return current_is_kswapd();
}

/* store.c: sets how memory for its pages is allocated from here on */
void ttmpool_store_prepare(struct file *store);
/* translates the kernel's error to one of the contract */
int ttmpool_store_error(long err);
/* number of pages that it keeps; it kept @before */
long ttmpool_store_pages(const struct file *store);
void ttmpool_store_note_change(const struct file *store, long before);
/* begins to write some of them to the swap device */
void ttmpool_store_push(struct file *store, size_t index, size_t pages);

/*
 * compat_store_*.c: _begin gets a page of a store to be written, locked and referenced, with
 * whatever it contains; _end ends that, after all of it was written. compat_replace_*.c:
 * puts another page in its place; both are locked.
 */
int ttmpool_store_begin(struct file *store, size_t index, struct page **page);
void ttmpool_store_end(struct file *store, size_t index, struct page *page);
void ttmpool_store_replace(struct page *old, struct page *page);

/* compat_writeback_*.c: begins to write a locked page, and unlocks it. */
void ttmpool_store_write_back(struct page *page);

/* compat_file_*.c: returns a file of @size bytes, or an ERR_PTR(). */
struct file *ttmpool_store_file(const char *name, loff_t size);

#endif
