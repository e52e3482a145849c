/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/ say to each other, from the bottom up:
 *
 *   report.c     what is found wrong
 *   budget.c     what may be had; account.c: who has it
 *   chunk.c      what is done to chunks themselves: unmapped, converted,
 *                cleared, copied; release.c: how they end; all in batches
 *   bin.c        where free chunks lie; reclaim.c: taking the oldest out again
 *   claim.c      from pages back to chunks
 *   resident.c   the chunks of a buffer; stored.c: its store; swapout.c: how
 *                they leave; lru.c: which buffer's do
 *   make.c       fresh chunks, and mappings, and room for both
 *   ready.c      a buffer's chunks become the device's
 *   gather.c, take.c, fill.c, refill.c   handing out; prime.c: to the bins
 *   give.c       taking back; scrub.c: clearing in between
 *   arrays.c     both, for arrays of pages; runs.c, magazine.c: without arrays,
 *                and without a lock
 *   relocate.c   moving contents to pages that suit the device
 *   swapin.c, anonymous.c   bringing contents back, and handing them over
 *   pool.c, manager.c   lifetimes, limits, counters; valid.c: invariants
 *   tt.c, backend.c     buffers
 *
 * In a comment here, "a batch" is a list of chunks that no one else can see:
 * they are on no bin and no in-use list, so no lock is needed for them. What
 * costs time (pages, mappings, caching, clearing) is done to batches alone. "A
 * run" is a batch whose chunks are of one kind and owner.
 */

#include <ttmpool/ttmpool.h>

static inline enum ttmpool_source
chunk_source(const struct ttmpool_chunk *chunk)
{
	return chunk->flags & TTMPOOL_CHUNK_FROM_COHERENT ? TTMPOOL_COHERENT
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

/* Legal or not is asked where whole objects are walked: a chunk's state changes
 * twice for each page of a fragmented buffer. */
static inline void chunk_set_state(struct ttmpool_chunk *chunk,
				   enum ttmpool_chunk_state state)
{
	if (TPOS_CHECK_LEVEL > 1)
		tpos_assert(ttmpool_chunk_may_become(
			(enum ttmpool_chunk_state)chunk->state, state));
	chunk->state = (uint8_t)state;
}

/* A question about a chunk. */
typedef bool (*chunk_test)(const struct ttmpool_chunk *chunk);

/* report.c */
void pool_report(struct ttmpool_pool *pool, enum ttmpool_report_kind kind,
		 const struct ttmpool_chunk *chunk,
		 const struct ttmpool_report *where);

/* budget.c */
bool budget_take_pages(struct ttmpool_manager *mgr, size_t pages);
void budget_return_pages(struct ttmpool_manager *mgr, size_t pages);
bool budget_may_pool(struct ttmpool_manager *mgr, size_t pages);
bool budget_take_mapped(struct ttmpool_pool *pool, uint64_t bytes);
void budget_return_mapped(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t budget_mapped_excess(struct ttmpool_pool *pool, uint64_t bytes);
int budget_wait_mapped(struct ttmpool_pool *pool, long seen,
		       unsigned int *left_ms);

/* account.c: pages, by enum ttmpool_account */
struct account {
	long pages[TTMPOOL_ACCOUNT_COUNT];
};
void account_add(const struct ttmpool_pool *pool,
		 const struct ttmpool_list *chunks, struct account *sums);
void account_charge(struct ttmpool_owner *owner, const struct account *more);
void account_book(struct ttmpool_pool *pool, const struct account *more);
void account_change(struct ttmpool_pool *pool, struct ttmpool_owner *owner,
		    const struct account *before, const struct account *after);
void account_close(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
void account_close_run(struct ttmpool_pool *pool,
		       const struct ttmpool_list *chunks, size_t pages,
		       struct account *sums);
void account_swapped(struct ttmpool_pool *pool, struct ttmpool_owner *owner,
		     long pages);

/* chunk.c */
bool chunk_is_streaming(const struct ttmpool_chunk *chunk);
bool chunk_is_coherent(const struct ttmpool_chunk *chunk);
bool chunk_is_not_cached(const struct ttmpool_chunk *chunk);
bool chunk_is_poisoned(const struct ttmpool_chunk *chunk);
void chunk_note_node(const struct ttmpool_pool *pool,
		     struct ttmpool_chunk *chunk);
bool chunk_can_be_used(const struct ttmpool_chunk *chunk,
		       const struct ttmpool_pool *pool);
void chunk_fill(const struct ttmpool_pool *pool,
		const struct ttmpool_chunk *chunk, tpos_page_t **pages,
		tpos_dma_addr_t *dma_addr);
void chunk_fill_addresses(const struct ttmpool_pool *pool,
			  const struct ttmpool_chunk *chunk,
			  tpos_dma_addr_t *dma_addr);
bool chunk_split(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk);
size_t chunks_count(const struct ttmpool_list *chunks);
size_t chunks_count_pages(const struct ttmpool_list *chunks);
size_t chunks_cut_run(struct ttmpool_list *chunks, struct ttmpool_list *run);
bool chunks_extract(struct ttmpool_list *from, chunk_test test,
		    struct ttmpool_list *to);
void chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from);
void chunks_unmap(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		  bool lazy);
int chunks_set_caching(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_caching caching);
int chunks_strip(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		 bool lazy);
void chunks_clear(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
void chunks_clear_uncounted(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks);
void chunks_copy(struct ttmpool_pool *pool, const struct ttmpool_list *to,
		 const struct ttmpool_list *from);

/* release.c */
void chunks_release(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
void chunks_forget(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
void chunks_quarantine(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
unsigned long quarantine_purge(struct ttmpool_manager *mgr, chunk_test test);

/*
 * bin.c. How chunks are parked:
 * PARK_GIVEN: newest, with a new stamp
 * PARK_SCRUBBED: they were the oldest of another list; in front of those that
 *	came here before them, with the stamp that they had
 * PARK_SPARED: they were taken out as the oldest, and are the oldest again
 */
enum bins_park {
	PARK_GIVEN,
	PARK_SCRUBBED,
	PARK_SPARED,
};
void bins_init(struct ttmpool_pool *pool);
void bins_count(struct ttmpool_pool *pool, long pages);
long bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		enum bins_park how);
void bins_park_locked(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		      enum bins_park how);
void bins_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
	       enum bins_park how);
size_t bins_pick(struct ttmpool_pool *pool, const struct ttmpool_request *req,
		 unsigned int order, unsigned int list_flags,
		 struct ttmpool_list *picked);
size_t bins_pick_oldest(struct ttmpool_pool *pool, unsigned int mask,
			unsigned int value, size_t pages,
			struct ttmpool_list *picked);

/* reclaim.c */
size_t pool_reclaim(struct ttmpool_pool *pool, size_t pages, bool all);
uint64_t pool_give_up_mappings(struct ttmpool_pool *pool, uint64_t bytes);
uint64_t device_give_up_mappings(struct ttmpool_pool *pool, uint64_t bytes);
unsigned long manager_retry_quarantine(struct ttmpool_manager *mgr);
unsigned long manager_count_pooled(struct ttmpool_manager *mgr);
unsigned long manager_reclaim(struct ttmpool_manager *mgr, unsigned long pages);
unsigned long manager_try_reclaim(struct ttmpool_manager *mgr,
				  unsigned long pages);
void chunks_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
void manager_trim(struct ttmpool_manager *mgr);

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
void claim_init(struct claim *claim, struct ttmpool_pool *pool,
		tpos_page_t *const *pages, size_t num_pages);
int claim_chunks(struct claim *claim);
struct ttmpool_chunk *claim_single(const struct claim *claim,
				   unsigned int order);
void claim_sort(struct claim *claim);
void chunks_unclaim(struct ttmpool_pool *pool, struct ttmpool_list *chunks);

/* resident.c */
int backend_claim(struct ttmpool_backend *be, struct ttmpool_list *chunks);
bool chunk_is_ordinary(const struct ttmpool_chunk *chunk);
void chunks_mark_anonymous(struct ttmpool_list *chunks, bool anonymous);
int backend_strip(struct ttmpool_backend *be, struct ttmpool_list *chunks);
void backend_count_swappable(struct ttmpool_backend *be);
void backend_set_state(struct ttmpool_backend *be, enum ttmpool_tt_state state);

/* stored.c */
int backend_open_store(struct ttmpool_backend *be);
void backend_close_store(struct ttmpool_backend *be);
void backend_note_sums(struct ttmpool_backend *be, size_t index,
		       const struct tpos_span *from);
int backend_check_sum(struct ttmpool_backend *be, size_t index,
		      const struct tpos_span *page);

/* lru.c */
unsigned long manager_try_swapout(struct ttmpool_manager *mgr,
				  unsigned long pages);

/* make.c */
int chunk_create(struct ttmpool_pool *pool, const struct tpos_alloc *req,
		 struct ttmpool_list *made);
int chunks_map(struct ttmpool_pool *pool, struct ttmpool_list *chunks);

/* ready.c */
int backend_make_ready(struct ttmpool_backend *be);

/* relocate.c */
int backend_relocate(struct ttmpool_backend *be, size_t first, size_t n,
		     const struct ttmpool_request *req, bool map);
int backend_return(struct ttmpool_backend *be);

/* runs.c */
void runs_forsake(struct ttmpool_pool *pool, struct ttmpool_list *strays);

/* give.c */
bool chunk_is_recycled(const struct ttmpool_chunk *chunk);
void give_follow(struct ttmpool_pool *pool, bool pooled);
void chunks_give(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		 size_t pages);
void claim_give(struct claim *claim);

/* scrub.c */
void pool_await_scrub(struct ttmpool_pool *pool);
void pool_scrub_work(struct tpos_work *work);

/* tt.c */
void tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state);
