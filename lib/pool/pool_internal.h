/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/pool/ declare for each other, from the bottom up:
 *
 *   report.c     counts and reports what is found wrong
 *   swapper.c    the only way to the buffer floor above
 *   wait.c       sleeping until pages or addresses come back
 *   budget.c     limits for pages and for mapped bytes
 *   space.c      the addresses that the pools of a device share
 *   condition.c  what is true of a chunk
 *   chunk.c      what is done to chunks: unmap, convert, clear, copy;
 *                always in batches
 *   account.c    how many pages of each kind an owner has
 *                (chunks.h has all of these, this file has the rest)
 *   release.c    gives chunks to the system, or quarantines them
 *   verify.c     for policy.verify: finds late writes and addresses in use twice
 *   bin.c        where free chunks lie; oldest.c: which of them leaves first
 *   split.c      divides a chunk into smaller ones
 *   claim.c      finds the chunks of an array of pages
 *   scrub.c      clears pooled pages before they are wanted
 *   turn.c       visits one pool after the other
 *   reclaim.c    gives up the oldest pages, slice by slice; trim.c: enforces limits
 *   mapping.c    ends mappings that are only kept
 *   room.c       takes from the budgets what a request lacks, before anything else
 *   make.c       makes fresh chunks, and mappings
 *   ordinary.c   turns chunks in use into ordinary pages, and back
 *   pick.c       picks pooled chunks; gather.c: chooses all chunks of a request
 *   refill.c     makes spare chunks
 *   fill.c       hands chunks out
 *   take.c       serves a request for chunks
 *   give.c       takes chunks back
 *   single.c     both, for one chunk that lacks nothing
 *   arrays.c     both, for arrays of pages
 *   pool.c, manager.c   lifetimes, limits, counters; valid.c: invariants
 *   prime.c, runs.c, magazine.c, backup.c   more ways in and out; no file depends on them
 *
 * In the comments of this directory, "a batch" is a list of chunks that no other thread can
 * see: they are in no bin and on no in-use list, so no lock is needed for them. Slow work
 * (getting and freeing pages, mapping, caching changes, clearing) is done to batches only.
 * "A run" is a batch whose chunks have the same kind (order, caching, state and flags) and
 * the same owner.
 */

#include "chunks.h"

/* release.c */
size_t ttmpool_chunks_release(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks);
void ttmpool_chunks_forget(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
void ttmpool_chunks_quarantine(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks, bool in_use);
unsigned long ttmpool_manager_retry_quarantine(struct ttmpool_manager *mgr);

/*
 * bin.c. How a batch is put into the bins:
 *
 * PARK_GIVEN: as the newest chunks; their age is the pool's clock
 *
 * PARK_SCRUBBED, PARK_UNMAPPED: they keep their age, and go to the list of chunks to which
 * the same was done; the first chunk of the batch is the oldest
 *
 * PARK_SPARED: they keep their age, as if they had never left; the last chunk of the batch
 * is the oldest
 *
 * A function that picks or places many chunks under the pool's lock may stop before it is
 * done, so that the caller can release the lock in between. ttmpool_bins_park() and
 * ttmpool_bins_return() place all chunks of the batch.
 */
enum ttmpool_bins_park {
	PARK_GIVEN,
	PARK_SCRUBBED,
	PARK_UNMAPPED,
	PARK_SPARED,
};
void ttmpool_bins_init(struct ttmpool_pool *pool);
unsigned int ttmpool_bins_list_kind(unsigned int list);
void ttmpool_bin_count(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
		       const struct ttmpool_chunk *like, long n);
void ttmpool_bins_count(struct ttmpool_pool *pool, long pages);
void ttmpool_bins_reserve(struct ttmpool_pool *pool, size_t pages);
size_t ttmpool_bins_spare(const struct ttmpool_pool *pool);
size_t ttmpool_bins_spare_mapped(const struct ttmpool_pool *pool);
long ttmpool_bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			enum ttmpool_bins_park how);
void ttmpool_bins_park_locked(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_bins_park how);
void ttmpool_bins_park_one(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
			   struct ttmpool_chunk *chunk);
void ttmpool_bins_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_bins_park how);
void ttmpool_bins_return(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 enum ttmpool_bins_park how);

/* Which chunks a populate can use: their order, and their values of the flags that choose a
 * list (MAPPED, CLEAN, FAR). */
struct bins_kind {
	unsigned int order;
	unsigned int flags;
};
size_t ttmpool_bins_pick_moved(struct ttmpool_pool *pool,
			       struct ttmpool_bin *bin, struct bins_kind kind,
			       size_t most, struct ttmpool_list *picked);
/* Returns how many pages are in bins of one kind, of the orders below @end. The caller holds
 * the pool's lock. */
static inline size_t bins_pages(const struct ttmpool_bin *bins,
				unsigned int end)
{
	size_t pages = 0;

	for (unsigned int order = 0; order < end; order++)
		pages += bins[order].nr_chunks << order;
	return pages;
}

size_t ttmpool_bins_pick(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
			 struct bins_kind kind, size_t most,
			 struct ttmpool_list *picked);

/**
 * struct bins_want - which chunks to pick from the bins, oldest first
 * @mask, @value: only chunks whose flags, under @mask, are @value
 * @pages: stop when the picked chunks have this many pages
 * @least, @most: when they have at least @least pages, stop before a chunk that would make
 *	them more than @most
 * @total: how many pages this call and those that follow shall pick together
 * @room: the most pages that may leave, or TTMPOOL_NO_BOUND
 * @keeps: if not NULL, the bins of a kind of which none leaves
 * @got: how many pages have been picked so far
 */
#define TTMPOOL_NO_BOUND ((size_t)-1)
struct bins_want {
	unsigned int mask;
	unsigned int value;
	size_t pages;
	size_t least;
	size_t most;
	size_t total;
	size_t room;
	const struct ttmpool_bin *keeps;
	size_t got;
};
size_t ttmpool_bins_pick_oldest(struct ttmpool_pool *pool,
				struct bins_want *want,
				struct ttmpool_list *picked);

/* The age that is returned if a pool has no chunk that is wanted. */
#define TTMPOOL_NO_AGE ((uint64_t)-1)
size_t ttmpool_bins_spare_beside(struct ttmpool_pool *pool,
				 const struct ttmpool_bin *keeps);
uint64_t ttmpool_bins_oldest_age(struct ttmpool_pool *pool,
				 const struct bins_want *want);

/* split.c */
bool ttmpool_chunk_split(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk,
			 unsigned int flags);
bool ttmpool_bins_split(struct ttmpool_pool *pool, enum ttmpool_caching caching,
			unsigned int order);
bool ttmpool_spares_keep(struct ttmpool_pool *pool, size_t n,
			 unsigned int flags);
bool ttmpool_spares_are_gone(struct ttmpool_pool *pool);
void ttmpool_spares_drop(struct ttmpool_pool *pool);

/* A predicate about a pool. It may take the pool's lock. */
typedef bool (*pool_test)(struct ttmpool_pool *pool, const void *arg);

/**
 * struct turn - a thread's walk from pool to pool; it lives on that thread's stack
 * @link: in the manager's list of turns, oldest first
 * @mgr: the manager whose pools are visited
 * @pool: the pool that the thread works on now; it does not end meanwhile
 * @left: how many more pools to look at before the round ends
 * @only_looks: the thread takes nothing out of a bin
 */
struct turn {
	struct ttmpool_list link;
	struct ttmpool_manager *mgr;
	struct ttmpool_pool *pool;
	size_t left;
	bool only_looks;
};
void ttmpool_turn_init(struct turn *turn, struct ttmpool_manager *mgr);
bool ttmpool_turn_is_on(struct ttmpool_manager *mgr,
			const struct ttmpool_pool *pool);
bool ttmpool_turn_next(struct turn *turn, pool_test test, const void *arg);
void ttmpool_turn_gave(struct turn *turn);
void ttmpool_turn_again(struct turn *turn);
void ttmpool_turn_end(struct turn *turn);
bool ttmpool_turns_wait(struct ttmpool_manager *mgr);
int ttmpool_turns_wait_for(struct ttmpool_manager *mgr,
			   const struct ttmpool_ask *ask);
void ttmpool_turn_hold(struct turn *turn, struct ttmpool_pool *pool);
void ttmpool_turns_enter(struct ttmpool_pool *pool);
void ttmpool_turns_leave(struct ttmpool_pool *pool);

/**
 * struct slice - pooled pages on their way to the system
 * @pages, @least, @most: how many are wanted, as in a struct bins_want
 * @all: the reserve may go, too
 * @keeps: if not NULL, pages go while their pool is being prepared, but not its reserve and
 *	none of this kind
 * @node_slot: pools that want another node are skipped; 0: none is skipped
 * @got: how many pages were picked
 * @again: there may be more pages, which were being cleared or divided
 * @chunks: the picked chunks
 *
 * A slice has at most TTMPOOL_SLICE_BYTES; only its last chunk may exceed that.
 */
#define TTMPOOL_SLICE_BYTES ((uint64_t)4 << 20)
struct slice {
	size_t pages;
	size_t least;
	size_t most;
	bool all;
	const struct ttmpool_bin *keeps;
	unsigned int node_slot;
	size_t got;
	bool again;
	struct ttmpool_list chunks;
};
size_t ttmpool_slice_pick(struct ttmpool_pool *pool, struct slice *slice);
bool ttmpool_slice_find(struct turn *turn, struct slice *slice);

/* reclaim.c */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all);
size_t ttmpool_pool_reclaim_beside(struct ttmpool_pool *pool, size_t pages,
				   const struct ttmpool_bin *keeps);
unsigned long ttmpool_manager_reclaim(struct ttmpool_manager *mgr,
				      unsigned long pages);
unsigned long ttmpool_manager_reclaim_node(struct ttmpool_manager *mgr,
					   int node, unsigned long pages);
unsigned long ttmpool_manager_count_spare(struct ttmpool_manager *mgr);
unsigned long ttmpool_manager_count_spare_node(struct ttmpool_manager *mgr,
					       int node);

/* trim.c */
void ttmpool_manager_trim(struct ttmpool_manager *mgr);
void ttmpool_chunks_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 enum ttmpool_bins_park how);
void ttmpool_manager_trim_to_limit(struct ttmpool_manager *mgr);
void ttmpool_manager_trim_to_budget(struct ttmpool_manager *mgr);

/* mapping.c */
bool ttmpool_mappings_suffice(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t ttmpool_pool_give_up_mappings(struct ttmpool_pool *pool,
				       uint64_t bytes);
uint64_t ttmpool_device_give_up_mappings(struct ttmpool_pool *pool,
					 uint64_t bytes);

/**
 * struct claim - an array of pages, of which the chunks are claimed
 * @pool: the pool that the chunks must belong to
 * @pages: the array
 * @num_pages: how many entries it has
 * @caching: the caching that the chunks must have
 * @ticket: the ticket that the pages were taken with
 * @with_holes: the array is the caller's own record: entries without a page are skipped,
 *	and chunks of any caching are accepted
 * @done: how many entries have been looked at
 * @mixed: the chunks are not one run
 * @chunks: the claimed chunks, in the order of the array
 */
struct claim {
	struct ttmpool_pool *pool;
	tpos_page_t *const *pages;
	size_t num_pages;
	enum ttmpool_caching caching;
	uint32_t ticket;
	bool with_holes;
	size_t done;
	bool mixed;
	struct ttmpool_list chunks;
};
void ttmpool_claim_init(struct claim *claim, struct ttmpool_pool *pool,
			tpos_page_t *const *pages, size_t num_pages);
int ttmpool_claim_chunks(struct claim *claim);
struct ttmpool_chunk *ttmpool_claim_single(struct ttmpool_pool *pool,
					   tpos_page_t *const *pages,
					   unsigned int order,
					   enum ttmpool_caching caching,
					   uint32_t ticket);
void ttmpool_claim_sort(struct claim *claim);
void ttmpool_chunks_unclaim(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks);

/* verify.c */
unsigned int ttmpool_verify_looks(const struct ttmpool_pool *pool);
bool ttmpool_chunk_address_is_taken(struct ttmpool_pool *pool,
				    const struct ttmpool_list *chunks,
				    const struct ttmpool_chunk *chunk,
				    unsigned int *looks);
void ttmpool_chunk_verify(struct ttmpool_pool *pool,
			  struct ttmpool_chunk *chunk);

/* swapper.c */
unsigned long ttmpool_swapper_count(struct ttmpool_manager *mgr);
unsigned long ttmpool_swapper_count_idle(struct ttmpool_manager *mgr);
unsigned long ttmpool_swapper_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages,
				      struct ttmpool_ask *ask);
bool ttmpool_swapper_is_valid(struct ttmpool_manager *mgr);

/**
 * struct room - what a request has taken from the budgets and not used yet
 * @pages: for this many fresh pages
 * @mapped: for the mappings of this many pages
 * @below: the device had no addresses when this many pages of it were mapped or about to be
 *	mapped, so the port is not asked again until there are fewer; or 0
 * @one_order: chunks of other orders do not serve
 * @no_wait: nobody gives up pages for this request
 * @keeps: if not NULL, this pool does not give up its reserve for it, and while it is
 *	being prepared, no page of this kind
 * @killable: only a signal that ends the thread interrupts others' giving up pages for it,
 *	and the wait for what others are giving up
 * @until: the deadline that ends this, too, or NULL
 * @next_round: buffers were tried in vain, and are not tried again before that moment
 * @give_ups: how many times kept mappings were given up because the device had no
 *	addresses: at most ROOM_MOST_GIVE_UPS times for single pages and for @one_order,
 *	with twice as many mappings each time, otherwise once. A caller that sets it to
 *	ROOM_MOST_GIVE_UPS makes nobody give up mappings.
 */
#define ROOM_MOST_GIVE_UPS 8
struct room {
	size_t pages;
	size_t mapped;
	unsigned long below;
	bool one_order;
	bool no_wait;
	const struct ttmpool_bin *keeps;
	bool killable;
	const struct ttmpool_deadline *until;
	uint64_t next_round;
	unsigned int give_ups;
};

/* room.c */
int ttmpool_room_make(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped);
int ttmpool_room_may_be(struct ttmpool_pool *pool, struct room *room,
			size_t pages, size_t lacks);
bool ttmpool_room_try(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped);
void ttmpool_room_return(struct ttmpool_pool *pool, struct room *room);

/* make.c */
int ttmpool_chunk_create(struct ttmpool_pool *pool,
			 const struct tpos_alloc *req, struct room *room,
			 struct ttmpool_list *made);
int ttmpool_chunks_map(struct ttmpool_pool *pool, struct room *room,
		       struct ttmpool_list *chunks);
int ttmpool_chunks_map_if_free(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks);
bool ttmpool_has_addresses(struct ttmpool_pool *pool,
			   enum ttmpool_source source);

/* ordinary.c */
void ttmpool_chunks_mark_anonymous(struct ttmpool_list *chunks, bool anonymous);
int ttmpool_chunks_make_ordinary(struct ttmpool_pool *pool,
				 struct ttmpool_list *chunks);
int ttmpool_chunks_remap(struct ttmpool_pool *pool,
			 struct ttmpool_list *chunks);
int ttmpool_chunks_convert(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks,
			   enum ttmpool_caching caching);
int ttmpool_chunks_make_ready(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_caching caching, bool map);

/* single.c */
struct ttmpool_chunk *ttmpool_single_take(struct ttmpool_pool *pool,
					  const struct ttmpool_request *req,
					  bool map);
bool ttmpool_single_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
			 size_t num_pages, enum ttmpool_caching caching,
			 uint32_t ticket);

/* arrays.c */
int ttmpool_pool_take_until(struct ttmpool_pool *pool,
			    const struct ttmpool_request *req,
			    const struct ttmpool_deadline *until,
			    tpos_page_t **pages, tpos_dma_addr_t *dma_addr);

/* Returns whether the caller must queue the worker that clears what was just pooled. The
 * worker is queued once; after it has begun, it may be queued again. The caller holds the
 * pool's lock. */
static inline bool pool_asks_scrub(struct ttmpool_pool *pool)
{
	bool asks = pool->policy.scrub && !pool->scrub_asked;

	tpos_assert_held(&pool->lock);
	pool->scrub_asked = pool->policy.scrub;
	return asks;
}

/*
 * The last step of a give, after chunks were pooled: trim them if there are too many, queue
 * the worker if @scrub, and wake the waiters. The pooled pages can now go to the system for
 * another request, and if they are @mapped, their mappings can end for it. (Pages that went
 * to the system and mappings that ended have woken their waiters already.)
 */
static inline void give_follow(struct ttmpool_pool *pool, bool scrub,
			       bool mapped)
{
	struct ttmpool_manager *mgr = pool->mgr;

	if (pages_of(&mgr->pages_pooled) > pages_of(&mgr->pool_limit))
		ttmpool_manager_trim(mgr);
	if (scrub)
		tpos_work_queue(mgr->system, &pool->scrub_work);
	queue_wake(&mgr->queue);
	if (mapped)
		queue_wake(&pool->iova->queue);
}

/* give.c */
bool ttmpool_chunk_is_recycled(const struct ttmpool_chunk *chunk);
void ttmpool_chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 size_t pages);
void ttmpool_run_give(struct ttmpool_pool *pool, struct ttmpool_list *run,
		      size_t pages);
void ttmpool_claim_give(struct claim *claim);

/* scrub.c */
void ttmpool_pool_await_scrub(struct ttmpool_pool *pool);
void ttmpool_pool_scrub_work(struct tpos_work *work);
