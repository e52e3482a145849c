// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * RAM: page frames, their numbers, and their bytes.
 *
 * Frames are numbered from 0, and lie at physical address 0 and up, except for a hole at
 * 16 MiB, where the bounce slots are. Linux takes these slots out of RAM
 * (kernel/dma/swiotlb.c, swiotlb_init_remap()). Here they are beside it, so that a machine
 * of 64 MiB can have as many of them as a real one.
 *
 * The first 64 KiB are never handed out (x86: trim_low_memory_range()).
 *
 * The bytes are one anonymous mapping without a reservation of swap space, so the host
 * provides only the memory that is touched, even for a machine of 16 GiB. The mapping is
 * closed to the CPU, and is opened block by block.
 */

#include <sys/mman.h>

#include "machine.h"

#define RESERVED_BYTES (64 * KIB)
#define DMA_BYTES      (16 * MIB)
#define LARGE_BYTES    (256 * MIB) /* the host should use huge pages for it */

static void *map_zeroes(size_t len)
{
	void *start = mmap(NULL, len, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return start == MAP_FAILED ? NULL : start;
}

static size_t arena_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * machine->page_bytes;
}

static size_t table_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * sizeof(*machine->pages);
}

static size_t written_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * sizeof(*machine->written);
}

static size_t dma_pages(const struct tpsim_machine *machine)
{
	return (size_t)(DMA_BYTES >> machine->config.page_shift);
}

/* Determines the frames that are in both a node and a zone. There may be none. */
static void zone_init(struct tpsim_machine *machine, unsigned int node,
		      enum zone_kind kind)
{
	const size_t ends[ZONE_COUNT] = {
		dma_pages(machine),
		(size_t)((4 * GIB - machine->hole) >>
			 machine->config.page_shift),
		machine->config.ram_pages,
	};
	struct zone *zone = &machine->zones[node][kind];
	size_t first = node * machine->node_pages;
	size_t end = node == machine->config.nr_nodes - 1
			     ? machine->config.ram_pages
			     : first + machine->node_pages;
	size_t zone_first = kind ? ends[kind - 1] : 0;

	zone->first = first > zone_first ? first : zone_first;
	zone->end = end < ends[kind] ? end : ends[kind];
	if (zone->end < zone->first)
		zone->end = zone->first;
}

/*
 * Returns the size of the hole, which is a multiple of the largest block, so that
 * blocks above it stay aligned.
 */
static uint64_t hole_bytes(const struct tpsim_machine *machine)
{
	uint64_t unit = block_bytes(machine, machine->config.max_order);
	uint64_t bytes = machine->config.swiotlb_slots * (uint64_t)SLOT_BYTES;

	return (bytes + unit - 1) / unit * unit;
}

int tpsim_ram_create(struct tpsim_machine *machine)
{
	size_t reserved =
		(size_t)(RESERVED_BYTES >> machine->config.page_shift);

	if (machine->config.ram_pages / machine->config.nr_nodes <= reserved)
		return -EINVAL;
	machine->arena = map_zeroes(arena_bytes(machine));
	if (!machine->arena)
		return -ENOMEM;
	if (arena_bytes(machine) >= LARGE_BYTES)
		madvise(machine->arena, arena_bytes(machine), MADV_HUGEPAGE);
	machine->pages = map_zeroes(table_bytes(machine));
	if (!machine->pages)
		goto free_arena;
	machine->written = map_zeroes(written_bytes(machine));
	if (!machine->written)
		goto free_pages;
	annotate_arena_create(machine->arena, arena_bytes(machine));
	annotate_open_forever(machine->arena, reserved * machine->page_bytes);
	for (size_t i = 0; i < reserved; i++)
		machine->pages[i].use = PAGE_RESERVED;
	machine->hole = hole_bytes(machine);
	machine->node_pages =
		machine->config.ram_pages / machine->config.nr_nodes;
	for (unsigned int n = 0; n < machine->config.nr_nodes; n++)
		for (int kind = 0; kind < ZONE_COUNT; kind++)
			zone_init(machine, n, (enum zone_kind)kind);
	machine->zones[0][ZONE_DMA].first = reserved;
	tpsim_buddy_init(machine);
	return 0;
free_pages:
	munmap(machine->pages, table_bytes(machine));
free_arena:
	munmap(machine->arena, arena_bytes(machine));
	return -ENOMEM;
}

void tpsim_ram_destroy(struct tpsim_machine *machine)
{
	annotate_arena_destroy(machine->arena, arena_bytes(machine));
	munmap(machine->written, written_bytes(machine));
	munmap(machine->pages, table_bytes(machine));
	munmap(machine->arena, arena_bytes(machine));
}

bool tpsim_page_is_of(const struct tpsim_machine *machine,
		      const struct tpsim_page *page)
{
	uintptr_t at = (uintptr_t)page, first = (uintptr_t)machine->pages;

	return at >= first && at - first < table_bytes(machine) &&
	       !((at - first) % sizeof(*page));
}

size_t tpsim_page_index(const struct tpsim_machine *machine,
			const struct tpsim_page *page)
{
	if (!tpsim_page_is_of(machine, page))
		tpsim_complain("bad page", "%p is no page of this machine",
			       (const void *)page);
	return (size_t)(page - machine->pages);
}

char *tpsim_page_bytes(const struct tpsim_machine *machine,
		       const struct tpsim_page *page)
{
	return machine->arena +
	       tpsim_page_index(machine, page) * machine->page_bytes;
}

uint64_t tpsim_page_physical(const struct tpsim_machine *machine,
			     const struct tpsim_page *page)
{
	size_t index = tpsim_page_index(machine, page);
	uint64_t addr = (uint64_t)index << machine->config.page_shift;

	return index < dma_pages(machine) ? addr : addr + machine->hole;
}

/* Returns the page at a physical address, or NULL if there is no RAM. */
struct tpsim_page *tpsim_page_at_physical(const struct tpsim_machine *machine,
					  uint64_t addr)
{
	uint64_t index;

	if (addr >= DMA_BYTES && addr - DMA_BYTES < machine->hole)
		return NULL;
	if (addr >= DMA_BYTES)
		addr -= machine->hole;
	index = addr >> machine->config.page_shift;
	return index < machine->config.ram_pages ? machine->pages + index
						 : NULL;
}

uint64_t tpsim_ram_last_byte(const struct tpsim_machine *machine)
{
	const struct tpsim_page *last =
		machine->pages + machine->config.ram_pages - 1;

	return tpsim_page_physical(machine, last) + machine->page_bytes - 1;
}

uint64_t tpsim_swiotlb_base(const struct tpsim_machine *machine)
{
	(void)machine;
	return DMA_BYTES;
}

int tpsim_page_node(const struct tpsim_machine *machine,
		    const struct tpsim_page *page)
{
	size_t node = tpsim_page_index(machine, page) / machine->node_pages;

	return (int)(node < machine->config.nr_nodes
			     ? node
			     : machine->config.nr_nodes - 1);
}

tpos_page_t *tpsim_page_of_system(struct tpsim_machine *machine)
{
	return machine->pages;
}
