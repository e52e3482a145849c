// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages on their way from the allocators and back.
 *
 * Fresh pages are zero, as CONFIG_INIT_ON_ALLOC_DEFAULT_ON makes them in all of Debian's
 * kernels, and that has its cost. Pages that come back are checked, as
 * free_pages_prepare() and CONFIG_DMA_API_DEBUG would: they must not be mapped, must not be
 * free already, and must have the order with which they were allocated. They must also be
 * write-back; no kernel checks this, and every kernel needs it (TTM gave write-combined
 * pages back three times).
 *
 * A page is open to the CPU from tpos_pages_alloc() to tpos_pages_free(), except for the
 * time between tpos_note_parked() and tpos_note_issued().
 */

#include "machine.h"

void tpsim_batch_check(const struct ttmpool_list *chunks, const char *call)
{
	if (ttmpool_list_empty(chunks))
		tpsim_complain("empty batch", "%s", call);
}

/*
 * Returns the first page of the allocated block that @page is in, or @page if it is
 * in none.
 */
struct tpsim_page *tpsim_block_head(struct tpsim_machine *machine,
				    struct tpsim_page *page)
{
	size_t index = tpsim_page_index(machine, page);

	if (!page_is_out(page))
		return page;
	return machine->pages + (index & ~(((size_t)1 << page->order) - 1));
}

/*
 * Returns the pages of a chunk. They must be allocated, and be exactly one block.
 */
struct tpsim_page *tpsim_chunk_block(struct tpsim_machine *machine,
				     const struct ttmpool_chunk *chunk,
				     const char *call)
{
	struct tpsim_page *page = chunk->page;
	size_t index = tpsim_page_index(machine, page);

	if (!page_is_out(page))
		tpsim_complain("use after free", "%s: page %zu is not out",
			       call, index);
	if (tpsim_block_head(machine, page) != page ||
	    page->order != chunk->order)
		tpsim_complain("wrong order",
			       "%s: page %zu was got in a block of order %d, "
			       "the chunk says %d",
			       call, index, page->order, chunk->order);
	return page;
}

/*
 * Where the pages may be. For a plain page, the caller of alloc_pages() can only choose a
 * zone: GFP_DMA or GFP_DMA32. So a page may be beyond a mask that lies between the zones'
 * ends. The coherent allocator looks at the address, too (dma_coherent_ok()).
 */
static struct where where_of(const struct tpsim_device *dev,
			     const struct tpos_alloc *req)
{
	uint64_t mask = dev->config.dma_mask;
	struct where where = { .order = req->order,
			       .node = req->node,
			       .this_node = req->flags & TPOS_ALLOC_THIS_NODE,
			       .highest = ZONE_NORMAL,
			       .reach = UINT64_MAX };

	if (req->flags & TPOS_ALLOC_DMA32)
		where.highest = ZONE_DMA32;
	if (dev->machine->config.iommu != TPSIM_IOMMU_OFF)
		return where;
	if (mask < 4 * GIB)
		where.highest = mask < 16 * MIB ? ZONE_DMA : ZONE_DMA32;
	if (req->source == TTMPOOL_COHERENT)
		where.reach = mask;
	return where;
}

/* Returns how many free pages @where allows, in blocks of any order. */
static size_t free_pages_there(const struct tpsim_machine *machine,
			       const struct where *where)
{
	size_t pages = 0;

	for (unsigned int n = 0; n < machine->config.nr_nodes; n++) {
		if (where->this_node && (int)n != where->node)
			continue;
		for (int kind = 0; kind <= (int)where->highest; kind++)
			pages += machine->zones[n][kind].free_pages;
	}
	return pages;
}

/*
 * Reclaims once. Returns whether there was anything to gain. As in
 * __alloc_pages_slowpath(), a request with __GFP_NORETRY tries it once, and not at all if
 * there are enough pages but in pieces, because joining them would be for compaction
 * (compact_gap()). Other requests go on as long as pages come (MAX_RECLAIM_RETRIES). A
 * request without __GFP_DIRECT_RECLAIM takes what is free, and does not reclaim at all
 * (can_direct_reclaim).
 */
static bool reclaim_for(struct tpsim_machine *machine,
			const struct where *where, unsigned int flags,
			unsigned int round)
{
	unsigned int rounds = flags & TPOS_ALLOC_LIGHT ? 1 : 16;
	size_t wanted = (size_t)1 << where->order;

	if (round >= rounds || tpsim_thread_reclaims() ||
	    flags & (TPOS_ALLOC_NO_RECLAIM | TPOS_ALLOC_NO_WAIT))
		return false;
	if (flags & TPOS_ALLOC_LIGHT &&
	    free_pages_there(machine, where) >= 2 * wanted)
		return false;
	return tpsim_shortage(machine,
			      where->this_node ? where->node : TTMPOOL_NODE_ANY,
			      wanted);
}

/*
 * __alloc_pages_may_oom(): kills nobody for a request that may fail, or that a smaller one
 * can follow. The victim is the process that holds the rest of RAM. If there is none, the
 * victim is the thread that asks, and it gets nothing.
 */
static bool kill_for(struct tpsim_machine *machine,
		     const struct tpos_alloc *req)
{
	const unsigned int others = TPOS_ALLOC_THIS_NODE | TPOS_ALLOC_LIGHT |
				    TPOS_ALLOC_NO_RECLAIM | TPOS_ALLOC_NO_WAIT;

	if (!(req->flags & TPOS_ALLOC_OOM_KILL) || req->flags & others ||
	    req->order || tpsim_thread_reclaims())
		return false;
	machine->counters.oom_kills++;
	return tpsim_ram_let_go(machine);
}

static struct tpsim_page *block_alloc(struct tpsim_device *dev,
				      const struct tpos_alloc *req)
{
	struct where where = where_of(dev, req);
	struct tpsim_page *page;
	unsigned int round = 0;

	if (req->order > dev->machine->config.max_order)
		return NULL;
	do {
		page = tpsim_buddy_take(dev->machine, &where);
	} while (!page &&
		 (reclaim_for(dev->machine, &where, req->flags, round++) ||
		  kill_for(dev->machine, req)));
	return page;
}

/*
 * Hands out a block. Only the caller knows it yet, so the caller clears it without
 * the guard.
 */
static void block_hand_out(struct tpsim_machine *machine,
			   struct tpsim_page *page, unsigned int order,
			   enum page_use use)
{
	size_t pages = (size_t)1 << order;

	page->mapping = NULL;
	for (size_t i = 0; i < pages; i++) {
		tpsim_page_forget(page + i);
		page[i].machine = machine;
		page[i].use = (uint8_t)use;
		page[i].order = (uint8_t)order;
		tpsim_page_conceal(machine, page + i);
	}
	annotate_open(machine->arena, tpsim_page_bytes(machine, page),
		      block_bytes(machine, order));
	machine->counters.pages_allocated += pages;
	machine->counters.bytes_cleared_alloc += block_bytes(machine, order);
	tpsim_cost_spend(machine, COST_BLOCK_ALLOC, 1);
	tpsim_cost_spend(machine, COST_PAGE_PREPARE, pages);
	tpsim_cost_spend(machine, COST_PAGE_CLEAR, pages);
	if (use == PAGE_PLAIN)
		machine->out.pages_plain += pages;
	else
		machine->out.pages_coherent += pages;
	if (machine->watch)
		machine->watch->handed_out(machine->watch->arg, page, order);
}

void tpsim_page_poison(struct tpsim_machine *machine, tpos_page_t *page)
{
	tpsim_machine_lock(machine);
	if (!page_is_out(page))
		tpsim_complain("poison", "page %zu is not out",
			       tpsim_page_index(machine, page));
	__atomic_store_n(&page->poisoned, true, __ATOMIC_RELAXED);
	__atomic_add_fetch(&machine->poisoned, 1, __ATOMIC_RELEASE);
	tpsim_machine_unlock(machine);
}

/*
 * num_poisoned_pages, which the kernel itself could read
 * (mm/memory-failure.c).
 */
bool tpos_may_be_poisoned(tpos_device_t *dev)
{
	return __atomic_load_n(&dev->machine->poisoned, __ATOMIC_ACQUIRE);
}

static bool block_is_poisoned(const struct tpsim_page *page)
{
	for (size_t i = 0; i < (size_t)1 << page->order; i++)
		if (page[i].poisoned)
			return true;
	return false;
}

/*
 * free_pages_prepare() withholds a poisoned page if it is freed by itself. It looks
 * at no page of a block of a higher order, so somebody gets that page again.
 */
static void piece_give(struct tpsim_machine *machine, struct tpsim_page *page,
		       unsigned int order)
{
	if (!order && page->poisoned) {
		machine->out.pages_lost++;
		return;
	}
	for (size_t i = 0; i < (size_t)1 << order; i++)
		machine->counters.poison_freed += page[i].poisoned;
	tpsim_buddy_give(machine, page, order);
}

void tpsim_block_take_back(struct tpsim_machine *machine,
			   struct tpsim_page *page)
{
	unsigned int order = page->order;
	size_t pages = (size_t)1 << order;
	/* A block that was split is freed as that many single pages. */
	unsigned int piece = page->split ? 0 : order;

	if (tpsim_iommu_still_reaches(machine, page))
		machine->counters.freed_in_reach += pages;
	if (page->parked)
		machine->out.pages_parked -= pages;
	else
		annotate_close(machine->arena, tpsim_page_bytes(machine, page),
			       block_bytes(machine, order));
	if (page->use == PAGE_PLAIN)
		machine->out.pages_plain -= pages;
	else
		machine->out.pages_coherent -= pages;
	page->parked = false;
	page->split = false;
	for (size_t i = 0; i < pages; i++) {
		tpsim_page_forget(page + i);
		page[i].use = PAGE_FREE;
	}
	machine->counters.pages_freed += pages;
	tpsim_cost_spend(machine, COST_BLOCK_FREE, pages >> piece);
	tpsim_cost_spend(machine, COST_PAGE_PREPARE, pages);
	for (size_t i = 0; i < pages; i += (size_t)1 << piece)
		piece_give(machine, page + i, piece);
	if (machine->watch)
		machine->watch->came_back(machine->watch->arg, page);
}

/* Guarded, except while the shrinkers run. */
static int alloc_guarded(struct tpsim_device *dev, const struct tpos_alloc *req,
			 struct tpsim_page **got)
{
	bool coherent = req->source == TTMPOOL_COHERENT;
	struct tpsim_machine *machine = dev->machine;
	struct strike strike;
	int err;

	tpsim_device_check(dev, "tpos_pages_alloc");
	if (coherent && req->order && dev->config.coherent_single)
		return -ENOMEM;
	strike = tpsim_fault_strike(machine,
				    coherent ? TPSIM_CALL_COHERENT_ALLOC
					     : TPSIM_CALL_PAGES_ALLOC,
				    -ENOMEM);
	if (strike.error)
		return strike.error;
	*got = block_alloc(dev, req);
	if (!*got)
		return -ENOMEM;
	block_hand_out(machine, *got, req->order,
		       coherent ? PAGE_COHERENT : PAGE_PLAIN);
	err = coherent ? tpsim_mapping_create(dev, *got, NULL) : 0;
	if (err == -ENOSPC && tpsim_iommu_await(dev))
		err = tpsim_mapping_create(dev, *got, NULL);
	if (err)
		tpsim_block_take_back(machine, *got);
	return err;
}

int tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *page = NULL;
	int err;

	tpsim_machine_enter(machine, __func__);
	err = alloc_guarded(dev, req, &page);
	tpsim_machine_unlock(machine);
	if (err)
		return err;
	tpsim_block_zero(machine, page, req->order);
	tpsim_clear_finish();
	if (machine->memory) {
		tpsim_machine_lock(machine);
		tpsim_cache_hand_out(machine, page, (size_t)1 << req->order);
		tpsim_machine_unlock(machine);
	}
	chunk->page = page;
	if (req->source == TTMPOOL_COHERENT)
		chunk->dma =
			(struct tpos_dma){ page->mapping->addr, page->mapping };
	return 0;
}

/* Checks for what free_pages_prepare() would call a bad page. */
void tpsim_free_check(const struct tpsim_machine *machine,
		      const struct tpsim_page *page,
		      const struct ttmpool_chunk *chunk)
{
	size_t index = tpsim_page_index(machine, page);

	if (page->split != !!(chunk->flags & TTMPOOL_CHUNK_SPLIT))
		tpsim_complain("wrong order",
			       "page %zu was %ssplit, and the chunk does not "
			       "say so",
			       index, page->split ? "" : "not ");
	if (chunk->caching == TTMPOOL_CACHING_UNKNOWN)
		tpsim_complain("free of a page that is not write-back",
			       "its caching is not known");
	if (page->use == PAGE_PLAIN && page->mapping)
		tpsim_complain("free of a mapped page", "page %zu", index);
	for (size_t i = 0; i < (size_t)1 << page->order; i++)
		if (page[i].pte)
			tpsim_complain("free of a page that is not write-back",
				       "page %zu", index + i);
}

/*
 * As in shim/linux/pages.c: split_page() first, and then the pages are freed one by
 * one.
 */
static void set_poison_apart(struct tpsim_page *page)
{
	page->split |= block_is_poisoned(page);
}

/*
 * Ends the mappings that coherent chunks still have. iommu_dma_free()
 * (drivers/iommu/dma-iommu.c) uses __iommu_dma_unmap() for this, as iommu_dma_unmap_page()
 * does, and frees the pages right after that: in the lazy mode, this is before the
 * invalidation.
 */
static void free_unmaps(struct tpsim_device *dev, struct ttmpool_list *chunks)
{
	bool any = false;

	for_each_chunk(chunk, chunks)
	{
		struct tpsim_page *page = tpsim_chunk_block(dev->machine, chunk,
							    "tpos_pages_free");

		tpsim_free_check(dev->machine, page, chunk);
		if (!page->mapping)
			continue;
		if (page->mapping->dev != dev)
			tpsim_complain("wrong device", "tpos_pages_free");
		tpsim_mapping_end(page->mapping);
		any = true;
	}
	if (any)
		tpsim_iommu_end_batch(dev, true);
}

void tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct tpsim_machine *machine = dev->machine;

	tpsim_machine_enter(machine, __func__);
	tpsim_device_check_held(dev, __func__);
	tpsim_batch_check(chunks, __func__);
	free_unmaps(dev, chunks);
	for_each_chunk(chunk, chunks)
	{
		struct tpsim_page *page =
			tpsim_chunk_block(machine, chunk, __func__);

		if (chunk->state == TTMPOOL_CHUNK_QUARANTINED)
			set_poison_apart(page);
		tpsim_block_take_back(machine, page);
	}
	tpsim_machine_unlock(machine);
}
