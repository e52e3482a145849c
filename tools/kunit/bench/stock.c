// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TTM's own pool, unchanged, as it is compiled on x86. User-Mode Linux is another
 * architecture, and there that file has no pool for plain write-combined pages. So this
 * file pretends to be x86 after all headers have been read:
 *
 *     set_pages_*()   do nothing: no caching is changed, as in our port on other
 *                     architectures than x86
 *     clear_page()    is x86's, for processors with a fast "rep stosb", as all of the
 *                     last ten years have; that of User-Mode Linux is slower. It can
 *                     be left out, to see the cost of the rest
 */

#include <linux/module.h>
#include <linux/dma-mapping.h>
#include <linux/debugfs.h>
#include <linux/highmem.h>
#include <linux/sched/mm.h>

#include <asm/set_memory.h> /* x86's, which is found here, too */

#include <drm/ttm/ttm_bo.h>
#include <drm/ttm/ttm_pool.h>
#include <drm/ttm/ttm_tt.h>

#include "ttm_module.h"

#include "bench.h"

static bool clears = true;

void stock_clears(bool does)
{
	clears = does;
}

static void clear_as_x86_does(void *page)
{
	size_t n = PAGE_SIZE;

	if (clears)
		asm volatile("rep stosb"
			     : "+D"(page), "+c"(n)
			     : "a"(0)
			     : "memory");
}

int set_pages_array_wc(struct page **pages, int n)
{
	return 0;
}

int set_pages_array_uc(struct page **pages, int n)
{
	return 0;
}

int set_pages_wb(struct page *page, int n)
{
	return 0;
}

#undef clear_page
#define clear_page(page) clear_as_x86_does(page)
#define CONFIG_X86       1

#include "ttm_pool.c"
