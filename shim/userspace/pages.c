// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages: the calls of the contract that get, free and clear them.
 *
 * Their bytes are real memory. It is closed while a page is free or pooled, so
 * that a use after give-back is caught where it happens, and opened for the
 * moment in which the machine itself clears it.
 *
 * A shortage asks the registered shrinkers, as direct reclaim does
 * (__alloc_pages_slowpath(), mm/page_alloc.c), with no lock of the machine
 * held: a library that holds one of its own across the allocation deadlocks
 * here as it would there. An order that is tried lightly (__GFP_NORETRY) does
 * not reclaim.
 */

#include <stdlib.h>

#include "annotate.h"
#include "machine.h"

#define RECLAIM_ROUNDS 16
#define RECLAIM_BATCH  128 /* SHRINK_BATCH, include/linux/shrinker.h */

bool page_is_of(const struct tpsim_machine *machine,
		const struct tpsim_page *page)
{
	uintptr_t first = (uintptr_t)machine->pages;
	uintptr_t at = (uintptr_t)page;

	return at >= first &&
	       at - first < machine->config.ram_pages * sizeof(*page) &&
	       (at - first) % sizeof(*page) == 0;
}

int tpos_page_node(tpos_device_t *dev, const tpos_page_t *page)
{
	(void)dev;
	return page->node;
}

struct ttmpool_chunk *tpos_page_chunk(tpos_device_t *dev, tpos_page_t *page)
{
	if (!page_is_of(dev->machine, page))
		return NULL;
	if (page->use != USE_PLAIN && page->use != USE_COHERENT)
		return NULL;
	return page->chunk;
}

void tpos_page_set_chunk(tpos_page_t *page, struct ttmpool_chunk *chunk)
{
	page->chunk = chunk;
}

static void block_open(struct tpsim_machine *machine, struct tpsim_page *page,
		       size_t size)
{
	__asan_unpoison_memory_region(page_bytes(machine, page), size);
	VALGRIND_MEMPOOL_ALLOC(&machine->mempool, page_bytes(machine, page),
			       size);
	VALGRIND_MAKE_MEM_DEFINED(page_bytes(machine, page), size);
}

static void block_close(struct tpsim_machine *machine, struct tpsim_page *page,
			size_t size)
{
	VALGRIND_MEMPOOL_FREE(&machine->mempool, page_bytes(machine, page));
	__asan_poison_memory_region(page_bytes(machine, page), size);
}

static size_t chunk_bytes(const struct tpsim_machine *machine,
			  const struct ttmpool_chunk *chunk)
{
	return ttmpool_chunk_pages(chunk) * machine->page_size;
}

/* The zone that a plain page for this device is asked of: GFP_DMA, GFP_DMA32 or
 * any, by the mask. A mask between two zones gets pages beyond its reach, which
 * then bounce: that is what zones can do, and no more. */
static unsigned int plain_zone(const struct tpsim_device *dev)
{
	if (dev->machine->config.iommu != TPSIM_IOMMU_OFF)
		return NR_ZONES - 1;
	if (device_mask(dev) < (1 << 24))
		return 0;
	return device_mask(dev) <= UINT32_MAX ? 1 : 2;
}

/* A coherent page lies where the device reaches it: lower zones are tried until
 * it does (dma_direct_alloc_pages(), kernel/dma/direct.c). */
static struct tpsim_page *coherent_block(struct tpsim_device *dev,
					 const struct tpos_alloc *req)
{
	struct tpsim_machine *machine = dev->machine;

	for (unsigned int zone = NR_ZONES; zone--;) {
		struct tpsim_page *page = buddy_alloc(
			machine, req->node, req->flags & TPOS_ALLOC_THIS_NODE,
			zone, req->order);

		if (!page)
			return NULL;
		if (machine->config.iommu != TPSIM_IOMMU_OFF ||
		    device_reaches(dev, page_index(machine, page), req->order))
			return page;
		buddy_free(machine, page, req->order);
	}
	return NULL;
}

static struct tpsim_page *block_of(struct tpsim_device *dev,
				   const struct tpos_alloc *req)
{
	if (req->source == TTMPOOL_COHERENT)
		return coherent_block(dev, req);
	return buddy_alloc(dev->machine, req->node,
			   req->flags & TPOS_ALLOC_THIS_NODE, plain_zone(dev),
			   req->order);
}

/* A block, with reclaim when there is none; the machine is locked on return if
 * there is one. */
static struct tpsim_page *block_get(struct tpsim_device *dev,
				    const struct tpos_alloc *req)
{
	unsigned int rounds = req->flags & TPOS_ALLOC_LIGHT ? 0
							    : RECLAIM_ROUNDS;

	for (;;) {
		struct tpsim_page *page;

		machine_lock(dev->machine);
		page = block_of(dev, req);
		if (page)
			return page;
		machine_unlock(dev->machine);
		if (!rounds-- || !shrinkers_scan(dev->machine, RECLAIM_BATCH))
			return NULL;
	}
}

static void block_adopt(struct tpsim_machine *machine, struct tpsim_page *page,
			const struct tpos_alloc *req)
{
	size_t n = (size_t)1 << req->order;
	bool coherent = req->source == TTMPOOL_COHERENT;

	for (size_t i = 0; i < n; i++) {
		page[i].use = coherent ? USE_COHERENT : USE_PLAIN;
		page[i].chunk = NULL;
		page[i].notes = 0;
	}
	if (coherent)
		machine->ledger.pages_coherent += n;
	else
		machine->ledger.pages_plain += n;
	machine->counters.pages_allocated += n;
	machine->counters.bytes_cleared_alloc += n * machine->page_size;
	cost_add(machine, COST_BLOCK_ALLOC, 1);
	cost_add(machine, COST_PAGE_CLEAR, n);
}

static void block_disown(struct tpsim_machine *machine, struct tpsim_page *page,
			 unsigned int order)
{
	size_t n = (size_t)1 << order;

	if (page->use == USE_COHERENT)
		machine->ledger.pages_coherent -= n;
	else
		machine->ledger.pages_plain -= n;
	if (page->notes & NOTE_PARKED)
		machine->ledger.pages_parked -= n;
	else
		block_close(machine, page, n * machine->page_size);
	page->chunk = NULL;
	page->notes = 0;
	machine->counters.pages_freed += n;
	cost_add(machine, COST_BLOCK_FREE, 1);
	buddy_free(machine, page, order);
}

int tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk)
{
	struct tpsim_machine *machine = dev->machine;
	bool coherent = req->source == TTMPOOL_COHERENT;
	tpos_dma_addr_t addr = 0;
	struct tpsim_page *page;
	size_t after;
	int err;

	lock_assert_none_spins("tpos_pages_alloc");
	machine_lock(machine);
	err = fault_strikes(machine,
			    coherent ? TPSIM_CALL_COHERENT_ALLOC
				     : TPSIM_CALL_PAGES_ALLOC,
			    &after);
	machine_unlock(machine);
	if (err || req->order > machine->config.max_order)
		return -ENOMEM;
	page = block_get(dev, req);
	if (!page)
		return -ENOMEM;
	if (coherent && device_map(dev, page_index(machine, page), req->order,
				   true, &addr)) {
		buddy_free(machine, page, req->order);
		machine_unlock(machine);
		return -ENOMEM;
	}
	block_adopt(machine, page, req);
	machine_unlock(machine);
	block_open(machine, page, machine->page_size << req->order);
	memset(page_bytes(machine, page), 0, machine->page_size << req->order);
	chunk->page = page;
	if (coherent)
		chunk->dma = (struct tpos_dma){ .addr = addr, .cookie = page };
	return 0;
}

/* What may go back to the system: bad_page(), mm/page_alloc.c, and the rule
 * that the linear map of a free page is write-back and no device reaches it. */
static void check_may_be_freed(const struct tpsim_page *page, size_t n,
			       bool coherent)
{
	for (size_t i = 0; i < n; i++) {
		if (page[i].use != (coherent ? USE_COHERENT : USE_PLAIN))
			machine_panic("a page is freed that was not allocated");
		if (page[i].caching != TTMPOOL_CACHED)
			machine_panic("a page is freed that is not write-back");
		if (page[i].mappings)
			machine_panic("a page is freed while it is mapped");
	}
}

void tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;
	struct ttmpool_list *link;

	lock_assert_none_spins("tpos_pages_free");
	if (ttmpool_list_empty(chunks))
		machine_panic("tpos_pages_free: an empty batch");
	machine_lock(machine);
	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);
		bool coherent = chunk->flags & TTMPOOL_CHUNK_FROM_COHERENT;

		if (coherent)
			device_unmap(dev, chunk->dma.addr,
				     page_index(machine, chunk->page),
				     chunk->order);
		check_may_be_freed(chunk->page, ttmpool_chunk_pages(chunk),
				   coherent);
		block_disown(machine, chunk->page, chunk->order);
	}
	machine_unlock(machine);
}

void tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;
	struct ttmpool_list *link;

	lock_assert_none_spins("tpos_pages_clear");
	if (ttmpool_list_empty(chunks))
		machine_panic("tpos_pages_clear: an empty batch");
	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);
		unsigned char *bytes = page_bytes(machine, chunk->page);
		bool parked = chunk->page->notes & NOTE_PARKED;
		size_t size = chunk_bytes(machine, chunk);

		if (parked)
			block_open(machine, chunk->page, size);
		memset(bytes, 0, size);
		if (parked)
			block_close(machine, chunk->page, size);
		machine_lock(machine);
		machine->counters.bytes_cleared += size;
		cost_add(machine, COST_PAGE_CLEAR, ttmpool_chunk_pages(chunk));
		machine_unlock(machine);
	}
}

void tpos_note_parked(tpos_device_t *dev, struct ttmpool_chunk *chunk)
{
	struct tpsim_page *page = chunk->page;
	struct tpsim_machine *machine = dev->machine;

	if (page->notes & NOTE_PARKED)
		machine_panic("a page is noted as parked twice");
	page->notes |= NOTE_PARKED;
	block_close(machine, page, chunk_bytes(machine, chunk));
	machine_lock(machine);
	machine->ledger.pages_parked += ttmpool_chunk_pages(chunk);
	machine_unlock(machine);
}

void tpos_note_issued(tpos_device_t *dev, struct ttmpool_chunk *chunk)
{
	struct tpsim_page *page = chunk->page;
	struct tpsim_machine *machine = dev->machine;

	if (!(page->notes & NOTE_PARKED))
		machine_panic("a page is noted as issued that was not parked");
	page->notes &= (uint16_t)~NOTE_PARKED;
	block_open(machine, page, chunk_bytes(machine, chunk));
	machine_lock(machine);
	machine->ledger.pages_parked -= ttmpool_chunk_pages(chunk);
	machine_unlock(machine);
}

/* A page of the system's that no pool knows: lent for as long as the machine is
 * up. */
tpos_page_t *tpsim_page_of_system(struct tpsim_machine *machine)
{
	struct tpsim_page *page;

	machine_lock(machine);
	page = buddy_alloc(machine, TTMPOOL_NODE_ANY, false, NR_ZONES - 1, 0);
	if (page) {
		page->use = USE_SYSTEM;
		page->chunk = NULL;
		page->next_free = machine->lent;
		machine->lent = page;
	}
	machine_unlock(machine);
	return page;
}

void lent_return(struct tpsim_machine *machine)
{
	while (machine->lent) {
		struct tpsim_page *page = machine->lent;

		machine->lent = page->next_free;
		buddy_free(machine, page, 0);
	}
}
