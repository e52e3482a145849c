// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Coherent pages, and how they are parted from their device.
 *
 * dma_free_attrs() ends a mapping and frees the pages in one go. That is too late
 * for pages that are still in use when the device goes, for without the device it
 * cannot be called (iommu_get_dma_domain() of a device that was removed is a NULL
 * pointer's); and too early in the IOMMU's lazy mode, where the device can write to
 * a free page until the flush queue is emptied (drivers/iommu/dma-iommu.c,
 * iommu_dma_free()). So it must be possible to end the mapping, and keep the pages:
 *
 *     mapped   The device sees what the CPU writes, and reaches any page of the page
 *              allocator that it can address: then a page with a streaming mapping
 *              is as coherent as any, needs no sync, and dma_unmap_page() leaves it.
 *              Of any order. This is every device on x86, but for the following.
 *     direct   Nothing translates, and there are no streaming mappings, or they are
 *              forced to bounce (swiotlb=force), which coherent pages never do: the
 *              address is the page's own, as dma_direct_alloc() has it
 *              (kernel/dma/direct.c), and nothing is mapped.
 *     single   All others are dma_alloc_attrs()'s: of devices that do not see the
 *              CPU's caches, of those whose coherent mask is the narrower one, of
 *              machines that have to decrypt for a device. A reference of ours keeps
 *              the page when dma_free_attrs() gives up its own. This works with one
 *              page at a time: __free_pages() of a single page puts a reference;
 *              of a block it looks at the first page alone, and frees the others
 *              (mm/page_alloc.c). So there are no larger ones.
 *
 * Of the last kind the page must be the page allocator's or CMA's, which is seen by
 * its reference count and flags; what a device has of its own (a reserved or a
 * restricted pool) is refused. CMA warns of pages that come back with a reference,
 * and takes them back when that is put; a single page comes from there only for a
 * device with an area of its own.
 */

#include <linux/cc_platform.h>
#include <linux/dma-direct.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/swiotlb.h>
#include <linux/vmalloc.h>

#include "ttmpool_system.h"

#define COHERENT_ATTRS (DMA_ATTR_FORCE_CONTIGUOUS | DMA_ATTR_NO_WARN)

/* What chunk->dma.cookie says of a coherent chunk: the address of one of these, or,
 * of a single one, what dma_alloc_attrs() returned; NULL: it has no mapping. */
static const char is_mapped, is_direct;

/* Would the kernel have to decrypt memory for some devices? */
static bool memory_is_encrypted(void)
{
	if (IS_ENABLED(CONFIG_ARCH_HAS_CC_PLATFORM))
		return cc_platform_has(CC_ATTR_MEM_ENCRYPT);
	return IS_ENABLED(CONFIG_ARCH_HAS_FORCE_DMA_UNENCRYPTED);
}

static bool mappings_are_direct(struct device *dev)
{
	return !ttmpool_device_is_translated(dev) &&
	       (!dev->dma_mask || is_swiotlb_force_bounce(dev));
}

bool ttmpool_coherent_is_single(struct device *dev)
{
	if (!dev_is_dma_coherent(dev) ||
	    dev->coherent_dma_mask < dma_get_mask(dev))
		return true;
	if (ttmpool_device_is_translated(dev))
		return !dev->dma_mask;
	return get_dma_ops(dev) ||
	       (mappings_are_direct(dev) && memory_is_encrypted());
}

/* Give the pages an address. Where nothing translates, it is the pages' own, or some
 * other layer is at work, and the pages will not do. -ENOSPC: there are no addresses. */
static int map_pages(struct device *dev, struct page *page, size_t size,
		     struct tpos_dma *dma)
{
	bool translated = ttmpool_device_is_translated(dev);
	dma_addr_t own = phys_to_dma(dev, page_to_phys(page));

	if (mappings_are_direct(dev)) {
		*dma = (struct tpos_dma){ own, (void *)&is_direct };
		return 0;
	}
	dma->addr = dma_map_page_attrs(dev, page, 0, size, DMA_BIDIRECTIONAL,
				       DMA_ATTR_NO_WARN);
	if (dma_mapping_error(dev, dma->addr))
		return translated ? -ENOSPC : -ENOMEM;
	dma->cookie = (void *)&is_mapped;
	if (translated || dma->addr == own)
		return 0;
	dma_unmap_page_attrs(dev, dma->addr, size, DMA_BIDIRECTIONAL, 0);
	return -ENOMEM;
}

static int alloc_mapped(struct device *dev, const struct tpos_alloc *req,
			struct ttmpool_chunk *chunk)
{
	struct tpos_dma dma = {};
	struct page *page = ttmpool_plain_alloc(dev, req);
	int err = -ENOMEM;

	if (!page)
		return -ENOMEM;
	if (tpos_device_reaches(dev, page, 1UL << req->order))
		err = map_pages(dev, page, PAGE_SIZE << req->order, &dma);
	if (err) {
		__free_pages(page, req->order);
		return err;
	}
	chunk->page = page;
	chunk->dma = dma;
	return 0;
}

static void free_single(struct device *dev, const struct tpos_dma *dma)
{
	dma_free_attrs(dev, PAGE_SIZE, dma->cookie, dma->addr, COHERENT_ATTRS);
}

/* Can a reference keep it? And the DMA API has a mind of its own about nodes; so
 * look where it is. It goes to another node before it reclaims. */
static bool single_is_good(struct page *page, const struct tpos_alloc *req)
{
	if (PageReserved(page) || page_count(page) != 1)
		return false;
	return !(req->flags & TPOS_ALLOC_THIS_NODE) ||
	       page_to_nid(page) == req->node;
}

/* Who may not wait would be served from the DMA API's atomic pools, where it has some,
 * which are for others (kernel/dma/direct.c, dma_direct_use_pool()): so it may. Of
 * addresses it says nothing: without them it has no memory. */
static int alloc_single(struct device *dev, const struct tpos_alloc *req,
			struct ttmpool_chunk *chunk)
{
	struct tpos_dma dma = {};
	struct page *page;

	dma.cookie = dma_alloc_attrs(
		dev, PAGE_SIZE, &dma.addr,
		ttmpool_alloc_gfp(req) | __GFP_DIRECT_RECLAIM, COHERENT_ATTRS);
	if (!dma.cookie)
		return -ENOMEM;
	page = is_vmalloc_addr(dma.cookie) ? vmalloc_to_page(dma.cookie)
					   : virt_to_page(dma.cookie);
	if (!single_is_good(page, req)) {
		free_single(dev, &dma);
		return -ENOMEM;
	}
	chunk->page = page;
	chunk->dma = dma;
	return 0;
}

int ttmpool_coherent_alloc(struct device *dev, const struct tpos_alloc *req,
			   struct ttmpool_chunk *chunk)
{
	int err = -ENOMEM;

	if (!ttmpool_coherent_is_single(dev)) {
		err = alloc_mapped(dev, req, chunk);
		if (err == -ENOSPC && ttmpool_await_addresses(dev))
			err = alloc_mapped(dev, req, chunk);
	}
	if (err == -ENOMEM && !req->order)
		err = alloc_single(dev, req, chunk);
	return err;
}

void *ttmpool_coherent_bytes(const struct ttmpool_chunk *chunk)
{
	void *cookie = chunk->dma.cookie;

	return cookie == &is_mapped || cookie == &is_direct ? NULL : cookie;
}

void ttmpool_coherent_unmap(struct device *dev, struct ttmpool_chunk *chunk)
{
	if (ttmpool_coherent_bytes(chunk)) {
		get_page(chunk->page);
		free_single(dev, &chunk->dma);
	} else if (chunk->dma.cookie == &is_mapped) {
		dma_unmap_page_attrs(dev, chunk->dma.addr,
				     ttmpool_chunk_bytes(chunk),
				     DMA_BIDIRECTIONAL, 0);
	}
	chunk->dma = (struct tpos_dma){};
	ttmpool_note_unmap();
}
