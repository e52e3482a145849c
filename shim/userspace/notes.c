// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The part of the contract about pages that is called often: to which chunk a page belongs,
 * and who may touch it.
 *
 * Linux keeps the chunk in an index of page frame numbers (shim/linux/index.c). Here, a
 * pointer is first compared with the table of page frames, and is never followed if it
 * does not point to one of them. A page that is not allocated, or is not the first one of
 * a chunk, has no chunk. As in Linux, pages come with room for a chunk on each of them.
 *
 * The notes are what mempools do for KASAN (mm/mempool.c, poison_element()): while a chunk
 * is parked, its bytes are closed, so that a use after give-back is reported at the line
 * that does it. Like KASAN, the notes report at once a page that is parked twice.
 */

#include "machine.h"

int tpos_page_node(tpos_device_t *dev, const tpos_page_t *page)
{
	return tpsim_page_node(dev->machine, page);
}

/* Like KReclaimable in /proc/meminfo, which MemAvailable includes. */
void tpos_note_spare(tpos_device_t *dev, int node, long pages)
{
	struct tpsim_machine *machine = dev->machine;

	(void)node;
	tpsim_machine_lock(machine);
	if (pages < 0 && machine->out.pages_spare < (size_t)-pages)
		tpsim_complain("spare pages", "%ld of %zu", pages,
			       machine->out.pages_spare);
	machine->out.pages_spare += (size_t)pages;
	tpsim_machine_unlock(machine);
}

bool tpos_node_has_pages(tpos_device_t *dev, int node)
{
	return node >= 0 && (unsigned int)node < dev->machine->config.nr_nodes;
}

struct ttmpool_chunk *tpos_page_chunk(tpos_device_t *dev, tpos_page_t *page)
{
	if (!tpsim_page_is_of(dev->machine, page))
		return NULL;
	return __atomic_load_n(&page->chunk, __ATOMIC_ACQUIRE);
}

void tpsim_page_forget(struct tpsim_page *page)
{
	__atomic_store_n(&page->chunk, NULL, __ATOMIC_RELAXED);
}

void tpos_page_set_chunk(tpos_page_t *page, struct ttmpool_chunk *chunk)
{
	if (!page_is_out(page))
		tpsim_complain("use after free",
			       "a chunk is set on a page that is not out");
	__atomic_store_n(&page->chunk, chunk, __ATOMIC_RELEASE);
}

void tpos_note_parked(tpos_device_t *dev, struct ttmpool_chunk *chunk)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *page;

	tpsim_machine_lock(machine);
	page = tpsim_chunk_block(machine, chunk, __func__);
	if (page->parked)
		tpsim_complain("double park", "page %zu",
			       tpsim_page_index(machine, page));
	page->parked = true;
	machine->out.pages_parked += ttmpool_chunk_pages(chunk);
	annotate_close(machine->arena, tpsim_page_bytes(machine, page),
		       block_bytes(machine, chunk->order));
	if (machine->watch)
		machine->watch->came_back(machine->watch->arg, page);
	tpsim_machine_unlock(machine);
}

void tpos_note_issued(tpos_device_t *dev, struct ttmpool_chunk *chunk)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *page;

	tpsim_machine_lock(machine);
	page = tpsim_chunk_block(machine, chunk, __func__);
	if (!page->parked)
		tpsim_complain("issue of what is not parked", "page %zu",
			       tpsim_page_index(machine, page));
	page->parked = false;
	machine->out.pages_parked -= ttmpool_chunk_pages(chunk);
	annotate_open(machine->arena, tpsim_page_bytes(machine, page),
		      block_bytes(machine, chunk->order));
	if (machine->watch)
		machine->watch->handed_out(machine->watch->arg, page,
					   chunk->order);
	tpsim_machine_unlock(machine);
}
