// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Coherent pages, and how they are cut off from their device.
 *
 * dma_free_attrs() ends a mapping and frees the pages in one step. This is too late for
 * pages that are still in use when the device goes, because it cannot be called without
 * the device (iommu_get_dma_domain() dereferences a NULL pointer for a device that was
 * removed). It is too early in the IOMMU's lazy mode, in which the device can write to a
 * free page until the flush queue is emptied (drivers/iommu/dma-iommu.c,
 * iommu_dma_free()). So there must be a way to end the mapping and keep the pages:
 *
 *     mapped   The device sees what the CPU writes, and reaches any page of the page
 *              allocator that it can address. Then a page with a streaming mapping
 *              is as coherent as any, needs no sync, and dma_unmap_page() keeps it.
 *              Chunks may have any order. This is every device on x86, except for
 *              the following.
 *     direct   Nothing translates, and there are no streaming mappings, or they are
 *              forced to bounce (swiotlb=force), which coherent pages never do. The
 *              address is the page's own, as with dma_direct_alloc()
 *              (kernel/dma/direct.c), and nothing is mapped.
 *     single   All other pages come from dma_alloc_attrs(): for devices that do not
 *              see the CPU's caches, for those whose coherent mask is narrower than
 *              their streaming mask, and on machines that must decrypt memory for a
 *              device. A reference of this port keeps the page when dma_free_attrs()
 *              drops its own. This works for one page at a time: __free_pages() of a
 *              single page drops a reference; of a block it only looks at the first
 *              page, and frees the others (mm/page_alloc.c). So there are no larger
 *              chunks.
 *
 * A single page must belong to the page allocator or to CMA, which its reference count and
 * flags show. Memory that a device has of its own (a reserved or a restricted pool) is
 * refused. CMA warns about pages that come back with a reference, and takes them back when
 * the reference is dropped. A single page comes from CMA only for a device with a CMA
 * area of its own.
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

/*
 * The values of chunk->dma.cookie of a coherent chunk: the address of one of these; or, for
 * a single page, what dma_alloc_attrs() returned; or NULL if it has no mapping.
 */
static const char is_mapped, is_direct;

/* Returns whether the kernel would have to decrypt memory for some devices. */
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

/*
 * Gives the pages an address. If nothing translates, this must be the pages' own
 * address. Otherwise another layer translates, and the pages cannot be used.
 * Returns -ENOSPC if there are no addresses.
 */
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

/*
 * Returns whether a reference can keep the page, and whether it is on the node that
 * was asked for. The DMA API chooses the node by itself: it goes to another node
 * before it reclaims.
 */
static bool single_is_good(struct page *page, const struct tpos_alloc *req)
{
	if (PageReserved(page) || page_count(page) != 1)
		return false;
	return !(req->flags & TPOS_ALLOC_THIS_NODE) ||
	       page_to_nid(page) == req->node;
}

/*
 * A request that must not wait would be served from the DMA API's atomic pools, if
 * there are any, which are for others (kernel/dma/direct.c, dma_direct_use_pool()).
 * So __GFP_DIRECT_RECLAIM is always set. The DMA API does not report that addresses
 * are missing: it reports that there is no memory.
 */
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
