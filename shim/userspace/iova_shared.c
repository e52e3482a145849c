// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shared addresses: with config.shared_iova, small chunks that are mapped in one call share
 * one range of addresses (shim/linux/compat_iova_link.c), which Linux makes possible since
 * 6.16 (drivers/iommu/dma-iommu.c). The port does this only behind a strict IOMMU.
 *
 *     dma_iova_try_alloc()   allocates the range as a whole
 *     dma_iova_unlink()      cuts the device off from a run of it, with one invalidation
 *                            that is complete on return
 *     dma_iova_free()        frees the range as a whole: until its last page is unmapped,
 *                            the addresses of the others are held
 *
 * The block of a chunk that is unmapped leads to a mapping that leads nowhere.
 */

#include <stdlib.h>

#include "machine.h"

#define SHARED_BYTES (2 * MIB) /* a chunk that shares is smaller than this */
#define RANGE_BYTES  (8 * MIB) /* the largest size of a range */
#define RANGE_PART   4096 /* a range is no larger than this part of the mask */

static bool may_share(const struct tpsim_device *dev,
		      const struct ttmpool_chunk *chunk)
{
	return block_bytes(dev->machine, chunk->order) < SHARED_BYTES;
}

/*
 * Returns how many chunks from @first on can share a range, and stores their pages
 * in @pages. No chunk may be larger than the one before it, so that each lies at a
 * multiple of its size.
 */
static size_t plan(const struct tpsim_device *dev,
		   const struct ttmpool_list *first,
		   const struct ttmpool_list *end, size_t *pages)
{
	const struct tpsim_machine *machine = dev->machine;
	uint64_t most = dev->config.dma_mask / RANGE_PART;
	unsigned int order = ORDER_LIMIT;
	size_t n = 0;

	if (most > RANGE_BYTES)
		most = RANGE_BYTES;
	*pages = 0;
	for (; first != end; first = first->next, n++) {
		const struct ttmpool_chunk *chunk =
			ttmpool_list_entry(first, struct ttmpool_chunk, link);
		size_t more = *pages + ttmpool_chunk_pages(chunk);

		if (!may_share(dev, chunk) || chunk->order > order ||
		    more * machine->page_bytes > most)
			break;
		order = chunk->order;
		*pages = more;
	}
	return n;
}

/*
 * Cuts @whole into blocks of the sizes of the chunks, and frees the rest. Returns
 * false if there is no memory for that; then all of @whole is free, and there is no
 * range.
 */
static bool carve(struct tpsim_device *dev, struct tpsim_range *range,
		  struct iova_block *whole, const struct ttmpool_list *first)
{
	struct iova_block *rest[IOVA_ORDERS], *block = whole;
	size_t left = 0, done = 0;

	whole->mapping = &range->nowhere;
	for (; done < range->chunks; first = first->next, done++) {
		const struct ttmpool_chunk *chunk =
			ttmpool_list_entry(first, struct ttmpool_chunk, link);

		if (!block)
			block = rest[--left];
		while (block && block->order > chunk->order) {
			rest[left] = tpsim_iova_halve(dev, block);
			if (!rest[left])
				goto free;
			rest[left++]->mapping = &range->nowhere;
		}
		range->blocks[done] = block;
		block = NULL;
	}
free:
	if (block)
		tpsim_iova_free(dev, block);
	while (left)
		tpsim_iova_free(dev, rest[--left]);
	if (done == range->chunks)
		return true;
	while (done)
		tpsim_iova_free(dev, range->blocks[--done]);
	return false;
}

static void destroy(struct tpsim_range *range)
{
	free(range->blocks);
	free(range);
}

static unsigned int order_above(size_t pages)
{
	unsigned int order = 0;

	while ((size_t)1 << order < pages)
		order++;
	return order;
}

bool tpsim_device_shares(const struct tpsim_device *dev)
{
	const struct tpsim_config *config = &dev->machine->config;

	return config->shared_iova && config->iommu == TPSIM_IOMMU_STRICT &&
	       !dev->config.incoherent;
}

/*
 * Creates a range for as many chunks from @first on as can share one. Returns NULL
 * if there is none; then the first chunk is mapped by itself. If there are no
 * addresses or no memory for a range, @share becomes false, so that this batch asks
 * for no other range.
 */
struct tpsim_range *tpsim_range_create(struct tpsim_device *dev,
				       const struct ttmpool_list *first,
				       const struct ttmpool_list *end,
				       bool *share)
{
	struct iova_block *whole;
	struct tpsim_range *range;
	size_t pages, n;

	n = *share ? plan(dev, first, end, &pages) : 0;
	if (n < 2)
		return NULL;
	*share = false;
	range = calloc(1, sizeof(*range));
	if (!range)
		return NULL;
	range->blocks = calloc(n, sizeof(struct iova_block *));
	range->chunks = n;
	range->pages = range->linked = pages;
	range->nowhere.stale = true;
	whole = range->blocks ? tpsim_iova_alloc(dev, order_above(pages))
			      : NULL;
	if (!whole || !carve(dev, range, whole, first)) {
		destroy(range);
		return NULL;
	}
	dev->machine->counters.iova_allocs++;
	*share = true;
	return range;
}

/*
 * Notes that some pages of the range are not mapped any more. Returns how many
 * pages of addresses have come back by this.
 */
static size_t range_put(struct tpsim_device *dev, struct tpsim_range *range,
			size_t pages)
{
	uint64_t bytes = dev->machine->page_bytes;
	size_t back = range->pages;

	dev->machine->out.held_bytes += pages * bytes;
	range->linked -= pages;
	if (range->linked)
		return 0;
	for (size_t i = 0; i < range->chunks; i++)
		tpsim_iova_free(dev, range->blocks[i]);
	destroy(range);
	dev->machine->out.held_bytes -= back * bytes;
	return back;
}

/* Called when the remaining chunks of a range will not be mapped after all. */
void tpsim_range_cut(struct tpsim_device *dev, struct tpsim_range *range)
{
	size_t pages = 0;

	for (size_t i = range->given; i < range->chunks; i++)
		pages += (size_t)1 << range->blocks[i]->order;
	if (pages)
		range_put(dev, range, pages);
}

/* Ends a mapping in a range. The first page of each run costs an invalidation. */
size_t tpsim_range_unmap(struct tpsim_mapping *mapping)
{
	struct tpsim_device *dev = mapping->dev;
	struct tpsim_range *range = mapping->range;
	size_t pages = (size_t)1 << mapping->order;

	if (dev->run != range || dev->run_end != mapping->addr) {
		dev->machine->counters.iotlb_invalidations++;
		tpsim_cost_spend(dev->machine, COST_IOTLB, 1);
	}
	dev->run = range;
	dev->run_end = mapping->addr + pages * dev->machine->page_bytes;
	tpsim_cost_spend(dev->machine, COST_IOMMU_UNMAP, 1);
	mapping->iova->mapping = &range->nowhere;
	free(mapping);
	return range_put(dev, range, pages);
}
