/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_POOL_H
#define TTMPOOL_POOL_H

#include <ttmpool/iova.h>
#include <ttmpool/manager.h>
#include <ttmpool/owner.h>
#include <ttmpool/policy.h>

TPOS_API_BEGIN

/** TTMPOOL_NODE_OF_DEVICE - for a pool's node: whatever the device reports. */
#define TTMPOOL_NODE_OF_DEVICE (-2)

/**
 * struct ttmpool_pool_config - how a pool starts
 * @name: for reports; the string must outlive the pool
 * @dev: the device that its pages are for
 * @node: the NUMA node that pages shall be of, TTMPOOL_NODE_ANY, or
 *	TTMPOOL_NODE_OF_DEVICE
 * @mapped_limit: bytes that this pool may have mapped at any time, in use and
 *	pooled; 0 for no limit. There are never more, not even for a moment. A
 *	request for more is refused, and no mapping is given up for it.
 * @mapped_low: when that limit is reached, kept mappings go until no more than
 *	so many bytes are mapped; 0 for @mapped_limit itself
 * @iova: a budget that pools of the device share; it must outlive the pool. NULL: none,
 *	and then the pool shares the device's addresses with all pools of @dev and the
 *	same manager that have none: mappings that one of them only keeps go for what
 *	another wants, and who waits is woken by any of them.
 * @policy: what to keep, or NULL for ttmpool_policy_init()'s
 */
struct ttmpool_pool_config {
	const char *name;
	tpos_device_t *dev;
	int node;
	uint64_t mapped_limit;
	uint64_t mapped_low;
	struct ttmpool_iova *iova;
	const struct ttmpool_policy *policy;
};

/**
 * struct ttmpool_pool_stats - a pool's counters
 * @takes: buffers handed out
 * @takes_failed: requests that could not be served, of magazines and primes, too; a
 *	request that is refused with -EINVAL or -E2BIG is not counted
 * @gives: buffers taken back
 * @pages_in_use: pages that buffers have now
 * @pages_in_use_peak: the most that it ever was
 * @pages_bounced: of these, mapped through a bounce slot
 * @pages_anonymous: of these, ordinary ones for the moment
 * @pages_swapped: pages of its buffers that are in stores now, instead
 * @pages_pooled: pages in bins now, or out of them for the moment to be cleared
 * @pages_pooled_peak: the most that it ever was
 * @pages_hit: pages handed out from bins
 * @pages_fresh: pages got of the system
 * @pages_released: pages given back to the system
 * @pages_quarantined: pages put into quarantine
 * @bytes_mapped: mapped for the device now, in use and pooled
 * @bytes_mapped_peak: the most that it ever was
 * @bytes_held: addresses that are not mapped any more, and are held until others are
 *	unmapped that were mapped with them. They count for the limits as if they were
 *	mapped.
 * @bytes_cleared: cleared by this library, not by the system's allocator
 * @bytes_copied: copied from page to page: what could not be moved in place
 * @bytes_stored: moved to stores
 * @pages_adopted: of these, pages that became the store's own, without a copy
 * @bytes_restored: read from stores
 * @splits: chunks that had to be halved
 * @waits: times that a caller slept until pages or address space came back
 * @caching_batches: calls of tpos_caching_set()
 * @caching_pages: pages in them
 * @map_batches: calls of tpos_dma_map()
 * @maps: chunks mapped
 * @unmap_batches: calls of tpos_dma_unmap()
 * @unmaps: chunks unmapped
 * @maps_kept: chunks handed out that still had their mapping
 * @fallbacks: times that an order could not be had, and a smaller one was tried
 * @refused: gives refused, by what was wrong (enum ttmpool_report_kind)
 */
struct ttmpool_pool_stats {
	uint64_t takes;
	uint64_t takes_failed;
	uint64_t gives;
	uint64_t pages_in_use;
	uint64_t pages_in_use_peak;
	uint64_t pages_bounced;
	uint64_t pages_anonymous;
	uint64_t pages_swapped;
	uint64_t pages_pooled;
	uint64_t pages_pooled_peak;
	uint64_t pages_hit;
	uint64_t pages_fresh;
	uint64_t pages_released;
	uint64_t pages_quarantined;
	uint64_t bytes_mapped;
	uint64_t bytes_mapped_peak;
	uint64_t bytes_held;
	uint64_t bytes_cleared;
	uint64_t bytes_copied;
	uint64_t bytes_stored;
	uint64_t pages_adopted;
	uint64_t bytes_restored;
	uint64_t splits;
	uint64_t waits;
	uint64_t caching_batches;
	uint64_t caching_pages;
	uint64_t map_batches;
	uint64_t maps;
	uint64_t unmap_batches;
	uint64_t unmaps;
	uint64_t maps_kept;
	uint64_t fallbacks;
	uint64_t refused[TTMPOOL_REPORT_KIND_COUNT];
};

/**
 * struct ttmpool_runs - the pages of a buffer, for those who need no arrays
 * @link: in its pool's list, or alone
 * @chunks: its chunks, by falling order, and on no other list; only to be read,
 *	with ttmpool_for_each_chunk()
 * @pool: where they are from; NULL if it has none
 * @owner: the account that they are charged to, or NULL
 * @num_pages: how many pages they have
 *
 * A device whose page tables have entries for 2 MiB, or a scatterlist, wants to
 * know where each contiguous piece begins and how long it is. An array with an
 * entry a page says that 512 times over, and it has to be written, and read.
 *
 * Its address must not change while it has pages. Members are set by the library
 * alone.
 */
struct ttmpool_runs {
	struct ttmpool_list link;
	struct ttmpool_list chunks;
	struct ttmpool_pool *pool;
	struct ttmpool_owner *owner;
	size_t num_pages;
};

/**
 * struct ttmpool_bin - the free chunks of one source, caching and order
 * @lists: by what else is true of a chunk. Of the first eight, the index is its
 *	flags MAPPED, CLEAN and FAR; the others have those that became so while
 *	they were pooled (lib/pool/bin.c). Each is newest first.
 * @nr_chunks: in all lists
 */
#define TTMPOOL_BIN_LISTS 16
struct ttmpool_bin {
	struct ttmpool_list lists[TTMPOOL_BIN_LISTS];
	size_t nr_chunks;
};

/**
 * struct ttmpool_pool - the pages of one device
 *
 * All members are private. Embed it; its address must not change.
 */
struct ttmpool_pool {
	struct ttmpool_manager *mgr;
	struct ttmpool_list link;
	const char *name;
	tpos_device_t *dev;
	struct tpos_device_info info;
	struct ttmpool_policy policy;
	unsigned int max_order[TTMPOOL_SOURCE_COUNT];
	int node;
	unsigned int node_slot;
	bool counts_apart; /* there is a reserve, or a node_slot */
	uint64_t mapped_limit;
	uint64_t mapped_low;
	struct ttmpool_iova *iova;
	struct tpos_work scrub_work;
	tpos_mutex_t scrub; /* held while pooled chunks are cleared or split */
	tpos_atomic_t bounces; /* has a mapping of its bounced, or may one? */
	tpos_atomic_t tickets; /* that it has issued */
	tpos_atomic_t
		pieced; /* populates that found pieces of a larger chunk */

	bool shares_space; /* @iova is the manager's, not the driver's */
	bool going; /* no turn comes to it any more; under the manager's lock */

	tpos_spinlock_t lock; /* all that follows */
	uint64_t clock;
	uint64_t mask[TTMPOOL_SOURCE_COUNT]; /* the widest at any take */
	size_t reserve;
	size_t pooled_mapped; /* of the pooled pages, those that are mapped */
	bool scrubbing;       /* some are out of their bins, under @scrub */
	bool prepared; /* what is pooled comes before what the system has */
	struct ttmpool_list spares; /* descriptors, for chunks that are split */
	size_t nr_spares;
	struct ttmpool_list in_use;
	struct ttmpool_list runs;
	struct ttmpool_list held;
	struct ttmpool_bin bins[TTMPOOL_SOURCE_COUNT][TTMPOOL_CACHING_COUNT]
			       [TTMPOOL_NR_ORDERS];
	uint64_t addresses; /* bytes that are mapped or held */
	struct ttmpool_pool_stats stats;
};

/**
 * ttmpool_pool_init() - start a pool
 * @pool: uninitialised memory
 * @mgr: the manager; must outlive the pool
 * @config: how it starts; read during the call
 *
 * The driver may change the DMA mask of the device later, wider or narrower, while no
 * call on the pool is under way; and mappings may begin to bounce later, since the
 * mask became narrower or memory was added. The pool follows: what it hands out is
 * within the mask of that moment. A pooled chunk that the device does not reach any
 * more goes to the system when it would be handed out. From the first mapping that
 * bounces on, pooled chunks do not stay mapped. What is in use keeps its addresses.
 * What the device reported at the beginning decides the rest for good: max_order, and
 * whether keep_mapped is turned off from the start.
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; or -EINVAL if there is no manager, or @config names no device, a
 * node below TTMPOOL_NODE_OF_DEVICE, a mapped_low above mapped_limit, or a policy whose max_order is above
 * TTMPOOL_NR_ORDERS - 1. The device's own bounds (max_order, max_mapping) need
 * not be known: they are applied.
 */
int TPOS_MUST_CHECK ttmpool_pool_init(struct ttmpool_pool *pool,
				      struct ttmpool_manager *mgr,
				      const struct ttmpool_pool_config *config);

/**
 * ttmpool_pool_fini() - tear a pool down
 * @pool: the pool; no call on it is under way or will come
 *
 * Pooled pages go back to the system. A chunk that is still in use is reported
 * (TTMPOOL_REPORT_IN_USE, with its owner), its mapping ends, whatever its source,
 * since its device may be going, and its pages go into the manager's quarantine:
 * nobody can say which CPU still writes to them. See
 * ttmpool_manager_purge_quarantine().
 *
 * After it, @pool is memory again, and the device may go: nothing of this pool is
 * mapped for it. While there is a page of its in quarantine, the manager holds
 * the device's descriptor (tpos_device_get()), and needs nothing else of it; the
 * manager may be used as before, purged, or ended. May sleep.
 *
 * Return: how many pages were still in use; 0 is what a driver wants to see.
 */
size_t ttmpool_pool_fini(struct ttmpool_pool *pool);

/**
 * enum ttmpool_effort - what may be done for pages that the system does not have free
 * @TTMPOOL_RETRY_MAYFAIL: others give up pages, as long as that gains anything; then the
 *	request fails. No process is killed for it (Linux: __GFP_RETRY_MAYFAIL).
 * @TTMPOOL_NO_WAIT: nothing. The system does not reclaim, nothing pooled goes to it,
 *	and no buffer is swapped out. What is free, and what this pool has of the kind,
 *	must do (Linux: no __GFP_DIRECT_RECLAIM).
 * @TTMPOOL_OOM_KILL: as the first; and for single pages the system does not give up, but
 *	ends processes until it has some (Linux: the OOM killer). It may fail even so: of
 *	the budget there is no more, and the process that is ended may be this one.
 *
 * This is about pages that come from the system; how long to sleep for pages and
 * addresses of other buffers is struct ttmpool_request's @wait_ms.
 */
enum ttmpool_effort {
	TTMPOOL_RETRY_MAYFAIL,
	TTMPOOL_NO_WAIT,
	TTMPOOL_OOM_KILL,
	TTMPOOL_EFFORT_COUNT
};

/**
 * struct ttmpool_request - what a buffer needs
 * @source: from which allocator
 * @caching: what the pages shall be
 * @num_pages: how many; at least one
 * @owner: who is charged, or NULL
 * @wait_ms: if the page budget or the address space has no room, and none could be
 *	made, sleep until there is, but not longer than so many milliseconds after the
 *	call, whatever is done meanwhile; 0: do not, TTMPOOL_WAIT_FOREVER. It ends
 *	10 ms later at most, or one tick of the system's timer. A sleeper has no page
 *	and no address; any signal ends a sleep.
 * @killable: no signal but one that ends the thread interrupts the work. Otherwise
 *	any does; it is looked for after each 2 MiB of fresh pages.
 * @effort: what may be done for pages that are not free. Large chunks never cost more
 *	than one light attempt, whatever it says, but those of policy.good_order.
 * @ticket: what has to be shown when the pages are given back; 0: none. It is
 *	ttmpool_pool_new_ticket()'s, or an even number that the caller can make of the
 *	buffer itself, and of no other. Runs and magazines, which no array of pages
 *	can give back, have no use for it.
 */
struct ttmpool_request {
	enum ttmpool_source source;
	enum ttmpool_caching caching;
	size_t num_pages;
	struct ttmpool_owner *owner;
	unsigned int wait_ms;
	bool killable;
	enum ttmpool_effort effort;
	uint32_t ticket;
};

/**
 * ttmpool_pool_new_ticket() - a number for a request of one buffer
 * @pool: the pool
 *
 * Pages that were given back may be another buffer's, and an array that somebody has
 * kept since then names them all the same. With a ticket the pool can tell the two
 * apart: it keeps the number while the pages are in use, and refuses a give that shows
 * another.
 *
 * Return: an odd number. The last 2^30 - 1 calls have returned others.
 */
uint32_t ttmpool_pool_new_ticket(struct ttmpool_pool *pool);

/**
 * ttmpool_pool_take() - hand out pages
 * @pool: the pool
 * @req: what is needed
 * @pages: an array of req->num_pages, the caller's; written on success only
 * @dma_addr: likewise, one address a page; or NULL if the pages need not be
 *	mapped
 *
 * The pages are zero, of the wanted caching, and, with @dma_addr, mapped for
 * the device in both directions. None of them was poisoned by the hardware before
 * (policy.h). Large orders come first, so that the pages of
 * a chunk are at consecutive indices and aligned to their own size. When the system
 * has none, a pooled plain chunk that is too large is divided. May sleep,
 * and may call the system's shrinkers.
 *
 * What the request lacks is taken of the budgets before any page is got for it.
 * One that can never be served is refused at once, whatever its @wait_ms: -ENOMEM
 * for more pages than the page budget, -ENOSPC for more than may be mapped, by the
 * pool or by all pools on its struct ttmpool_iova, or than the device's mask admits.
 * Nobody loses a page or a mapping for it. For one that lacks more pages than are pooled
 * or can be swapped out, nothing goes.
 *
 * Return: 0; -EINVAL for a request that names nothing known or no page, or
 * without an array; -E2BIG for more pages than there are addresses; -ENOMEM;
 * -ENOSPC if the mapped limit, IOVA space or bounce slots ran out, and it was
 * not to wait; -ETIMEDOUT if it was, in vain, for these or for the page budget;
 * -EINTR for a signal meanwhile;
 * -EIO or what else the port returned. After an error the arrays are as they
 * were, and every page is back where it came from.
 */
int TPOS_MUST_CHECK ttmpool_pool_take(struct ttmpool_pool *pool,
				      const struct ttmpool_request *req,
				      tpos_page_t **pages,
				      tpos_dma_addr_t *dma_addr);

/**
 * ttmpool_pool_give() - take pages back
 * @pool: the pool
 * @pages: the array that ttmpool_pool_take() filled, or a part of it that
 *	consists of whole chunks; only read
 * @num_pages: how many of it
 * @caching: what the caller believes the pages to be
 *
 * Every chunk is checked, in O(1), before anything is done: that it is of this
 * pool, in use, whole, of that caching, and taken without a ticket, or with one that
 * need not be shown (struct ttmpool_backend). What is wrong is counted
 * (ttmpool_pool_stats.refused) and reported. May sleep. Does not allocate, so it can
 * always be done.
 *
 * Return: 0; -EINVAL if there is no array or no page, or if it was refused, and
 * then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give(struct ttmpool_pool *pool,
				      tpos_page_t *const *pages,
				      size_t num_pages,
				      enum ttmpool_caching caching);

/**
 * ttmpool_pool_give_ticket() - take pages back that were taken with a ticket
 * @pool: the pool
 * @pages: as for ttmpool_pool_give()
 * @num_pages: how many of it
 * @caching: what the caller believes the pages to be
 * @ticket: what they were taken with; 0: none
 *
 * As ttmpool_pool_give(). A chunk that was taken with another ticket, or with none, is
 * another buffer's by now, and refused (TTMPOOL_REPORT_STALE).
 *
 * Return: 0; -EINVAL if there is no array or no page, or if it was refused, and
 * then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give_ticket(struct ttmpool_pool *pool,
					     tpos_page_t *const *pages,
					     size_t num_pages,
					     enum ttmpool_caching caching,
					     uint32_t ticket);

/**
 * ttmpool_pool_prime() - fill the bins ahead of need
 * @pool: the pool
 * @req: source, caching, how many pages, and how long to wait; the owner is not used
 * @mapped: map them, too, if the policy keeps mappings
 *
 * The pages are fresh ones. May sleep.
 *
 * Return: as ttmpool_pool_take(); and -EINVAL if the policy does not recycle
 * such pages; -ENOMEM also if the pool limit leaves no room for them.
 */
int ttmpool_pool_prime(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool mapped);

/**
 * ttmpool_pool_reserve() - keep pooled pages from the shrinker and the limits
 * @pool: the pool
 * @pages: while no more than so many are pooled here, none of them is given up
 *	for the system's sake or for another pool's; 0 for no reserve
 *
 * While no more than so many pooled pages are mapped here, their mappings are not
 * given up for another pool's either. The pool itself can use it up: buffers are
 * populated from it, and when the page budget or address space has nothing else for
 * this pool, it goes for that.
 *
 * What is no longer reserved is over the pool limit, if that has no room for it, and
 * has gone when this returns. May sleep.
 */
void ttmpool_pool_reserve(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_prepare() - have pages before there are none to be had
 * @pool: the pool
 * @req: what will be needed: as for ttmpool_pool_prime()
 *
 * For suspend and hibernation: primes the pool until req->num_pages are pooled,
 * and reserves all that is pooled then. From then on buffers of any sizes, in any
 * order, that have no more pages in all than were prepared, are populated without
 * asking the system: a pooled chunk that is too large is divided, and what is pooled
 * of another node comes before fresh pages of the right one. For that the pool keeps a
 * descriptor (64 bytes) for each page that its chunks may be divided into. Coherent
 * chunks cannot be divided, and are prepared as single pages. A buffer that moves out
 * to the store is given room there by what is reserved, when there is no other.
 * ttmpool_pool_reserve(pool, 0) ends it. May sleep.
 *
 * Return: as ttmpool_pool_prime(), and -ENOMEM without memory for the descriptors;
 * after an error the reserve is as it was.
 */
int ttmpool_pool_prepare(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req);

/**
 * ttmpool_pool_scrub() - clear pooled pages that are dirty
 * @pool: the pool
 * @pages: stop after about so many
 *
 * What the worker does, for those who would rather choose the moment. While a
 * batch of it is cleared, it is pooled as before to all who count, and whoever
 * reclaims, or populates and finds too little else, waits for it. May sleep.
 *
 * Return: how many pages it cleared.
 */
size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_drain() - give up all pooled pages, the reserve included
 * @pool: the pool
 *
 * They go in slices of a few MiB. When this returns, what other threads were just
 * giving up has gone, too. May sleep.
 *
 * Return: how many pages went back to the system.
 */
size_t ttmpool_pool_drain(struct ttmpool_pool *pool);

/**
 * ttmpool_pool_stats() - read the counters, all of one moment
 * @pool: the pool
 * @stats: filled in
 */
void ttmpool_pool_stats(struct ttmpool_pool *pool,
			struct ttmpool_pool_stats *stats);

/**
 * ttmpool_pool_count() - how many chunks of one kind are pooled?
 * @pool: the pool
 * @source: of this source
 * @caching: and this caching
 * @order: and this order
 *
 * Return: how many; 0 of a kind that does not exist.
 */
size_t ttmpool_pool_count(struct ttmpool_pool *pool, enum ttmpool_source source,
			  enum ttmpool_caching caching, unsigned int order);

/**
 * ttmpool_pool_owns() - is this page one of a chunk that is in use?
 * @pool: the pool
 * @page: any pointer; it need not be a page
 *
 * Return: whether @page is the first page of a chunk that this pool has handed
 * out.
 */
bool ttmpool_pool_owns(struct ttmpool_pool *pool, tpos_page_t *page);

/**
 * ttmpool_page_insertable() - is this an ordinary page, but for its mapping?
 * @pool: the pool that handed it out
 * @page: a page of a chunk, its first one
 *
 * Ordinary pages may be inserted in the swap cache, or be another device's,
 * once they are write-back and not mapped (ttmpool_to_anonymous(), in swap.h, which
 * copies nothing of them). Pages of the coherent allocator are not: their contents
 * must be copied. Nor are pages of runs and of magazines, or of unknown caching.
 *
 * Return: whether it is one.
 */
bool ttmpool_page_insertable(struct ttmpool_pool *pool, tpos_page_t *page);

/**
 * ttmpool_pool_is_valid() - do the pool's lists, chunks and counters agree?
 * @pool: the pool
 *
 * Waits for what is being cleared. May sleep.
 */
bool ttmpool_pool_is_valid(struct ttmpool_pool *pool);

TPOS_API_END

#endif
