/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_MANAGER_H
#define TTMPOOL_MANAGER_H

#include <ttmpool/iova.h>

TPOS_API_BEGIN

/** TTMPOOL_LOOK_AGAIN - instead of a number of pages: another swap-out has given back some. */
#define TTMPOOL_LOOK_AGAIN ULONG_MAX

/** TTMPOOL_NO_LIMIT - for a limit in pages: there is none. */
#define TTMPOOL_NO_LIMIT ULONG_MAX

struct ttmpool_backend;
struct ttmpool_pool;

/**
 * struct ttmpool_manager_config - how a manager starts
 * @system: the machine that it lives on
 * @page_budget: the number of pages that its pools may have of the system at any
 *	time, in use and pooled, or TTMPOOL_NO_LIMIT. They never have more, not even
 *	for a moment, unless the budget is lowered. A request for which there is room
 *	is not refused because of other requests that fail. When the budget is
 *	exhausted, pooled pages of any pool go back to the system: as many as the
 *	request lacks, all at once, and up to an eighth of the budget (at most 512
 *	pages) more, so that the next request finds some. If that is not enough,
 *	buffers are swapped out. A request for more pages than the budget is refused,
 *	and nobody gives up pages for it.
 * @pool_limit: the number of pages that may lie pooled, or TTMPOOL_NO_LIMIT; 0 pools
 *	nothing. When it is exceeded, the oldest pages go back to the system until
 *	the number is 512 below the limit, or an eighth of the limit below it if that
 *	is less. It does not fall further, however many gives exceed the limit at
 *	once, except by the rest of the last chunk that goes. Pages that pools have
 *	reserved (ttmpool_pool_reserve()) stay, and leave less room for others.
 */
struct ttmpool_manager_config {
	tpos_system_t *system;
	unsigned long page_budget;
	unsigned long pool_limit;
};

struct ttmpool_manager;

/**
 * struct ttmpool_ask - who asks for buffers to be swapped out
 * @in_reclaim: the system asks, in any thread that allocates memory
 * @killable: only a signal that ends the thread interrupts the swap-out; any signal, if
 *	this and @in_reclaim are false
 * @until: the swap-out ends then; NULL, or a deadline that never comes: it does not
 * @err: set to what ended the swap-out for this thread: -EINTR, -ETIMEDOUT, or 0
 */
struct ttmpool_ask {
	bool in_reclaim;
	bool killable;
	const struct ttmpool_deadline *until;
	int err;
};

/**
 * struct ttmpool_swapper - what the pools know of the buffers above them
 * @count: returns how many pages could be swapped out now. Takes no lock that is held
 *	while memory is allocated, and does not sleep.
 * @swapout: swaps out buffers until @pages pages have left, or no more can leave;
 *	returns how many went to the system. If another swap-out is under way, it
 *	waits until that one has given pages back, or has ended, and returns
 *	TTMPOOL_LOOK_AGAIN: then the caller checks whether that is enough. If
 *	ask->in_reclaim is true, the function returns 0 while another swap-out is under
 *	way, and looks at no more than some thousand buffers. May sleep.
 * @is_valid: returns whether the buffers' lists and counters agree, for
 *	ttmpool_manager_is_valid().
 *
 * The first ttmpool_lru_add() on a manager sets it. Without it, a manager gives up
 * pooled pages alone.
 */
struct ttmpool_swapper {
	unsigned long (*count)(struct ttmpool_manager *mgr);
	unsigned long (*swapout)(struct ttmpool_manager *mgr,
				 unsigned long pages, struct ttmpool_ask *ask);
	bool (*is_valid)(struct ttmpool_manager *mgr);
};

/**
 * struct ttmpool_lru - the buffers that may be swapped out
 * @mutex: held while a buffer is swapped out for others
 * @buffers: those that have pages to give, newest first; protected by the manager's
 *	spinlock, as are @others and @round
 * @others: those that have none now, in no order
 * @round: counts walks along the list
 * @pages: how many pages these buffers have
 * @followers: threads that wait for pages which another one swaps out
 *
 * Only the buffer floor (lib/buffer) uses it. It lies in the manager because all pools
 * share it; the manager initialises it, and refuses to end while a buffer is in it.
 */
struct ttmpool_lru {
	tpos_mutex_t mutex;
	struct ttmpool_list buffers;
	struct ttmpool_list others;
	uint32_t round;
	tpos_atomic_t pages;
	struct ttmpool_queue followers;
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
	struct ttmpool_list *turn;  /* the pool that gave last */
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
	tpos_atomic_t gives;        /* counts what was pooled: the age of chunks */
	tpos_atomic_t trims;        /* counts those who found a limit overrun */
	tpos_atomic_t trimmers;     /* those who lower a limit now */
	struct ttmpool_queue queue; /* for pages */
};

/**
 * struct ttmpool_manager_stats - a manager's counters, in pages
 * @pages: pages that the pools have of the system: in use, pooled, quarantined, and
 *	on their way between these
 * @pages_pooled: pages that lie in bins, or return there when they are clear
 * @pages_quarantined: may be neither used nor given back
 * @pages_shrunk: pages given up so far because the system's shrinker asked, pooled
 *	ones and those of buffers
 * @pages_swappable: pages of buffers that the swapper may swap out
 * @pages_swapped: pages of buffers whose contents are in stores now
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
 * When this returns, the pages over the limit have gone back to the system, except
 * reserved ones (ttmpool_pool_reserve()). They go in slices of a few MiB, each with one
 * invalidation and one caching change, so the system has some of them after the first
 * slice. In a pool with a reserve, a chunk also stays if it has more pages than the pool
 * has beyond its reserve. Gives do not wait for this function. May sleep.
 */
void ttmpool_manager_set_pool_limit(struct ttmpool_manager *mgr,
				    unsigned long pages);

/**
 * ttmpool_manager_set_page_budget() - change how many pages pools may have
 * @mgr: the manager
 * @pages: the new budget
 *
 * When this returns, pooled pages over the budget have gone back to the system, in
 * slices as with ttmpool_manager_set_pool_limit(), except reserved ones. Pages in use
 * stay: populates fail with -ENOMEM until enough pages have come back. A populate that is
 * under way may still use the old budget. May sleep.
 */
void ttmpool_manager_set_page_budget(struct ttmpool_manager *mgr,
				     unsigned long pages);

/**
 * ttmpool_manager_shrink_count() - how many pages could be given up now?
 * @mgr: the manager
 * @swap: count those of buffers that can be swapped out, too
 *
 * Counts pooled pages without the reserves. Callable from any allocation context: it
 * takes no lock that is held for long, allocates nothing, and takes as long with ten
 * thousand pools as with one.
 */
unsigned long ttmpool_manager_shrink_count(struct ttmpool_manager *mgr,
					   bool swap);

/**
 * ttmpool_manager_shrink_scan() - give up pages, oldest first
 * @mgr: the manager
 * @pages: about how many. A chunk is never divided for this, so more pages may go, by
 *	less than the last chunk has
 * @swap: when no pooled pages are left, swap out buffers (ttmpool_lru_add())
 *
 * Callable from any allocation context: any number of threads may be in it, and in
 * other reclaims, at the same time, and none waits for another. If the only pages left
 * are being cleared, it waits for them; the thread that clears them waits for nothing.
 * Without @swap it allocates nothing; with @swap it allocates what the store needs. Only
 * a signal that ends the thread interrupts it, because the thread may have come here on
 * its way to any other work.
 *
 * As many pages go as are asked for, if ttmpool_manager_shrink_count() says that there
 * are so many; from a pool with a reserve, as many as whole chunks make up. Within a pool
 * the oldest go first: the age of a chunk counts from its last give, whatever was done to
 * it since. The pool whose oldest chunk is the oldest gives first, a few MiB at a time;
 * where more than eight pools have pages to give, eight of them are compared at a time.
 * Each call also tries to repair a few quarantined pages, and does so less often after
 * each failure.
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
 * @stats: filled in; each member is right, but they may not be of the same moment
 */
void ttmpool_manager_stats(struct ttmpool_manager *mgr,
			   struct ttmpool_manager_stats *stats);

/**
 * ttmpool_manager_purge_quarantine() - give quarantined pages to the system
 * @mgr: the manager
 *
 * The caller guarantees that no CPU and no device still uses the pages that were in use
 * when their pool was torn down. (A device behind an IOMMU cannot use them: its mappings
 * have ended.) The function makes a page of unknown caching write-back first; if that
 * fails, the page stays in quarantine. The pools and devices of the pages may be gone. May
 * sleep.
 *
 * Return: how many pages are still in quarantine.
 */
unsigned long ttmpool_manager_purge_quarantine(struct ttmpool_manager *mgr);

/**
 * ttmpool_manager_each_pool() - do something with each pool
 * @mgr: the manager
 * @fn: called for each pool, one after the other, with no lock held. The pool does not
 *	end during the call. @fn must not tear down a pool.
 * @arg: handed to @fn
 *
 * If a pool starts or ends while this runs, @fn may miss that pool, or see another one
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
