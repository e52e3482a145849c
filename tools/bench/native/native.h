/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef NATIVE_H
#define NATIVE_H

#include <ttmpool/ttmpool.h>

#define NATIVE_PAGE_SHIFT 12

/** native_open() - a system with this many pages; NULL if there is no memory. */
struct native_system *native_open(size_t pages);
void native_close(struct native_system *system);

/** native_device() - the device of all its pages. */
struct native_device *native_device(struct native_system *system);

/** native_bytes() - the bytes of a page. */
char *native_bytes(struct native_system *system,
		   const struct native_page *page);

#endif
