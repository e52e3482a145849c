// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The buddy allocator (mm/page_alloc.c): free blocks of 2^order pages, by node
 * and zone, each aligned to its own size; a block that is freed is merged with
 * its buddy while that is free, too.
 *
 *     frames   0            16 MiB                4 GiB
 *              |-- DMA ------|-- DMA32 -----------|-- NORMAL ---->
 *              |-- node 0 ------------|-- node 1 ---------------->
 *
 * Zones are those of x86-64 (arch/x86/mm/init.c, max_zone_pfns). The first page
 * is the firmware's, so that physical address 0 is nobody's.
 */

#include "annotate.h"
#include "machine.h"

static size_t frames_below(const struct tpsim_machine *machine, uint64_t bytes)
{
	return (size_t)(bytes >> machine->config.page_shift);
}

unsigned int zone_of_frame(const struct tpsim_machine *machine, size_t frame)
{
	if (frame < frames_below(machine, 16 << 20))
		return 0;
	return frame < frames_below(machine, (uint64_t)1 << 32) ? 1 : 2;
}

static unsigned int node_of_frame(const struct tpsim_machine *machine,
				  size_t frame)
{
	size_t block = (size_t)1 << machine->config.max_order;
	size_t each = machine->config.ram_pages / machine->config.nr_nodes;
	unsigned int node;

	each = each / block * block;
	node = each ? (unsigned int)(frame / each) : 0;
	return node < machine->config.nr_nodes ? node
					       : machine->config.nr_nodes - 1;
}

static struct zone *zone_of(struct tpsim_machine *machine,
			    const struct tpsim_page *page)
{
	size_t frame = page_index(machine, page);

	return &machine->zones[page->node][zone_of_frame(machine, frame)];
}

static void block_link(struct tpsim_machine *machine, struct tpsim_page *page,
		       unsigned int order)
{
	struct tpsim_page **head = &zone_of(machine, page)->free[order];

	page->use = USE_FREE;
	page->order = (uint8_t)order;
	page->prev_free = NULL;
	page->next_free = *head;
	if (*head)
		(*head)->prev_free = page;
	*head = page;
}

static void block_unlink(struct tpsim_machine *machine, struct tpsim_page *page)
{
	if (page->prev_free)
		page->prev_free->next_free = page->next_free;
	else
		zone_of(machine, page)->free[page->order] = page->next_free;
	if (page->next_free)
		page->next_free->prev_free = page->prev_free;
}

void buddy_free(struct tpsim_machine *machine, struct tpsim_page *page,
		unsigned int order)
{
	size_t frame = page_index(machine, page);
	struct zone *zone = zone_of(machine, page);

	for (size_t i = 0; i < (size_t)1 << order; i++)
		page[i].use = USE_FREE;
	zone->free_pages += (size_t)1 << order;
	machine->ledger.free_pages += (size_t)1 << order;
	while (order < machine->config.max_order) {
		size_t buddy = frame ^ ((size_t)1 << order);
		struct tpsim_page *other = machine->pages + buddy;

		if (buddy + ((size_t)1 << order) > machine->config.ram_pages ||
		    other->use != USE_FREE || other->order != order ||
		    other->node != page->node ||
		    zone_of(machine, other) != zone)
			break;
		block_unlink(machine, other);
		other->order = UINT8_MAX;
		frame &= buddy;
		machine->pages[frame ^ ((size_t)1 << order)].order = UINT8_MAX;
		order++;
	}
	block_link(machine, machine->pages + frame, order);
}

/* Cut a free block down to @order; the upper halves stay free. */
static struct tpsim_page *block_take(struct tpsim_machine *machine,
				     struct tpsim_page *page,
				     unsigned int order)
{
	unsigned int have = page->order;

	block_unlink(machine, page);
	while (have > order) {
		have--;
		block_link(machine, page + ((size_t)1 << have), have);
	}
	page->order = (uint8_t)order;
	zone_of(machine, page)->free_pages -= (size_t)1 << order;
	machine->ledger.free_pages -= (size_t)1 << order;
	return page;
}

static struct tpsim_page *node_alloc(struct tpsim_machine *machine, int node,
				     unsigned int highest, unsigned int order)
{
	for (unsigned int z = highest + 1; z--;) {
		struct zone *zone = &machine->zones[node][z];

		for (unsigned int o = order; o <= machine->config.max_order;
		     o++)
			if (zone->free[o])
				return block_take(machine, zone->free[o],
						  order);
	}
	return NULL;
}

/* A block of @order from @node or, unless @strict, from the nearest other. */
struct tpsim_page *buddy_alloc(struct tpsim_machine *machine, int node,
			       bool strict, unsigned int zone,
			       unsigned int order)
{
	int nr_nodes = (int)machine->config.nr_nodes;
	int first = node < 0 || node >= nr_nodes ? 0 : node;
	struct tpsim_page *page;

	page = node_alloc(machine, first, zone, order);
	for (int i = 1; !page && i < nr_nodes && (!strict || node < 0); i++)
		page = node_alloc(machine, (first + i) % nr_nodes, zone, order);
	return page;
}

/* Every page is there, and nobody's; whoever needs some at a fixed place takes
 * them now. */
void buddy_reserve(struct tpsim_machine *machine)
{
	for (size_t i = 0; i < machine->config.ram_pages; i++) {
		machine->pages[i].node = (uint8_t)node_of_frame(machine, i);
		machine->pages[i].caching = TTMPOOL_CACHED;
		machine->pages[i].order = UINT8_MAX;
		machine->pages[i].use = USE_FREE;
	}
	machine->pages[0].use = USE_RESERVED;
}

/* The largest order of a block that begins at @frame and may be free. */
static unsigned int order_at(const struct tpsim_machine *machine, size_t frame,
			     size_t end)
{
	unsigned int order = 0;

	while (order < machine->config.max_order &&
	       !(frame & ((size_t)1 << order)) &&
	       frame + ((size_t)2 << order) <= end)
		order++;
	return order;
}

/* Free all that is not reserved, in blocks as large as they can be. */
void buddy_init(struct tpsim_machine *machine)
{
	size_t n = machine->config.ram_pages;
	size_t frame = 0;

	while (frame < n) {
		size_t end = frame;

		while (end < n && machine->pages[end].use == USE_FREE &&
		       machine->pages[end].node == machine->pages[frame].node)
			end++;
		while (frame < end) {
			unsigned int order = order_at(machine, frame, end);
			struct tpsim_page *page = machine->pages + frame;

			block_link(machine, page, order);
			zone_of(machine, page)->free_pages += (size_t)1
							      << order;
			machine->ledger.free_pages += (size_t)1 << order;
			frame += (size_t)1 << order;
		}
		while (frame < n && machine->pages[frame].use == USE_RESERVED)
			frame++;
	}
}

/* Pressure: what the rest of the system holds. */

static void hold(struct tpsim_machine *machine, struct tpsim_page *page)
{
	for (size_t i = 0; i < (size_t)1 << page->order; i++)
		page[i].use = USE_HELD;
	page->next_free = machine->held;
	machine->held = page;
	machine->nr_held += (size_t)1 << page->order;
}

static size_t node_free_pages(struct tpsim_machine *machine, int node)
{
	size_t pages = 0;

	for (int n = 0; n < (int)machine->config.nr_nodes; n++)
		for (int z = 0; z < NR_ZONES; z++)
			if (node < 0 || n == node)
				pages += machine->zones[n][z].free_pages;
	return pages;
}

size_t tpsim_ram_hold(struct tpsim_machine *machine, int node, size_t leave)
{
	size_t held;

	machine_lock(machine);
	for (unsigned int order = machine->config.max_order + 1; order--;) {
		struct tpsim_page *page;

		while (node_free_pages(machine, node) >=
		       leave + ((size_t)1 << order)) {
			page = buddy_alloc(machine, node, node >= 0,
					   NR_ZONES - 1, order);
			if (!page)
				break;
			hold(machine, page);
		}
	}
	held = machine->nr_held;
	machine_unlock(machine);
	return held;
}

void tpsim_ram_fragment(struct tpsim_machine *machine, unsigned int order)
{
	struct tpsim_page *freed = NULL, *page;

	machine_lock(machine);
	while ((page = buddy_alloc(machine, TTMPOOL_NODE_ANY, false,
				   NR_ZONES - 1, order))) {
		if ((page_index(machine, page) >> order) & 1) {
			page->next_free = freed;
			freed = page;
		} else {
			hold(machine, page);
		}
	}
	while (freed) {
		page = freed;
		freed = page->next_free;
		buddy_free(machine, page, order);
	}
	machine_unlock(machine);
}

void tpsim_ram_release(struct tpsim_machine *machine)
{
	machine_lock(machine);
	while (machine->held) {
		struct tpsim_page *page = machine->held;

		machine->held = page->next_free;
		buddy_free(machine, page, page->order);
	}
	machine->nr_held = 0;
	machine_unlock(machine);
}
