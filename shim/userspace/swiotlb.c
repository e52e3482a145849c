// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * SWIOTLB (kernel/dma/swiotlb.c): slots of 2 KiB in low memory that stand in
 * for pages which a device cannot reach, or for all if that is forced. A
 * mapping takes consecutive slots, 128 at most (IO_TLB_SEGSIZE: 256 KiB), is
 * copied into them when it is made and out of them when it ends. In between,
 * CPU and device see different bytes unless somebody syncs.
 *
 * The area lies above 64 MiB of physical address; where there is RAM at that
 * place, it is taken out of the buddy allocator's hands.
 */

#include <stdlib.h>

#include "annotate.h"
#include "machine.h"

#define SLOT_SIZE  ((size_t)2048)
#define SLOT_SHIFT 11
#define MAX_SLOTS  128
#define AREA_BASE  ((tpos_dma_addr_t)64 << 20)

/* Linux has an area if it is forced, or if some of RAM is above 4 GiB. */
static bool is_wanted(const struct tpsim_machine *machine)
{
	const struct tpsim_config *config = &machine->config;

	return config->swiotlb_force || config->swiotlb_slots ||
	       (uint64_t)config->ram_pages << config->page_shift >
		       (uint64_t)1 << 32;
}

int swiotlb_init(struct tpsim_machine *machine)
{
	size_t slots = machine->config.swiotlb_slots;
	size_t first, last;

	if (!is_wanted(machine))
		return 0;
	machine->nr_slots = slots ? slots : 32768;
	machine->bounce = calloc(machine->nr_slots, SLOT_SIZE);
	machine->slot_page = calloc(machine->nr_slots, sizeof(uint32_t));
	if (!machine->bounce || !machine->slot_page)
		return -ENOMEM;
	first = (size_t)AREA_BASE >> machine->config.page_shift;
	last = ((size_t)AREA_BASE + machine->nr_slots * SLOT_SIZE - 1) >>
	       machine->config.page_shift;
	for (size_t i = first; i <= last && i < machine->config.ram_pages; i++)
		machine->pages[i].use = USE_RESERVED;
	return 0;
}

void swiotlb_fini(struct tpsim_machine *machine)
{
	free(machine->bounce);
	free(machine->slot_page);
}

bool swiotlb_holds(const struct tpsim_machine *machine, tpos_dma_addr_t addr)
{
	return addr >= AREA_BASE &&
	       addr - AREA_BASE < machine->nr_slots * SLOT_SIZE;
}

unsigned char *swiotlb_bytes(struct tpsim_machine *machine,
			     tpos_dma_addr_t addr)
{
	return machine->bounce + (size_t)(addr - AREA_BASE);
}

/* The first of @n free slots in a row that do not cross a segment's end. */
static bool slots_find(struct tpsim_machine *machine, size_t n, size_t *found)
{
	size_t at = machine->slot_hint, run = 0;

	for (size_t tried = 0; tried < machine->nr_slots + n; tried++, at++) {
		if (at >= machine->nr_slots) {
			at = 0;
			run = 0;
		}
		if (at % MAX_SLOTS == 0)
			run = 0;
		run = machine->slot_page[at] ? 0 : run + 1;
		if (run == n) {
			*found = at + 1 - n;
			machine->slot_hint = at + 1;
			return true;
		}
	}
	return false;
}

/* Copy between a page and its slots, past whoever closed the page. */
static void bounce(struct tpsim_machine *machine, size_t slot, size_t frame,
		   unsigned int order, bool to_slots)
{
	struct tpsim_page *page = machine->pages + frame;
	size_t size = machine->page_size << order;
	unsigned char *slots = machine->bounce + slot * SLOT_SIZE;
	unsigned char *bytes = page_bytes(machine, page);
	bool parked = page->notes & NOTE_PARKED;

	if (parked) { /* its bytes are nobody's: none are copied */
		memset(slots, 0, to_slots ? size : 0);
		return;
	}
	if (to_slots)
		memcpy(slots, bytes, size);
	else
		memcpy(bytes, slots, size);
	machine->counters.bounced_bytes += size;
	cost_add(machine, COST_PAGE_COPY, (size_t)1 << order);
}

int swiotlb_map(struct tpsim_device *dev, size_t frame, unsigned int order,
		tpos_dma_addr_t *addr)
{
	struct tpsim_machine *machine = dev->machine;
	size_t n = (machine->page_size << order) >> SLOT_SHIFT;
	size_t slot;

	if (!machine->nr_slots || n > MAX_SLOTS ||
	    !slots_find(machine, n, &slot))
		return -ENOSPC; /* "swiotlb buffer is full" */
	*addr = AREA_BASE + slot * SLOT_SIZE;
	if (*addr + n * SLOT_SIZE - 1 > device_mask(dev))
		return -ENOSPC;
	for (size_t i = 0; i < n; i++)
		machine->slot_page[slot + i] = (uint32_t)(frame + 1);
	machine->ledger.bounce_slots += n;
	bounce(machine, slot, frame, order, true);
	return 0;
}

void swiotlb_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr,
		   unsigned int order)
{
	struct tpsim_machine *machine = dev->machine;
	size_t slot = (size_t)(addr - AREA_BASE) / SLOT_SIZE;
	size_t n = (machine->page_size << order) >> SLOT_SHIFT;
	size_t frame = machine->slot_page[slot];

	if (!frame)
		machine_panic("a bounce slot is unmapped that is not mapped");
	bounce(machine, slot, frame - 1, order, false);
	for (size_t i = 0; i < n; i++)
		machine->slot_page[slot + i] = 0;
	machine->ledger.bounce_slots -= n;
}
