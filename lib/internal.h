/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/ say to each other, from the bottom up:
 *
 *   report.c   what is found wrong; budget.c: what may be had
 *   chunk.c    what is done to chunks themselves: unmapped, converted, cleared;
 *              release.c: how they end; all of it in batches
 *   bin.c      where free chunks lie; reclaim.c: taking the oldest out again
 *   make.c     fresh chunks, and mappings, and room for both
 *   gather.c, take.c, refill.c: handing out
 *   give.c     taking back; scrub.c: clearing in between
 *   pool.c, manager.c: lifetimes, limits, counters; valid.c: invariants
 *   tt.c, backend.c: buffers
 *
 * In a comment here, "a batch" is a list of chunks that no one else can see:
 * they are on no bin and no in-use list, so no lock is needed for them. What
 * costs time (pages, mappings, caching, clearing) is done to batches alone.
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

/* chunk.c */
bool chunk_is_streaming(const struct ttmpool_chunk *chunk);
bool chunk_is_coherent(const struct ttmpool_chunk *chunk);
bool chunk_is_not_cached(const struct ttmpool_chunk *chunk);
void chunk_set_state(struct ttmpool_chunk *chunk,
		     enum ttmpool_chunk_state state);
size_t chunks_count(const struct ttmpool_list *chunks);
size_t chunks_count_pages(const struct ttmpool_list *chunks);
bool chunks_extract(struct ttmpool_list *from, chunk_test test,
		    struct ttmpool_list *to);
void chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from);
void chunks_unmap(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		  bool lazy);
int chunks_set_caching(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_caching caching);
void chunks_clear(struct ttmpool_pool *pool, struct ttmpool_list *chunks);

/* release.c */
void chunks_release(struct ttmpool_pool *pool, struct ttmpool_list *chunks);
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
unsigned long manager_reclaim(struct ttmpool_manager *mgr, unsigned long pages);
void manager_trim(struct ttmpool_manager *mgr);

/* make.c */
int chunk_create(struct ttmpool_pool *pool, const struct tpos_alloc *req,
		 struct ttmpool_list *made);
int chunks_map(struct ttmpool_pool *pool, struct ttmpool_list *chunks);

/* scrub.c */
void pool_scrub_work(struct tpos_work *work);

/* tt.c */
void tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state);
