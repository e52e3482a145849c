/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_MANAGER_H
#define TTMPOOL_MANAGER_H

#include <ttmpool/iova.h>

TPOS_API_BEGIN

/** TTMPOOL_NO_LIMIT - for a limit in pages: there is none. */
#define TTMPOOL_NO_LIMIT ULONG_MAX

struct ttmpool_backend;
struct ttmpool_pool;

/**
 * struct ttmpool_manager_config - how a manager starts
 * @system: the machine that it lives on
 * @page_budget: pages that its pools may have of the system at any time, in
 *	use and pooled, or TTMPOOL_NO_LIMIT. There are never more, not even for a
 *	moment, unless it is lowered. A request that is within what is left is not
 *	refused for what others ask for in vain. When it is reached, pooled pages of
 *	any pool go for what is wanted, all that a request lacks at once and up to
 *	an eighth of the budget (at most 512 pages) more, so that the next request
 *	finds some; then buffers are swapped out. A request for more pages than the
 *	budget is refused, and nothing goes for it.
 * @pool_limit: pages that may lie pooled, or TTMPOOL_NO_LIMIT; 0 pools nothing.
 *	When it is overrun, the oldest pages go until 512 fewer lie pooled, or an
 *	eighth of the limit fewer if that is less: however many gives overrun it
 *	at once, no fewer than that stay, but for what the last chunk that goes has
 *	more. What pools have reserved
 *	(ttmpool_pool_reserve()) stays, too, and leaves less room for others.
 */
struct ttmpool_manager_config {
	tpos_system_t *system;
	unsigned long page_budget;
	unsigned long pool_limit;
};

struct ttmpool_manager;

/**
 * struct ttmpool_swapper - what the pools know of the buffers above them
 * @count: how many pages could be swapped out now. Takes no lock that is held
 *	while memory is allocated, and does not sleep.
 * @swapout: swap out buffers until @pages pages have left, or no more can; returns
 *	how many left. @wait: wait until another swap-out has ended. Otherwise it is
 *	the system that asks, in some thread that allocates: return 0 while one is
 *	under way, look at some thousand buffers at most, and let no signal interrupt
 *	it but one that ends the thread. May sleep.
 * @is_valid: do the buffers' lists and counters agree? For
 *	ttmpool_manager_is_valid().
 *
 * The first ttmpool_lru_add() on a manager sets it. Without it, a manager gives up
 * pooled pages alone.
 */
struct ttmpool_swapper {
	unsigned long (*count)(struct ttmpool_manager *mgr);
	unsigned long (*swapout)(struct ttmpool_manager *mgr,
				 unsigned long pages, bool wait);
	bool (*is_valid)(struct ttmpool_manager *mgr);
};

/**
 * struct ttmpool_lru - the buffers that may be swapped out
 * @mutex: held while a buffer is swapped out for others
 * @buffers: those that have pages to give, newest first; under the manager's
 *	spinlock
 * @others: those that have none now, in no order; likewise
 * @round: counts walks along the list; likewise
 * @pages: how many pages these buffers have
 *
 * It lies in the manager, which all pools share, and is used by the buffers alone:
 * the manager initialises it, and refuses to end while there is a buffer in it.
 */
struct ttmpool_lru {
	tpos_mutex_t mutex;
	struct ttmpool_list buffers;
	struct ttmpool_list others;
	uint32_t round;
	tpos_atomic_t pages;
};

/** TTMPOOL_NODE_SLOTS - how many nodes the shrinker tells apart. On a machine with more
 * nodes, several share a slot, and are shrunk together. */
#define TTMPOOL_NODE_SLOTS 16

/**
 * struct ttmpool_manager - what pools share
 *
 * All members are private. Embed it; its address must not change.
 */
struct ttmpool_manager {
	tpos_system_t *system;
	tpos_mutex_t reclaim;
	tpos_spinlock_t lock;
	struct ttmpool_list pools;
	size_t nr_pools;
	struct ttmpool_list spaces; /* of devices; under @reclaim */
	struct ttmpool_list turns;  /* those who go from pool to pool now */
	struct ttmpool_list *turn;  /* the pool that was asked last */
	unsigned int turn_waiters;  /* those who wait for turns to end */
	struct ttmpool_list quarantine;
	struct ttmpool_list broken; /* likewise, and of no known caching */
	unsigned int retry_in; /* calls to let pass before these are tried */
	unsigned int retries;  /* in vain, one after the other */
	const struct ttmpool_swapper *swapper; /* set once, under @lock */
	struct ttmpool_lru lru;
	struct tpos_shrinker shrinker;
	struct tpos_wait turn_ended;
	tpos_atomic_t page_budget;
	tpos_atomic_t pool_limit;
	tpos_atomic_t pages;
	tpos_atomic_t pages_pooled;
	tpos_atomic_t pages_kept; /* of these, by reserves */
	/* the others, of pools that want a node: by its slot, from 1 */
	tpos_atomic_t spare_on[TTMPOOL_NODE_SLOTS + 1];
	tpos_atomic_t pages_quarantined;
	tpos_atomic_t pages_shrunk;
	tpos_atomic_t pages_swapped;
	tpos_atomic_t recalls;
	tpos_atomic_t trims;        /* counts those who found a limit overrun */
	tpos_atomic_t trimmers;     /* those who lower a limit now */
	struct ttmpool_queue queue; /* for pages */
};

/**
 * struct ttmpool_manager_stats - a manager's counters, in pages
 * @pages: had of the system: in use, pooled, quarantined and on the way
 * @pages_pooled: lie in bins, or will again when they are clear
 * @pages_quarantined: may be neither used nor given back
 * @pages_shrunk: given up so far because the system's shrinker asked, pooled
 *	ones and those of buffers
 * @pages_swappable: of buffers that the swapper may swap out
 * @pages_swapped: of buffers, in stores instead of in pages
 */
struct ttmpool_manager_stats {
	unsigned long pages;
	unsigned long pages_pooled;
	unsigned long pages_quarantined;
	unsigned long pages_shrunk;
	unsigned long pages_swappable;
	unsigned long pages_swapped;
};

/**
 * ttmpool_manager_init() - start a manager
 * @mgr: uninitialised memory
 * @config: how it starts; read during the call
 *
 * Registers a shrinker. May sleep.
 *
 * Return: 0; -EINVAL if @config names no system; -ENOMEM.
 */
int TPOS_MUST_CHECK
ttmpool_manager_init(struct ttmpool_manager *mgr,
		     const struct ttmpool_manager_config *config);

/**
 * ttmpool_manager_fini() - end a manager
 * @mgr: a manager without pools and without quarantined pages
 *
 * May sleep.
 *
 * Return: 0; -EBUSY if there is a pool, a page in quarantine, or a buffer on the
 * list of those that may be swapped out, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_manager_fini(struct ttmpool_manager *mgr);

/**
 * ttmpool_manager_set_pool_limit() - change how much may lie pooled
 * @mgr: the manager
 * @pages: the new limit
 *
 * What was over the limit has gone back to the system when this returns, except
 * what is reserved (ttmpool_pool_reserve()). It goes in slices of a few MiB, each with
 * one invalidation and one caching change: there is memory after the first of them.
 * Of a pool with a reserve, chunks that are larger than what is over it stay, too.
 * Gives do not wait for it. May sleep.
 */
void ttmpool_manager_set_pool_limit(struct ttmpool_manager *mgr,
				    unsigned long pages);

/**
 * ttmpool_manager_set_page_budget() - change how many pages pools may have
 * @mgr: the manager
 * @pages: the new budget
 *
 * Pooled pages over the budget have gone back to the system when this returns, in
 * slices as with ttmpool_manager_set_pool_limit(), except what is reserved. Pages in
 * use stay: populates fail with -ENOMEM until enough came back. One that is under way
 * may still be counted by the old budget. May sleep.
 */
void ttmpool_manager_set_page_budget(struct ttmpool_manager *mgr,
				     unsigned long pages);

/**
 * ttmpool_manager_shrink_count() - how many pages could be given up now?
 * @mgr: the manager
 * @swap: count those of buffers that can be swapped out, too
 *
 * Pooled pages less the reserves. Callable from any allocation context: it takes
 * no lock that is held for long, allocates nothing, and takes as long with ten
 * thousand pools as with one.
 */
unsigned long ttmpool_manager_shrink_count(struct ttmpool_manager *mgr,
					   bool swap);

/**
 * ttmpool_manager_shrink_scan() - give up pages, oldest first
 * @mgr: the manager
 * @pages: about how many; a chunk is never divided for it, so it may be more, by less
 *	than the last chunk has
 * @swap: when no pooled pages are left, swap out buffers (ttmpool_lru_add())
 *
 * Callable from any allocation context: any number of threads may be in it, and in
 * other reclaims, at the same time, and none waits for another. If the only pages left
 * are being cleared, it waits for them; the thread that clears them waits for nothing.
 * Without @swap it allocates nothing; with it, what the store needs. Only
 * a signal that kills ends it, since the thread may have come here with any other
 * business.
 *
 * As much goes as is asked for, if ttmpool_manager_shrink_count() says that there is
 * so much; of a pool with a reserve, as much as whole chunks make up. Within a pool
 * the oldest go first: a chunk is as old as its last give, whatever was done to it
 * since. A few quarantined pages are tried again at each call, and less often while
 * that is in vain.
 *
 * Return: how many pages went back to the system; what had to be quarantined is not
 * among them.
 */
unsigned long ttmpool_manager_shrink_scan(struct ttmpool_manager *mgr,
					  unsigned long pages, bool swap);

/**
 * ttmpool_manager_shrink_count_node() - how many could go for one node's sake?
 * @mgr: the manager
 * @node: the node that is short of pages; TTMPOOL_NODE_ANY for the whole machine
 * @swap: as in ttmpool_manager_shrink_count()
 *
 * As ttmpool_manager_shrink_count(), but without the pooled pages of pools that want
 * pages of another node (struct ttmpool_pool_config, @node). Those of pools that want
 * none, or one without memory, count for every node, and so do buffers. What a pool
 * wants decides, not where a page lies: pages that a pool took elsewhere, since its own
 * node had none, count for its own node.
 */
unsigned long ttmpool_manager_shrink_count_node(struct ttmpool_manager *mgr,
						int node, bool swap);

/**
 * ttmpool_manager_shrink_scan_node() - give up pages for one node's sake
 * @mgr: the manager
 * @node: as in ttmpool_manager_shrink_count_node()
 * @pages: as in ttmpool_manager_shrink_scan()
 * @swap: as in ttmpool_manager_shrink_scan(); buffers of any node may be swapped out
 *
 * As ttmpool_manager_shrink_scan(), but pools that want pages of another node keep
 * what they have pooled.
 *
 * Return: how many pages went back to the system.
 */
unsigned long ttmpool_manager_shrink_scan_node(struct ttmpool_manager *mgr,
					       int node, unsigned long pages,
					       bool swap);

/**
 * ttmpool_manager_stats() - read the counters
 * @mgr: the manager
 * @stats: filled in; the members are each right, but not of one moment
 */
void ttmpool_manager_stats(struct ttmpool_manager *mgr,
			   struct ttmpool_manager_stats *stats);

/**
 * ttmpool_manager_purge_quarantine() - give quarantined pages to the system
 * @mgr: the manager
 *
 * The caller vouches that no CPU and no device uses them any more: those that
 * were left in use when their pool was torn down. (A device behind an IOMMU cannot:
 * its mappings of them have ended.) A page whose caching is not known is made
 * write-back first, and stays if that fails. Pools and devices that the pages were
 * of may have gone. May sleep.
 *
 * Return: how many pages are still in quarantine.
 */
unsigned long ttmpool_manager_purge_quarantine(struct ttmpool_manager *mgr);

/**
 * ttmpool_manager_each_pool() - do something with each pool
 * @mgr: the manager
 * @fn: called for each pool in turn, with no lock held; the pool does not go
 *	meanwhile. It must not tear down a pool.
 * @arg: handed to @fn
 *
 * A pool that comes or goes while this runs may be left out, or another be seen
 * twice. May sleep.
 */
void ttmpool_manager_each_pool(struct ttmpool_manager *mgr,
			       void (*fn)(struct ttmpool_pool *pool, void *arg),
			       void *arg);

/**
 * ttmpool_manager_is_valid() - do the manager's counters and lists agree?
 * @mgr: the manager, with no call on it under way
 */
bool ttmpool_manager_is_valid(struct ttmpool_manager *mgr);

TPOS_API_END

#endif
