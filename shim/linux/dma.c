// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings: how streaming ones are made, and how all are ended.
 *
 * Small chunks of a batch share addresses if the kernel supports that (compat_iova_link.c).
 * Any other chunk is mapped by itself.
 *
 * Linux has two ways to end the latter mappings. In the IOMMU's strict mode, the device is
 * cut off when dma_unmap_page() returns. In its lazy mode, which is the default of most
 * systems, dma_unmap_page() removes the entry from the page table, and the IOTLB forgets it
 * some time later (drivers/iommu/dma-iommu.c, queue_iova): for up to 10 ms, the device can
 * write to a page that belongs to somebody else. A caller that wants the device cut off at
 * once gets one flush of the domain for the whole batch.
 */

#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/swiotlb.h>

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

/*
 * In the lazy mode, addresses are free when the timer of the flush queue has fired, this
 * long after the first of them was unmapped (drivers/iommu/dma-iommu.c,
 * IOVA_DEFAULT_FQ_TIMEOUT, fq_flush_timeout()). A flush of the domain does not make this
 * faster, because the queue only counts its own flushes.
 */
#define FLUSH_QUEUE_MS 10

static unsigned long last_unmap = INITIAL_JIFFIES;

void ttmpool_note_unmap(void)
{
	WRITE_ONCE(last_unmap, jiffies);
}

/*
 * Called when there are no addresses. If some may be in the queue, of any device, sleeps
 * until they are free, and returns true. A thread that is being killed does not wait.
 */
bool ttmpool_await_addresses(struct device *dev)
{
	unsigned long most = msecs_to_jiffies(FLUSH_QUEUE_MS) + 2;
	unsigned long passed = jiffies - READ_ONCE(last_unmap);

	if (!ttmpool_device_is_lazy(dev) || passed >= most)
		return false;
	return !schedule_timeout_killable(most - passed);
}

/*
 * Returns whether the kernel would find a bounce slot below the device's mask. If it does
 * not find one, it warns with a backtrace, so this must be known before it is asked.
 */
static bool bounce_is_possible(struct device *dev)
{
	phys_addr_t start;
	size_t size;

	return ttmpool_bounce_range(dev, &start, &size) &&
	       ttmpool_device_emits(dev, start, size);
}

/*
 * The DMA API only says that it failed. Behind an IOMMU or a bounce buffer, the reason is
 * almost always a lack of space; otherwise there is no way to reach the page.
 */
static int map_chunk(struct device *dev, bool translated,
		     struct ttmpool_chunk *chunk)
{
	size_t size = ttmpool_chunk_bytes(chunk);
	dma_addr_t addr;

	if (!translated &&
	    (is_swiotlb_force_bounce(dev) ||
	     !ttmpool_device_emits(dev, page_to_phys(chunk->page), size)) &&
	    !bounce_is_possible(dev))
		return -EIO;
	addr = dma_map_page_attrs(dev, chunk->page, 0, size, DMA_BIDIRECTIONAL,
				  DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, addr))
		return -ENOSPC;
	chunk->dma = (struct tpos_dma){ .addr = addr };
	return 0;
}

static void unmap_chunk(struct device *dev, struct ttmpool_chunk *chunk)
{
	if (ttmpool_chunk_is_coherent(chunk)) {
		ttmpool_coherent_unmap(dev, chunk);
		return;
	}
	dma_unmap_page_attrs(dev, chunk->dma.addr, ttmpool_chunk_bytes(chunk),
			     DMA_BIDIRECTIONAL, 0);
	chunk->dma.addr = 0;
	ttmpool_note_unmap();
}

/*
 * Unmaps the chunks from @first up to but not including @end; there is at least
 * one. Returns how many pages of addresses have come back.
 */
static size_t unmap_chunks(struct device *dev, struct ttmpool_list *first,
			   struct ttmpool_list *end, bool lazy)
{
	size_t back = 0;
	long n = 0;

	for (struct ttmpool_list *link = first; link != end;
	     link = link->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (ttmpool_chunk_shares(chunk))
			continue;
		unmap_chunk(dev, chunk);
		back += ttmpool_chunk_pages(chunk);
		if (++n % 64 == 0)
			cond_resched();
	}
	if (n && !lazy)
		ttmpool_complete_invalidations(dev);
	return back + ttmpool_range_unmap(dev, first, end);
}

/*
 * Maps the next chunks, from @first on. Returns how many were mapped, or an error,
 * and then none was. @share says whether they may share addresses; it becomes false
 * for the rest of the batch once there were none to share.
 */
static long map_some(struct device *dev, bool translated, bool *share,
		     struct ttmpool_list *first, struct ttmpool_list *end)
{
	long n = *share ? ttmpool_range_map(dev, first, end) : 0;

	if (n > 0)
		return n;
	*share &= !n;
	return map_chunk(dev, translated, ttmpool_chunk_of(first)) ?: 1;
}

static int map_chunks(struct device *dev, struct ttmpool_list *chunks)
{
	bool translated = ttmpool_device_is_translated(dev), share = true;
	struct ttmpool_list *link = chunks->next;
	long n = 0;

	while (link != chunks) {
		long some = map_some(dev, translated, &share, link, chunks);

		if (some < 0) {
			trace_ttmpool_map(dev, n, (int)some);
			if (n)
				unmap_chunks(dev, chunks->next, link, false);
			return (int)some;
		}
		n += some;
		while (some--)
			link = link->next;
		cond_resched();
	}
	atomic_long_add(n, &ttmpool_counters.maps);
	trace_ttmpool_map(dev, n, 0);
	return 0;
}

int tpos_dma_map(struct device *dev, struct ttmpool_list *chunks)
{
	int err = map_chunks(dev, chunks);

	if (err == -ENOSPC && ttmpool_await_addresses(dev))
		err = map_chunks(dev, chunks);
	return err;
}

/* If the domain defers invalidations, waits until all are done. */
void ttmpool_complete_invalidations(struct device *dev)
{
	if (!ttmpool_device_is_lazy(dev))
		return;
	iommu_flush_iotlb_all(iommu_get_domain_for_dev(dev));
	atomic_long_inc(&ttmpool_counters.iotlb_flushes);
}

size_t tpos_dma_unmap(struct device *dev, struct ttmpool_list *chunks,
		      bool lazy)
{
	size_t back = unmap_chunks(dev, chunks->next, chunks, lazy);
	struct ttmpool_list *link;
	long n = 0;

	ttmpool_list_for_each(link, chunks)
		n++;
	atomic_long_add(n, &ttmpool_counters.unmaps);
	trace_ttmpool_unmap(dev, n, lazy);
	return back;
}
