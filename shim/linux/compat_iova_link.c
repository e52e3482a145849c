// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Small chunks that are mapped in one batch share a range of addresses, if the DMA API can
 * link single pages into a range and unlink any run of them (dma_iova_link(), since
 * Linux 6.16):
 *
 *     range      | a | b | c | d | e |     one state, with a count of its pages
 *     unmapped       |   b   c   |   e     two runs: two invalidations; the addresses of
 *                                          b, c and e are held
 *     unmapped   | a |           | d |     two more, and the whole range is free
 *
 * In the IOMMU's strict mode, ending a mapping of dma_map_page() costs an invalidation.
 * dma_iova_unlink() costs one for a run, however long it is (drivers/iommu/dma-iommu.c), and
 * so never more. It cannot free a part of the addresses: they come back with the last page
 * of the range. So the size of ranges is limited, and large chunks, and chunks that come
 * alone, have mappings of their own.
 *
 * In the IOMMU's lazy mode, nothing is shared. There, one invalidation serves for hundreds
 * of mappings that have ended, neighbours or not (dma.c), and dma_iova_unlink() would cost
 * one for each run, because it never uses the flush queue.
 *
 * The state is the cookie of each of its chunks. There is no lock: a thread has chunks that
 * no other thread has, runs that two threads unlink at the same time do not overlap, and the
 * count is atomic.
 */

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "ttmpool_system.h"

/* Chunks below 2 MiB may share; for larger ones an IOMMU has large entries. */
#define SHARED_PAGES (SZ_2M >> PAGE_SHIFT)

/*
 * The most pages that share a range, and the largest part that they may be of all
 * addresses of the device. One page holds a whole range, so that few pages could
 * otherwise hold all addresses.
 */
#define RANGE_PAGES (SZ_8M >> PAGE_SHIFT)
#define RANGE_PART  4096

/* 2^n chunks are sorted in n + 1 slots. */
#define SORT_SLOTS 32

/**
 * struct iova_range - addresses that chunks share
 * @iova: the state of the DMA API
 * @pages: number of pages in the range
 * @linked: number of these that are still mapped; the thread that unmaps the last one frees
 *	the range
 */
struct iova_range {
	struct dma_iova_state iova;
	size_t pages;
	atomic_long_t linked;
};

/*
 * Returns whether chunks for this device can share addresses. They cannot if the device does
 * not see the CPU's caches: its mappings are synced while they are in use, for which this
 * API has no call. And an IOMMU whose pages are larger than the CPU's has no address for a
 * single CPU page.
 */
static bool can_share(struct device *dev)
{
	return ttmpool_device_is_translated(dev) &&
	       !ttmpool_device_is_lazy(dev) && dev_is_dma_coherent(dev) &&
	       dma_get_merge_boundary(dev) < PAGE_SIZE;
}

/*
 * Returns how many chunks from @first on can share a range, and stores their pages
 * in @pages. No chunk may be larger than the one before it, so that each lies at a
 * multiple of its size, as it does if it is mapped by itself.
 */
static size_t range_plan(struct device *dev, const struct ttmpool_list *first,
			 const struct ttmpool_list *end, size_t *pages)
{
	size_t most = min_t(u64, RANGE_PAGES,
			    (dma_get_mask(dev) >> PAGE_SHIFT) / RANGE_PART);
	size_t last = SHARED_PAGES - 1, n = 0;

	*pages = 0;
	for (; first != end; first = first->next, n++) {
		const struct ttmpool_chunk *chunk =
			ttmpool_list_entry(first, struct ttmpool_chunk, link);
		size_t more = ttmpool_chunk_pages(chunk);

		if (more > last || *pages + more > most)
			break;
		last = more;
		*pages += more;
	}
	return n;
}

static struct iova_range *range_create(struct device *dev, size_t pages)
{
	struct iova_range *range =
		kmalloc(sizeof(*range), GFP_NOWAIT | __GFP_NOWARN);

	if (!range)
		return NULL;
	if (!dma_iova_try_alloc(dev, &range->iova, 0, pages << PAGE_SHIFT)) {
		kfree(range);
		return NULL;
	}
	range->pages = pages;
	atomic_long_set(&range->linked, pages);
	return range;
}

static void range_destroy(struct device *dev, struct iova_range *range)
{
	dma_iova_free(dev, &range->iova);
	kfree(range);
}

/* Cuts the device off from a part of the range. */
static void range_unlink(struct device *dev, struct iova_range *range,
			 size_t offset, size_t size)
{
	dma_iova_unlink(dev, &range->iova, offset, size, DMA_BIDIRECTIONAL, 0);
}

/*
 * Notes that pages of the range were unmapped. Returns how many pages of addresses
 * have come back: all of the range, or none.
 */
static size_t range_put(struct device *dev, struct iova_range *range,
			size_t pages)
{
	size_t back = range->pages;

	if (!atomic_long_sub_and_test(pages, &range->linked))
		return 0;
	range_destroy(dev, range);
	return back;
}

/*
 * Links all chunks, or none: after an error, the device cannot reach those that
 * were linked.
 */
static int range_link(struct device *dev, struct iova_range *range,
		      struct ttmpool_list *first, size_t n)
{
	size_t offset = 0;
	int err;

	for (; n; n--, first = first->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(first);
		size_t size = ttmpool_chunk_bytes(chunk);

		err = dma_iova_link(dev, &range->iova,
				    page_to_phys(chunk->page), offset, size,
				    DMA_BIDIRECTIONAL, 0);
		if (err)
			goto unlink;
		offset += size;
		cond_resched();
	}
	err = dma_iova_sync(dev, &range->iova, 0, offset);
	if (err)
		goto unlink;
	return 0;

unlink:
	if (offset)
		range_unlink(dev, range, 0, offset);
	return err;
}

/* Notes in each chunk where it lies in the range. */
static void range_tell(struct iova_range *range, struct ttmpool_list *first,
		       size_t n)
{
	dma_addr_t addr = range->iova.addr;

	for (; n; n--, first = first->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(first);

		chunk->dma = (struct tpos_dma){ addr, range };
		addr += ttmpool_chunk_bytes(chunk);
	}
}

long ttmpool_range_map(struct device *dev, struct ttmpool_list *first,
		       struct ttmpool_list *end)
{
	struct iova_range *range;
	size_t pages, n;

	if (!can_share(dev))
		return -EOPNOTSUPP;
	n = range_plan(dev, first, end, &pages);
	if (n < 2)
		return 0;
	range = range_create(dev, pages);
	if (!range)
		return -ENOSPC;
	if (range_link(dev, range, first, n)) {
		range_destroy(dev, range);
		return -ENOSPC;
	}
	range_tell(range, first, n);
	return (long)n;
}

/*
 * Returns the next chunk of a chain, which is sorted. The chain uses the backward
 * links of the list, so the order of the list itself does not change. The backward
 * links are restored at the end.
 */
static struct ttmpool_chunk *chain_next(const struct ttmpool_chunk *chunk)
{
	return chunk->link.prev ? ttmpool_chunk_of(chunk->link.prev) : NULL;
}

static struct ttmpool_list **chain_link(struct ttmpool_list **at,
					struct ttmpool_chunk *chunk)
{
	*at = &chunk->link;
	return &chunk->link.prev;
}

static struct ttmpool_chunk *chain_merge(struct ttmpool_chunk *a,
					 struct ttmpool_chunk *b)
{
	struct ttmpool_list *merged = NULL, **at = &merged;

	while (a && b) {
		if (a->dma.addr < b->dma.addr) {
			at = chain_link(at, a);
			a = chain_next(a);
		} else {
			at = chain_link(at, b);
			b = chain_next(b);
		}
	}
	*at = a ? &a->link : &b->link;
	return ttmpool_chunk_of(merged);
}

/* Sorts by address: slot i has a sorted chain of 2^i chunks, or none. */
static struct ttmpool_chunk *chain_sort(struct ttmpool_chunk *chain)
{
	struct ttmpool_chunk *slots[SORT_SLOTS] = {}, *next;
	int i;

	for (; chain; chain = next) {
		next = chain_next(chain);
		chain->link.prev = NULL;
		for (i = 0; i < SORT_SLOTS - 1 && slots[i]; i++) {
			chain = chain_merge(slots[i], chain);
			slots[i] = NULL;
		}
		slots[i] = chain;
	}
	for (i = 0; i < SORT_SLOTS; i++)
		if (slots[i])
			chain = chain ? chain_merge(slots[i], chain) : slots[i];
	return chain;
}

/*
 * Returns a sorted chain of the chunks that share a range. A batch that has not
 * been divided is in order already.
 */
static struct ttmpool_chunk *chain_make(struct ttmpool_list *first,
					struct ttmpool_list *end)
{
	struct ttmpool_list *chain = NULL, **at = &chain;
	bool sorted = true;
	dma_addr_t last = 0;

	for (; first != end; first = first->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(first);

		if (!ttmpool_chunk_shares(chunk))
			continue;
		sorted &= chunk->dma.addr >= last;
		last = chunk->dma.addr;
		at = chain_link(at, chunk);
	}
	*at = NULL;
	if (!chain)
		return NULL;
	return sorted ? ttmpool_chunk_of(chain)
		      : chain_sort(ttmpool_chunk_of(chain));
}

/*
 * Unlinks the first run of a chain: chunks whose addresses are contiguous in one
 * range. Returns the rest of the chain.
 */
static struct ttmpool_chunk *
run_unmap(struct device *dev, struct ttmpool_chunk *chunk, size_t *back)
{
	struct iova_range *range = chunk->dma.cookie;
	dma_addr_t addr = chunk->dma.addr, end = addr;

	for (; chunk && chunk->dma.cookie == range && chunk->dma.addr == end;
	     chunk = chain_next(chunk)) {
		end += ttmpool_chunk_bytes(chunk);
		chunk->dma = (struct tpos_dma){};
	}
	range_unlink(dev, range, addr - range->iova.addr, end - addr);
	*back += range_put(dev, range, (end - addr) >> PAGE_SHIFT);
	return chunk;
}

size_t ttmpool_range_unmap(struct device *dev, struct ttmpool_list *first,
			   struct ttmpool_list *end)
{
	struct ttmpool_list *before = first->prev;
	struct ttmpool_chunk *chain = chain_make(first, end);
	size_t back = 0, runs = 0;

	if (!chain)
		return 0;
	while (chain) {
		chain = run_unmap(dev, chain, &back);
		if (++runs % 64 == 0)
			cond_resched();
	}
	for (; first != end; first = first->next) {
		first->prev = before;
		before = first;
	}
	return back;
}
