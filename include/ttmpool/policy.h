/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_POLICY_H
#define TTMPOOL_POLICY_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/** TTMPOOL_NR_ORDERS - orders 0 to 10, as many as Linux has by default. */
#define TTMPOOL_NR_ORDERS 11

/**
 * struct ttmpool_policy - what a pool keeps, and in which shape
 * @recycle: whether pages of a source and caching are pooled when they are
 *	given back, or go to the system at once. Never done with coherent pages of
 *	a device that is untrusted, whatever is asked for: they are mapped as long
 *	as they are pooled.
 * @keep_mapped: plain chunks stay mapped while they are pooled. Never done for
 *	a device that is untrusted or whose mappings may bounce, whatever is
 *	asked for: a bounce slot is scarce, and a stranger may write.
 * @refill: a populate that has to convert fresh pages converts a few spare ones
 *	in the same batch: a chunk of each order of which none is pooled
 * @scrub: a worker clears pooled pages before they are wanted
 * @lazy_unmap: pages may go back to the system before the IOTLB forgot them,
 *	which is what Linux's lazy mode does to everybody. False: the
 *	invalidation is complete first, for pages of both sources and in each mode
 *	of the IOMMU; nobody else has a page before the device has lost it.
 * @checksum: what goes to a store is summed, page by page, and what comes back
 *	is compared: a store that returns other bytes is found out (-EBADMSG)
 * @verify: nobody is believed. Pages are cleared when they come back, and if
 *	they are no zeroes when they are handed out, who had them last is
 *	reported: he, or his device, wrote to them meanwhile; and they are
 *	cleared again. The address of a new mapping is compared with those of
 *	chunks in use, some thousands in each batch. What the hardware has
 *	poisoned is looked for when a chunk is pooled, too.
 * @dma32: plain pages are below 4 GiB, even if the device reaches more
 * @max_order: the largest order that a chunk may have
 * @good_order: the order that the device gains by, 9 for page tables with entries of
 *	2 MiB; 0: any. For a chunk of this order the system works as hard as for a single
 *	page, but ends no process; for chunks of other orders above 0 nobody is asked to
 *	give up pages.
 *
 * Whatever the policy: when a chunk would be handed out, cleared by the worker, or
 * given to the system, the pool asks of each of its pages whether the hardware has
 * poisoned it. A chunk with such a page is reported (TTMPOOL_REPORT_POISONED) and
 * quarantined, and another is found. When the quarantine is purged, the system gets
 * all pages of the chunk but the poisoned one. So what the pool hands out was sound
 * at that moment. A chunk in a magazine is its owner's all the time: it is looked at
 * when the magazine gets it from the pool. A port that knows that there is no poisoned
 * page in the whole system spares the pool the looks; Linux's is told nothing, and a
 * look is a load for each page there.
 */
struct ttmpool_policy {
	bool recycle[TTMPOOL_SOURCE_COUNT][TTMPOOL_CACHING_COUNT];
	bool keep_mapped;
	bool refill;
	bool scrub;
	bool lazy_unmap;
	bool checksum;
	bool verify;
	bool dma32;
	unsigned int max_order;
	unsigned int good_order;
};

/**
 * ttmpool_policy_init() - the policy of a pool that is not told otherwise
 * @policy: filled in
 * @info: what the device reports
 *
 * Cached plain pages cost nothing to get anew, and go to the system at once;
 * all others are recycled. Mappings are kept, and the bins refilled. Chunks are
 * at most 2 MiB: larger ones are harder to get, and no GPU page table gains
 * from them.
 */
void ttmpool_policy_init(struct ttmpool_policy *policy,
			 const struct tpos_device_info *info);

TPOS_API_END

#endif
