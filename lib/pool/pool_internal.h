/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/pool/ say to each other, from the bottom up:
 *
 *   report.c     what is found wrong
 *   swapper.c    the one way to what lies above
 *   wait.c       sleeping until something comes back
 *   budget.c     what may be had
 *   space.c      the addresses that the pools of a device share
 *   condition.c  what is true of a chunk
 *   chunk.c      what is done to chunks themselves: unmapped, converted,
 *                cleared, copied; all in batches
 *   account.c    who has what
 *                (chunks.h has all of these, the rest is here)
 *   release.c    how chunks end
 *   verify.c     for policy.verify: what was written to, addresses that are taken
 *   bin.c        where free chunks lie; oldest.c: which of them leaves first
 *   split.c      a chunk becomes smaller ones
 *   claim.c      from pages back to chunks
 *   scrub.c      clearing in between
 *   turn.c       from pool to pool
 *   reclaim.c    the oldest go, slice by slice; trim.c: what is over a limit
 *   mapping.c    mappings that are only kept end
 *   room.c       what a request takes of the budgets, before anything else
 *   make.c       fresh chunks, and mappings
 *   ordinary.c   what is in use loses its mapping and caching, and gets them back
 *   gather.c     which chunks a request gets; refill.c: spare ones
 *   fill.c       handing out
 *   take.c       from a request to chunks
 *   give.c       taking back
 *   single.c     both, for one chunk that lacks nothing
 *   arrays.c     both, for arrays of pages
 *   pool.c, manager.c   lifetimes, limits, counters; valid.c: invariants
 *   prime.c, runs.c, magazine.c, backup.c   more ways in and out, on which nothing stands
 *
 * In a comment here, "a batch" is a list of chunks that no one else can see:
 * they are on no bin and no in-use list, so no lock is needed for them. What
 * costs time (pages, mappings, caching, clearing) is done to batches alone. "A
 * run" is a batch whose chunks are of one kind and owner.
 */

#include "chunks.h"

/* release.c */
size_t ttmpool_chunks_release(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks);
void ttmpool_chunks_forget(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
void ttmpool_chunks_quarantine(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks);
unsigned long ttmpool_manager_retry_quarantine(struct ttmpool_manager *mgr);

/*
 * bin.c. How chunks are parked:
 * PARK_GIVEN: newest, as old as the pool's clock says
 * PARK_SCRUBBED, PARK_UNMAPPED: as old as they were, in the list of those to whom the
 *	same was done; the oldest of the batch is its first
 * PARK_SPARED: as old as they were, as if they had stayed; the oldest of the batch is its
 *	last
 *
 * What takes, or places, takes or places a part if it is much, so that the lock can
 * be let go in between; ttmpool_bins_park() does all of it.
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

/* Chunks that a populate can use: of this order, and of these of the flags that choose
 * a list. */
struct bins_kind {
	unsigned int order;
	unsigned int flags;
};
size_t ttmpool_bins_pick_moved(struct ttmpool_pool *pool,
			       struct ttmpool_bin *bin, struct bins_kind kind,
			       size_t most, struct ttmpool_list *picked);
size_t ttmpool_bins_pick(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
			 struct bins_kind kind, size_t most,
			 struct ttmpool_list *picked);

/**
 * struct bins_want - which chunks shall leave their bins, the oldest first
 * @mask, @value: those whose flags, under @mask, are @value
 * @pages: stop when they have so many pages
 * @least, @most: with @least pages, stop before the chunk that would make it more than
 *	@most
 * @total: so many pages are wanted in the end, by this call and those that follow
 * @room: no more than so many pages may go, or TTMPOOL_NO_BOUND
 * @got: so many have been picked by now
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
	size_t got;
};
size_t ttmpool_bins_pick_oldest(struct ttmpool_pool *pool,
				struct bins_want *want,
				struct ttmpool_list *picked);

/* No chunk is so old: a pool has none that is wanted. */
#define TTMPOOL_NO_AGE ((uint64_t)-1)
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

/* A question about a pool, whose lock may be taken for it. */
typedef bool (*pool_test)(struct ttmpool_pool *pool, const void *arg);

/**
 * struct turn - one who goes from pool to pool; on his stack
 * @link: among the manager's, those who came first in front
 * @mgr: of its pools
 * @pool: the one that he has, which stays meanwhile
 * @left: so many are looked at before it is a round in vain
 * @only_looks: nothing is taken out of a bin by him
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
void ttmpool_turn_hold(struct turn *turn, struct ttmpool_pool *pool);
void ttmpool_turns_enter(struct ttmpool_pool *pool);
void ttmpool_turns_leave(struct ttmpool_pool *pool);

/**
 * struct slice - pooled pages on their way to the system
 * @pages, @least, @most: how many are wanted, as in a struct bins_want
 * @all: the reserve may go, too
 * @node_slot: pools that want another node are passed over; 0: none is
 * @got: how many they are
 * @again: there may be more, which were being cleared
 * @chunks: which
 *
 * No more than TTMPOOL_SLICE_PAGES are taken at a time, but for the last chunk: 4 MiB
 * of small pages.
 */
#define TTMPOOL_SLICE_PAGES 1024
struct slice {
	size_t pages;
	size_t least;
	size_t most;
	bool all;
	unsigned int node_slot;
	size_t got;
	bool again;
	struct ttmpool_list chunks;
};
size_t ttmpool_slice_pick(struct ttmpool_pool *pool, struct slice *slice);
bool ttmpool_slice_find(struct turn *turn, struct slice *slice);

/* reclaim.c */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all);
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
 * struct claim - an array of pages, on its way to be a batch of chunks
 * @pool: whose they should be
 * @pages: the array
 * @num_pages: how many
 * @caching: what they should be
 * @ticket: what they were taken with
 * @with_holes: the array is a backend's own record: entries without a page are
 *	passed over, and the caching is whatever it is
 * @done: pages looked at
 * @mixed: the chunks are not one run
 * @chunks: claimed, in the order of the array
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
unsigned long ttmpool_swapper_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages, bool wait);
bool ttmpool_swapper_is_valid(struct ttmpool_manager *mgr);

/**
 * struct room - what was taken of the budgets, and is not used yet
 * @pages: for so many fresh pages
 * @mapped: for the mappings of so many pages
 * @below: the device had no addresses when so many pages of it were mapped or to be
 *	mapped, so it need not be asked again until they are fewer; or 0
 * @one_order: chunks of another order will not do
 * @no_wait: nobody gives up pages for it
 * @give_ups: so often kept mappings were given up since the machine had no addresses, for
 *	single pages ROOM_MOST_GIVE_UPS times at most, and twice as many each time; who sets
 *	it to that has none given up
 */
#define ROOM_MOST_GIVE_UPS 8
struct room {
	size_t pages;
	size_t mapped;
	unsigned long below;
	bool one_order;
	bool no_wait;
	unsigned int give_ups;
};

/* room.c */
int ttmpool_room_make(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped);
bool ttmpool_room_may_be(struct ttmpool_pool *pool, const struct room *room,
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

/* Is it to us to ask the worker to clear what was just pooled? It is asked once, until it
 * begins. The pool's lock is held. */
static inline bool pool_asks_scrub(struct ttmpool_pool *pool)
{
	bool asks = pool->policy.scrub && !pool->scrub_asked;

	tpos_assert_held(&pool->lock);
	pool->scrub_asked = pool->policy.scrub;
	return asks;
}

/* Something was pooled. Is it too much? Who clears it? It could go for those who want
 * other pages, and so could its mappings, if it has any: they are only kept from now on.
 * (What has gone to the system, or is mapped no more, has woken those who wait for it by
 * itself.) */
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
