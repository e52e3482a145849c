// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Clearing on x86-64: by stores that go past the caches.
 *
 * The pages are a device's: the CPU will not read the zeroes, and what they would
 * push out of its caches is worth more. For memory that was cached, such stores
 * need not fetch each line before they overwrite it, which is half of the work;
 * write-combined memory is always written so. The fence that makes them visible
 * is the caller's, one for a whole batch: after each page it would cost what was
 * gained.
 *
 * No vector registers: a kernel may not touch them without saving a user's.
 */

#include <linux/mm.h>

#include "ttmpool_system.h"

#define STRIDE 8

static void clear_words(unsigned long *to, unsigned long *end)
{
	for (; to < end; to += STRIDE)
#pragma GCC unroll 8
		for (int i = 0; i < STRIDE; i++)
			asm volatile("movnti %1, %0" : "=m"(to[i]) : "r"(0UL));
}

/* Pages that follow each other; they are in the linear map. */
void ttmpool_clear_pages(struct page *page, size_t n)
{
	unsigned long *to = page_address(page);

	clear_words(to, to + n * (PAGE_SIZE / sizeof(*to)));
}
