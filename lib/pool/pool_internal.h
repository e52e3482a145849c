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
 *   chunk.c      what is done to chunks themselves: unmapped, converted,
 *                cleared, copied; all in batches
 *   account.c    who has what
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
 *   gather.c     which chunks a request gets; refill.c: spare ones
 *   fill.c       handing out
 *   take.c       from a request to chunks
 *   give.c       taking back
 *   arrays.c     both, for arrays of pages
 *   pool.c, manager.c   lifetimes, limits, counters; valid.c: invariants
 *   prime.c, runs.c, magazine.c   more ways in and out, on which nothing stands
 *
 * In a comment here, "a batch" is a list of chunks that no one else can see:
 * they are on no bin and no in-use list, so no lock is needed for them. What
 * costs time (pages, mappings, caching, clearing) is done to batches alone. "A
 * run" is a batch whose chunks are of one kind and owner.
 */

#include <ttmpool/pool.h>
#include <ttmpool/report.h>

static inline enum ttmpool_source
chunk_source(const struct ttmpool_chunk *chunk)
{
	return ttmpool_chunk_is_coherent(chunk) ? TTMPOOL_COHERENT
						: TTMPOOL_PLAIN;
}

static inline uint64_t pool_bytes(const struct ttmpool_pool *pool, size_t pages)
{
	return (uint64_t)pages << pool->info.page_shift;
}

/* Of which zone fresh pages are: flags of a struct tpos_alloc. */
static inline unsigned int pool_zone(const struct ttmpool_pool *pool,
				     enum ttmpool_source source)
{
	return source == TTMPOOL_PLAIN && pool->policy.dma32 ? TPOS_ALLOC_DMA32
							     : 0;
}

/* A counter in pages, or a limit: never below 0. */
static inline unsigned long pages_of(tpos_atomic_t *counter)
{
	return (unsigned long)tpos_atomic_read(counter);
}

/* May some of its mappings have bounce slots? */
static inline bool pool_may_bounce(struct ttmpool_pool *pool)
{
	return tpos_atomic_read(&pool->bounces);
}

/* Do plain chunks stay mapped while they are pooled? */
static inline bool pool_keeps_mapped(struct ttmpool_pool *pool)
{
	return pool->policy.keep_mapped && !pool_may_bounce(pool);
}

/* Was the device's mask wider once, so that pooled chunks may be beyond it now? The
 * pool's lock is held. */
static inline bool pool_is_narrowed(struct ttmpool_pool *pool,
				    enum ttmpool_source source)
{
	uint64_t mask = tpos_device_mask(pool->dev, source == TTMPOOL_COHERENT);

	tpos_assert_held(&pool->lock);
	if (mask > pool->mask[source])
		pool->mask[source] = mask;
	return mask < pool->mask[source];
}

/* Count something, when that is all there is to do under the lock. */
static inline void pool_tally(struct ttmpool_pool *pool, uint64_t *counter,
			      uint64_t by)
{
	tpos_spin_lock(&pool->lock);
	*counter += by;
	tpos_spin_unlock(&pool->lock);
}

/* Count a batch of @n. */
static inline void pool_tally_batch(struct ttmpool_pool *pool,
				    uint64_t *batches, uint64_t *items,
				    uint64_t n)
{
	tpos_spin_lock(&pool->lock);
	++*batches;
	*items += n;
	tpos_spin_unlock(&pool->lock);
}

/* An assertion that costs something for each chunk, or on a warm path: only where
 * whole objects are walked. What is asserted may not be joined by && or ||: it would
 * be counted as branches. */
#define assert_deep(cond)                  \
	do {                               \
		if (TPOS_CHECK_LEVEL > 1)  \
			tpos_assert(cond); \
	} while (0)

/* Legal or not is asked where whole objects are walked: a chunk's state changes
 * twice for each page of a fragmented buffer. */
static inline void chunk_set_state(struct ttmpool_chunk *chunk,
				   enum ttmpool_chunk_state state)
{
	assert_deep(ttmpool_chunk_may_become(
		(enum ttmpool_chunk_state)chunk->state, state));
	chunk->state = (uint8_t)state;
}

/* One whose descriptor has room for the name of who had it last. */
static inline struct ttmpool_named_chunk *
chunk_named(const struct ttmpool_chunk *chunk)
{
	return ttmpool_list_entry(chunk, struct ttmpool_named_chunk, chunk);
}

/* A question about a chunk. */
typedef bool (*chunk_test)(const struct ttmpool_chunk *chunk);

/* A spinlock is held for work on at most so many chunks of a list. */
#define TTMPOOL_HOLD_CHUNKS 256

/* report.c */
void ttmpool_pool_report(struct ttmpool_pool *pool,
			 enum ttmpool_report_kind kind,
			 const struct ttmpool_chunk *chunk,
			 const struct ttmpool_report *where);

/* wait.c */
void ttmpool_queue_init(struct ttmpool_queue *queue);
void ttmpool_queue_fini(struct ttmpool_queue *queue);
void ttmpool_queue_enter(struct ttmpool_queue *queue);
void ttmpool_queue_leave(struct ttmpool_queue *queue);
struct ttmpool_deadline ttmpool_deadline(struct ttmpool_pool *pool,
					 unsigned int wait_ms);
int ttmpool_queue_wait(struct ttmpool_pool *pool, struct ttmpool_queue *queue,
		       long seen, const struct ttmpool_deadline *until);

/*
 * There may be something to be had. Who waits has said so before he looked; what there
 * is to be had was put where he looks, under a lock or by a full barrier, before this
 * is called. So he has seen it, or is seen.
 */
static inline void queue_wake(struct ttmpool_queue *queue)
{
	if (tpos_atomic_read(&queue->waiting))
		tpos_wake(&queue->wait);
}

/*
 * What a request may wait for, where it has time; to others it is -ENOMEM or -ENOSPC.
 * The machine's own want of addresses is -ENOSPC from the port.
 */
#define NO_PAGES  (-EAGAIN) /* within the page budget */
#define NO_MAPPED (-EDQUOT) /* within a limit for what is mapped */

static inline int error_of(int err)
{
	if (err == NO_PAGES)
		return -ENOMEM;
	return err == NO_MAPPED ? -ENOSPC : err;
}

/* budget.c */
bool ttmpool_budget_take_pages(struct ttmpool_manager *mgr, size_t pages);
void ttmpool_budget_return_pages(struct ttmpool_manager *mgr, size_t pages);
unsigned long ttmpool_budget_lacks(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_may_pool(struct ttmpool_manager *mgr, size_t pages);
int ttmpool_budget_admits(struct ttmpool_pool *pool, size_t pages,
			  size_t mapped);
bool ttmpool_budget_has_room(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes,
				unsigned long below);
void ttmpool_budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t ttmpool_budget_mapped_excess(struct ttmpool_pool *pool,
				      uint64_t bytes);

/* space.c: for pools without a budget of the driver's */
int ttmpool_space_join(struct ttmpool_pool *pool);
void ttmpool_space_leave(struct ttmpool_pool *pool);

/* account.c: pages, by enum ttmpool_account */
struct account {
	long pages[TTMPOOL_ACCOUNT_COUNT];
};
void ttmpool_account_add(struct ttmpool_pool *pool,
			 const struct ttmpool_list *chunks,
			 struct account *sums);
void ttmpool_account_charge(struct ttmpool_owner *owner,
			    const struct account *more);
void ttmpool_account_book(struct ttmpool_pool *pool,
			  const struct account *more);
void ttmpool_account_change(struct ttmpool_pool *pool,
			    struct ttmpool_owner *owner,
			    const struct account *before,
			    const struct account *after);
void ttmpool_account_close(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
void ttmpool_account_close_run(struct ttmpool_pool *pool,
			       const struct ttmpool_list *chunks, size_t pages,
			       struct account *sums);
void ttmpool_account_swapped(struct ttmpool_pool *pool,
			     struct ttmpool_owner *owner, long pages);

/* chunk.c */
bool ttmpool_chunk_is_mapped(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_streaming(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_not_cached(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_ordinary(const struct ttmpool_chunk *chunk);
bool ttmpool_chunks_have_other(const struct ttmpool_list *chunks);
bool ttmpool_chunk_is_within_mask(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_out_of_reach(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_poisoned(const struct ttmpool_chunk *chunk);
bool ttmpool_chunks_are_poisoned(const struct ttmpool_list *chunks);
void ttmpool_chunk_note_node(const struct ttmpool_pool *pool,
			     struct ttmpool_chunk *chunk);
bool ttmpool_chunk_can_be_used(const struct ttmpool_chunk *chunk,
			       const struct ttmpool_pool *pool);
void ttmpool_chunk_fill(const struct ttmpool_pool *pool,
			const struct ttmpool_chunk *chunk, tpos_page_t **pages,
			tpos_dma_addr_t *dma_addr);
void ttmpool_chunk_fill_addresses(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk,
				  tpos_dma_addr_t *dma_addr);
struct ttmpool_chunk *ttmpool_chunk_new(struct ttmpool_pool *pool, bool named);
size_t ttmpool_chunks_count(const struct ttmpool_list *chunks);
size_t ttmpool_chunks_count_pages(const struct ttmpool_list *chunks);
size_t ttmpool_chunks_cut_run(struct ttmpool_list *chunks,
			      struct ttmpool_list *run);
bool ttmpool_chunks_extract(struct ttmpool_list *from, chunk_test test,
			    struct ttmpool_list *to);

/* Likewise those with a page that the hardware has poisoned: @to is written if there
 * are any. As long as it has poisoned none at all, this costs nothing. */
static inline bool chunks_extract_poisoned(const struct ttmpool_pool *pool,
					   struct ttmpool_list *from,
					   struct ttmpool_list *to)
{
	if (!tpos_may_be_poisoned(pool->dev) ||
	    !ttmpool_chunks_are_poisoned(from))
		return false;
	ttmpool_chunks_extract(from, ttmpool_chunk_is_poisoned, to);
	return true;
}

/* May the bytes of a batch be read? A read of a page that the hardware has poisoned
 * can stop the machine. */
static inline bool chunks_may_be_read(const struct ttmpool_pool *pool,
				      const struct ttmpool_list *chunks)
{
	return !tpos_may_be_poisoned(pool->dev) ||
	       !ttmpool_chunks_are_poisoned(chunks);
}

static inline bool chunk_may_be_read(const struct ttmpool_pool *pool,
				     const struct ttmpool_chunk *chunk)
{
	return !tpos_may_be_poisoned(pool->dev) ||
	       !ttmpool_chunk_is_poisoned(chunk);
}
void ttmpool_chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from);
void ttmpool_chunks_unmap(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks, bool lazy);
int ttmpool_chunks_set_caching(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks,
			       enum ttmpool_caching caching);
void ttmpool_chunks_cut_off(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks, bool lazy);
int ttmpool_chunks_make_cached(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks);
int ttmpool_chunks_strip(struct ttmpool_pool *pool,
			 struct ttmpool_list *chunks);
void ttmpool_chunks_clear(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks);
void ttmpool_chunks_clear_uncounted(struct ttmpool_pool *pool,
				    struct ttmpool_list *chunks);
void ttmpool_chunks_copy(struct ttmpool_pool *pool,
			 const struct ttmpool_list *to,
			 const struct ttmpool_list *from);

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
 *
 * What takes, or places, takes or places a part if it is much, so that the lock can
 * be let go in between; ttmpool_bins_park() does all of it.
 */
enum ttmpool_bins_park {
	PARK_GIVEN,
	PARK_SCRUBBED,
	PARK_UNMAPPED,
};
void ttmpool_bins_init(struct ttmpool_pool *pool);
unsigned int ttmpool_bins_list_kind(unsigned int list);
void ttmpool_bin_count(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
		       const struct ttmpool_chunk *like, long n);
void ttmpool_bins_count_kept(struct ttmpool_pool *pool, long pages);
void ttmpool_bins_count(struct ttmpool_pool *pool, long pages);
void ttmpool_bins_reserve(struct ttmpool_pool *pool, size_t pages);
size_t ttmpool_bins_spare(const struct ttmpool_pool *pool);
size_t ttmpool_bins_spare_mapped(const struct ttmpool_pool *pool);
long ttmpool_bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			enum ttmpool_bins_park how);
void ttmpool_bins_park_locked(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_bins_park how);
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

/* split.c */
bool ttmpool_chunk_split(struct ttmpool_pool *pool,
			 struct ttmpool_chunk *chunk);
bool ttmpool_bins_split(struct ttmpool_pool *pool, enum ttmpool_caching caching,
			unsigned int order);
bool ttmpool_spares_keep(struct ttmpool_pool *pool, size_t n);
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
void ttmpool_turn_again(struct turn *turn);
void ttmpool_turn_end(struct turn *turn);
bool ttmpool_turns_wait(struct ttmpool_manager *mgr);
void ttmpool_turns_enter(struct ttmpool_pool *pool);
void ttmpool_turns_leave(struct ttmpool_pool *pool);

/**
 * struct slice - pooled pages on their way to the system
 * @pages, @least, @most: how many are wanted, as in a struct bins_want
 * @all: the reserve may go, too
 * @node_slot: not of pools that want pages of another node; 0: of any
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
void ttmpool_chunks_park(struct ttmpool_pool *pool,
			 struct ttmpool_list *chunks);
void ttmpool_manager_trim_to_limit(struct ttmpool_manager *mgr);
void ttmpool_manager_trim_to_budget(struct ttmpool_manager *mgr);

/* mapping.c */
uint64_t ttmpool_device_give_up_mappings(struct ttmpool_pool *pool,
					 uint64_t bytes);

/**
 * struct claim - an array of pages, on its way to be a batch of chunks
 * @pool: whose they should be
 * @pages: the array
 * @num_pages: how many
 * @caching: what they should be
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
	bool with_holes;
	size_t done;
	bool mixed;
	struct ttmpool_list chunks;
};
void ttmpool_claim_init(struct claim *claim, struct ttmpool_pool *pool,
			tpos_page_t *const *pages, size_t num_pages);
int ttmpool_claim_chunks(struct claim *claim);
struct ttmpool_chunk *ttmpool_claim_single(const struct claim *claim,
					   unsigned int order);
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
 */
struct room {
	size_t pages;
	size_t mapped;
	unsigned long below;
};

/* room.c */
int ttmpool_room_make(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped);
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

/* arrays.c */
int ttmpool_pool_take_until(struct ttmpool_pool *pool,
			    const struct ttmpool_request *req,
			    const struct ttmpool_deadline *until,
			    tpos_page_t **pages, tpos_dma_addr_t *dma_addr);

/* give.c */
bool ttmpool_chunk_is_recycled(const struct ttmpool_chunk *chunk);
void ttmpool_give_follow(struct ttmpool_pool *pool, bool pooled, bool mapped);
void ttmpool_chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 size_t pages);
void ttmpool_claim_give(struct claim *claim);

/* scrub.c */
void ttmpool_pool_await_scrub(struct ttmpool_pool *pool);
void ttmpool_pool_scrub_work(struct tpos_work *work);
