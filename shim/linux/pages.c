// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages from the page allocator. Coherent pages are in coherent.c.
 *
 * The page allocator knows zones, not masks. A device that is not translated and does not
 * reach all memory gets pages of the first zone that its mask may cover. If they lie
 * beyond the mask nevertheless, it gets pages of a lower zone; and if there are none of
 * these, a single page that bounces, which is better than none. A large chunk that would
 * bounce is refused, because a smaller one may not bounce.
 *
 * No allocation here wakes the OOM killer, except for single pages of a request that allows
 * it (TTMPOOL_OOM_KILL). A driver that gets -ENOMEM can do something about it, and the
 * process that would be killed is rarely the one that wants the buffer.
 *
 * Large chunks are not compound pages: each of their pages can be put into a user's page
 * table, but only by address (vmf_insert_pfn), as with TTM. Also as with TTM,
 * page->private of the first page is the chunk's order; for pages of the DMA API it is
 * not 0. A driver that uses ttmpool itself may use page->private.
 */

#include <linux/dma-mapping.h>
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/nodemask.h>
#include <linux/slab.h>

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

#define FEW_PAGES 16

gfp_t ttmpool_alloc_gfp(const struct tpos_alloc *req)
{
	gfp_t gfp = TTMPOOL_GFP;

	if (req->flags & TPOS_ALLOC_OOM_KILL && !req->order)
		gfp &= ~(__GFP_RETRY_MAYFAIL | __GFP_NOWARN);
	if (req->flags & TPOS_ALLOC_LIGHT)
		gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY |
		      __GFP_NOMEMALLOC;
	if (req->flags & TPOS_ALLOC_NO_WAIT)
		gfp &= ~__GFP_DIRECT_RECLAIM;
	if (req->flags & TPOS_ALLOC_NO_RECLAIM)
		gfp &= ~__GFP_RECLAIM;
	return gfp;
}

/* For descriptors, and for the index of pages. */
gfp_t ttmpool_small_gfp(unsigned int flags)
{
	const struct tpos_alloc req = {
		.flags = flags & (TPOS_ALLOC_NO_RECLAIM | TPOS_ALLOC_NO_WAIT),
	};

	return ttmpool_alloc_gfp(&req);
}

/* The zones, from the largest to the smallest; each contains the next. */
static const gfp_t zones[] = { 0, GFP_DMA32, GFP_DMA };

/*
 * The first zone that may suit (kernel/dma/direct.c, dma_direct_optimal_gfp_mask).
 */
static size_t first_zone(u64 mask, unsigned int flags)
{
	if (mask <= DMA_BIT_MASK(24))
		return 2;
	return mask <= DMA_BIT_MASK(32) || flags & TPOS_ALLOC_DMA32;
}

static struct page *alloc_in_zone(const struct tpos_alloc *req, gfp_t zone)
{
	gfp_t gfp = ttmpool_alloc_gfp(req) | __GFP_ZERO | zone;
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

/* Keeps a single page that is out of reach until there is a better one. */
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

struct page *ttmpool_plain_alloc(struct device *dev,
				 const struct tpos_alloc *req)
{
	if (ttmpool_device_is_translated(dev) || !dma_addressing_limited(dev))
		return alloc_in_zone(
			req, req->flags & TPOS_ALLOC_DMA32 ? GFP_DMA32 : 0);
	return alloc_within_reach(dev, req);
}

static int alloc_plain(struct device *dev, const struct tpos_alloc *req,
		       struct ttmpool_chunk *chunk)
{
	struct page *page = ttmpool_plain_alloc(dev, req);

	if (!page)
		return -ENOMEM;
	chunk->page = page;
	chunk->dma = (struct tpos_dma){};
	return 0;
}

/*
 * Frees pages that are not in the index. Coherent ones are put out of the device's
 * reach first, as all pages are.
 */
static void free_fresh(struct device *dev, const struct tpos_alloc *req,
		       const struct ttmpool_chunk *chunk)
{
	struct ttmpool_chunk fresh = { .page = chunk->page,
				       .dma = chunk->dma,
				       .order = req->order };

	if (req->source == TTMPOOL_COHERENT) {
		ttmpool_coherent_unmap(dev, &fresh);
		ttmpool_complete_invalidations(dev);
	}
	__free_pages(fresh.page, req->order);
}

int tpos_pages_alloc(struct device *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk)
{
	int err;

	if (req->source == TTMPOOL_COHERENT)
		err = ttmpool_coherent_alloc(dev, req, chunk);
	else
		err = alloc_plain(dev, req, chunk);
	if (!err && !ttmpool_index_reserve(chunk->page, (size_t)1 << req->order,
					   ttmpool_small_gfp(req->flags))) {
		free_fresh(dev, req, chunk);
		err = -ENOMEM;
	}
	trace_ttmpool_alloc(dev, req, err ? NULL : chunk->page);
	if (err)
		return err;
	set_page_private(chunk->page, req->source == TTMPOOL_COHERENT
					      ? (unsigned long)chunk
					      : req->order);
	atomic_long_add(1L << req->order, &ttmpool_counters.pages_out);
	ttmpool_count_out(chunk->page, 1L << req->order);
	return 0;
}

/*
 * A page of a large chunk has no reference count of its own until the chunk is split for the
 * first time. From then on all of its pages have one, and each is freed separately.
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

/* Only chunks that the library has quarantined can have poisoned pages here. */
static bool is_poisoned(const struct ttmpool_chunk *chunk)
{
	bool poisoned = false;

	if (chunk->state != TTMPOOL_CHUNK_QUARANTINED)
		return false;
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		poisoned |= PageHWPoison(tpos_page_nth(chunk->page, i));
	return poisoned;
}

/*
 * The page allocator withholds a poisoned page only if that page is freed by itself
 * (mm/page_alloc.c, free_pages_prepare).
 */
static void set_poison_apart(struct ttmpool_chunk *chunk)
{
	if (!is_poisoned(chunk) || chunk->flags & TTMPOOL_CHUNK_SPLIT)
		return;
	split_page(chunk->page, chunk->order);
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
}

static void free_chunk(struct ttmpool_chunk *chunk)
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
		ttmpool_index_forget(chunk);
		ttmpool_count_out(chunk->page,
				  -(long)ttmpool_chunk_pages(chunk));
		set_page_private(chunk->page, 0);
		if (ttmpool_chunk_is_coherent(chunk) && chunk->dma.cookie)
			ttmpool_coherent_unmap(dev, chunk);
		free_chunk(chunk);
		pages += (long)ttmpool_chunk_pages(chunk);
		cond_resched();
	}
	atomic_long_sub(pages, &ttmpool_counters.pages_out);
	trace_ttmpool_free(dev, pages);
}

/*
 * Clears through the mapping that the driver uses. For a coherent chunk that
 * dma_alloc_attrs() returned, this is the mapping that it made. For all others it is the
 * linear map, which has the caching of the chunk, or is flushed.
 */
static void clear_chunk(struct device *dev, struct ttmpool_chunk *chunk,
			bool few)
{
	size_t size = ttmpool_chunk_bytes(chunk);

	if (ttmpool_chunk_is_coherent(chunk) && ttmpool_coherent_bytes(chunk))
		memset(ttmpool_coherent_bytes(chunk), 0, size);
	else
		ttmpool_clear_pages(chunk->page, ttmpool_chunk_pages(chunk),
				    few);
	if (!ttmpool_chunk_is_coherent(chunk) &&
	    chunk->flags & TTMPOOL_CHUNK_MAPPED)
		dma_sync_single_for_device(dev, chunk->dma.addr, size,
					   DMA_BIDIRECTIONAL);
	if (TTMPOOL_SYNCS_CACHES && ttmpool_is_looked_past(chunk, dev))
		ttmpool_flush_pages(chunk->page, ttmpool_chunk_pages(chunk));
}

/*
 * Returns whether the pages are so few that a cache may hold them, and that
 * clearing them there disturbs little.
 */
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
	wmb(); /* stores that bypassed the caches leave the CPU's buffers */
}

void *tpos_zalloc(struct ttmpool_system *system, size_t size)
{
	return kvzalloc(size, TTMPOOL_GFP);
}

void tpos_free(struct ttmpool_system *system, void *ptr)
{
	kvfree(ptr);
}
