// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The floor: the least work for cleared, converted and mapped pages of the kernel, and
 * nothing else. It has no pool, no checks and no counters, and gives up on an error.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <asm/set_memory.h>

#include "race.h"

#define BLOCK_ORDER (PMD_SHIFT - PAGE_SHIFT)

/* @orders: of the block that begins at each page */
struct floor_buffer {
	size_t num_pages;
	enum ttmpool_caching caching;
	struct page **pages;
	dma_addr_t *addresses;
	u8 *orders;
};

static struct device *device;

static int arm_open(struct device *dev)
{
	device = dev;
	return 0;
}

static void arm_close(void)
{
}

static void arm_dispose(struct buffer *buffer)
{
	struct floor_buffer *floor = buffer->arm;

	kvfree(floor->pages);
	kvfree(floor->addresses);
	kvfree(floor->orders);
	kfree(floor);
}

static int arm_order(struct buffer *buffer)
{
	struct floor_buffer *floor = kzalloc(sizeof(*floor), GFP_KERNEL);

	if (!floor)
		return -ENOMEM;
	buffer->arm = floor;
	floor->num_pages = buffer->pages;
	floor->caching = buffer->caching;
	floor->pages =
		kvcalloc(buffer->pages, sizeof(*floor->pages), GFP_KERNEL);
	floor->addresses =
		kvcalloc(buffer->pages, sizeof(*floor->addresses), GFP_KERNEL);
	floor->orders = kvcalloc(buffer->pages, 1, GFP_KERNEL);
	if (floor->pages && floor->addresses && floor->orders)
		return 0;
	arm_dispose(buffer);
	return -ENOMEM;
}

/* Convert whole blocks where the linear map has one entry for each; the rest as an
 * array. */
static int convert(struct floor_buffer *floor, size_t whole)
{
	bool wc = floor->caching == TTMPOOL_WRITE_COMBINED;
	struct page **pages = floor->pages;
	size_t rest = floor->num_pages - whole;
	int err = 0;

	for (size_t i = 0, n; !err && i < whole; i += n) {
		unsigned long addr = (unsigned long)page_address(pages[i]);

		n = 1;
		while (i + n < whole && pages[i + n] == pages[i + n - 1] + 1)
			n++;
		err = wc ? set_memory_wc(addr, n) : set_memory_uc(addr, n);
	}
	if (err || !rest)
		return err;
	return wc ? set_pages_array_wc(pages + whole, rest)
		  : set_pages_array_uc(pages + whole, rest);
}

/* The largest block that fits and that the system has; its order is at most *@most. */
static struct page *block_at(const struct floor_buffer *floor, size_t i,
			     unsigned int *most)
{
	struct page *page;

	*most = min_t(unsigned int, *most, __fls(floor->num_pages - i));
	for (;; --*most) {
		gfp_t gfp = GFP_KERNEL | __GFP_ZERO;

		if (*most)
			gfp |= __GFP_NORETRY | __GFP_NOWARN;
		page = alloc_pages(gfp, *most);
		if (page || !*most)
			return page;
	}
}

static int arm_populate(struct buffer *buffer)
{
	struct floor_buffer *floor = buffer->arm;
	unsigned int order = BLOCK_ORDER;
	size_t i = 0, whole = 0;

	while (i < floor->num_pages) {
		struct page *page = block_at(floor, i, &order);
		size_t n = 1UL << order;
		dma_addr_t addr;

		if (!page)
			return -ENOMEM;
		addr = dma_map_page(device, page, 0, PAGE_SIZE << order,
				    DMA_BIDIRECTIONAL);
		if (dma_mapping_error(device, addr))
			return -ENOMEM;
		floor->orders[i] = order;
		if (order == BLOCK_ORDER)
			whole = i + n;
		for (; n; n--, i++) {
			floor->pages[i] = page++;
			floor->addresses[i] = addr;
			addr += PAGE_SIZE;
		}
	}
	return floor->caching == TTMPOOL_CACHED ? 0 : convert(floor, whole);
}

static void arm_unpopulate(struct buffer *buffer)
{
	struct floor_buffer *floor = buffer->arm;
	size_t i = 0;

	if (floor->caching != TTMPOOL_CACHED)
		set_pages_array_wb(floor->pages, floor->num_pages);
	while (i < floor->num_pages) {
		unsigned int order = floor->orders[i];

		dma_unmap_page(device, floor->addresses[i], PAGE_SIZE << order,
			       DMA_BIDIRECTIONAL);
		__free_pages(floor->pages[i], order);
		i += 1UL << order;
	}
}

static struct page **arm_pages(struct buffer *buffer)
{
	const struct floor_buffer *floor = buffer->arm;

	return floor->pages;
}

const struct arm arm_floor = { .name = "floor",
			       .open = arm_open,
			       .close = arm_close,
			       .order = arm_order,
			       .populate = arm_populate,
			       .unpopulate = arm_unpopulate,
			       .pages = arm_pages,
			       .dispose = arm_dispose };
