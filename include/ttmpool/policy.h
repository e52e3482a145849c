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
 * @lazy_unmap: pages may go back to the system before the IOTLB has forgotten them, as
 *	Linux's lazy mode does for all drivers. False: the invalidation is complete
 *	first, for pages of both sources and in each mode of the IOMMU; nobody else
 *	has a page before the device has lost it.
 * @checksum: the library computes a checksum of each page that goes to a store, and
 *	compares it when the page comes back. So it detects a store that returns other
 *	bytes (-EBADMSG).
 * @verify: the pool checks what it otherwise trusts. It clears pages when they come back.
 *	If a page is not zero when it is handed out, its last owner, or that owner's
 *	device, has written to it since: the pool reports the owner, and clears the
 *	page again. It compares the address of a new mapping with those of chunks in
 *	use, some thousands in each batch. It also looks for poisoned pages when a chunk
 *	is pooled.
 * @dma32: plain pages are below 4 GiB, even if the device reaches more
 * @max_order: the largest order that a chunk may have
 * @good_order: the order at which the device works best, 9 for page tables with entries of
 *	2 MiB; 0: any. For a chunk of this order the system works as hard as for a single
 *	page, but ends no process; for chunks of other orders above 0 nobody is asked to
 *	give up pages.
 *
 * With every policy, before the pool hands out a chunk, has the worker clear it, or gives
 * it to the system, it checks whether the hardware has poisoned any of its pages. It
 * reports a chunk with such a page (TTMPOOL_REPORT_POISONED), quarantines it, and uses
 * another chunk. When the quarantine is purged, the system gets all pages of the chunk but
 * the poisoned one. So a page was sound at the moment when the pool handed it out. A chunk
 * in a magazine belongs to its owner all the time: the pool checks it when the magazine
 * gets it. If the port knows that the whole system has no poisoned page, the pool skips
 * the check (tpos_may_be_poisoned()).
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
 * Cached plain pages go back to the system at once, because fresh ones cost little. All
 * others are recycled. Mappings are kept, and the bins are refilled. Chunks have at most
 * 2 MiB: larger ones are harder to get, and no GPU page table gains from them.
 */
void ttmpool_policy_init(struct ttmpool_policy *policy,
			 const struct tpos_device_info *info);

TPOS_API_END

#endif
