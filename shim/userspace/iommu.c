// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The IOMMU: one address space per device.
 *
 *     IOVA page --> frame[]   the page table: what is mapped now
 *               --> tlb[]     what the IOTLB may still remember of what is not
 *
 * IOVA ranges are powers of two, aligned to their size and handed out from the
 * top, as alloc_iova() does for a size-aligned request (drivers/iommu/iova.c);
 * for a mask of more than 32 bits, below 4 GiB while there is room
 * (iommu_dma_alloc_iova(), drivers/iommu/dma-iommu.c), which is simplified to:
 * the space ends at 4 GiB unless the machine has more RAM than that.
 *
 * Strict: an unmap invalidates before it returns (iommu_iotlb_sync()). Lazy:
 * the ranges wait in a queue of 256, then all are invalidated together
 * (fq_ring_add()); until then the old translation may be used, and the range is
 * not handed out again. The worst case is simulated: it always can be used.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "machine.h"

#define NO_BLOCK 0

static void *array(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static void block_push(struct iova_space *iova, size_t page, unsigned int order)
{
	size_t i = page - iova->first;
	uint32_t head = iova->free[order];

	iova->order[i] = (uint8_t)(order + 1);
	iova->prev[i] = NO_BLOCK;
	iova->next[i] = head;
	if (head)
		iova->prev[head - 1] = (uint32_t)(i + 1);
	iova->free[order] = (uint32_t)(i + 1);
}

static void block_remove(struct iova_space *iova, size_t page)
{
	size_t i = page - iova->first;
	unsigned int order = iova->order[i] - 1u;
	uint32_t next = iova->next[i], prev = iova->prev[i];

	if (prev)
		iova->next[prev - 1] = next;
	else
		iova->free[order] = next;
	if (next)
		iova->prev[next - 1] = prev;
	iova->order[i] = 0;
}

static void block_free(struct iova_space *iova, size_t page, unsigned int order)
{
	for (;;) {
		size_t buddy = page ^ ((size_t)1 << order);

		if (buddy < iova->first ||
		    buddy + ((size_t)1 << order) > iova->end ||
		    iova->order[buddy - iova->first] != order + 1)
			break;
		block_remove(iova, buddy);
		page &= ~((size_t)1 << order);
		order++;
	}
	block_push(iova, page, order);
}

static bool block_alloc(struct iova_space *iova, unsigned int order,
			size_t *page)
{
	unsigned int have = order;

	while (have < 64 && !iova->free[have])
		have++;
	if (have == 64)
		return false;
	*page = iova->first + iova->free[have] - 1;
	block_remove(iova, *page);
	while (have > order) { /* keep the upper half, free the lower */
		have--;
		block_push(iova, *page, have);
		*page += (size_t)1 << have;
	}
	return true;
}

int iova_init(struct tpsim_device *dev)
{
	const struct tpsim_machine *machine = dev->machine;
	unsigned int shift = machine->config.page_shift;
	uint64_t ram = (uint64_t)machine->config.ram_pages << shift;
	uint64_t top = (uint64_t)1 << 32;
	struct iova_space *iova = &dev->iova;
	size_t n;

	while (top < 4 * ram)
		top *= 2;
	if (device_mask(dev) < top - 1)
		top = device_mask(dev) + 1;
	iova->end = (size_t)(top >> shift);
	iova->first = 1; /* address 0 is never handed out */
	n = (size_t)(machine->config.iova_bytes >> shift);
	if (n && n < iova->end - 1)
		iova->first = iova->end - n;
	iova->bytes = (iova->end - iova->first) * sizeof(uint32_t);
	iova->frame = array(iova->bytes);
	iova->tlb = array(iova->bytes);
	iova->next = array(iova->bytes);
	iova->prev = array(iova->bytes);
	iova->order = array(iova->bytes);
	if (!iova->frame || !iova->tlb || !iova->next || !iova->prev ||
	    !iova->order) {
		iova_fini(dev);
		return -ENOMEM;
	}
	for (size_t page = iova->first; page < iova->end;) {
		unsigned int order = 0;

		while (!(page & ((size_t)1 << order)) &&
		       page + ((size_t)2 << order) <= iova->end)
			order++;
		block_push(iova, page, order);
		page += (size_t)1 << order;
	}
	return 0;
}

void iova_fini(struct tpsim_device *dev)
{
	struct iova_space *iova = &dev->iova;

	if (iova->frame)
		munmap(iova->frame, iova->bytes);
	if (iova->tlb)
		munmap(iova->tlb, iova->bytes);
	if (iova->next)
		munmap(iova->next, iova->bytes);
	if (iova->prev)
		munmap(iova->prev, iova->bytes);
	if (iova->order)
		munmap(iova->order, iova->bytes);
}

int iommu_map(struct tpsim_device *dev, size_t frame, unsigned int order,
	      tpos_dma_addr_t *addr)
{
	struct tpsim_machine *machine = dev->machine;
	size_t page;

	if (!block_alloc(&dev->iova, order, &page)) {
		iommu_flush(dev); /* as alloc_iova_fast() flushes and retries */
		if (!block_alloc(&dev->iova, order, &page))
			return -ENOSPC;
	}
	machine->counters.iova_allocs++;
	for (size_t i = 0; i < (size_t)1 << order; i++)
		dev->iova.frame[page - dev->iova.first + i] =
			(uint32_t)(frame + i + 1);
	*addr = (tpos_dma_addr_t)page << machine->config.page_shift;
	return 0;
}

void iommu_flush(struct tpsim_device *dev)
{
	struct iova_space *iova = &dev->iova;

	if (!iova->queued)
		return;
	while (iova->queued) {
		struct stale *stale = &iova->queue[--iova->queued];

		for (size_t i = 0; i < (size_t)1 << stale->order; i++)
			iova->tlb[stale->iova - iova->first + i] = 0;
		block_free(iova, stale->iova, stale->order);
	}
	dev->machine->counters.iotlb_invalidations++;
	cost_add(dev->machine, COST_IOTLB_INVALIDATE, 1);
}

void iommu_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr,
		 unsigned int order)
{
	struct iova_space *iova = &dev->iova;
	size_t page = (size_t)(addr >> dev->machine->config.page_shift);

	for (size_t i = 0; i < (size_t)1 << order; i++) {
		size_t at = page - iova->first + i;

		if (!iova->frame[at])
			machine_panic("an IOVA is unmapped that is not mapped");
		iova->tlb[at] = iova->frame[at];
		iova->frame[at] = 0;
	}
	iova->queue[iova->queued++] =
		(struct stale){ .iova = page, .order = order };
	if (iova->queued == FLUSH_QUEUE ||
	    dev->machine->config.iommu == TPSIM_IOMMU_STRICT)
		iommu_flush(dev);
}

bool iommu_translate(struct tpsim_device *dev, tpos_dma_addr_t addr,
		     size_t *frame)
{
	struct iova_space *iova = &dev->iova;
	size_t page = (size_t)(addr >> dev->machine->config.page_shift);
	uint32_t entry;

	if (page < iova->first || page >= iova->end)
		return false;
	entry = iova->frame[page - iova->first];
	if (!entry)
		entry = iova->tlb[page - iova->first];
	if (!entry)
		return false;
	*frame = entry - 1;
	return true;
}

void tpsim_iotlb_expire(struct tpsim_machine *machine)
{
	machine_lock(machine);
	for (struct tpsim_device *dev = machine->devices; dev; dev = dev->next)
		iommu_flush(dev);
	machine_unlock(machine);
}
