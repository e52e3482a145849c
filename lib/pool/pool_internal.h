/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/pool/ say to each other, from the bottom up:
 *
 *   report.c     what is found wrong
 *   swapper.c    the one way to what lies above
 *   budget.c     what may be had
 *   chunk.c      what is done to chunks themselves: unmapped, converted,
 *                cleared, copied; all in batches
 *   account.c    who has what
 *   release.c    how chunks end
 *   verify.c     for policy.verify: what was written to, addresses that are taken
 *   bin.c        where free chunks lie
 *   claim.c      from pages back to chunks
 *   scrub.c      clearing in between
 *   reclaim.c    the oldest go
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

/*
 * The pool's own tickets are odd, so that they are none of the callers'. Some of
 * them need not be shown by who may not know of them: he shows none then, and no other.
 */
#define TICKET_ISSUED   1u
#define TICKET_OPTIONAL 2u
#define TICKET_FLAGS    (TICKET_ISSUED | TICKET_OPTIONAL)

/* @flags: ISSUED, and perhaps OPTIONAL. */
static inline uint32_t pool_issue_ticket(struct ttmpool_pool *pool,
					 uint32_t flags)
{
	return (uint32_t)tpos_atomic_add_return(1, &pool->tickets) *
		       (TICKET_FLAGS + 1) +
	       flags;
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

/* So many chunks of a list are looked at before a lock is let go for others. */
#define LOCK_RUN 256

/* What is in use becomes so, and ceases to be, under the lock: see chunk_publish(). */
static inline void chunk_check_change(const struct ttmpool_chunk *chunk,
				      enum ttmpool_chunk_state state)
{
	tpos_assert(ttmpool_chunk_may_become(
		(enum ttmpool_chunk_state)chunk->state, state));
	if (chunk->state == TTMPOOL_CHUNK_IN_USE ||
	    state == TTMPOOL_CHUNK_IN_USE)
		tpos_assert_held(&chunk->pool->lock);
}

/* Legal or not is asked where whole objects are walked: a chunk's state changes
 * twice for each page of a fragmented buffer. */
static inline void chunk_set_state(struct ttmpool_chunk *chunk,
				   enum ttmpool_chunk_state state)
{
	if (TPOS_CHECK_LEVEL > 1)
		chunk_check_change(chunk, state);
	tpos_write_once(&chunk->state, (uint8_t)state);
}

/*
 * Anybody may look at a descriptor who has found it by a page, and may find it ended,
 * or another chunk's by now: under his own pool's lock, and between tpos_read_lock()
 * and tpos_read_unlock(). Of such a one he reads these two, and no more unless both
 * are what he looks for. That is safe since
 *
 *   - a chunk becomes @pool's with a state that is written first, and never IN_USE;
 *   - it is IN_USE, and ceases to be, under its pool's lock alone;
 *   - it ceases to be @pool's under @pool's lock (ttmpool_chunks_set_pool()), though it
 *     be as its descriptor ends.
 *
 * So what is this pool's and in use stays so as long as the lock is held, and what is
 * in use is on one of the pool's lists.
 */
static inline void chunk_publish(struct ttmpool_chunk *chunk,
				 struct ttmpool_pool *pool,
				 enum ttmpool_chunk_state state)
{
	tpos_write_once(&chunk->state, (uint8_t)state);
	tpos_store_release(&chunk->pool, pool);
}

static inline bool chunk_is_in_use_of(const struct ttmpool_chunk *chunk,
				      const struct ttmpool_pool *pool)
{
	return tpos_load_acquire(&chunk->pool) == pool &&
	       tpos_read_once(&chunk->state) == TTMPOOL_CHUNK_IN_USE;
}

/* A question about a chunk. */
typedef bool (*chunk_test)(const struct ttmpool_chunk *chunk);

/* report.c */
void ttmpool_report_describe(struct ttmpool_pool *pool,
			     const struct ttmpool_chunk *chunk,
			     struct ttmpool_report *report);
void ttmpool_pool_report(struct ttmpool_pool *pool,
			 enum ttmpool_report_kind kind,
			 const struct ttmpool_chunk *chunk,
			 const struct ttmpool_report *where);

/* budget.c */
bool ttmpool_budget_take_pages(struct ttmpool_manager *mgr, size_t pages);
void ttmpool_budget_return_pages(struct ttmpool_manager *mgr, size_t pages);
unsigned long ttmpool_budget_lacks(struct ttmpool_manager *mgr, size_t pages);
bool ttmpool_budget_may_pool(struct ttmpool_manager *mgr, size_t pages);
int ttmpool_budget_admits(struct ttmpool_pool *pool, size_t pages, bool mapped);
bool ttmpool_budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes);
void ttmpool_budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t ttmpool_budget_mapped_excess(struct ttmpool_pool *pool,
				      uint64_t bytes);
int ttmpool_budget_wait_mapped(struct ttmpool_pool *pool, long seen,
			       unsigned int *left_ms);

/* account.c: pages, by enum ttmpool_account */
struct account {
	long pages[TTMPOOL_ACCOUNT_COUNT];
};
void ttmpool_account_add(const struct ttmpool_pool *pool,
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
bool ttmpool_chunk_is_streaming(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_not_cached(const struct ttmpool_chunk *chunk);
bool ttmpool_chunk_is_ordinary(const struct ttmpool_chunk *chunk);
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
bool ttmpool_chunk_split(struct ttmpool_pool *pool,
			 struct ttmpool_chunk *chunk);
void ttmpool_chunks_set_pool(struct ttmpool_list *chunks,
			     struct ttmpool_pool *from,
			     struct ttmpool_pool *to);
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
	return tpos_may_be_poisoned(pool->dev) &&
	       ttmpool_chunks_are_poisoned(from) &&
	       ttmpool_chunks_extract(from, ttmpool_chunk_is_poisoned, to);
}
void ttmpool_chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from);
void ttmpool_chunks_unmap(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks, bool lazy);
int ttmpool_chunks_set_caching(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks,
			       enum ttmpool_caching caching);
int ttmpool_chunks_strip(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 bool lazy);
void ttmpool_chunks_clear(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks);
void ttmpool_chunks_clear_uncounted(struct ttmpool_pool *pool,
				    struct ttmpool_list *chunks);
void ttmpool_chunks_copy(struct ttmpool_pool *pool,
			 const struct ttmpool_list *to,
			 const struct ttmpool_list *from);

/* release.c */
void ttmpool_chunks_release(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks);
void ttmpool_chunks_forget(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks);
void ttmpool_chunks_quarantine(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks);
unsigned long ttmpool_quarantine_purge(struct ttmpool_manager *mgr,
				       chunk_test test);

/*
 * bin.c. How chunks are parked:
 * PARK_GIVEN: newest, with a new stamp
 * PARK_SCRUBBED: they were the oldest of another list; in front of those that
 *	came here before them, with the stamp that they had
 * PARK_SPARED: they were taken out as the oldest, and are the oldest again
 */
enum ttmpool_bins_park {
	PARK_GIVEN,
	PARK_SCRUBBED,
	PARK_SPARED,
};
void ttmpool_bins_init(struct ttmpool_pool *pool);
void ttmpool_bins_count(struct ttmpool_pool *pool, long pages);
long ttmpool_bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			enum ttmpool_bins_park how);
void ttmpool_bins_park_locked(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_bins_park how);
void ttmpool_bins_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_bins_park how);
size_t ttmpool_bins_pick(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req, unsigned int order,
			 unsigned int list_flags, struct ttmpool_list *picked);
size_t ttmpool_bins_pick_oldest(struct ttmpool_pool *pool, unsigned int mask,
				unsigned int value, size_t pages,
				struct ttmpool_list *picked);

/* reclaim.c */
size_t ttmpool_pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all);
uint64_t ttmpool_pool_give_up_mappings(struct ttmpool_pool *pool,
				       uint64_t bytes);
uint64_t ttmpool_device_give_up_mappings(struct ttmpool_pool *pool,
					 uint64_t bytes);
unsigned long ttmpool_manager_retry_quarantine(struct ttmpool_manager *mgr);
unsigned long ttmpool_manager_count_pooled(struct ttmpool_manager *mgr);
unsigned long ttmpool_manager_reclaim(struct ttmpool_manager *mgr,
				      unsigned long pages);
unsigned long ttmpool_manager_try_reclaim(struct ttmpool_manager *mgr,
					  unsigned long pages);
void ttmpool_chunks_park(struct ttmpool_pool *pool,
			 struct ttmpool_list *chunks);
void ttmpool_manager_trim(struct ttmpool_manager *mgr);

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
 */
struct room {
	size_t pages;
	size_t mapped;
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

/* give.c */
bool ttmpool_chunk_is_recycled(const struct ttmpool_chunk *chunk);
void ttmpool_give_follow(struct ttmpool_pool *pool, bool pooled);
void ttmpool_chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 size_t pages);
void ttmpool_run_give(struct ttmpool_pool *pool, struct ttmpool_list *run,
		      size_t pages);
void ttmpool_claim_give(struct claim *claim);

/* scrub.c */
void ttmpool_pool_await_scrub(struct ttmpool_pool *pool);
void ttmpool_pool_scrub_work(struct tpos_work *work);
