/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_POLICY_H
#define TTMPOOL_POLICY_H

#include <ttmpool/os.h>

TPOS_API_BEGIN

/** TTMPOOL_NR_ORDERS - the number of orders: 0 to 10, as Linux has by default. */
#define TTMPOOL_NR_ORDERS 11

/** TTMPOOL_STOCK_ORDER - the largest order of which a pool keeps a stock. */
#define TTMPOOL_STOCK_ORDER 4

/**
 * struct ttmpool_policy - which pages a pool keeps, and in which form
 * @recycle: for each source and caching: the pool keeps such pages when they are given
 *	back; otherwise they go to the system at once. Coherent pages of an untrusted device
 *	are never kept, whatever this says, because they would stay mapped all that time.
 * @stock: if plain cached pages are not recycled, the pool keeps at most this many chunks
 *	of each order up to TTMPOOL_STOCK_ORDER all the same: those that came back as a
 *	buffer of one chunk. With @verify, or once mappings may bounce, it keeps none of them;
 *	without @keep_mapped, only those that are not mapped. They serve the next buffers of
 *	that size. A larger buffer gets them in the place of fresh chunks of the same size: a
 *	buffer of 33 pages gets 32 from the system, and one page of the stock. It is made of
 *	more chunks of the stock than that if the system has no larger chunk free, if the
 *	budgets have no room, or if the pool was prepared. With 0 the pool keeps none. The
 *	stock counts as pooled, so limits and the system's shrinker apply to it.
 * @keep_mapped: plain chunks stay mapped while they are pooled. That is never done for a
 *	device that is untrusted or whose mappings may bounce, whatever this says: an
 *	untrusted device may write to the pages, and bounce slots are scarce.
 * @refill: a populate that has to convert fresh pages converts a few spare pages in the
 *	same batch: one chunk of each order of which no chunk is pooled
 * @scrub: a worker clears pooled pages before they are wanted
 * @lazy_unmap: if true, pages may go back to the system before the IOTLB has forgotten
 *	them, as Linux's lazy mode allows for all drivers. If false, the invalidation is
 *	complete first, for pages of both sources and in each mode of the IOMMU: nobody else
 *	gets a page before the device has lost it.
 * @checksum: the library computes a checksum of each page that goes to a store, and checks
 *	it when the page comes back. This detects a store that returns other bytes
 *	(-EBADMSG).
 * @verify: the pool checks what it otherwise trusts. It clears pages as soon as they come
 *	back. If a page is not zero when it is handed out, its last owner, or the device of
 *	that owner, has written to it since. The pool then reports the owner, and clears the
 *	page again. The pool also compares the address of each new mapping with the
 *	addresses of chunks in use, except those of runs and magazines; some thousands in
 *	each batch. It also checks for poisoned pages when a chunk is pooled.
 * @dma32: plain pages are below 4 GiB, even if the device reaches more
 * @max_order: the largest order that a chunk may have
 * @good_order: the order at which the device works best, for example 9 for page tables with
 *	entries of 2 MiB; 0 for none. For a chunk of this order the system works as hard as
 *	for a single page, but kills no process. For chunks of other orders above 0, nobody
 *	is asked to give up pages.
 *
 * With every policy, before the pool hands out a chunk, lets the worker clear it, or gives
 * it to the system, the pool checks whether the hardware has poisoned any of its pages. The
 * pool reports a chunk with such a page (TTMPOOL_REPORT_POISONED), quarantines it, and uses
 * another chunk. When the quarantine is purged, the system gets all pages of the chunk
 * except the poisoned one. So each page was sound at the moment when the pool handed it
 * out. A chunk in a magazine belongs to its owner all the time, so the pool checks it only
 * when the magazine gets it. If the port knows that the whole system has no poisoned page,
 * the pool skips the check (tpos_may_be_poisoned()).
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
	unsigned int stock;
	unsigned int max_order;
	unsigned int good_order;
};

/**
 * ttmpool_policy_init() - set the default policy for a device
 * @policy: set by the call
 * @info: what the device reports
 *
 * Cached plain pages go back to the system at once, because fresh ones cost little. All
 * other pages are recycled. There is no stock. Mappings are kept, and the bins are refilled.
 * Chunks have at most 2 MiB, because larger ones are harder to get, and no page table of a
 * GPU gains from them.
 */
void ttmpool_policy_init(struct ttmpool_policy *policy,
			 const struct tpos_device_info *info);

TPOS_API_END

#endif
