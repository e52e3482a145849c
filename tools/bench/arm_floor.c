// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The floor: what nobody can leave out who needs cleared, converted and mapped
 * pages of the kernel, and nothing else. No pool, no checks, no counters, and on
 * an error it gives up.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/set_memory.h>

#include "race.h"

#define BLOCK_ORDER (PMD_SHIFT - PAGE_SHIFT)

static struct device *device;
static enum ttmpool_caching wanted;
static struct page **array;
static dma_addr_t *addresses;
static size_t num_pages;

static int arm_open(struct device *dev)
{
	device = dev;
	return 0;
}

static void arm_close(void)
{
}

static int arm_order(size_t pages, enum ttmpool_caching caching)
{
	num_pages = pages;
	wanted = caching;
	array = kvcalloc(pages, sizeof(*array), GFP_KERNEL);
	addresses = kvcalloc(pages, sizeof(*addresses), GFP_KERNEL);
	return array && addresses ? 0 : -ENOMEM;
}

static unsigned int order_at(size_t i)
{
	unsigned int order =
		min_t(unsigned int, BLOCK_ORDER, __fls(num_pages - i));

	return i ? min_t(unsigned int, order, __ffs(i)) : order;
}

/* Whole blocks are converted where they are one entry; the rest as an array. */
static int convert(size_t whole, enum ttmpool_caching caching)
{
	bool wc = caching == TTMPOOL_WRITE_COMBINED;
	int err = 0;

	for (size_t i = 0, n; !err && i < whole; i += n) {
		unsigned long addr = (unsigned long)page_address(array[i]);

		n = 1;
		while (i + n < whole && array[i + n] == array[i + n - 1] + 1)
			n++;
		err = wc ? set_memory_wc(addr, n) : set_memory_uc(addr, n);
	}
	if (err || whole == num_pages)
		return err;
	return wc ? set_pages_array_wc(array + whole, num_pages - whole)
		  : set_pages_array_uc(array + whole, num_pages - whole);
}

static int arm_populate(void)
{
	size_t i = 0;

	while (i < num_pages) {
		unsigned int order = order_at(i);
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
		dma_addr_t addr;

		if (!page)
			return -ENOMEM;
		addr = dma_map_page(device, page, 0, PAGE_SIZE << order,
				    DMA_BIDIRECTIONAL);
		if (dma_mapping_error(device, addr))
			return -ENOMEM;
		for (size_t end = i + (1UL << order); i < end; i++) {
			array[i] = page++;
			addresses[i] = addr;
			addr += PAGE_SIZE;
		}
	}
	if (wanted == TTMPOOL_CACHED)
		return 0;
	return convert(round_down(num_pages, 1UL << BLOCK_ORDER), wanted);
}

static void arm_unpopulate(void)
{
	size_t i = 0;

	if (wanted != TTMPOOL_CACHED)
		set_pages_array_wb(array, num_pages);
	while (i < num_pages) {
		unsigned int order = order_at(i);

		dma_unmap_page(device, addresses[i], PAGE_SIZE << order,
			       DMA_BIDIRECTIONAL);
		__free_pages(array[i], order);
		i += 1UL << order;
	}
}

static struct page **arm_pages(void)
{
	return array;
}

static void arm_dispose(void)
{
	kvfree(array);
	kvfree(addresses);
}

const struct arm arm_floor = { .name = "floor",
			       .open = arm_open,
			       .close = arm_close,
			       .order = arm_order,
			       .populate = arm_populate,
			       .unpopulate = arm_unpopulate,
			       .pages = arm_pages,
			       .dispose = arm_dispose };
