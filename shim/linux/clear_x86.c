// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Clearing on x86-64, by stores that bypass the caches.
 *
 * The pages belong to a device: the CPU will not read the zeroes, and the cache lines that
 * they would evict are worth more. For memory that was cached, such stores do not fetch
 * each line before they overwrite it, which saves half of the work. Write-combined memory
 * is always written in this way. The caller issues the fence that makes the stores
 * visible, one for a whole batch: after each page, it would cost what was gained.
 *
 * A few pages are different: they may still be in a cache, where the CPU's own instruction
 * clears them several times faster, and they evict little.
 *
 * There are no vector registers, because a kernel must not use them without saving a
 * user's.
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

/* Clears contiguous pages, which must be in the linear map. */
void ttmpool_clear_pages(struct page *page, size_t n, bool few)
{
	unsigned long *to = page_address(page);
	const unsigned long words = n * (PAGE_SIZE / sizeof(*to));

	if (few)
		clear_in_cache(to, words);
	else
		clear_past_caches(to, to + words);
}
