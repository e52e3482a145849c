/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SYSTEM_H
#define TTMPOOL_LINUX_SYSTEM_H

/* The internal interface between the files of this port. */

#include <linux/gfp.h>

#include <ttmpool/os.h>

/* Tries hard for memory, but never kills a process for it: see pages.c. */
#define TTMPOOL_GFP (GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct ttmpool_system - the machine, as one manager sees it
 * @name: name of the shrinker, also used in reports
 * @reports: number of reports of each kind
 *
 * Everything else belongs to the kernel, of which there is only one. Zero-initialise the
 * structure, and set the name.
 */
struct ttmpool_system {
	const char *name;
	atomic_long_t reports[TTMPOOL_REPORT_KIND_COUNT];
};

/**
 * struct ttmpool_counters - what this port has asked of the kernel so far
 * @pages_out: pages that all managers have from the system now
 * @caching_calls: calls that changed page attributes; each flushes every CPU
 * @caching_repairs: batches made write-back again after a failure
 * @maps: chunks mapped
 * @unmaps: chunks unmapped
 * @iotlb_flushes: flushes that a deferred invalidation made necessary
 * @stores: number of stores now
 * @pages_stored: pages that they keep, in memory or swapped out
 */
struct ttmpool_counters {
	atomic_long_t pages_out;
	atomic_long_t caching_calls;
	atomic_long_t caching_repairs;
	atomic_long_t maps;
	atomic_long_t unmaps;
	atomic_long_t iotlb_flushes;
	atomic_long_t stores;
	atomic_long_t pages_stored;
};

extern struct ttmpool_counters ttmpool_counters;

/* device.c */
bool ttmpool_device_is_translated(struct device *dev);
bool ttmpool_device_is_lazy(struct device *dev);
bool ttmpool_device_emits(struct device *dev, phys_addr_t start, size_t size);

/*
 * dma.c. _complete_invalidations: if the domain defers invalidations, waits until all are
 * done. _note_unmap: addresses may be in the flush queue from now on. _await_addresses:
 * sleeps until the queue is empty; returns false if there is nothing to wait for.
 */
void ttmpool_complete_invalidations(struct device *dev);
void ttmpool_note_unmap(void);
bool ttmpool_await_addresses(struct device *dev);

/*
 * compat_counters_*.c: count pages that the port has from the system, and pages of a node
 * that are spare, in the kernel's counters. The _stat functions return these counters,
 * which include what others count there. _active_stat counts pages that the port has and
 * that are not spare; it returns -1 if the kernel has no such counter.
 */
void ttmpool_count_out(struct page *page, long pages);
void ttmpool_count_spare(int node, long pages);
long ttmpool_active_stat(void);
unsigned long ttmpool_spare_stat(void);

/*
 * compat_iova_*.c, for the chunks from @first up to but not including @end.
 * _map returns how many of them, from the first on, have got addresses that they share. 0
 * means that the first must be mapped by itself. -EOPNOTSUPP means that no chunks share
 * addresses on this device. -ENOSPC means that there is no range for them, or no memory;
 * asking again for other chunks of the batch would be in vain.
 * _unmap unmaps the chunks that share addresses, at once, in either mode of the IOMMU. It
 * returns how many pages of addresses have come back.
 */
long ttmpool_range_map(struct device *dev, struct ttmpool_list *first,
		       struct ttmpool_list *end);
size_t ttmpool_range_unmap(struct device *dev, struct ttmpool_list *first,
			   struct ttmpool_list *end);

/* pages.c */
gfp_t ttmpool_alloc_gfp(const struct tpos_alloc *req);
gfp_t ttmpool_small_gfp(unsigned int flags);
struct page *ttmpool_plain_alloc(struct device *dev,
				 const struct tpos_alloc *req);

/*
 * coherent.c. _is_single returns whether only one page at a time can be allocated. _bytes
 * returns the mapping through which the CPU reads and writes the chunk, or NULL if the
 * linear map will do. _unmap keeps the pages; the device may reach them until the
 * invalidation is complete.
 */
bool ttmpool_coherent_is_single(struct device *dev);
int ttmpool_coherent_alloc(struct device *dev, const struct tpos_alloc *req,
			   struct ttmpool_chunk *chunk);
void *ttmpool_coherent_bytes(const struct ttmpool_chunk *chunk);
void ttmpool_coherent_unmap(struct device *dev, struct ttmpool_chunk *chunk);
/* index.c, which is empty when it ends; descriptors.c, whose users come and go. */
bool ttmpool_index_reserve(struct page *page, size_t pages, gfp_t gfp);
void ttmpool_index_forget(const struct ttmpool_chunk *chunk);
void ttmpool_index_end(void);
int ttmpool_descriptors_get(void);
void ttmpool_descriptors_put(void);

/* work.c: work can be queued while there are users. */
int ttmpool_work_get(void);
void ttmpool_work_put(void);

/*
 * clear_*.c: clears contiguous pages. @few says that these are all. The stores may not be
 * complete on return; the caller issues the barrier.
 */
void ttmpool_clear_pages(struct page *page, size_t n, bool few);

/* span.c. The first two functions are for one page of the span, the i-th. */
void ttmpool_span_read(const struct tpos_span *span, size_t i, void *to);
void ttmpool_span_write(const struct tpos_span *span, size_t i, void *from);
void ttmpool_span_for_cpu(const struct tpos_span *span);
void ttmpool_span_for_device(const struct tpos_span *span);

/*
 * flush.c. _is_looked_past returns whether somebody accesses memory directly, neither
 * through the CPU's caches nor under the care of the DMA API. Both functions are for
 * architectures that have such devices; on all others, only tests call them.
 */
bool ttmpool_flush_pages(struct page *page, size_t n);
bool ttmpool_is_looked_past(const struct ttmpool_chunk *chunk,
			    struct device *dev);

#define TTMPOOL_SYNCS_CACHES                                \
	(IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	 IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU))

/*
 * compat_swiotlb_*.c: finds out where bounce slots lie. Returns false if there are
 * none.
 */
bool ttmpool_bounce_range(struct device *dev, phys_addr_t *start, size_t *size);

/*
 * Returns whether a pointer points to a page descriptor, and to which. This is arithmetic
 * alone as long as the page descriptors are one array (vmemmap or flat memory): nothing is
 * read through the pointer. Without OPTIMIZER_HIDE_VAR(), the compiler would assume that
 * every struct page * points to a descriptor.
 */
static inline bool ttmpool_is_page(const struct page *page, unsigned long *pfn)
{
	*pfn = page_to_pfn(page);
	OPTIMIZER_HIDE_VAR(*pfn);
	return pfn_to_page(*pfn) == page;
}

/* Returns whether a mapped chunk has addresses that it shares. */
static inline bool ttmpool_chunk_shares(const struct ttmpool_chunk *chunk)
{
	return !ttmpool_chunk_is_coherent(chunk) && chunk->dma.cookie;
}

static inline size_t ttmpool_chunk_bytes(const struct ttmpool_chunk *chunk)
{
	return ttmpool_chunk_pages(chunk) << PAGE_SHIFT;
}

#endif
