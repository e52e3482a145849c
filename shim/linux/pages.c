// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages: from the page allocator, or from the DMA API's coherent one.
 *
 * The page allocator knows zones, not masks. A device that is not translated
 * and does not reach all memory gets pages of the first zone that its mask
 * may cover; if they turn out to lie beyond it nevertheless, of a lower one;
 * and if there are none of these, a single page that bounces rather than
 * nothing at all. A large chunk that would bounce is refused: a smaller one may
 * not.
 *
 * No allocation here wakes the OOM killer. A driver that is told -ENOMEM can do
 * something about it, and the process that it would kill is rarely the one that
 * wants the buffer.
 *
 * Large chunks are not compound pages: each of their pages can be put into a
 * user's page table, but by address (vmf_insert_pfn), as TTM's are. As of TTM's,
 * page->private of the first one is the chunk's order; of pages of the DMA API it
 * is not 0. A driver of ttmpool itself may use it.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/nodemask.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

#define FEW_PAGES      16
#define COHERENT_ATTRS (DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN)

static gfp_t alloc_gfp(const struct tpos_alloc *req)
{
	if (req->flags & TPOS_ALLOC_LIGHT)
		return GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY |
		       __GFP_NOMEMALLOC;
	return TTMPOOL_GFP;
}

/* Zones, each part of the one before it. */
static const gfp_t zones[] = { 0, GFP_DMA32, GFP_DMA };

/* The first zone that may suit (kernel/dma/direct.c,
 * dma_direct_optimal_gfp_mask). */
static size_t first_zone(u64 mask, unsigned int flags)
{
	if (mask <= DMA_BIT_MASK(24))
		return 2;
	return mask <= DMA_BIT_MASK(32) || flags & TPOS_ALLOC_DMA32;
}

static struct page *alloc_in_zone(const struct tpos_alloc *req, gfp_t zone)
{
	gfp_t gfp = alloc_gfp(req) | __GFP_ZERO | zone;
	int node = req->node;

	if (node >= MAX_NUMNODES || (node >= 0 && !node_online(node))) {
		if (req->flags & TPOS_ALLOC_THIS_NODE)
			return NULL;
		node = NUMA_NO_NODE;
	}
	if (req->flags & TPOS_ALLOC_THIS_NODE)
		gfp |= __GFP_THISNODE;
	return alloc_pages_node(node, gfp, req->order);
}

/* A single page that is out of reach is kept until there is a better one. */
static struct page *alloc_within_reach(struct device *dev,
				       const struct tpos_alloc *req)
{
	struct page *page, *spare = NULL;

	for (size_t i = first_zone(dma_get_mask(dev), req->flags);
	     i < ARRAY_SIZE(zones); i++) {
		page = alloc_in_zone(req, zones[i]);
		if (!page)
			continue;
		if (ttmpool_device_emits(dev, page_to_phys(page),
					 PAGE_SIZE << req->order))
			goto found;
		if (!req->order && !spare)
			spare = page;
		else
			__free_pages(page, req->order);
	}
	return spare;

found:
	if (spare)
		__free_page(spare);
	return page;
}

static struct page *alloc_plain(struct device *dev,
				const struct tpos_alloc *req)
{
	if (ttmpool_device_is_translated(dev) || !dma_addressing_limited(dev))
		return alloc_in_zone(
			req, req->flags & TPOS_ALLOC_DMA32 ? GFP_DMA32 : 0);
	return alloc_within_reach(dev, req);
}

static void free_coherent(struct device *dev, struct tpos_dma *dma, size_t size)
{
	dma_free_attrs(dev, size, dma->cookie, dma->addr, COHERENT_ATTRS);
}

/* The DMA API has a mind of its own about nodes; so look where it is. */
static struct page *alloc_coherent(struct device *dev,
				   const struct tpos_alloc *req,
				   struct tpos_dma *dma)
{
	size_t size = PAGE_SIZE << req->order;
	struct page *page;

	dma->cookie = dma_alloc_attrs(dev, size, &dma->addr, alloc_gfp(req),
				      COHERENT_ATTRS);
	if (!dma->cookie)
		return NULL;
	page = is_vmalloc_addr(dma->cookie) ? vmalloc_to_page(dma->cookie)
					    : virt_to_page(dma->cookie);
	if ((req->flags & TPOS_ALLOC_THIS_NODE) &&
	    page_to_nid(page) != req->node) {
		free_coherent(dev, dma, size);
		return NULL;
	}
	return page;
}

static void free_fresh(struct device *dev, const struct tpos_alloc *req,
		       struct tpos_dma *dma, struct page *page)
{
	if (req->source == TTMPOOL_COHERENT)
		free_coherent(dev, dma, PAGE_SIZE << req->order);
	else
		__free_pages(page, req->order);
}

int tpos_pages_alloc(struct device *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk)
{
	struct tpos_dma dma = {};
	struct page *page;

	if (req->source == TTMPOOL_COHERENT)
		page = alloc_coherent(dev, req, &dma);
	else
		page = alloc_plain(dev, req);
	if (page && !ttmpool_index_reserve(page)) {
		free_fresh(dev, req, &dma, page);
		page = NULL;
	}
	trace_ttmpool_alloc(dev, req, page);
	if (!page)
		return -ENOMEM;
	chunk->page = page;
	chunk->dma = dma;
	set_page_private(page, req->source == TTMPOOL_COHERENT
				       ? (unsigned long)chunk
				       : req->order);
	atomic_long_add(1L << req->order, &ttmpool_counters.pages_out);
	return 0;
}

/*
 * A page of a large chunk has no count of its own until the chunk is split for
 * the first time; from then on all of them have, and no page of it is freed
 * together with another.
 */
void tpos_pages_split(struct device *dev, struct ttmpool_chunk *chunk,
		      struct ttmpool_chunk *upper)
{
	if (!(chunk->flags & TTMPOOL_CHUNK_SPLIT))
		split_page(chunk->page, chunk->order);
	chunk->order--;
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
	upper->page = tpos_page_nth(chunk->page, ttmpool_chunk_pages(chunk));
	upper->flags |= TTMPOOL_CHUNK_SPLIT;
	set_page_private(chunk->page, chunk->order);
	set_page_private(upper->page, chunk->order);
}

/* The library has found out, and has put it into quarantine. */
static bool is_poisoned(const struct ttmpool_chunk *chunk)
{
	bool poisoned = false;

	if (chunk->state != TTMPOOL_CHUNK_QUARANTINED)
		return false;
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		poisoned |= PageHWPoison(tpos_page_nth(chunk->page, i));
	return poisoned;
}

/* The page allocator keeps a poisoned page out only if it is freed by itself
 * (mm/page_alloc.c, free_pages_prepare). */
static void set_poison_apart(struct ttmpool_chunk *chunk)
{
	if (!is_poisoned(chunk) || chunk->flags & TTMPOOL_CHUNK_SPLIT)
		return;
	split_page(chunk->page, chunk->order);
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
}

static void free_plain(struct ttmpool_chunk *chunk)
{
	set_poison_apart(chunk);
	if (!(chunk->flags & TTMPOOL_CHUNK_SPLIT)) {
		__free_pages(chunk->page, chunk->order);
		return;
	}
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		__free_page(tpos_page_nth(chunk->page, i));
}

void tpos_pages_free(struct device *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	long pages = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		size_t size = ttmpool_chunk_bytes(chunk);

		tpos_page_set_chunk(chunk->page, NULL);
		set_page_private(chunk->page, 0);
		/* Of what dma_alloc_attrs() gave no part can be freed by itself:
		 * so a block with a poisoned page is not freed at all. */
		if (!ttmpool_chunk_is_coherent(chunk))
			free_plain(chunk);
		else if (!chunk->order || !is_poisoned(chunk))
			free_coherent(dev, &chunk->dma, size);
		pages += (long)ttmpool_chunk_pages(chunk);
		cond_resched();
	}
	atomic_long_sub(pages, &ttmpool_counters.pages_out);
	trace_ttmpool_free(dev, pages);
}

/*
 * By the mapping that the driver uses: of a coherent chunk, the one that the
 * DMA API made. The linear map of all others has the chunk's own caching.
 */
static void clear_chunk(struct device *dev, struct ttmpool_chunk *chunk,
			bool few)
{
	size_t size = ttmpool_chunk_bytes(chunk);

	if (ttmpool_chunk_is_coherent(chunk)) {
		memset(chunk->dma.cookie, 0, size);
		return;
	}
	ttmpool_clear_pages(chunk->page, ttmpool_chunk_pages(chunk), few);
	if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
		dma_sync_single_for_device(dev, chunk->dma.addr, size,
					   DMA_BIDIRECTIONAL);
}

/* So little that a cache may have it, and spare it. */
static bool are_few(const struct ttmpool_list *chunks)
{
	return chunks->next == chunks->prev &&
	       ttmpool_chunk_pages(ttmpool_chunk_of(chunks->next)) <= FEW_PAGES;
}

void tpos_pages_clear(struct device *dev, struct ttmpool_list *chunks)
{
	bool few = are_few(chunks);
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		clear_chunk(dev, chunk, few);
		cond_resched();
	}
	wmb(); /* what went past the caches leaves the CPU's buffers */
}

void *tpos_zalloc(struct ttmpool_system *system, size_t size)
{
	return kvzalloc(size, TTMPOOL_GFP);
}

void tpos_free(struct ttmpool_system *system, void *ptr)
{
	kvfree(ptr);
}
