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
 * A few pages are another matter: they may still be in a cache, where the CPU's own
 * instruction for it is some times faster, and what they push out is little.
 *
 * No vector registers: a kernel may not touch them without saving a user's.
 */

#include <linux/mm.h>

#include "ttmpool_system.h"

#define STRIDE 8

static void clear_past_caches(unsigned long *to, unsigned long *end)
{
	for (; to < end; to += STRIDE)
#pragma GCC unroll 8
		for (int i = 0; i < STRIDE; i++)
			asm volatile("movnti %1, %0" : "=m"(to[i]) : "r"(0UL));
}

static void clear_in_cache(unsigned long *to, unsigned long words)
{
	asm volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(0UL) : "memory");
}

/* Pages that follow each other; they are in the linear map. */
void ttmpool_clear_pages(struct page *page, size_t n, bool few)
{
	unsigned long *to = page_address(page);
	const unsigned long words = n * (PAGE_SIZE / sizeof(*to));

	if (few)
		clear_in_cache(to, words);
	else
		clear_past_caches(to, to + words);
}
