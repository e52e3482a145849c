// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The DMA API. How a mapping is made is decided as in kernel/dma/mapping.c and direct.h
 * (dma_direct_map_page()):
 *
 *     there is an IOMMU           iommu.c: an address of the device's own space
 *     swiotlb=force               bounce slots
 *     memory beyond the mask      bounce slots
 *     otherwise                   the physical address
 *
 * Coherent pages are mapped when they are allocated, and never bounce. Their mapping can be
 * ended before they are freed, as a Linux port can do it (shim/linux/coherent.c). If the
 * device sees what the CPU writes, the port takes plain pages for them, and
 * dma_unmap_page(). Otherwise it takes single pages, with a reference to each that outlives
 * dma_free_attrs(). Both ways use the flush queue in the lazy mode
 * (drivers/iommu/dma-iommu.c, __iommu_dma_unmap()).
 *
 * Each mapping has a record, as with CONFIG_DMA_API_DEBUG (kernel/dma/debug.c). What that
 * option would report ends the program: unmapping twice, for another device, or without a
 * mapping; and a device that goes while mappings are left.
 */

#include <stdlib.h>

#include "machine.h"

/*
 * Returns whether dma_sync_single_*() and the ends of a mapping maintain the cache
 * for this block (kernel/dma/direct.h, drivers/iommu/dma-iommu.c:
 * dev_is_dma_coherent()).
 */
bool tpsim_block_streams_past_cache(const struct tpsim_page *block)
{
	const struct tpsim_mapping *mapping = block->mapping;

	return mapping && mapping->dev->config.incoherent && !mapping->slots &&
	       block->use == PAGE_PLAIN;
}

bool tpsim_device_bounces(const struct tpsim_device *dev)
{
	const struct tpsim_machine *machine = dev->machine;

	if (machine->config.iommu != TPSIM_IOMMU_OFF)
		return false;
	return machine->config.swiotlb_force ||
	       dev->config.dma_mask < tpsim_ram_last_byte(machine);
}

/* Returns whether a streaming mapping that ends at @last needs bounce slots. */
static bool needs_bounce(const struct tpsim_device *dev, uint64_t last)
{
	return dev->machine->config.swiotlb_force ||
	       last > dev->config.dma_mask;
}

/* Chooses how to make this mapping, and makes it. */
static int mapping_place(struct tpsim_mapping *mapping)
{
	struct tpsim_machine *machine = mapping->dev->machine;
	uint64_t last = block_bytes(machine, mapping->order) - 1;

	if (machine->config.iommu != TPSIM_IOMMU_OFF)
		return tpsim_iommu_map(mapping);
	mapping->addr = tpsim_page_physical(machine, mapping->page);
	tpsim_cost_spend(machine, COST_DIRECT_MAP, 1);
	if (mapping->page->use == PAGE_COHERENT)
		return 0;
	if (needs_bounce(mapping->dev, mapping->addr + last))
		return tpsim_swiotlb_map(mapping);
	return 0;
}

int tpsim_mapping_create(struct tpsim_device *dev, struct tpsim_page *page,
			 struct tpsim_range *range)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_mapping *mapping = calloc(1, sizeof(*mapping));
	int err;

	if (!mapping)
		return -ENOMEM;
	mapping->dev = dev;
	mapping->page = page;
	mapping->range = range;
	mapping->order = page->order;
	err = mapping_place(mapping);
	if (err) {
		free(mapping);
		return err;
	}
	page->mapping = mapping;
	if (tpsim_block_streams_past_cache(page))
		tpsim_cache_clean(machine, page, (size_t)1 << page->order);
	dev->mappings++;
	machine->counters.dma_maps++;
	machine->out.mappings++;
	machine->out.mapped_bytes += block_bytes(machine, page->order);
	return 0;
}

/*
 * Ends a mapping. The device loses the page, except through a stale IOTLB entry.
 * Returns how many pages of addresses come back.
 */
size_t tpsim_mapping_end(struct tpsim_mapping *mapping)
{
	struct tpsim_machine *machine = mapping->dev->machine;
	size_t pages = (size_t)1 << mapping->order;

	if (tpsim_block_streams_past_cache(mapping->page))
		tpsim_cache_invalidate(machine, mapping->page,
				       (size_t)1 << mapping->order);
	mapping->page->mapping = NULL;
	mapping->dev->mappings--;
	machine->counters.dma_unmaps++;
	machine->out.mappings--;
	machine->out.mapped_bytes -= block_bytes(machine, mapping->order);
	if (mapping->range)
		return tpsim_range_unmap(mapping);
	if (mapping->iova) { /* freed after the invalidation */
		tpsim_iommu_unmap(mapping);
		return pages;
	}
	tpsim_cost_spend(machine, COST_DIRECT_MAP, 1);
	if (mapping->slots)
		tpsim_swiotlb_unmap(mapping);
	free(mapping);
	return pages;
}

static int map_chunk(struct tpsim_device *dev, struct ttmpool_chunk *chunk,
		     struct tpsim_range *range)
{
	struct tpsim_page *page =
		tpsim_chunk_block(dev->machine, chunk, "tpos_dma_map");
	uint64_t most = dev->config.max_mapping;
	int err;

	if (page->use != PAGE_PLAIN)
		tpsim_complain(
			page->mapping ? "coherent pages are mapped already"
				      : "coherent pages are mapped once",
			"page %zu", tpsim_page_index(dev->machine, page));
	if (page->mapping)
		tpsim_complain("double map", "page %zu",
			       tpsim_page_index(dev->machine, page));
	/* A mapping larger than dma_max_mapping_size() fails. */
	if (most && block_bytes(dev->machine, page->order) > most)
		return -EIO;
	err = tpsim_mapping_create(dev, page, range);
	if (err)
		return err;
	chunk->dma = (struct tpos_dma){ page->mapping->addr, page->mapping };
	return 0;
}

static size_t unmap_chunk(struct tpsim_device *dev, struct ttmpool_chunk *chunk)
{
	struct tpsim_page *page =
		tpsim_chunk_block(dev->machine, chunk, "tpos_dma_unmap");
	size_t back;

	if (!page->mapping)
		tpsim_complain("unmap of what is not mapped", "page %zu",
			       tpsim_page_index(dev->machine, page));
	if (page->mapping->dev != dev)
		tpsim_complain("wrong device", "tpos_dma_unmap, page %zu",
			       tpsim_page_index(dev->machine, page));
	if (chunk->dma.cookie != page->mapping)
		tpsim_complain("the record of a mapping was changed",
			       "page %zu",
			       tpsim_page_index(dev->machine, page));
	back = tpsim_mapping_end(page->mapping);
	/*
	 * The address stays in the record: dma_unmap_page_attrs() of
	 * include/linux/dma-mapping.h takes it by value, and resets nothing.
	 */
	chunk->dma.cookie = NULL;
	return back;
}

/*
 * A loop of dma_map_page(). If one call fails, be it the planned failure or
 * another, all mappings of the loop are undone.
 */
static int map_chunks(struct tpsim_device *dev, struct ttmpool_list *chunks,
		      struct strike strike)
{
	struct ttmpool_list *end = chunks;
	struct tpsim_range *range = NULL;
	bool share = tpsim_device_shares(dev);
	int err = 0;

	for_each_chunk(chunk, chunks)
	{
		end = &chunk->link;
		if (!range || range->given == range->chunks)
			range = tpsim_range_create(dev, end, chunks, &share);
		if (strike.error && !strike.after--)
			err = strike.error;
		if (!err)
			err = map_chunk(dev, chunk, range);
		if (err)
			goto unmap;
	}
	if (strike.error) { /* planned after more chunks than there are */
		end = chunks;
		err = strike.error;
		goto unmap;
	}
	return 0;

unmap:
	if (range)
		tpsim_range_cut(dev, range);
	for (struct ttmpool_list *link = chunks->next; link != end;
	     link = link->next)
		unmap_chunk(dev, ttmpool_chunk_of(link));
	if (chunks->next != end)
		tpsim_iommu_end_batch(dev, false);
	return err;
}

int tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;
	struct strike strike;
	int err;

	tpsim_machine_enter(machine, __func__);
	tpsim_device_check(dev, __func__);
	tpsim_batch_check(chunks, __func__);
	strike = tpsim_fault_strike(machine, TPSIM_CALL_DMA_MAP, -ENOSPC);
	err = map_chunks(dev, chunks, strike);
	if (err == -ENOSPC && !strike.error && tpsim_iommu_await(dev))
		err = map_chunks(dev, chunks, strike);
	tpsim_machine_unlock(machine);
	return err;
}

size_t tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
		      bool lazy)
{
	size_t back = 0;

	tpsim_machine_enter(dev->machine, __func__);
	tpsim_device_check(dev, __func__);
	tpsim_batch_check(chunks, __func__);
	for_each_chunk(chunk, chunks) back += unmap_chunk(dev, chunk);
	tpsim_iommu_end_batch(dev, lazy);
	tpsim_machine_unlock(dev->machine);
	return back;
}

void tpsim_dma_sync(struct tpsim_device *dev, tpos_page_t *page,
		    bool for_device)
{
	tpsim_machine_lock(dev->machine);
	tpsim_device_check(dev, __func__);
	page = tpsim_block_head(dev->machine, page);
	if (!page->mapping || page->mapping->dev != dev)
		tpsim_complain("sync of what is not mapped", "page %zu",
			       tpsim_page_index(dev->machine, page));
	if (page->mapping->slots)
		tpsim_swiotlb_copy(page->mapping, 0, (size_t)1 << page->order,
				   for_device);
	if (tpsim_block_streams_past_cache(page) && for_device)
		tpsim_cache_clean(dev->machine, page, (size_t)1 << page->order);
	else if (tpsim_block_streams_past_cache(page))
		tpsim_cache_invalidate(dev->machine, page,
				       (size_t)1 << page->order);
	tpsim_machine_unlock(dev->machine);
}

/* Linux: is_swiotlb_buffer() for the target of the DMA address. */
bool tpos_dma_bounces(tpos_device_t *dev, const struct ttmpool_chunk *chunk)
{
	struct tpsim_page *page;
	bool bounces;

	tpsim_machine_lock(dev->machine);
	tpsim_device_check(dev, __func__);
	page = tpsim_chunk_block(dev->machine, chunk, __func__);
	if (!page->mapping || page->mapping->dev != dev)
		tpsim_complain("bounces of what is not mapped", "page %zu",
			       tpsim_page_index(dev->machine, page));
	bounces = page->mapping->slots;
	tpsim_machine_unlock(dev->machine);
	return bounces;
}

/*
 * Linux: dma_capable() of kernel/dma/direct.h. Behind an IOMMU, any page can be
 * mapped below the mask. If every mapping bounces, other pages would bounce, too.
 */
bool tpos_device_reaches(tpos_device_t *dev, const tpos_page_t *page, size_t n)
{
	const struct tpsim_machine *machine = dev->machine;
	uint64_t last = tpsim_page_physical(machine, page + n - 1);

	tpsim_device_check(dev, __func__);
	if (machine->config.iommu != TPSIM_IOMMU_OFF)
		return true;
	return last + machine->page_bytes - 1 <= dev->config.dma_mask;
}
