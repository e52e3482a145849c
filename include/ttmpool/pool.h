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
 * @iova: a budget that pools of the device share; it must outlive the pool. NULL: the pool
 *	shares the device's addresses with all pools of @dev and the same manager whose
 *	@iova is NULL. Kept mappings of one of them end when another needs addresses, and a
 *	caller that waits for addresses is woken by any of them.
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
 * @pages_bounced: of the pages in use, those mapped through a bounce slot
 * @pages_anonymous: of the pages in use, those that are ordinary ones now
 * @pages_swapped: pages of its buffers whose contents are in stores now
 * @pages_pooled: pages in bins now, or out of them for a moment to be cleared
 * @pages_pooled_peak: the most that it ever was
 * @pages_hit: pages handed out from bins
 * @pages_fresh: pages got from the system
 * @pages_released: pages given back to the system
 * @pages_quarantined: pages put into quarantine
 * @bytes_mapped: mapped for the device now, in use and pooled
 * @bytes_mapped_peak: the most that it ever was
 * @bytes_held: addresses whose pages are not mapped any more, but which are not free until
 *	the other pages that were mapped in the same call are unmapped, too. They count for
 *	the limits as if they were mapped.
 * @bytes_cleared: cleared by this library, not by the system's allocator
 * @bytes_copied: copied from page to page, because they could not be moved in place
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
 * @fallbacks: times that no chunk of an order could be had, and a smaller one was tried
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
 * struct ttmpool_runs - the pages of a buffer, without arrays
 * @link: in its pool's list, or alone
 * @chunks: its chunks, by falling order, and on no other list; only to be read,
 *	with ttmpool_for_each_chunk()
 * @pool: where they are from; NULL if it has none
 * @owner: the account that they are charged to, or NULL
 * @num_pages: how many pages they have
 *
 * A device whose page tables have entries for 2 MiB, or a scatterlist, needs to know where
 * each contiguous piece begins and how long it is. An array with an entry for each page
 * has 512 entries for such a piece, all of which have to be written and read.
 *
 * Its address must not change while it has pages. Only the library sets its members.
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
 * @lists: the chunks by their flags MAPPED, CLEAN and FAR. The first eight lists have the
 *	chunks that were pooled with these flags, the others those whose flags changed
 *	while they were pooled (lib/pool/bin.c). Each list is newest first.
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
	uint64_t mask[TTMPOOL_SOURCE_COUNT]; /* the widest when pages came */
	size_t reserve;
	size_t pooled_mapped; /* of the pooled pages, those that are mapped */
	bool scrubbing;       /* some are out of their bins, under @scrub */
	bool scrub_asked;     /* the worker will begin to clear them */
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
 * call on the pool is under way. Mappings may also begin to bounce later, because the mask
 * became narrower or memory was added. The pool follows such changes: the pages that it
 * hands out are within the mask of that moment. A pooled chunk that the device does not
 * reach any more goes to the system when it would be handed out. From the first mapping
 * that bounces on, pooled chunks do not stay mapped. Pages in use keep their addresses.
 * Three things depend for good on what the device reported at the beginning: max_order,
 * whether keep_mapped is turned off from the start, and ttmpool_backend_choose().
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; or -EINVAL if there is no manager, or @config names no device, a
 * node below TTMPOOL_NODE_OF_DEVICE, a mapped_low above mapped_limit, or a policy whose
 * max_order is above TTMPOOL_NR_ORDERS - 1. The caller need not know the device's own
 * bounds (max_order, max_mapping): the pool applies them.
 */
int TPOS_MUST_CHECK ttmpool_pool_init(struct ttmpool_pool *pool,
				      struct ttmpool_manager *mgr,
				      const struct ttmpool_pool_config *config);

/**
 * ttmpool_pool_fini() - tear a pool down
 * @pool: the pool; no call on it is under way or will come
 *
 * Pooled pages go back to the system. If a chunk is still in use, the pool reports it
 * (TTMPOOL_REPORT_IN_USE, with its owner), ends its mapping, whatever its source, because
 * the device may be going, and puts its pages into the manager's quarantine, because
 * nobody can say which CPU still writes to them. See ttmpool_manager_purge_quarantine().
 *
 * Afterwards the caller may free @pool, and the device may go: nothing of this pool is
 * mapped for it. While a page of the pool is in quarantine, the manager holds the device's
 * descriptor (tpos_device_get()), and needs nothing else of the device; the manager may be
 * used as before, purged, or ended. May sleep.
 *
 * Return: how many pages were still in use; 0 is what a driver wants to see.
 */
size_t ttmpool_pool_fini(struct ttmpool_pool *pool);

/**
 * enum ttmpool_effort - how hard to try for pages when the system has none free
 * @TTMPOOL_RETRY_MAYFAIL: the system reclaims pages from others, as long as that gains
 *	anything; then the request fails. No process is ended for it (Linux:
 *	__GFP_RETRY_MAYFAIL).
 * @TTMPOOL_NO_WAIT: not at all. The system does not reclaim, the pool gives no pooled pages
 *	back for it, and no buffer is swapped out. The request is served from free pages and
 *	from this pool's pages of the kind, or fails (Linux: no __GFP_DIRECT_RECLAIM).
 * @TTMPOOL_OOM_KILL: as the first; but for single pages the system does not give up: it
 *	ends processes until it has some (Linux: the OOM killer). The request may still fail:
 *	this does not extend the budget, and the process that is ended may be the caller's.
 *
 * This applies to pages that come from the system, and to their descriptors. It does not
 * apply to what the system itself allocates when it changes the caching of pages or maps
 * them, because no port can say how (Linux: set_pages_array_wc() takes no hint, and
 * dma_alloc_attrs() reclaims for a single page, see shim/linux/coherent.c). It does not
 * apply to addresses: mappings that are only kept end for any request, and a pooled
 * coherent page goes to the system with its mapping. How long a request sleeps for pages
 * and addresses of other buffers is @wait_ms of struct ttmpool_request.
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
 * @wait_ms: if the page budget or the address space has no room, and none can be made,
 *	the request sleeps until there is room, but no longer than so many milliseconds
 *	after the call, whatever it does meanwhile; 0: it does not sleep;
 *	TTMPOOL_WAIT_FOREVER: no limit. It ends at most 10 ms later, or one tick of the
 *	system's timer. A request that sleeps holds no page and no address; any signal ends
 *	its sleep.
 * @killable: only a signal that ends the thread interrupts the work. If it is false, any
 *	signal does; the request looks for signals after each 2 MiB of fresh pages.
 * @effort: how hard to try for pages that are not free. A large chunk never costs more
 *	than one light attempt, whatever this says, unless it is of policy.good_order.
 * @ticket: a number that the caller has to show when it gives the pages back; 0: none. It
 *	comes from ttmpool_pool_new_ticket(), or is an even number that belongs to this
 *	buffer and to no other. Runs and magazines have no use for it, because no array of
 *	pages can give them back.
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
 * After pages were given back, another buffer may have them, while an old array still
 * names them. With a ticket the pool can tell the two apart: it keeps the number while the
 * pages are in use, and refuses a give that shows another number.
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
 *	mapped: plain pages that are cached are not mapped then, because the caller could
 *	not sync them
 *
 * The pages are zero, of the wanted caching, and, with @dma_addr, mapped for
 * the device in both directions. None of them was poisoned by the hardware before
 * (policy.h). Large orders come first, so that the pages of a chunk are at consecutive
 * indices and aligned to their own size. When the system has no pages, the pool divides a
 * pooled plain chunk that is too large. May sleep, and may call the system's shrinkers.
 *
 * The request takes what it lacks from the budgets before it gets any page. A request that
 * can never be served is refused at once, whatever its @wait_ms: with -ENOMEM if it is for
 * more pages than the page budget, with -ENOSPC if it is for more than may be mapped, by
 * the pool or by all pools on its struct ttmpool_iova, or than the device's mask admits.
 * Nobody loses a page or a mapping for it. If a request lacks more pages than are pooled or
 * can be swapped out, nobody gives up any for it; and if it lacks more of a limit for
 * mapped bytes than all kept mappings have, these are not ended for it.
 *
 * Return: 0; -EINVAL for a request that names nothing known or no page, or
 * without an array; -E2BIG for more pages than there are addresses; -ENOMEM;
 * -ENOSPC if the mapped limit, IOVA space or bounce slots ran out, and @wait_ms is 0;
 * -ETIMEDOUT if the request waited for these or for the page budget, and the time ended;
 * -EINTR for a signal;
 * -EIO or another error of the port. After an error the arrays are as they
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
 * Before it changes anything, the function checks every chunk, in O(1): that it belongs to
 * this pool, is in use, whole and of that caching, and was taken without a ticket, or with
 * one that need not be shown (struct ttmpool_backend). It counts
 * (ttmpool_pool_stats.refused) and reports what is wrong. May sleep. Does not allocate, so
 * it can always be called.
 *
 * Return: 0; -EINVAL if there is no array or no page, or if a chunk was refused, and
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
 * As ttmpool_pool_give(). A chunk that was taken with another ticket, or with none, belongs
 * to another buffer by now, and is refused (TTMPOOL_REPORT_STALE).
 *
 * Return: 0; -EINVAL if there is no array or no page, or if a chunk was refused, and
 * then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give_ticket(struct ttmpool_pool *pool,
					     tpos_page_t *const *pages,
					     size_t num_pages,
					     enum ttmpool_caching caching,
					     uint32_t ticket);

/**
 * ttmpool_pool_prime() - fill the bins in advance
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
 * @pages: while no more than so many pages are pooled here, none of them is given up for
 *	the system or for another pool; 0 for no reserve
 *
 * While no more than so many pooled pages are mapped here, their mappings do not end for
 * another pool either. The pool itself may use its reserve: it populates buffers from it,
 * and gives it up when the page budget or the address space has nothing else for this
 * pool.
 *
 * If a smaller reserve leaves more pages than the pool limit allows, the excess has gone
 * back to the system when this returns. May sleep.
 */
void ttmpool_pool_reserve(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_prepare() - get pages for a time when the system has none
 * @pool: the pool
 * @req: what will be needed: as for ttmpool_pool_prime()
 *
 * For suspend and hibernation. Primes the pool until req->num_pages are pooled, and
 * reserves all pages that are pooled then. From then on, buffers of any sizes, in any
 * order, are populated without asking the system, as long as they have no more pages in
 * all than were prepared: the pool divides a pooled chunk that is too large, and uses
 * pooled pages of another node before fresh pages of the right one. For that the pool
 * keeps a descriptor (64 bytes) for each page that its chunks may be divided into.
 * Coherent chunks cannot be divided, and are prepared as single pages. When a buffer is
 * swapped out and the system has no memory for its store, reserved pages are given up for
 * it. ttmpool_pool_reserve(pool, 0) ends it. May sleep.
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
 * Does the work of the worker at a moment that the caller chooses. While a batch of pages
 * is cleared, the counters still show it as pooled, and a reclaim or a populate that finds
 * too few other pages waits for it. May sleep.
 *
 * Return: how many pages it cleared.
 */
size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_drain() - give up all pooled pages, the reserve included
 * @pool: the pool
 *
 * The pages go in slices of a few MiB. When this returns, pages that other threads were
 * giving up at the same time have gone, too. May sleep.
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
 * An ordinary page that is write-back and not mapped may be inserted in the swap cache, or
 * be given to another device (ttmpool_to_anonymous(), in swap.h, which copies no such page).
 * Pages of the coherent allocator are not ordinary: their contents must be copied. Neither
 * are pages of runs and magazines, and pages of unknown caching.
 *
 * Return: whether it is one.
 */
bool ttmpool_page_insertable(struct ttmpool_pool *pool, tpos_page_t *page);

/**
 * ttmpool_pool_is_valid() - do the pool's lists, chunks and counters agree?
 * @pool: the pool
 *
 * Waits until no thread clears pages of the pool. May sleep.
 */
bool ttmpool_pool_is_valid(struct ttmpool_pool *pool);

TPOS_API_END

#endif
