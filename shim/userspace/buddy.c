// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The buddy allocator, as in mm/page_alloc.c. Free blocks of 2^order pages, aligned to
 * their size, are on a list for each order. The lists are last in, first out. A block is
 * split from a larger one by halving it and using the lower half (expand()), and is merged
 * with its buddy when it is freed (__free_one_page()).
 *
 * Each node has its own zones, and a request falls back as a zonelist does: to the zones
 * of its node, from the highest allowed one down, then to those of the next node
 * (build_zonelists()).
 *
 * At first, the highest addresses are handed out first. A 64-bit device does not care. A
 * device with a mask of 28 bits gets pages beyond its reach, as on a PC that has run for a
 * while.
 */

#include "machine.h"

static void list_add(struct zone *zone, struct tpsim_page *page,
		     unsigned int order)
{
	page->heads = (uint8_t)(order + 1);
	page->prev_free = NULL;
	page->next_free = zone->free[order];
	if (page->next_free)
		page->next_free->prev_free = page;
	zone->free[order] = page;
	zone->blocks[order]++;
}

static void list_del(struct zone *zone, struct tpsim_page *page)
{
	unsigned int order = page->heads - 1u;

	if (page->next_free)
		page->next_free->prev_free = page->prev_free;
	if (page->prev_free)
		page->prev_free->next_free = page->next_free;
	else
		zone->free[order] = page->next_free;
	zone->blocks[order]--;
	page->heads = 0;
	page->next_free = NULL;
	page->prev_free = NULL;
}

static struct zone *zone_of(struct tpsim_machine *machine, size_t index)
{
	struct zone *zones = machine->zones[tpsim_page_node(
		machine, machine->pages + index)];

	for (int kind = 0; kind < ZONE_COUNT; kind++)
		if (index < zones[kind].end)
			return &zones[kind];
	return NULL;
}

static void count_free(struct tpsim_machine *machine, struct zone *zone,
		       long pages)
{
	zone->free_pages += (size_t)pages;
	machine->out.free_pages += (size_t)pages;
}

/* Fills a zone with free blocks that are as large as alignment allows. */
static void zone_fill(struct tpsim_machine *machine, struct zone *zone)
{
	size_t index = zone->first;

	while (index < zone->end) {
		unsigned int order = machine->config.max_order;

		while (index & (((size_t)1 << order) - 1) ||
		       ((size_t)1 << order) > zone->end - index)
			order--;
		list_add(zone, machine->pages + index, order);
		index += (size_t)1 << order;
	}
	count_free(machine, zone, (long)(zone->end - zone->first));
}

void tpsim_buddy_init(struct tpsim_machine *machine)
{
	for (unsigned int n = 0; n < machine->config.nr_nodes; n++)
		for (int kind = 0; kind < ZONE_COUNT; kind++)
			zone_fill(machine, &machine->zones[n][kind]);
}

struct tpsim_page *tpsim_buddy_take_from(struct tpsim_machine *machine,
					 struct zone *zone, unsigned int order)
{
	unsigned int from = order;
	struct tpsim_page *page;

	while (from <= machine->config.max_order && !zone->free[from])
		from++;
	if (from > machine->config.max_order)
		return NULL;
	page = zone->free[from];
	list_del(zone, page);
	while (from > order) {
		from--;
		list_add(zone, page + ((size_t)1 << from), from);
	}
	count_free(machine, zone, -(long)((size_t)1 << order));
	return page;
}

/* Takes a block from the zones of one node, from the highest allowed one down. */
static struct tpsim_page *take_from_node(struct tpsim_machine *machine,
					 unsigned int node, unsigned int order,
					 enum zone_kind highest)
{
	for (int kind = highest; kind >= 0; kind--) {
		struct tpsim_page *page = tpsim_buddy_take_from(
			machine, &machine->zones[node][kind], order);

		if (page)
			return page;
	}
	return NULL;
}

static struct tpsim_page *take_from_zonelist(struct tpsim_machine *machine,
					     const struct where *where,
					     enum zone_kind highest)
{
	unsigned int nodes = where->this_node ? 1 : machine->config.nr_nodes;
	unsigned int node = where->node < 0 ? 0 : (unsigned int)where->node;

	if (where->this_node && node >= machine->config.nr_nodes)
		return NULL;
	for (unsigned int i = 0; i < nodes; i++) {
		struct tpsim_page *page = take_from_node(
			machine, (node + i) % machine->config.nr_nodes,
			where->order, highest);

		if (page)
			return page;
	}
	return NULL;
}

/*
 * Takes a block that lies within reach. A block that does not is put back, and a lower
 * zone is tried (kernel/dma/direct.c, __dma_direct_alloc_pages()). So a zone that has pages
 * within reach, too, may be passed over.
 */
struct tpsim_page *tpsim_buddy_take(struct tpsim_machine *machine,
				    const struct where *where)
{
	uint64_t last = block_bytes(machine, where->order) - 1;

	for (int highest = where->highest; highest >= 0; highest--) {
		struct tpsim_page *page = take_from_zonelist(
			machine, where, (enum zone_kind)highest);

		if (!page)
			return NULL;
		if (tpsim_page_physical(machine, page) + last <= where->reach)
			return page;
		tpsim_buddy_give(machine, page, where->order);
	}
	return NULL;
}

/* Returns the free block with which this one can be merged, or NULL. */
static struct tpsim_page *free_buddy(struct tpsim_machine *machine,
				     const struct zone *zone, size_t index,
				     unsigned int order)
{
	size_t buddy = index ^ ((size_t)1 << order);

	if (order >= machine->config.max_order || buddy < zone->first ||
	    buddy >= zone->end)
		return NULL;
	if (machine->pages[buddy].heads != order + 1)
		return NULL;
	return machine->pages + buddy;
}

void tpsim_buddy_give(struct tpsim_machine *machine, struct tpsim_page *page,
		      unsigned int order)
{
	size_t index = tpsim_page_index(machine, page);
	struct zone *zone = zone_of(machine, index);
	struct tpsim_page *buddy;

	count_free(machine, zone, (long)((size_t)1 << order));
	while ((buddy = free_buddy(machine, zone, index, order))) {
		list_del(zone, buddy);
		index &= ~((size_t)1 << order);
		order++;
	}
	list_add(zone, machine->pages + index, order);
}

/*
 * Returns whether most of the free memory in the zone of this page is in blocks of an
 * order below @order. The kernel reports this for each zone (mm/vmstat.c, unusable_free_index()).
 */
bool tpsim_buddy_is_in_pieces(struct tpsim_machine *machine,
			      const struct tpsim_page *page, unsigned int order)
{
	const struct zone *zone =
		zone_of(machine, tpsim_page_index(machine, page));
	size_t pieces = 0;

	for (unsigned int i = 0; i < order && i <= ORDER_LIMIT; i++)
		pieces += zone->blocks[i] << i;
	return pieces > zone->free_pages - pieces;
}
