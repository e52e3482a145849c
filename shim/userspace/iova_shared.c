// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Addresses that are shared: with config.shared_iova, small chunks that are mapped in one
 * call have one range of addresses (shim/linux/compat_iova_link.c), as Linux can do it
 * since 6.16 (drivers/iommu/dma-iommu.c). The port does it behind a strict IOMMU alone.
 *
 *     dma_iova_try_alloc()   the range is had as a whole
 *     dma_iova_unlink()      cuts the device off from a run of it, with one invalidation
 *                            that is complete on return
 *     dma_iova_free()        gives the range back as a whole: until the last of its pages
 *                            is unmapped, the others' addresses are held
 *
 * A chunk that is unmapped leaves its block to a mapping that leads nowhere.
 */

#include <stdlib.h>

#include "machine.h"

#define SHARED_BYTES (2 * MIB) /* no chunk that shares is as large */
#define RANGE_BYTES  (8 * MIB) /* nor is a range larger */
#define RANGE_PART   4096 /* or than this part of what the device addresses */

static bool may_share(const struct tpsim_device *dev,
		      const struct ttmpool_chunk *chunk)
{
	return block_bytes(dev->machine, chunk->order) < SHARED_BYTES;
}

/* How many chunks from @first on can share a range, and how many pages do they have? None
 * is larger than one before it, so that each lies at a multiple of its size. */
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

/* The first blocks of @whole, as large as the chunks are; what is beyond is free. Without
 * memory for them all of it is, and there is no range. */
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

/* A range for as many chunks from @first on as can share one; NULL if there is none, and
 * the first of them is mapped for itself. Where there are no addresses for one, nor memory,
 * @share says that nothing of this batch is to be asked for again. */
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

/* So many pages of it are not mapped any more. How many pages of addresses have come back
 * by that? */
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

/* Its other chunks are not mapped after all. */
void tpsim_range_cut(struct tpsim_device *dev, struct tpsim_range *range)
{
	size_t pages = 0;

	for (size_t i = range->given; i < range->chunks; i++)
		pages += (size_t)1 << range->blocks[i]->order;
	if (pages)
		range_put(dev, range, pages);
}

/* The mapping ends; that of the run's first page pays for the invalidation. */
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
