// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The DMA API of the machine: what a device reports, and how pages become
 * addresses (kernel/dma/mapping.c).
 *
 *     IOMMU on                       an IOVA                    iommu.c
 *     IOMMU off, page within reach   the physical address
 *     otherwise, or forced           bounce slots               swiotlb.c
 *
 * dma_unmap_page() of every chunk invalidates for itself in strict mode
 * (__iommu_dma_unmap(), drivers/iommu/dma-iommu.c); in lazy mode the queue
 * does, unless the caller insists, and then there is one invalidation for the
 * batch (iommu_flush_iotlb_all()).
 */

#include <stdlib.h>

#include "machine.h"

#define MAX_BOUNCE ((uint64_t)256 << 10) /* swiotlb_max_mapping_size() */

uint64_t device_mask(const struct tpsim_device *dev)
{
	return dev->config.dma_mask ? dev->config.dma_mask : UINT64_MAX;
}

bool device_reaches(const struct tpsim_device *dev, size_t frame,
		    unsigned int order)
{
	const struct tpsim_machine *machine = dev->machine;
	uint64_t end = (uint64_t)(frame + ((size_t)1 << order))
		       << machine->config.page_shift;

	return end - 1 <= device_mask(dev);
}

/* May some mapping of this device bounce? (dma_addressing_limited()) */
bool device_bounces(const struct tpsim_device *dev)
{
	const struct tpsim_config *config = &dev->machine->config;

	if (config->iommu != TPSIM_IOMMU_OFF)
		return false;
	return config->swiotlb_force ||
	       !device_reaches(dev, config->ram_pages - 1, 0);
}

void tpos_device_query(tpos_device_t *dev, struct tpos_device_info *info)
{
	const struct tpsim_config *config = &dev->machine->config;

	*info = (struct tpos_device_info){
		.dma_mask = device_mask(dev),
		.max_mapping = dev->config.max_mapping,
		.page_shift = config->page_shift,
		.max_order = config->max_order,
		.node = dev->config.node,
		.bounces = device_bounces(dev),
		.has_iommu = config->iommu != TPSIM_IOMMU_OFF,
		.untrusted = dev->config.untrusted,
	};
	if (info->bounces && dev->machine->nr_slots &&
	    (!info->max_mapping || info->max_mapping > MAX_BOUNCE))
		info->max_mapping = MAX_BOUNCE;
}

static void count_mappings(struct tpsim_device *dev, size_t frame,
			   unsigned int order, int by)
{
	struct tpsim_machine *machine = dev->machine;
	size_t bytes = machine->page_size << order;

	for (size_t i = 0; i < (size_t)1 << order; i++)
		machine->pages[frame + i].mappings =
			(uint16_t)(machine->pages[frame + i].mappings + by);
	dev->mappings += (size_t)by;
	machine->ledger.mappings += (size_t)by;
	if (by > 0)
		machine->ledger.mapped_bytes += bytes;
	else
		machine->ledger.mapped_bytes -= bytes;
}

/* Make one mapping. Coherent memory is in reach, and does not bounce. */
int device_map(struct tpsim_device *dev, size_t frame, unsigned int order,
	       bool coherent, tpos_dma_addr_t *addr)
{
	struct tpsim_machine *machine = dev->machine;
	int err = 0;

	if (machine->config.iommu != TPSIM_IOMMU_OFF)
		err = iommu_map(dev, frame, order, addr);
	else if (coherent || (device_reaches(dev, frame, order) &&
			      !machine->config.swiotlb_force))
		*addr = (tpos_dma_addr_t)frame << machine->config.page_shift;
	else
		err = swiotlb_map(dev, frame, order, addr);
	if (err)
		return err;
	count_mappings(dev, frame, order, 1);
	machine->counters.dma_maps++;
	cost_add(machine, COST_DMA_MAP, 1);
	return 0;
}

void device_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr, size_t frame,
		  unsigned int order)
{
	struct tpsim_machine *machine = dev->machine;

	if (!machine->pages[frame].mappings)
		machine_panic("a page is unmapped that is not mapped");
	if (machine->config.iommu != TPSIM_IOMMU_OFF)
		iommu_unmap(dev, addr, order);
	else if (swiotlb_holds(machine, addr))
		swiotlb_unmap(dev, addr, order);
	count_mappings(dev, frame, order, -1);
	machine->counters.dma_unmaps++;
	cost_add(machine, COST_DMA_UNMAP, 1);
}

static void chunk_unmap(struct tpsim_device *dev, struct ttmpool_chunk *chunk)
{
	device_unmap(dev, chunk->dma.addr,
		     page_index(dev->machine, chunk->page), chunk->order);
}

int tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;
	struct ttmpool_list *link;
	size_t after, done = 0;
	int fault, err = 0;

	lock_assert_none_spins("tpos_dma_map");
	if (ttmpool_list_empty(chunks))
		machine_panic("tpos_dma_map: an empty batch");
	machine_lock(machine);
	fault = fault_strikes(machine, TPSIM_CALL_DMA_MAP, &after);
	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		err = fault && done >= after ? fault : 0;
		if (!err)
			err = device_map(dev, page_index(machine, chunk->page),
					 chunk->order, false, &chunk->dma.addr);
		if (err)
			break;
		done++;
	}
	if (fault && !err) /* it fails after the last one */
		err = fault;
	ttmpool_list_for_each(link, chunks) {
		if (!err || !done--)
			break;
		chunk_unmap(dev, ttmpool_chunk_of(link));
	}
	machine_unlock(machine);
	return err;
}

void tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks, bool lazy)
{
	struct tpsim_machine *machine = dev->machine;
	struct ttmpool_list *link;

	lock_assert_none_spins("tpos_dma_unmap");
	if (ttmpool_list_empty(chunks))
		machine_panic("tpos_dma_unmap: an empty batch");
	machine_lock(machine);
	ttmpool_list_for_each(link, chunks)
		chunk_unmap(dev, ttmpool_chunk_of(link));
	if (!lazy)
		iommu_flush(dev);
	machine_unlock(machine);
}
