/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_POOL_H
#define TTMPOOL_POOL_H

#include <ttmpool/iova.h>
#include <ttmpool/manager.h>
#include <ttmpool/owner.h>
#include <ttmpool/policy.h>

TPOS_API_BEGIN

/** TTMPOOL_NODE_OF_DEVICE - as the node of a pool: the node that the device reports. */
#define TTMPOOL_NODE_OF_DEVICE (-2)

/**
 * struct ttmpool_pool_config - the settings of a new pool
 * @name: the name of the pool in reports; the string must outlive the pool
 * @dev: the device that uses the pages
 * @node: the NUMA node that the pages should come from; TTMPOOL_NODE_ANY for no preference,
 *	or TTMPOOL_NODE_OF_DEVICE
 * @mapped_limit: the most bytes that this pool may have mapped at any time, in use and
 *	pooled; 0 for no limit. The pool never exceeds this limit, not even for a moment. A
 *	request for more bytes than the limit is refused, and no mapping ends for it.
 * @mapped_low: when the limit is reached, the pool ends kept mappings until no more than
 *	this many bytes are mapped; 0 means @mapped_limit itself
 * @iova: a budget of addresses that the pools of a device share; it must outlive the pool.
 *	If it is NULL, the pool shares the addresses of the device with all pools of @dev
 *	that have the same manager and whose @iova is NULL, too. When one of these pools
 *	needs addresses, kept mappings of the others end. A caller that waits for addresses
 *	is woken when any of these pools frees some.
 * @policy: what the pool keeps, and in which form; NULL for the policy that
 *	ttmpool_policy_init() sets
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
 * struct ttmpool_pool_stats - the counters of a pool
 * @takes: buffers that the pool has handed out
 * @takes_failed: requests that failed, of magazines and primes, too; a request that is
 *	refused with -EINVAL or -E2BIG is not counted
 * @gives: buffers that the pool has taken back
 * @pages_in_use: pages that buffers have now
 * @pages_in_use_peak: the highest value of @pages_in_use so far
 * @pages_bounced: of the pages in use, those mapped through a bounce slot
 * @pages_anonymous: of the pages in use, those that are ordinary pages now
 *	(ttmpool_to_anonymous())
 * @pages_swapped: pages of this pool's buffers whose contents are in stores now
 * @pages_pooled: free pages that are in bins now, or outside for a moment to be cleared
 * @pages_pooled_peak: the highest value of @pages_pooled so far
 * @pages_hit: pages that the pool handed out from its bins
 * @pages_fresh: pages that the pool got from the system
 * @pages_released: pages that went back to the system, or were adopted by stores
 * @pages_quarantined: pages that the pool has put into quarantine
 * @bytes_mapped: bytes that are mapped for the device now, in use and pooled
 * @bytes_mapped_peak: the highest value of @bytes_mapped so far
 * @bytes_held: bytes of addresses whose pages are unmapped, but which are not free until
 *	the other pages that were mapped in the same call are unmapped, too. They count
 *	towards the limits as if they were mapped.
 * @bytes_cleared: bytes that this library cleared, without those that the system's
 *	allocator cleared
 * @bytes_copied: bytes copied from page to page, because a buffer could not be moved in
 *	place
 * @bytes_stored: bytes moved to stores
 * @pages_adopted: of the pages moved to stores, those that the store took over without a
 *	copy
 * @bytes_restored: bytes read back from stores
 * @splits: how often a chunk was divided into halves
 * @waits: how often a caller slept until pages or addresses came back
 * @caching_batches: calls of tpos_caching_set()
 * @caching_pages: pages in these calls
 * @map_batches: calls of tpos_dma_map()
 * @maps: chunks that were mapped
 * @unmap_batches: calls of tpos_dma_unmap()
 * @unmaps: chunks that were unmapped
 * @maps_kept: chunks that were handed out with a mapping that had been kept
 * @fallbacks: how often no chunk of an order was available, so that a smaller order was
 *	tried
 * @refused: findings that the pool has reported, by enum ttmpool_report_kind; a refused
 *	give counts once, by the fault of its first wrong page
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
 * @link: in the list of its pool; alone if the buffer has no pages
 * @chunks: the chunks, by descending order; they are on no other list. For reading only,
 *	with ttmpool_for_each_chunk()
 * @pool: the pool that the pages come from; NULL if there are none
 * @owner: the account that the pages are charged to, or NULL
 * @num_pages: the number of pages
 *
 * A driver whose page tables have entries of 2 MiB, or that fills a scatterlist, needs to
 * know where each contiguous piece begins and how long it is. An array with an entry for
 * each page has 512 entries for such a piece, and all of them have to be written and read.
 *
 * The address of the structure must not change while it has pages. Only the library sets
 * the members.
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
 * @lists: the chunks, by their flags MAPPED, CLEAN and FAR. The first eight lists contain
 *	the chunks that were pooled with these flags; the other eight contain the chunks
 *	whose flags changed while they were pooled (lib/pool/bin.c). Each list begins with
 *	its newest chunk.
 * @nr_chunks: the number of chunks in all lists
 */
#define TTMPOOL_BIN_LISTS 16
struct ttmpool_bin {
	struct ttmpool_list lists[TTMPOOL_BIN_LISTS];
	size_t nr_chunks;
};

/**
 * struct ttmpool_pool - a pool of pages for one device
 *
 * All members are private. Embed the structure; its address must not change.
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
	tpos_atomic_t bounces; /* a mapping has bounced, or may bounce */
	tpos_atomic_t tickets; /* issued so far */
	tpos_atomic_t
		pieced; /* populates that found pieces of a larger chunk */

	bool shares_space; /* @iova is the manager's, not the driver's */
	bool going; /* no turn stops here any more; under the manager's lock */

	tpos_spinlock_t lock; /* protects all that follows */
	uint64_t clock;
	uint64_t mask[TTMPOOL_SOURCE_COUNT]; /* the widest mask so far */
	size_t reserve;
	unsigned int
		preparing;    /* calls of ttmpool_pool_prepare() in progress */
	size_t reserve_after; /* the reserve when they have ended */
	bool prepared_after;  /* and whether the pool is prepared then */
	size_t pooled_mapped; /* of the pooled pages, those that are mapped */
	bool scrubbing;       /* chunks are out of their bins, under @scrub */
	bool scrub_asked;     /* the worker has been asked to clear chunks */
	bool prepared;        /* pooled pages are used before fresh ones */
	/* of each kind, as many pages stay as were pooled when the pool was prepared */
	size_t kinds_kept[TTMPOOL_SOURCE_COUNT][TTMPOOL_CACHING_COUNT];
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
 * ttmpool_pool_init() - initialise a pool
 * @pool: uninitialised memory
 * @mgr: the manager of the pool; it must outlive the pool
 * @config: the settings of the pool; read during the call only
 *
 * The driver may change the DMA mask of the device later, to a wider or a narrower one,
 * while no call on the pool is in progress. Mappings may also begin to bounce later,
 * because the mask has become narrower or memory has been added. The pool follows such
 * changes: the pages that it hands out are within the mask that the device has at that
 * moment. If the device does not reach a pooled chunk any more, the chunk goes to the
 * system when the pool would hand it out. From the first mapping that bounces on, pooled
 * chunks do not stay mapped. Pages in use keep their addresses. Three things are fixed by
 * what the device reports at the start: max_order, whether keep_mapped is off from the
 * beginning, and ttmpool_backend_choose().
 *
 * May sleep.
 *
 * Return: 0; -ENOMEM; or -EINVAL if there is no manager, or if @config names no device, a
 * node below TTMPOOL_NODE_OF_DEVICE, a mapped_low above mapped_limit, or a policy whose
 * max_order is above TTMPOOL_NR_ORDERS - 1. The caller need not know the bounds of the
 * device (max_order, max_mapping), because the pool applies them.
 */
int TPOS_MUST_CHECK ttmpool_pool_init(struct ttmpool_pool *pool,
				      struct ttmpool_manager *mgr,
				      const struct ttmpool_pool_config *config);

/**
 * ttmpool_pool_fini() - tear a pool down
 * @pool: the pool; no call on it is in progress, and none will be made
 *
 * Pooled pages go back to the system. The pool reports each chunk that is still in use
 * (TTMPOOL_REPORT_IN_USE, with its owner). It ends the mapping of the chunk, whatever its
 * source, because the device may be about to go. Then it puts the pages into the manager's
 * quarantine, because nobody can know which CPU still writes to them. See
 * ttmpool_manager_purge_quarantine().
 *
 * Afterwards the caller may free @pool, and the device may go, because nothing of this pool
 * is mapped for it. While a page of the pool is in quarantine, the manager holds the
 * device's descriptor (tpos_device_get()), and needs nothing else of the device. The
 * manager can be used as before, purged, and then ended. May sleep.
 *
 * Return: the number of pages that were still in use; 0 if the driver has given all pages
 * back.
 */
size_t ttmpool_pool_fini(struct ttmpool_pool *pool);

/**
 * enum ttmpool_effort - how hard to try for pages when the system has no free ones
 * @TTMPOOL_RETRY_MAYFAIL: the system reclaims pages from other users as long as it gains
 *	any; then the request fails. No process is killed for the request (Linux:
 *	__GFP_RETRY_MAYFAIL).
 * @TTMPOOL_NO_WAIT: do not try at all. The system does not reclaim, the pool does not give
 *	up pooled pages, and no buffer is swapped out for the request. The request is served
 *	from free pages and from the pages of the same kind that this pool has pooled, or it
 *	fails (Linux: no __GFP_DIRECT_RECLAIM).
 * @TTMPOOL_OOM_KILL: like TTMPOOL_RETRY_MAYFAIL, but for single pages the system does not
 *	give up: it kills processes until it has free pages (Linux: the OOM killer). The
 *	request may still fail, because this does not extend the page budget, and because
 *	the killed process may be the caller's.
 *
 * The effort applies to pages that come from the system, and to their descriptors. It does
 * not apply to memory that the system itself allocates when it changes the caching of pages
 * or maps them, because no port can pass the effort on (Linux: set_pages_array_wc() takes
 * no hint, and dma_alloc_attrs() reclaims for a single page, see shim/linux/coherent.c). It
 * does not apply to addresses: kept mappings end for a request of any effort, and a pooled
 * coherent page goes to the system together with its mapping. The member @wait_ms of struct
 * ttmpool_request says how long a request sleeps for pages and addresses that other buffers
 * hold.
 */
enum ttmpool_effort {
	TTMPOOL_RETRY_MAYFAIL,
	TTMPOOL_NO_WAIT,
	TTMPOOL_OOM_KILL,
	TTMPOOL_EFFORT_COUNT
};

/**
 * struct ttmpool_request - a request for the pages of one buffer
 * @source: the allocator that the pages come from
 * @caching: the caching that the pages shall have
 * @num_pages: the number of pages; at least one
 * @owner: the account that the pages are charged to, or NULL
 * @wait_ms: how long the request may sleep if the page budget or the address space has no
 *	room, and none can be made. The time is in milliseconds and begins with the call,
 *	whatever the call does meanwhile. With 0 the request does not sleep. With
 *	TTMPOOL_WAIT_FOREVER it sleeps without a limit. The sleep ends at most 10 ms after
 *	that time, or at most one tick of the system's timer after it. A request that sleeps
 *	holds neither pages nor addresses, and any signal ends its sleep.
 * @killable: if true, only a signal that kills the thread interrupts the work. If false,
 *	any signal does; the request checks for signals after each 2 MiB of fresh pages,
 *	after each 16 MiB of pooled pages that it clears, and when it waits for pages that
 *	other threads are giving up.
 * @effort: how hard to try for pages when the system has no free ones. Whatever the effort
 *	is, a large chunk never costs more than one light attempt, unless its order is
 *	policy.good_order.
 * @ticket: a number that the caller has to show when it gives the pages back; 0 for none.
 *	The number comes from ttmpool_pool_new_ticket(), or it is an even number that
 *	belongs to this buffer and to no other. Runs and magazines have no use for it,
 *	because no array of pages can give their pages back.
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
 * ttmpool_pool_new_ticket() - get a ticket for the request of one buffer
 * @pool: the pool
 *
 * After a buffer has given its pages back, another buffer may get them, while an old array
 * still names them. With a ticket the pool can tell the two buffers apart: it keeps the
 * number while the pages are in use, and refuses a give that shows another number.
 *
 * Return: an odd number. None of the last 2^30 - 1 calls has returned the same number.
 */
uint32_t ttmpool_pool_new_ticket(struct ttmpool_pool *pool);

/**
 * ttmpool_pool_take() - hand out pages
 * @pool: the pool
 * @req: the request
 * @pages: an array of req->num_pages entries that belongs to the caller; written on success
 *	only
 * @dma_addr: an array of the same length, for the address of each page; written on success
 *	only. NULL if the pages need not be mapped: then the pool does not map cached
 *	plain pages, because the caller could not sync them
 *
 * The pages are zeroed, have the requested caching and, with @dma_addr, are mapped for the
 * device in both directions. The pool hands out no page that the hardware has poisoned by
 * that time (policy.h). Chunks of large orders come first in the array, so that the pages
 * of each chunk are at consecutive indices, aligned to the size of the chunk. If the system
 * has no pages left, the pool divides a pooled plain chunk that is too large. May sleep,
 * and may call the system's shrinkers.
 *
 * Before the request gets any page, it takes all that it lacks from the budgets. A request
 * that can never be served is refused at once, whatever its @wait_ms is: with -ENOMEM if it
 * is for more pages than the page budget; with -ENOSPC if it is for more bytes than this
 * pool, or all pools on its struct ttmpool_iova, may have mapped, or than the device's mask
 * admits. No pool and no buffer loses a page or a mapping for such a request. The pool
 * makes no room that would not be enough: if a request lacks more pages than could go, none
 * of them goes. (The pages that could go are pooled pages without the reserves of other
 * pools, quarantined pages, and the pages of buffers that can be swapped out.) If a request
 * lacks more of a limit for mapped bytes than all kept mappings occupy, none of these
 * mappings ends.
 *
 * Return: 0; -EINVAL if the request names an unknown source, caching or effort, or no page,
 * or if there is no array; -E2BIG if the pages have more than LONG_MAX bytes; -ENOMEM;
 * -ENOSPC if the mapped limit, the IOVA space or the bounce slots are exhausted, and
 * @wait_ms is 0; -ETIMEDOUT if the request waited for one of these or for the page budget,
 * and the time has ended; -EINTR for a signal; -EIO or another error of the port. After an
 * error the arrays are unchanged, and every page is back where it came from.
 */
int TPOS_MUST_CHECK ttmpool_pool_take(struct ttmpool_pool *pool,
				      const struct ttmpool_request *req,
				      tpos_page_t **pages,
				      tpos_dma_addr_t *dma_addr);

/**
 * ttmpool_pool_give() - take pages back
 * @pool: the pool
 * @pages: the array that ttmpool_pool_take() filled, or a part of it that consists of whole
 *	chunks; the pool only reads it
 * @num_pages: the number of pages in @pages
 * @caching: the caching that the caller believes the pages to have
 *
 * Before the function changes anything, it checks for every chunk, each in O(1), that the
 * chunk belongs to this pool, is in use, is whole, has that caching, and was taken without
 * a ticket, or with one that need not be shown (struct ttmpool_backend). It counts
 * (ttmpool_pool_stats.refused) and reports the first page that it refuses. May sleep. Does
 * not allocate, so it can always be called.
 *
 * Return: 0; -EINVAL if there is no array or no page, or if a chunk was refused, and then
 * nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give(struct ttmpool_pool *pool,
				      tpos_page_t *const *pages,
				      size_t num_pages,
				      enum ttmpool_caching caching);

/**
 * ttmpool_pool_give_ticket() - take back pages that were taken with a ticket
 * @pool: the pool
 * @pages: as for ttmpool_pool_give()
 * @num_pages: as for ttmpool_pool_give()
 * @caching: as for ttmpool_pool_give()
 * @ticket: the ticket that the pages were taken with; 0 for none
 *
 * Like ttmpool_pool_give(), but checks the ticket, too. A chunk that was taken with another
 * ticket, or with none, belongs to another buffer by now, and is refused
 * (TTMPOOL_REPORT_STALE).
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
 * @req: source, caching, number of pages, and how long to wait; the owner is not used
 * @mapped: also map the pages, if the policy keeps mappings
 *
 * The pages come fresh from the system. If the page budget has no room for them, the pool
 * gives up none of its reserve. May sleep.
 *
 * Return: what ttmpool_pool_take() returns; -EINVAL also if the policy does not recycle
 * such pages; -ENOMEM also if the pool limit leaves no room for them.
 */
int ttmpool_pool_prime(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req, bool mapped);

/**
 * ttmpool_pool_reserve() - protect pooled pages from the shrinker and the limits
 * @pool: the pool
 * @pages: the size of the reserve: while no more than this many pages are pooled here, none
 *	of them is given up for the system or for another pool; 0 for no reserve
 *
 * While no more than this many of the pooled pages are mapped, their mappings do not end
 * for another pool either. The pool itself may use its reserve: it populates buffers from
 * it, and gives it up when the page budget or the address space has nothing else for this
 * pool.
 *
 * If a smaller reserve leaves more pages pooled than the pool limit allows, the excess has
 * gone back to the system when this function returns. May sleep.
 */
void ttmpool_pool_reserve(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_prepare() - reserve pages for a time when the system has none
 * @pool: the pool
 * @req: what will be needed, as for ttmpool_pool_prime()
 *
 * For suspend and hibernation. The function primes the pool until req->num_pages pages are
 * pooled, and reserves all pages that are pooled then, of each kind (source and caching) as
 * many. While it runs, no pooled page of this pool goes for anybody else; if the page
 * budget has no room, the pool gives up pooled pages of other kinds that were not reserved
 * before. From then on, the pool populates buffers of any sizes, in any sequence, without
 * asking the system, as long as they have no more pages in all than were prepared. For that
 * it divides a pooled chunk that is too large, and uses pooled pages of another node before
 * fresh pages of the right one. To be able to divide its chunks, the pool keeps a
 * descriptor (64 bytes) for each page that they may be divided into. Coherent chunks cannot
 * be divided, so they are prepared as single pages. Where the addresses are limited, by the
 * machine or by a mapped_limit, there must be twice as many as the prepared pages need,
 * because a part of a chunk that was divided may hold its addresses until its neighbours
 * are unmapped, too. If a buffer is swapped out and the system has no memory for its store,
 * reserved pages are given up for it. Call ttmpool_pool_reserve(pool, 0) to end the
 * reserve. May sleep.
 *
 * Return: what ttmpool_pool_prime() returns, and -ENOMEM if there is no memory for the
 * descriptors; after an error the reserve is unchanged.
 */
int ttmpool_pool_prepare(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req);

/**
 * ttmpool_pool_scrub() - clear dirty pooled pages
 * @pool: the pool
 * @pages: stop after about this many pages
 *
 * Does the work of the worker at a time that the caller chooses. While a batch of pages is
 * being cleared, the counters still show it as pooled, and a reclaim or a populate that
 * finds too few other pages waits until the batch is clear. May sleep.
 *
 * Return: the number of pages that were cleared.
 */
size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages);

/**
 * ttmpool_pool_drain() - give up all pooled pages, the reserve included
 * @pool: the pool
 *
 * The pages go in slices of a few MiB. When this function returns, the pages that other
 * threads were giving up at the same time have gone, too. May sleep.
 *
 * Return: the number of pages that went back to the system.
 */
size_t ttmpool_pool_drain(struct ttmpool_pool *pool);

/**
 * ttmpool_pool_stats() - read the counters of a pool, all of one moment
 * @pool: the pool
 * @stats: filled in
 */
void ttmpool_pool_stats(struct ttmpool_pool *pool,
			struct ttmpool_pool_stats *stats);

/**
 * ttmpool_pool_count() - count the pooled chunks of one kind
 * @pool: the pool
 * @source: the source of the chunks
 * @caching: their caching
 * @order: their order
 *
 * Return: the number of chunks; 0 for a kind that does not exist.
 */
size_t ttmpool_pool_count(struct ttmpool_pool *pool, enum ttmpool_source source,
			  enum ttmpool_caching caching, unsigned int order);

/**
 * ttmpool_pool_owns() - check whether a chunk of this pool that is in use begins at a page
 * @pool: the pool
 * @page: any pointer; it need not be a page
 *
 * Return: whether @page is the first page of a chunk that this pool has handed out.
 */
bool ttmpool_pool_owns(struct ttmpool_pool *pool, tpos_page_t *page);

/**
 * ttmpool_page_insertable() - check whether a page would be ordinary without its mapping
 * @pool: the pool that handed it out
 * @page: the first page of a chunk
 *
 * If such a page is write-back and not mapped, it may be inserted in the swap cache, or be
 * given to another device (ttmpool_to_anonymous() in swap.h copies no such page). Pages of
 * the coherent allocator are not ordinary, so their contents must be copied. Neither are
 * pages of runs, pages of magazines, and pages of unknown caching.
 *
 * Return: whether @page is such a page.
 */
bool ttmpool_page_insertable(struct ttmpool_pool *pool, tpos_page_t *page);

/**
 * ttmpool_pool_is_valid() - check that the lists, chunks and counters of a pool agree
 * @pool: the pool
 *
 * Waits until no thread clears pages of the pool. May sleep.
 */
bool ttmpool_pool_is_valid(struct ttmpool_pool *pool);

TPOS_API_END

#endif
