// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * SWIOTLB: for a device that cannot reach a page and has no IOMMU, the system reserves
 * memory that the device can reach, in slots of 2 KiB. The device's mappings are copies in
 * these slots (kernel/dma/swiotlb.c). So
 *
 *     a mapping has at most 128 slots, 256 KiB (IO_TLB_SEGSIZE), in one segment,
 *     mapping and unmapping copy every byte (swiotlb_tbl_map_single() and
 *     swiotlb_tbl_unmap_single(), both directions),
 *     in between, CPU and device see each other's writes only after a sync, and
 *     a mapping fails when no slots are left.
 *
 * The slots are at physical address 16 MiB, so a device with a mask of 24 bits cannot use
 * them, either.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "machine.h"

static size_t pool_bytes(const struct tpsim_machine *machine)
{
	return machine->config.swiotlb_slots * SLOT_BYTES;
}

int tpsim_swiotlb_create(struct tpsim_machine *machine)
{
	void *start = mmap(NULL, pool_bytes(machine), PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (start == MAP_FAILED)
		return -ENOMEM;
	machine->slot_used = calloc(machine->config.swiotlb_slots, 1);
	if (!machine->slot_used) {
		munmap(start, pool_bytes(machine));
		return -ENOMEM;
	}
	machine->bounce = start;
	return 0;
}

void tpsim_swiotlb_destroy(struct tpsim_machine *machine)
{
	munmap(machine->bounce, pool_bytes(machine));
	free(machine->slot_used);
}

static bool slots_are_free(const struct tpsim_machine *machine, size_t first,
			   size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (machine->slot_used[first + i])
			return false;
	return true;
}

/*
 * Finds @n free slots, aligned to @n, beginning where the last search ended.
 * Returns the first slot, or -1.
 */
static long slots_find(struct tpsim_machine *machine, size_t n)
{
	size_t places = machine->config.swiotlb_slots / n;
	size_t start = places ? machine->slot_cursor / n % places : 0;

	for (size_t i = 0; i < places; i++) {
		size_t first = (start + i) % places * n;

		if (slots_are_free(machine, first, n)) {
			machine->slot_cursor = first + n;
			return (long)first;
		}
	}
	return -1;
}

static void slots_mark(struct tpsim_mapping *mapping, bool used)
{
	struct tpsim_machine *machine = mapping->dev->machine;

	memset(machine->slot_used + mapping->slot, used, mapping->slots);
	if (used)
		machine->out.bounce_slots += mapping->slots;
	else
		machine->out.bounce_slots -= mapping->slots;
}

/*
 * Copies pages from @first on: dma_sync_single_range_for_device() or ..._for_cpu().
 */
void tpsim_swiotlb_copy(struct tpsim_mapping *mapping, size_t first,
			size_t pages, bool to_slots)
{
	struct tpsim_machine *machine = mapping->dev->machine;
	size_t offset = first * machine->page_bytes;
	size_t len = pages * machine->page_bytes;
	char *slots = machine->bounce + mapping->slot * SLOT_BYTES + offset;
	char *bytes = tpsim_page_bytes(machine, mapping->page) + offset;

	if (to_slots)
		annotate_copy(slots, bytes, len);
	else
		annotate_copy(bytes, slots, len);
	if (!to_slots) {
		tpsim_pages_written(machine, mapping->page + first, pages);
		tpsim_cache_written(machine, mapping->page + first, pages);
	}
	machine->counters.bounced_bytes += len;
	tpsim_cost_spend(machine, COST_PAGE_COPY, pages);
}

int tpsim_swiotlb_map(struct tpsim_mapping *mapping)
{
	struct tpsim_machine *machine = mapping->dev->machine;
	size_t len = block_bytes(machine, mapping->order);
	size_t n = len / SLOT_BYTES;
	uint64_t base = tpsim_swiotlb_base(machine);
	long slot;

	if (n > SEGMENT_SLOTS)
		return -ENOSPC;
	slot = slots_find(machine, n);
	if (slot < 0)
		return -ENOSPC;
	mapping->addr = base + (uint64_t)slot * SLOT_BYTES;
	if (mapping->addr + len - 1 > mapping->dev->config.dma_mask)
		return -ENOSPC;
	mapping->slot = (size_t)slot;
	mapping->slots = n;
	slots_mark(mapping, true);
	tpsim_swiotlb_copy(mapping, 0, (size_t)1 << mapping->order, true);
	return 0;
}

void tpsim_swiotlb_unmap(struct tpsim_mapping *mapping)
{
	tpsim_swiotlb_copy(mapping, 0, (size_t)1 << mapping->order, false);
	slots_mark(mapping, false);
}
