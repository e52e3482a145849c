// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a device reports about itself.
 *
 * Whether its streaming mappings may bounce is derived from what a module can see. The DMA
 * API serves a device in one of two ways, which bounce for different reasons:
 *
 *     an IOMMU translates   a mapping may lie anywhere in memory. Only parts of
 *                           a page bounce, for a device that is not trusted,
 *                           and this library maps whole pages.
 *     nothing translates    memory beyond the device's mask bounces, or
 *                           everything, with swiotlb=force
 * (kernel/dma/direct.h, dma_direct_map_page)
 *
 * In the second case, a limit on the size of one mapping shows that bouncing is forced:
 * only a bounce buffer has such a limit (dma_direct_max_mapping_size).
 */

#include <linux/dma-direct.h>
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/log2.h>
#include <linux/mmzone.h>
#include <linux/pci.h>
#include <linux/swiotlb.h>

#include "ttmpool_system.h"

struct ttmpool_counters ttmpool_counters;

/*
 * Returns whether the device has a domain of the DMA API, as opposed to none or an
 * identity domain.
 */
bool ttmpool_device_is_translated(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && (domain->type & __IOMMU_DOMAIN_PAGING);
}

/*
 * Returns whether the IOMMU is in its lazy mode, in which the IOTLB forgets a mapping some
 * time after it has ended. A system may change to that mode while mappings are in use, but
 * not back (drivers/iommu/iommu.c, iommu_group_store_type()).
 */
bool ttmpool_device_is_lazy(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type == IOMMU_DOMAIN_DMA_FQ;
}

/*
 * Returns whether the device can emit every address of the range, without
 * translation.
 */
bool ttmpool_device_emits(struct device *dev, phys_addr_t start, size_t size)
{
	return phys_to_dma(dev, start) + size - 1 <=
	       tpos_device_mask(dev, false);
}

bool tpos_device_reaches(struct device *dev, struct page *page, size_t n)
{
	if (ttmpool_device_is_translated(dev))
		return true;
	return ttmpool_device_emits(dev, page_to_phys(page), n << PAGE_SHIFT);
}

/*
 * If the address is not the page's own, it is that of a bounce slot. Coherent pages
 * have no slots, and yet another address if they were decrypted for the device (in
 * an encrypted guest: force_dma_unencrypted()).
 */
bool tpos_dma_bounces(struct device *dev, const struct ttmpool_chunk *chunk)
{
	if (ttmpool_chunk_is_coherent(chunk) ||
	    ttmpool_device_is_translated(dev))
		return false;
	return chunk->dma.addr != phys_to_dma(dev, page_to_phys(chunk->page));
}

static bool device_is_untrusted(struct device *dev)
{
	return dev_is_pci(dev) && to_pci_dev(dev)->untrusted;
}

void tpos_device_query(struct device *dev, struct tpos_device_info *info)
{
	size_t max_mapping = dma_max_mapping_size(dev);
	bool bounded = max_mapping != SIZE_MAX;

	*info = (struct tpos_device_info){
		.dma_mask = tpos_device_mask(dev, false),
		.max_mapping = bounded ? max_mapping : 0,
		.page_shift = PAGE_SHIFT,
		.max_order = ilog2(MAX_ORDER_NR_PAGES),
		.node = dev_to_node(dev),
		.has_iommu = ttmpool_device_is_translated(dev),
		.untrusted = device_is_untrusted(dev),
		.coherent_single = ttmpool_coherent_is_single(dev),
	};
	info->bounces = !info->has_iommu &&
			(bounded || dma_addressing_limited(dev));
}
