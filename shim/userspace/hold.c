// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Memory pressure: pages that the rest of a system uses, or has used and fragmented.
 *
 * The pages are taken out of the buddy allocator and put on a list. Nobody touches them,
 * so they cost the host nothing.
 */

#include "machine.h"

static void hold(struct tpsim_machine *machine, struct tpsim_page *page,
		 unsigned int order)
{
	page->use = PAGE_HELD;
	page->order = (uint8_t)order;
	page->next_free = machine->held;
	machine->held = page;
	machine->held_pages += (size_t)1 << order;
}

/* Takes up to @pages of a zone, large blocks first. */
static void hold_zone(struct tpsim_machine *machine, struct zone *zone,
		      size_t pages)
{
	unsigned int order = machine->config.max_order;

	while (pages) {
		struct tpsim_page *page = NULL;

		while (((size_t)1 << order) > pages)
			order--;
		page = tpsim_buddy_take_from(machine, zone, order);
		if (page) {
			hold(machine, page, order);
			pages -= (size_t)1 << order;
		} else if (order) {
			order--;
		} else {
			return;
		}
	}
}

static size_t node_free(const struct tpsim_machine *machine, unsigned int node)
{
	size_t pages = 0;

	for (int kind = 0; kind < ZONE_COUNT; kind++)
		pages += machine->zones[node][kind].free_pages;
	return pages;
}

static bool is_asked(int node, unsigned int n)
{
	return node < 0 || (unsigned int)node == n;
}

size_t tpsim_ram_hold(struct tpsim_machine *machine, int node, size_t leave)
{
	size_t free = 0, held;

	tpsim_machine_lock(machine);
	for (unsigned int n = 0; n < machine->config.nr_nodes; n++)
		free += is_asked(node, n) ? node_free(machine, n) : 0;
	for (unsigned int n = 0; n < machine->config.nr_nodes; n++) {
		for (int kind = 0; is_asked(node, n) && kind < ZONE_COUNT;
		     kind++) {
			struct zone *zone = &machine->zones[n][kind];
			size_t before = zone->free_pages;

			if (free <= leave)
				break;
			hold_zone(machine, zone,
				  before < free - leave ? before
							: free - leave);
			free -= before - zone->free_pages;
		}
	}
	held = machine->held_pages;
	tpsim_machine_unlock(machine);
	return held;
}

/* Splits a block into pieces, holds every second piece, and frees the others. */
static void hold_halves(struct tpsim_machine *machine, struct tpsim_page *page,
			unsigned int from, unsigned int order)
{
	size_t pieces = (size_t)1 << (from - order);

	for (size_t i = 0; i < pieces; i += 2)
		hold(machine, page + (i << order), order);
	for (size_t i = 1; i < pieces; i += 2)
		tpsim_buddy_give(machine, page + (i << order), order);
}

static void fragment_zone(struct tpsim_machine *machine, struct zone *zone,
			  unsigned int order)
{
	for (unsigned int from = machine->config.max_order; from > order;
	     from--) {
		while (zone->free[from])
			hold_halves(machine,
				    tpsim_buddy_take_from(machine, zone, from),
				    from, order);
	}
}

void tpsim_ram_fragment(struct tpsim_machine *machine, unsigned int order)
{
	tpsim_machine_lock(machine);
	for (unsigned int n = 0; n < machine->config.nr_nodes; n++)
		for (int kind = 0; kind < ZONE_COUNT; kind++)
			fragment_zone(machine, &machine->zones[n][kind], order);
	tpsim_machine_unlock(machine);
}

/* Frees all pages that are held. Returns whether there were any. */
bool tpsim_ram_let_go(struct tpsim_machine *machine)
{
	bool any = machine->held;

	while (machine->held) {
		struct tpsim_page *page = machine->held;

		machine->held = page->next_free;
		page->next_free = NULL;
		page->use = PAGE_FREE;
		tpsim_buddy_give(machine, page, page->order);
	}
	machine->held_pages = 0;
	return any;
}

void tpsim_ram_release(struct tpsim_machine *machine)
{
	tpsim_machine_lock(machine);
	tpsim_ram_let_go(machine);
	tpsim_machine_unlock(machine);
}
