// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Devices, and what they do by themselves: read and write memory through DMA
 * addresses. What is not theirs faults in the IOMMU; without one, nothing stops
 * them, and the machine can only count (Documentation/userspace-api/iommufd.rst
 * is about those who want better).
 */

#include <stdlib.h>

#include "annotate.h"
#include "machine.h"

struct tpsim_device *tpsim_device_create(struct tpsim_machine *machine,
					 const struct tpsim_device_config *cfg)
{
	struct tpsim_device *dev = calloc(1, sizeof(*dev));

	if (!dev)
		return NULL;
	dev->machine = machine;
	dev->config = *cfg;
	if (machine->config.iommu != TPSIM_IOMMU_OFF && iova_init(dev)) {
		free(dev);
		return NULL;
	}
	machine_lock(machine);
	dev->next = machine->devices;
	machine->devices = dev;
	machine_unlock(machine);
	return dev;
}

void tpsim_device_destroy(struct tpsim_device *dev)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_device **link = &machine->devices;

	if (dev->mappings)
		machine_panic("device driver has pending DMA allocations: %zu",
			      dev->mappings);
	machine_lock(machine);
	while (*link != dev)
		link = &(*link)->next;
	*link = dev->next;
	machine_unlock(machine);
	iova_fini(dev);
	free(dev);
}

/* Where the bytes of one page's worth of DMA are; NULL if the access faults. */
static unsigned char *resolve(struct tpsim_device *dev, tpos_dma_addr_t addr)
{
	struct tpsim_machine *machine = dev->machine;
	size_t offset = (size_t)addr & (machine->page_size - 1);
	size_t frame = (size_t)(addr >> machine->config.page_shift);

	if (addr > device_mask(dev))
		return NULL;
	if (machine->config.iommu != TPSIM_IOMMU_OFF) {
		if (!iommu_translate(dev, addr, &frame))
			return NULL;
	} else if (swiotlb_holds(machine, addr)) {
		return swiotlb_bytes(machine, addr);
	}
	if (frame >= machine->config.ram_pages)
		return NULL;
	if (!machine->pages[frame].mappings)
		machine->counters.stray_dma++;
	return page_bytes(machine, machine->pages + frame) + offset;
}

/* The device does not ask the CPU's checkers: byte by byte, uninstrumented. */
__attribute__((no_sanitize("address"))) static void
copy_unchecked(unsigned char *to, const unsigned char *from, size_t n)
{
	for (volatile size_t i = 0; i < n; i++)
		to[i] = from[i];
}

static bool page_is_closed(struct tpsim_machine *machine,
			   const unsigned char *bytes)
{
	uintptr_t at = (uintptr_t)bytes, ram = (uintptr_t)machine->ram;
	const struct tpsim_page *page;

	if (at < ram ||
	    at - ram >= machine->config.ram_pages * machine->page_size)
		return false;
	page = machine->pages + (at - ram) / machine->page_size;
	while (page->use >= USE_PLAIN && !page->chunk &&
	       page > machine->pages && page[-1].use == page->use)
		page--; /* the head of its chunk has the notes */
	return page->use < USE_PLAIN || page->notes & NOTE_PARKED;
}

static int transfer(struct tpsim_device *dev, tpos_dma_addr_t addr,
		    unsigned char *buf, size_t len, bool write)
{
	struct tpsim_machine *machine = dev->machine;
	int err = 0;

	machine_lock(machine);
	while (len && !err) {
		size_t left = machine->page_size -
			      ((size_t)addr & (machine->page_size - 1));
		size_t n = len < left ? len : left;
		unsigned char *bytes = resolve(dev, addr);
		bool closed;

		if (!bytes) {
			machine->counters.dma_faults++;
			err = -EFAULT;
			break;
		}
		closed = page_is_closed(machine, bytes);
		if (closed)
			VALGRIND_MAKE_MEM_DEFINED(bytes, n);
		if (write)
			copy_unchecked(bytes, buf, n);
		else
			copy_unchecked(buf, bytes, n);
		if (closed)
			VALGRIND_MAKE_MEM_NOACCESS(bytes, n);
		addr += n;
		buf += n;
		len -= n;
	}
	machine_unlock(machine);
	return err;
}

int tpsim_device_read(struct tpsim_device *dev, tpos_dma_addr_t addr, void *buf,
		      size_t len)
{
	return transfer(dev, addr, buf, len, false);
}

int tpsim_device_write(struct tpsim_device *dev, tpos_dma_addr_t addr,
		       const void *buf, size_t len)
{
	return transfer(dev, addr, (unsigned char *)(uintptr_t)buf, len, true);
}
