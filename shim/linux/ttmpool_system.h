/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SYSTEM_H
#define TTMPOOL_LINUX_SYSTEM_H

/* What the files of this port know of each other. */

#include <linux/gfp.h>

#include <ttmpool/os.h>

/* An effort for memory, but never at the cost of a process: see pages.c. */
#define TTMPOOL_GFP (GFP_KERNEL | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/**
 * struct ttmpool_system - the machine, as one manager sees it
 * @name: of the shrinker, and in reports
 * @reports: how many findings there were of each kind
 *
 * All else is the kernel's, which there is only one of. Zero-initialise it, and
 * name it.
 */
struct ttmpool_system {
	const char *name;
	atomic_long_t reports[TTMPOOL_REPORT_KIND_COUNT];
};

/**
 * struct ttmpool_counters - what this port has asked of the kernel so far
 * @pages_out: pages had of the system now, by all managers
 * @caching_calls: calls that changed page attributes; a flush on every CPU each
 * @caching_repairs: batches made write-back again after a failure
 * @maps: chunks mapped
 * @unmaps: chunks unmapped
 * @iotlb_flushes: flushes that a deferred invalidation made necessary
 * @stores: stores there are now
 * @pages_stored: what they keep, in memory or swapped out
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

/* dma.c: _complete_invalidations: of a domain that defers them, wait until all are done;
 * _note_unmap: addresses may be in the flush queue from now on; _await_addresses: sleep
 * until they are not, and false if there are none. */
void ttmpool_complete_invalidations(struct device *dev);
void ttmpool_note_unmap(void);
bool ttmpool_await_addresses(struct device *dev);

/* compat_counters_*.c: so many pages more are out, or, of a node, spare; the counters of
 * the kernel for that, with what others count there. _active_stat: of pages that are out
 * and not spare; -1: there is no counter of these. */
void ttmpool_count_out(struct page *page, long pages);
void ttmpool_count_spare(int node, long pages);
long ttmpool_active_stat(void);
unsigned long ttmpool_spare_stat(void);

/*
 * compat_iova_*.c, of the chunks from @first to before @end.
 * _map: how many, from the first on, have got addresses that they share. None: map the
 * first for itself. -EOPNOTSUPP: none does on this device; -ENOSPC: there is no range for
 * them, or no memory. To ask again for others of the batch would be in vain.
 * _unmap: those that share, at once, in whichever mode of the IOMMU; how many pages of
 * addresses have come back?
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

/* coherent.c. _is_single: only one page at a time can be had; _bytes: by which the
 * CPU reads and writes the chunk, or NULL if the linear map will do; _unmap: the
 * pages stay, and may be reached until the invalidation is complete. */
bool ttmpool_coherent_is_single(struct device *dev);
int ttmpool_coherent_alloc(struct device *dev, const struct tpos_alloc *req,
			   struct ttmpool_chunk *chunk);
void *ttmpool_coherent_bytes(const struct ttmpool_chunk *chunk);
void ttmpool_coherent_unmap(struct device *dev, struct ttmpool_chunk *chunk);
/* index.c, which is empty when it ends; descriptors.c: users of it come and go. */
bool ttmpool_index_reserve(struct page *page, size_t pages, gfp_t gfp);
void ttmpool_index_forget(const struct ttmpool_chunk *chunk);
void ttmpool_index_end(void);
int ttmpool_descriptors_get(void);
void ttmpool_descriptors_put(void);

/* work.c: while there are users, work can be queued. */
int ttmpool_work_get(void);
void ttmpool_work_put(void);

/* clear_*.c: pages that follow each other; @few: and these are all that there are.
 * What is written may still be on its way when it returns: the caller has the
 * barrier. */
void ttmpool_clear_pages(struct page *page, size_t n, bool few);

/* span.c. The first two are for one page of it, the i-th. */
void ttmpool_span_read(const struct tpos_span *span, size_t i, void *to);
void ttmpool_span_write(const struct tpos_span *span, size_t i, void *from);
void ttmpool_span_for_cpu(const struct tpos_span *span);
void ttmpool_span_for_device(const struct tpos_span *span);

/* flush.c. _is_looked_past: is there somebody who sees memory, and neither the CPU's
 * caches nor by the DMA API? Both for architectures that have devices of the kind; on
 * all others nobody but a test calls them. */
bool ttmpool_flush_pages(struct page *page, size_t n);
bool ttmpool_is_looked_past(const struct ttmpool_chunk *chunk,
			    struct device *dev);

#define TTMPOOL_SYNCS_CACHES                                \
	(IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_DEVICE) || \
	 IS_ENABLED(CONFIG_ARCH_HAS_SYNC_DMA_FOR_CPU))

/* compat_swiotlb_*.c: where bounce slots lie; false if there are none. */
bool ttmpool_bounce_range(struct device *dev, phys_addr_t *start, size_t *size);

/* Is it a page at all, and which? Arithmetic alone, as long as the page descriptors
 * are one array (vmemmap or flat memory): nothing is read through the pointer. Of a
 * struct page * the compiler would take it for granted that it points to one. */
static inline bool ttmpool_is_page(const struct page *page, unsigned long *pfn)
{
	*pfn = page_to_pfn(page);
	OPTIMIZER_HIDE_VAR(*pfn);
	return pfn_to_page(*pfn) == page;
}

/* A mapped chunk: has it addresses that it shares? */
static inline bool ttmpool_chunk_shares(const struct ttmpool_chunk *chunk)
{
	return !ttmpool_chunk_is_coherent(chunk) && chunk->dma.cookie;
}

static inline size_t ttmpool_chunk_bytes(const struct ttmpool_chunk *chunk)
{
	return ttmpool_chunk_pages(chunk) << PAGE_SHIFT;
}

#endif
