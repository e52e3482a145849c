/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SHARES_H
#define SHARES_H

#include <linux/iommu.h>

#include "batch.h"

/* HAS_IOVA_LINK: does the port use dma_iova_link() on this kernel (tests/Kbuild)? */

static inline bool has_iommu(struct device *dev)
{
	struct tpos_device_info info;

	tpos_device_query(dev, &info);
	return info.has_iommu;
}

static inline bool is_lazy(struct device *dev)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(dev);

	return domain && domain->type == IOMMU_DOMAIN_DMA_FQ;
}

/* Do the chunks of a batch share addresses? Behind a strict IOMMU they must, if the port
 * can do that. */
static inline bool shares(struct device *dev)
{
	return HAS_IOVA_LINK && has_iommu(dev) && !is_lazy(dev);
}

/* Does the device have an IOMMU? Otherwise the case is skipped. */
static inline bool translates(struct check *t, struct device *dev)
{
	if (!has_iommu(dev))
		check_skip(t, "no IOMMU");
	return has_iommu(dev);
}

#endif
