/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_MANAGER_H
#define TTMPOOL_MANAGER_H

#include <ttmpool/iova.h>

TPOS_API_BEGIN

/** TTMPOOL_LOOK_AGAIN - instead of a number of pages: another swap-out has given some back,
 * so the caller checks again. */
#define TTMPOOL_LOOK_AGAIN ULONG_MAX

/** TTMPOOL_NO_LIMIT - as a limit in pages: no limit. */
#define TTMPOOL_NO_LIMIT ULONG_MAX

struct ttmpool_backend;
struct ttmpool_pool;

/**
 * struct ttmpool_manager_config - the settings of a new manager
 * @system: the machine that the manager belongs to
 * @page_budget: the most pages that the pools of the manager may have from the system at
 *	any time, in use and pooled; TTMPOOL_NO_LIMIT for no limit. The pools never exceed
 *	the budget, not even for a moment, unless the budget is lowered. A request for which
 *	there is room is not refused because of other requests that exceed the budget. When
 *	the budget is exhausted, pooled pages of any pool go back to the system: all that
 *	the request lacks, at once, and up to an eighth of the budget (at most 512 pages)
 *	more, so that the next request finds some. If that is not enough, buffers are
 *	swapped out. A request for more pages than the budget is refused, and no pages are
 *	given up for it.
 * @pool_limit: the most pages that may be pooled, or TTMPOOL_NO_LIMIT; with 0 nothing is
 *	pooled. When the limit is exceeded, the oldest pages go back to the system until the
 *	number of pooled pages is 512 below the limit, or an eighth of the limit below it if
 *	that is less. The number does not fall further, however many gives exceed the limit
 *	at once, except by the rest of the last chunk that goes. Reserved pages
 *	(ttmpool_pool_reserve()) stay, and leave less room for other pages.
 */
struct ttmpool_manager_config {
	tpos_system_t *system;
	unsigned long page_budget;
	unsigned long pool_limit;
};

struct ttmpool_manager;

/**
 * struct ttmpool_ask - the request for which buffers are swapped out
 * @in_reclaim: the call comes from the system's shrinker, in any thread that allocates memory
 * @killable: only a signal that kills the thread interrupts the swap-out. If this and
 *	@in_reclaim are false, any signal does
 * @until: the deadline at which the swap-out ends; NULL if there is none
 * @err: set to what ended the swap-out for this thread: -EINTR, -ETIMEDOUT, or 0
 * @since: 0 at first; the swapper sets it, and the caller hands it on when it asks again for
 *	the same request. The swapper waits for no buffer that became the newest later
 */
struct ttmpool_ask {
	bool in_reclaim;
	bool killable;
	const struct ttmpool_deadline *until;
	int err;
	uint64_t since;
};

/**
 * struct ttmpool_swapper - how a manager reaches the buffers of its pools
 * @count: returns how many pages could be swapped out, now or after other threads have done
 *	with their buffers. Takes no lock that is held while memory is allocated, and does not
 *	sleep.
 * @count_idle: as @count, but without the pages that other threads are swapping out
 * @swapout: swaps out buffers until @pages pages have left, or no more can leave, and
 *	returns how many went to the system. If another swap-out is in progress, the
 *	function waits until that one has given pages back, or has ended. It then returns
 *	TTMPOOL_LOOK_AGAIN, and the caller checks whether the pages suffice. If
 *	ask->in_reclaim is true, it waits for no other swap-out, but takes the buffers that
 *	are left, beside those; tries the locks of no more than some thousand buffers; and
 *	ends early only for a signal that kills the thread. May sleep.
 * @is_valid: returns whether the lists and counters of the buffers agree; for
 *	ttmpool_manager_is_valid()
 *
 * The first ttmpool_lru_add() on a manager sets this pointer. Without it, the manager can
 * only give up pooled pages.
 */
struct ttmpool_swapper {
	unsigned long (*count)(struct ttmpool_manager *mgr);
	unsigned long (*count_idle)(struct ttmpool_manager *mgr);
	unsigned long (*swapout)(struct ttmpool_manager *mgr,
				 unsigned long pages, struct ttmpool_ask *ask);
	bool (*is_valid)(struct ttmpool_manager *mgr);
};

/**
 * struct ttmpool_lru - the buffers that may be swapped out
 * @mutex: held while buffers are swapped out for a request; the shrinker does without
 * @buffers: the buffers that have pages to give, newest first; protected by the manager's
 *	spinlock, as are the next six members
 * @victims: the buffers that are being swapped out, and still have pages
 * @others: the buffers that have no pages to give now, in no order
 * @nr_with_pages: how many buffers have pages to give, on a list or not
 * @clock: counts how often a buffer became the newest
 * @store_failed: a store was full, broken or without memory when buffers were last swapped out
 * @pages_leaving: how many pages the buffers have that are being swapped out
 * @pages: how many pages the buffers in @buffers and @victims have
 * @followers: threads that wait for pages which another thread swaps out
 *
 * Only the code in lib/buffer uses this structure. It is part of the manager because all
 * pools share it. The manager initialises it, and refuses to end while a buffer is on a
 * list.
 */
struct ttmpool_lru {
	tpos_mutex_t mutex;
	struct ttmpool_list buffers;
	struct ttmpool_list victims;
	struct ttmpool_list others;
	size_t nr_with_pages;
	uint64_t clock;
	bool store_failed;
	unsigned long pages_leaving;
	tpos_atomic_t pages;
	struct ttmpool_queue followers;
};

/** TTMPOOL_NODE_SLOTS - how many NUMA nodes the shrinker tells apart. On a machine with
 * more nodes, several nodes share a slot and are shrunk together. */
#define TTMPOOL_NODE_SLOTS 16

/**
 * struct ttmpool_manager - the limits, the reclaim and the shrinker that pools share
 *
 * All members are private. Embed the structure; its address must not change.
 */
struct ttmpool_manager {
	tpos_system_t *system;
	tpos_mutex_t reclaim;
	tpos_spinlock_t lock;
	struct ttmpool_list pools;
	size_t nr_pools;
	struct ttmpool_list spaces; /* of devices; under @reclaim */
	struct ttmpool_list turns;  /* threads that go from pool to pool now */
	struct ttmpool_list *turn;  /* the pool that gave last */
	unsigned int turn_waiters;  /* threads that wait for turns to end */
	struct ttmpool_list quarantine;
	struct ttmpool_list broken; /* quarantined, to be repaired; nobody's */
	unsigned int retry_in; /* calls to skip until these are tried again */
	unsigned int retries;  /* failures in a row */
	const struct ttmpool_swapper *swapper; /* set once, under @lock */
	struct ttmpool_lru lru;
	struct tpos_shrinker shrinker;
	struct tpos_wait turn_ended;
	tpos_atomic_t page_budget;
	tpos_atomic_t pool_limit;
	tpos_atomic_t pages;
	tpos_atomic_t pages_pooled;
	tpos_atomic_t pages_kept; /* of these, the reserved ones */
	/* the other pooled pages, of pools that want a node: by its slot, from 1 */
	tpos_atomic_t spare_on[TTMPOOL_NODE_SLOTS + 1];
	tpos_atomic_t pages_quarantined;
	tpos_atomic_t pages_shrunk;
	tpos_atomic_t pages_swapped;
	tpos_atomic_t recalls;
	tpos_atomic_t gives;        /* so far; the age of chunks */
	tpos_atomic_t trims;        /* times that a limit was exceeded */
	tpos_atomic_t trimmers;     /* threads that lower a limit now */
	struct ttmpool_queue queue; /* threads that wait for pages */
};

/**
 * struct ttmpool_manager_stats - the counters of a manager, in pages
 * @pages: pages that the pools have from the system: in use, pooled, quarantined, or on
 *	their way between these
 * @pages_pooled: pages that are in bins, or outside for a moment to be cleared
 * @pages_quarantined: pages that may be neither used nor given back
 * @pages_shrunk: pages given up so far because the system's shrinker asked: pooled pages
 *	and pages of buffers
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
 * ttmpool_manager_init() - initialise a manager
 * @mgr: uninitialised memory
 * @config: the settings of the manager; read during the call only
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
 * @mgr: a manager without pools and without pages in quarantine
 *
 * May sleep.
 *
 * Return: 0; -EBUSY if there is a pool, a page in quarantine, or a buffer on the swapper's
 * list, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_manager_fini(struct ttmpool_manager *mgr);

/**
 * ttmpool_manager_set_pool_limit() - change how many pages may be pooled
 * @mgr: the manager
 * @pages: the new limit
 *
 * When this function returns, the pages over the limit have gone back to the system, except
 * reserved ones (ttmpool_pool_reserve()). They go in slices of a few MiB, each with one
 * invalidation and one caching change, so that the system has some of them after the first
 * slice. In a pool with a reserve, a chunk also stays if it has more pages than the pool
 * has pooled beyond its reserve. A give does not wait for this function. May sleep.
 */
void ttmpool_manager_set_pool_limit(struct ttmpool_manager *mgr,
				    unsigned long pages);

/**
 * ttmpool_manager_set_page_budget() - change how many pages the pools may have
 * @mgr: the manager
 * @pages: the new budget
 *
 * When this function returns, the pooled pages over the budget have gone back to the
 * system, except reserved ones. They go in slices, as with
 * ttmpool_manager_set_pool_limit(). Pages in use stay: populates fail with -ENOMEM until
 * enough pages have come back. A populate that is in progress may still use the old budget.
 * May sleep.
 */
void ttmpool_manager_set_page_budget(struct ttmpool_manager *mgr,
				     unsigned long pages);

/**
 * ttmpool_manager_shrink_count() - count the pages that could be given up now
 * @mgr: the manager
 * @swap: also count the pages of buffers that can be swapped out
 *
 * Counts the pooled pages without the reserves, and the pages of buffers without those that
 * other threads are swapping out. May be called from any allocation context:
 * the function takes no lock that is held for long, allocates nothing, and takes as long
 * with ten thousand pools as with one.
 */
unsigned long ttmpool_manager_shrink_count(struct ttmpool_manager *mgr,
					   bool swap);

/**
 * ttmpool_manager_shrink_scan() - give up pages, oldest first
 * @mgr: the manager
 * @pages: how many pages to give up. No chunk is divided for this, so more pages may go,
 *	but the excess is always less than the last chunk.
 * @swap: swap out buffers (ttmpool_lru_add()) when no pooled pages are left
 *
 * May be called from any allocation context: any number of threads may be in this function,
 * and in other reclaims, at the same time, without waiting for each other. If all pages
 * that are left are being cleared, the function waits for them; the thread that clears them
 * waits for nothing. Without @swap the function allocates nothing; with @swap it allocates
 * what the store needs. Only a signal that kills the thread interrupts the function,
 * because the thread may be in the middle of any other work.
 *
 * If ttmpool_manager_shrink_count() says that there are @pages pages, as many go; from a
 * pool with a reserve, as many as whole chunks make up. Within a pool the oldest chunks go
 * first. The age of a chunk counts from its last give, whatever the pool has done to it
 * since. The pool with the oldest chunk of all gives first, a few MiB at a time. If more
 * than eight pools have pages to give, eight of them are compared at a time. Each call also
 * tries to repair a few quarantined pages that nobody uses, and does so less often after each
 * failure.
 *
 * Return: the number of pages that went back to the system; pages that had to be
 * quarantined are not counted.
 */
unsigned long ttmpool_manager_shrink_scan(struct ttmpool_manager *mgr,
					  unsigned long pages, bool swap);

/**
 * ttmpool_manager_shrink_count_node() - count the pages that could be given up for one node
 * @mgr: the manager
 * @node: the node that is short of pages; TTMPOOL_NODE_ANY for the whole machine
 * @swap: as in ttmpool_manager_shrink_count()
 *
 * Like ttmpool_manager_shrink_count(), but without the pooled pages of pools that want
 * pages of another node (@node of struct ttmpool_pool_config). The pooled pages of pools
 * that want no particular node, or a node without memory, count for every node. So do the
 * pages of buffers. Pages count for the node that their pool wants, wherever they are: if a
 * pool took pages from another node because its own node had none, they count for its own
 * node.
 */
unsigned long ttmpool_manager_shrink_count_node(struct ttmpool_manager *mgr,
						int node, bool swap);

/**
 * ttmpool_manager_shrink_scan_node() - give up pages for one node
 * @mgr: the manager
 * @node: as in ttmpool_manager_shrink_count_node()
 * @pages: as in ttmpool_manager_shrink_scan()
 * @swap: as in ttmpool_manager_shrink_scan(); the buffers that are swapped out may be of
 *	any node
 *
 * Like ttmpool_manager_shrink_scan(), but pools that want pages of another node keep their
 * pooled pages.
 *
 * Return: the number of pages that went back to the system.
 */
unsigned long ttmpool_manager_shrink_scan_node(struct ttmpool_manager *mgr,
					       int node, unsigned long pages,
					       bool swap);

/**
 * ttmpool_manager_stats() - read the counters of a manager
 * @mgr: the manager
 * @stats: filled in by the call; each counter is correct, but the counters may be of
 *	different moments
 */
void ttmpool_manager_stats(struct ttmpool_manager *mgr,
			   struct ttmpool_manager_stats *stats);

/**
 * ttmpool_manager_purge_quarantine() - give quarantined pages to the system
 * @mgr: the manager
 *
 * The caller guarantees that no CPU and no device still uses the pages that were in use
 * when their pool was torn down. (A device behind an IOMMU cannot use them, because their
 * mappings have ended.) The function first makes a page of unknown caching write-back; if
 * that fails, the page stays in quarantine. The pools and devices of the pages may be gone.
 * May sleep.
 *
 * Return: the number of pages that are still in quarantine.
 */
unsigned long ttmpool_manager_purge_quarantine(struct ttmpool_manager *mgr);

/**
 * ttmpool_manager_each_pool() - call a function for each pool
 * @mgr: the manager
 * @fn: called for one pool after the other, with no lock held. The pool does not end during
 *	the call. @fn must not tear down a pool.
 * @arg: passed to @fn
 *
 * If a pool starts or ends while this function runs, @fn may miss that pool, or get another
 * pool twice. May sleep.
 */
void ttmpool_manager_each_pool(struct ttmpool_manager *mgr,
			       void (*fn)(struct ttmpool_pool *pool, void *arg),
			       void *arg);

/**
 * ttmpool_manager_is_valid() - check that the counters and lists of a manager agree
 * @mgr: the manager; no call on it is in progress
 */
bool ttmpool_manager_is_valid(struct ttmpool_manager *mgr);

TPOS_API_END

#endif
