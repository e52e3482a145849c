// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Flushing of the CPU's caches, for accesses that bypass them.
 *
 * This port reads and writes pages through the linear map. On x86, that map has the caching
 * of the chunk, and every device sees the caches. On other architectures, the linear map is
 * always write-back. So there are two kinds of accesses that would see old memory, and
 * whose writes this port would not see:
 *
 *     a device that does not see the caches
 *     a mapping of the page for a user or a driver that is not write-back, whatever the
 *     device sees
 *
 * The DMA API takes care of pages with a streaming mapping for such a device, when it is
 * asked to sync. All other pages are flushed here: written back, and invalidated.
 *
 * The kernel has no function for this that modules can call on all architectures:
 * arch_sync_dma_for_device() and arch_dma_prep_coherent() are exported by none (6.1, 6.12,
 * 7.x); arch_wb_cache_pmem() does not invalidate, and exists only on x86 and arm64;
 * drm_clflush_pages() is for x86 and powerpc, and set_memory_*() for x86. The DMA API calls
 * the former two for any device that does not see the caches. So there is such a device
 * here, which is never registered. It has no IOMMU, no bounce slots and no limit to its
 * mask. So its mappings are the pages' own addresses, take up nothing, and cannot fail
 * (kernel/dma/direct.h, dma_direct_map_page()). The device that the pages are for cannot
 * be used: behind an IOMMU a mapping needs addresses, and the device may have gone.
 *
 * CONFIG_DMA_API_DEBUG warns about a page that is mapped twice, unless the mapping itself
 * does no cache maintenance (kernel/dma/debug.c, add_dma_entry()). So the pages are synced
 * between the mapping's two ends: to the device and back, in both directions, because some
 * architectures invalidate in the first step, and some in the second
 * (arch/mips/mm/dma-noncoherent.c, arch/arm64/mm/dma-mapping.c).
 */

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>

#include "ttmpool_system.h"

static u64 all_memory = DMA_BIT_MASK(64);

static struct device nobody = {
	.init_name = "ttmpool-caches",
	.dma_mask = &all_memory,
	.coherent_dma_mask = DMA_BIT_MASK(64),
};

bool ttmpool_flush_pages(struct page *page, size_t n)
{
	size_t size = n << PAGE_SHIFT;
	dma_addr_t addr;

	addr = dma_map_page_attrs(&nobody, page, 0, size, DMA_BIDIRECTIONAL,
				  DMA_ATTR_SKIP_CPU_SYNC);
	if (WARN_ON_ONCE(dma_mapping_error(&nobody, addr)))
		return false;
	dma_sync_single_for_device(&nobody, addr, size, DMA_BIDIRECTIONAL);
	dma_sync_single_for_cpu(&nobody, addr, size, DMA_BIDIRECTIONAL);
	dma_unmap_page_attrs(&nobody, addr, size, DMA_BIDIRECTIONAL,
			     DMA_ATTR_SKIP_CPU_SYNC);
	return true;
}

bool ttmpool_is_looked_past(const struct ttmpool_chunk *chunk,
			    struct device *dev)
{
	if (dev_is_dma_coherent(dev))
		return chunk->caching != TTMPOOL_CACHED;
	if (ttmpool_chunk_is_coherent(chunk))
		return false; /* the DMA API's mapping bypasses the caches */
	return chunk->caching != TTMPOOL_CACHED ||
	       !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}
