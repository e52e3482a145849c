// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The IOMMU: each device has its own address space, whose page table is the mapped blocks
 * of iova.c.
 *
 * An access is translated by the page table, and the IOTLB keeps the translation. Unmapping
 * removes it from the page table at once. Only an invalidation removes it from the IOTLB
 * (drivers/iommu/dma-iommu.c, __iommu_dma_unmap()):
 *
 *     strict   before the unmap returns (iommu_iotlb_sync())
 *     lazy     when 256 unmapped ranges are queued (queue_iova()), or after 10 ms
 *              (fq_flush_timeout()), which here is tpsim_iotlb_expire(). Until
 *              then, a translation that the device has used still works, and
 *              the device can read and overwrite the page, even if it has
 *              another owner by then. A caller that wants to exclude this
 *              invalidates at once (iommu_flush_iotlb_all()). But the addresses
 *              stay in the queue, which does not know of that invalidation, and
 *              still come back late (fq_ring_free_locked()).
 *
 * For chunks that share their addresses, in the strict mode, see iova_shared.c.
 *
 * If a port finds no addresses and there is something in the queue, it sleeps until the
 * timer has fired, and tries again, once (tpsim_iommu_await()).
 *
 * The IOTLB has room for all translations, and forgets none by itself. This is the worst
 * case of a real one.
 */

#include <stdlib.h>

#include "machine.h"

int tpsim_iommu_map(struct tpsim_mapping *mapping)
{
	struct tpsim_device *dev = mapping->dev;
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_range *range = mapping->range;
	struct iova_block *block =
		range ? range->blocks[range->given++]
		      : tpsim_iova_alloc(dev, mapping->order);

	if (!block)
		return -ENOSPC;
	block->mapping = mapping;
	mapping->iova = block;
	mapping->addr = block->pfn << machine->config.page_shift;
	machine->counters.iova_allocs += !range;
	tpsim_cost_spend(machine, COST_IOMMU_MAP, 1);
	return 0;
}

/* Does one invalidation for all that is queued: iommu_flush_iotlb_all(). */
static void invalidate(struct tpsim_device *dev)
{
	dev->machine->counters.iotlb_invalidations++;
	tpsim_cost_spend(dev->machine, COST_IOTLB, 1);
	for (struct tpsim_mapping *m = dev->queue; m; m = m->next) {
		m->in_iotlb = false;
		m->is_invalidated = true;
	}
	dev->queued_in_reach = 0;
}

/* Empties the queue: all of it is invalidated, and its addresses become free. */
void tpsim_iommu_turn_over(struct tpsim_device *dev)
{
	struct tpsim_mapping *mapping = dev->queue;

	if (!mapping)
		return;
	invalidate(dev);
	while (mapping) {
		struct tpsim_mapping *next = mapping->next;

		tpsim_iova_free(dev, mapping->iova);
		free(mapping);
		mapping = next;
	}
	dev->queue = NULL;
	dev->queue_end = &dev->queue;
	dev->queued = 0;
}

/* In strict mode, the queue only has the unmapped ranges of one call. */
void tpsim_iommu_unmap(struct tpsim_mapping *mapping)
{
	struct tpsim_device *dev = mapping->dev;

	if (dev->machine->config.iommu == TPSIM_IOMMU_LAZY &&
	    dev->queued == FLUSH_QUEUE)
		tpsim_iommu_turn_over(dev);
	mapping->stale = true;
	mapping->next = NULL;
	*dev->queue_end = mapping;
	dev->queue_end = &mapping->next;
	dev->queued++;
	dev->queued_in_reach++;
	tpsim_cost_spend(dev->machine, COST_IOMMU_UNMAP, 1);
}

/* Ends a call that has unmapped something. */
void tpsim_iommu_end_batch(struct tpsim_device *dev, bool lazy)
{
	dev->run = NULL;
	if (dev->machine->config.iommu == TPSIM_IOMMU_STRICT)
		tpsim_iommu_turn_over(dev);
	else if (!lazy && dev->queued_in_reach)
		invalidate(dev);
}

/*
 * Called when there are no addresses. Sleeps until those in the queue are free, and
 * returns true; returns false if the queue is empty. Guarded, except for the sleep.
 */
bool tpsim_iommu_await(struct tpsim_device *dev)
{
	struct tpsim_machine *machine = dev->machine;

	if (!dev->queue)
		return false;
	machine->counters.iova_waits++;
	tpsim_machine_unlock(machine);
	tpsim_sleep(machine, FLUSH_QUEUE_MS);
	tpsim_machine_lock(machine);
	tpsim_iommu_turn_over(dev);
	return true;
}

/*
 * Returns whether a block waits in the flush queue of any device. The device may have used
 * the translation, which then is still in the IOTLB. Nobody can rule that out.
 */
bool tpsim_iommu_still_reaches(const struct tpsim_machine *machine,
			       const struct tpsim_page *page)
{
	const struct tpsim_page *end = page + ((size_t)1 << page->order);

	for (struct tpsim_device *dev = machine->devices; dev; dev = dev->next)
		for (struct tpsim_mapping *m = dev->queue; m; m = m->next)
			if (!m->is_invalidated && m->page < end &&
			    m->page + ((size_t)1 << m->order) > page)
				return true;
	return false;
}

/* Returns the mapping to which an address leads now; NULL is a fault. */
struct tpsim_mapping *tpsim_iommu_translate(struct tpsim_device *dev,
					    uint64_t addr)
{
	struct iova_block *block =
		tpsim_iova_find(dev, addr >> dev->machine->config.page_shift);

	if (!block || !block->mapping)
		return NULL;
	if (block->mapping->stale && !block->mapping->in_iotlb)
		return NULL;
	block->mapping->in_iotlb = true;
	return block->mapping;
}

void tpsim_iotlb_expire(struct tpsim_machine *machine)
{
	tpsim_machine_lock(machine);
	for (struct tpsim_device *dev = machine->devices; dev; dev = dev->next)
		tpsim_iommu_turn_over(dev);
	tpsim_machine_unlock(machine);
}
