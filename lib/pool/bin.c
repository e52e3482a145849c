// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bins: where free chunks lie.
 *
 * A pool has one bin for each source, caching and order. What else is true of a free chunk
 * (mapped or not, clean or dirty, of the wanted node or far from it) chooses a list in the
 * bin, by the chunk's own flag bits. So a populate finds the chunk that costs it least
 * without looking at any other:
 *
 *     bins[plain][wc][9] --> lists[MAPPED|CLEAN]  newest <-> ... <-> oldest
 *                            lists[MAPPED]        newest <-> ... <-> oldest
 *                            lists[CLEAN]
 *                            ...
 *
 * A buffer gets the newest chunk, which may still be warm in a cache. The system gets the
 * oldest. Each chunk records when it was pooled, and each list is sorted by these times. So
 * the oldest of all chunks is found by comparing the last ones of the lists (oldest.c).
 *
 * A chunk that is cleared or unmapped while it is pooled moves to another list, and keeps
 * its age. The oldest chunks are moved first, so chunks that are moved in the same way
 * arrive in the order of their ages. Each way into a kind has a list of its own, so a chunk
 * is put in its place without a search. (A chunk that is the newest of its kind needs no
 * list of its own: it goes to the chunks that were given.)
 *
 *              (given)            (given)
 *            MAPPED, dirty -----> MAPPED|CLEAN, scrubbed
 *                 |                   |
 *            dirty, unmapped ---> CLEAN, scrubbed; CLEAN, unmapped
 *
 * No thread holds the lock for more than some hundred chunks: a thread that works on more
 * of them releases the pool's lock in between.
 */

#include "pool_internal.h"

/* At most this many younger chunks are passed to put a chunk in its place. Nearly always
 * none is: only a chunk that was out of its bin while others were unmapped or given passes
 * some. */
#define PLACE_LOOKS 256

/* The flag bits that choose a list. */
#define LIST_FLAGS \
	(TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN | TTMPOOL_CHUNK_FAR)
#define NR_KINDS (LIST_FLAGS + 1)

_Static_assert(NR_KINDS == 8,
	       "the flags that choose a list must be the lowest");
_Static_assert(TTMPOOL_BIN_LISTS == 2 * NR_KINDS,
	       "as many lists again for what was moved");

/* The flags of the chunks in each list. The last eight lists are for chunks that got these
 * flags while they were pooled: by being scrubbed, unmapped, scrubbed, unmapped, and so on. */
#define IS_MAPPED TTMPOOL_CHUNK_MAPPED
#define IS_CLEAN  TTMPOOL_CHUNK_CLEAN
#define IS_FAR    TTMPOOL_CHUNK_FAR
static const uint8_t list_kind[TTMPOOL_BIN_LISTS] = {
	0,
	IS_MAPPED,
	IS_CLEAN,
	IS_CLEAN | IS_MAPPED,
	IS_FAR,
	IS_FAR | IS_MAPPED,
	IS_FAR | IS_CLEAN,
	IS_FAR | IS_CLEAN | IS_MAPPED,
	IS_CLEAN | IS_MAPPED,
	0,
	IS_CLEAN,
	IS_CLEAN,
	IS_FAR | IS_CLEAN | IS_MAPPED,
	IS_FAR,
	IS_FAR | IS_CLEAN,
	IS_FAR | IS_CLEAN,
};

/* For each kind, the lists of chunks that became of that kind while they were pooled:
 * [first, end). */
static const struct {
	uint8_t first;
	uint8_t end;
} moved_lists[NR_KINDS] = {
	{ 9, 10 },  { 0, 0 }, { 10, 12 }, { 8, 9 },
	{ 13, 14 }, { 0, 0 }, { 14, 16 }, { 12, 13 },
};

/* Returns the list for a chunk that is parked in the way @how. */
static unsigned int list_of(const struct ttmpool_chunk *chunk,
			    enum ttmpool_bins_park how)
{
	unsigned int kind = chunk->flags & LIST_FLAGS;

	if (how == PARK_GIVEN || how == PARK_SPARED)
		return kind;
	if (how == PARK_SCRUBBED)
		return moved_lists[kind].first;
	return moved_lists[kind].end - 1u;
}

unsigned int ttmpool_bins_list_kind(unsigned int list)
{
	tpos_assert(list < TTMPOOL_BIN_LISTS);
	return list_kind[list];
}

static struct ttmpool_bin *chunk_bin(struct ttmpool_pool *pool,
				     const struct ttmpool_chunk *chunk)
{
	assert_deep(chunk->pool == pool);
	assert_deep(chunk->caching < TTMPOOL_CACHING_COUNT);
	assert_deep(chunk->order < TTMPOOL_NR_ORDERS);
	return &pool->bins[chunk_source(chunk)][chunk->caching][chunk->order];
}

static void bin_init(struct ttmpool_bin *bin)
{
	for (size_t i = 0; i < TTMPOOL_BIN_LISTS; i++)
		ttmpool_list_init(&bin->lists[i]);
}

void ttmpool_bins_init(struct ttmpool_pool *pool)
{
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++)
		for (int caching = 0; caching < TTMPOOL_CACHING_COUNT;
		     caching++)
			for (int order = 0; order < TTMPOOL_NR_ORDERS; order++)
				bin_init(&pool->bins[source][caching][order]);
}

/* Returns how many of @pooled pages are kept by the reserve. */
static uint64_t kept_of(const struct ttmpool_pool *pool, uint64_t pooled)
{
	return pooled < pool->reserve ? pooled : pool->reserve;
}

/* Tells the manager that @kept more pages are kept by the reserve, and @spare more are not,
 * and tells the system of the spare ones. */
static void bins_tell(struct ttmpool_pool *pool, long kept, long spare)
{
	struct ttmpool_manager *mgr = pool->mgr;

	if (kept)
		tpos_atomic_add_return(kept, &mgr->pages_kept);
	if (!spare)
		return;
	tpos_note_spare(pool->dev, pool->node, spare);
	if (pool->node_slot)
		tpos_atomic_add_return(spare, &mgr->spare_on[pool->node_slot]);
}

/* After @pages more were pooled: tells how many of them are kept, and how many are spare.
 * The caller holds the pool's lock. */
static void count_kept(struct ttmpool_pool *pool, long pages)
{
	uint64_t now = pool->stats.pages_pooled;
	long kept = (long)(kept_of(pool, now) -
			   kept_of(pool, now - (uint64_t)pages));

	tpos_assert_held(&pool->lock);
	bins_tell(pool, kept, pages - kept);
}

/* Counts @pages more as pooled. The counters of pool and manager change together, under the
 * pool's lock. */
void ttmpool_bins_count(struct ttmpool_pool *pool, long pages)
{
	struct ttmpool_pool_stats *stats = &pool->stats;

	tpos_assert_held(&pool->lock);
	stats->pages_pooled += (uint64_t)pages;
	assert_deep(stats->pages_pooled <= LONG_MAX);
	if (stats->pages_pooled > stats->pages_pooled_peak)
		stats->pages_pooled_peak = stats->pages_pooled;
	tpos_atomic_add_return(pages, &pool->mgr->pages_pooled);
	if (pool->counts_apart)
		count_kept(pool, pages);
	else
		tpos_note_spare(pool->dev, pool->node, pages);
}

/* Changes the reserve. The caller holds the pool's lock. */
void ttmpool_bins_reserve(struct ttmpool_pool *pool, size_t pages)
{
	uint64_t pooled = pool->stats.pages_pooled;
	uint64_t was = kept_of(pool, pooled);
	long kept;

	tpos_assert_held(&pool->lock);
	pool->reserve = pages;
	pool->counts_apart = pages || pool->node_slot;
	kept = (long)(kept_of(pool, pooled) - was);
	bins_tell(pool, kept, -kept);
}

/* Returns how many pooled pages may be given up for the system or for another pool. */
size_t ttmpool_bins_spare(const struct ttmpool_pool *pool)
{
	uint64_t pooled = pool->stats.pages_pooled;

	return (size_t)(pooled - kept_of(pool, pooled));
}

/* Returns how many pooled pages may lose their mappings for another pool. */
size_t ttmpool_bins_spare_mapped(const struct ttmpool_pool *pool)
{
	return pool->pooled_mapped > pool->reserve
		       ? pool->pooled_mapped - pool->reserve
		       : 0;
}

/* Counts @n chunks like @like as being in a bin; a negative @n: as having left it. */
void ttmpool_bin_count(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
		       const struct ttmpool_chunk *like, long n)
{
	bin->nr_chunks += (size_t)n;
	assert_deep(bin->nr_chunks <= LONG_MAX);
	if (like->flags & IS_MAPPED)
		pool->pooled_mapped += (size_t)n << like->order;
}

/* Marks @last, and at most *@n - 1 chunks before it that can be parked together with it, as
 * pooled at the time @clock. Returns the first of them, and writes to *@n how many they
 * are. */
static struct ttmpool_chunk *bins_mark_run(struct ttmpool_chunk *last,
					   const struct ttmpool_list *end,
					   uint64_t clock, size_t *n)
{
	const uint32_t kind = last->kind;
	struct ttmpool_chunk *chunk = last;
	size_t left = *n;

	assert_deep(left);
	for (;;) {
		struct ttmpool_chunk *next =
			ttmpool_chunk_of(ttmpool_list_prev(&chunk->link));

		chunk_set_state(chunk, TTMPOOL_CHUNK_POOLED);
		chunk->age = clock;
		if (!--left || &next->link == end || next->kind != kind)
			break;
		chunk = next;
	}
	*n -= left;
	return chunk;
}

/* Parks some chunks from the end of a batch, as the newest. Returns how many. */
static size_t bins_place_run(struct ttmpool_pool *pool,
			     struct ttmpool_list *chunks, size_t n)
{
	struct ttmpool_chunk *last = ttmpool_chunk_of(chunks->prev);
	struct ttmpool_bin *bin = chunk_bin(pool, last);
	struct ttmpool_list *list = &bin->lists[list_of(last, PARK_GIVEN)];
	struct ttmpool_chunk *first;

	assert_deep(n);
	first = bins_mark_run(last, chunks, pool->clock, &n);
	ttmpool_list_move_range(&first->link, &last->link, list->next);
	ttmpool_bin_count(pool, bin, first, (long)n);
	return n;
}

/* Returns whether the chunk is at least as new as all chunks in the list. */
static bool is_newest(const struct ttmpool_chunk *chunk,
		      struct ttmpool_list *list)
{
	return ttmpool_list_empty(list) ||
	       ttmpool_chunk_of(list->next)->age <= chunk->age;
}

/*
 * Parks a chunk of a batch, which keeps its age. If it is as new as the newest of the given
 * chunks of its kind, it joins these; otherwise it joins the chunks to which the same was
 * done. A spared chunk can only join the given ones: if too many younger ones have come
 * meanwhile, it gets the age of the last one that it passed. Returns how many chunks it
 * passed.
 */
static size_t bins_place_moved(struct ttmpool_pool *pool,
			       struct ttmpool_chunk *chunk,
			       enum ttmpool_bins_park how)
{
	struct ttmpool_bin *bin = chunk_bin(pool, chunk);
	struct ttmpool_list *list = &bin->lists[list_of(chunk, PARK_GIVEN)];
	struct ttmpool_list *at;
	size_t looks = 0;

	if (!is_newest(chunk, list))
		list = &bin->lists[list_of(chunk, how)];
	at = list->next;
	for (; looks < PLACE_LOOKS && at != list &&
	       ttmpool_chunk_of(at)->age > chunk->age;
	     looks++)
		at = ttmpool_list_next(at);
	if (how == PARK_SPARED && looks == PLACE_LOOKS)
		chunk->age = ttmpool_chunk_of(at->prev)->age;
	chunk_set_state(chunk, TTMPOOL_CHUNK_POOLED);
	ttmpool_list_move_tail(&chunk->link, at);
	ttmpool_bin_count(pool, bin, chunk, 1);
	return looks;
}

/* Sets the clock of the pool to the number of this give, counted over all pools of the
 * manager, so that ages can be compared between pools. Where a long has 32 bits, that number
 * wraps; the clock of the pool does not. Returns the clock. */
static uint64_t clock_advance(struct ttmpool_pool *pool)
{
	const long gives = tpos_atomic_add_return(1, &pool->mgr->gives);
	const unsigned long now = (unsigned long)gives;

	tpos_assert_held(&pool->lock);
	pool->clock += now - (unsigned long)pool->clock;
	return pool->clock;
}

/*
 * Puts a batch into its bins, run by run of chunks of one kind; of a large batch only as
 * much as may be placed under one hold of the lock. Returns how many pages were placed, and
 * does not count them as pooled. A batch that was given goes in from its end, so that its
 * chunks lie in the bins in their order. The caller holds the pool's lock.
 */
long ttmpool_bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			enum ttmpool_bins_park how)
{
	size_t done = 0;
	long pages = 0;

	tpos_assert_held(&pool->lock);
	if (how == PARK_GIVEN)
		clock_advance(pool);
	while (done < TTMPOOL_HOLD_CHUNKS && !ttmpool_list_empty(chunks)) {
		unsigned int order = ttmpool_chunk_of(chunks->prev)->order;
		size_t n = 1;

		if (how == PARK_GIVEN) {
			n = bins_place_run(pool, chunks,
					   TTMPOOL_HOLD_CHUNKS - done);
		} else {
			struct ttmpool_chunk *chunk = ttmpool_chunk_of(
				how == PARK_SPARED ? chunks->prev
						   : chunks->next);

			order = chunk->order;
			done += bins_place_moved(pool, chunk, how);
		}
		pages += (long)(n << order);
		done += n;
	}
	return pages;
}

/* As ttmpool_bins_place(), and counts the pages as pooled. */
void ttmpool_bins_park_locked(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_bins_park how)
{
	ttmpool_bins_count(pool, ttmpool_bins_place(pool, chunks, how));
}

/* Parks one chunk, which is on a list of its pool, as the newest, and does not count its
 * pages as pooled. The caller holds the pool's lock. */
void ttmpool_bins_park_one(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
			   struct ttmpool_chunk *chunk)
{
	struct ttmpool_list *list = &bin->lists[list_of(chunk, PARK_GIVEN)];

	tpos_assert_held(&pool->lock);
	assert_deep(bin == chunk_bin(pool, chunk));
	chunk_set_state(chunk, TTMPOOL_CHUNK_POOLED);
	chunk->age = clock_advance(pool);
	ttmpool_list_move_tail(&chunk->link, list->next);
	ttmpool_bin_count(pool, bin, chunk, 1);
}

/* Parks all chunks of a batch. */
void ttmpool_bins_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_bins_park how)
{
	while (!ttmpool_list_empty(chunks)) {
		tpos_spin_lock(&pool->lock);
		ttmpool_bins_park_locked(pool, chunks, how);
		tpos_spin_unlock(&pool->lock);
	}
}

/* Puts back all chunks of a batch that was out of its bins and counted as pooled meanwhile. */
void ttmpool_bins_return(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			 enum ttmpool_bins_park how)
{
	do {
		tpos_spin_lock(&pool->lock);
		ttmpool_bins_place(pool, chunks, how);
		pool->scrubbing = !ttmpool_list_empty(chunks);
		tpos_spin_unlock(&pool->lock);
	} while (!ttmpool_list_empty(chunks));
}

/* Moves at most @most chunks from the front of @list to the end of @picked. Returns how
 * many. */
static size_t list_pick(struct ttmpool_list *list, size_t most,
			struct ttmpool_list *picked)
{
	struct ttmpool_list *last = list;
	size_t n = 0;

	while (n < most && last->next != list) {
		last = ttmpool_list_next(last);
		n++;
	}
	if (n)
		ttmpool_list_cut_through(list, last, picked);
	return n;
}

/* Counts @n chunks of a kind as picked from a bin. */
static void bin_picked(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
		       struct bins_kind kind, size_t n)
{
	tpos_assert(n <= bin->nr_chunks);
	tpos_assert_held(&pool->lock);
	bin->nr_chunks -= n;
	if (kind.flags & IS_MAPPED)
		pool->pooled_mapped -= n << kind.order;
	assert_deep(pool->pooled_mapped <= LONG_MAX);
	ttmpool_bins_count(pool, -(long)(n << kind.order));
}

/* As ttmpool_bins_pick(), for chunks that became of that kind while they were pooled. */
size_t ttmpool_bins_pick_moved(struct ttmpool_pool *pool,
			       struct ttmpool_bin *bin, struct bins_kind kind,
			       size_t most, struct ttmpool_list *picked)
{
	size_t n = 0;

	tpos_assert_held(&pool->lock);
	assert_deep(kind.flags < NR_KINDS);
	for (unsigned int i = moved_lists[kind.flags].first;
	     n < most && i < moved_lists[kind.flags].end; i++)
		n += list_pick(&bin->lists[i], most - n, picked);
	if (n)
		bin_picked(pool, bin, kind, n);
	return n;
}

/*
 * Moves chunks of one kind, at most @most of them and the newest of each list first, to the
 * end of @picked. Returns how many. @bin must be that of the kind's order.
 */
size_t ttmpool_bins_pick(struct ttmpool_pool *pool, struct ttmpool_bin *bin,
			 struct bins_kind kind, size_t most,
			 struct ttmpool_list *picked)
{
	size_t n;

	tpos_assert_held(&pool->lock);
	assert_deep(kind.flags < NR_KINDS);
	assert_deep(kind.order < TTMPOOL_NR_ORDERS);
	n = list_pick(&bin->lists[kind.flags], most, picked);
	if (n)
		bin_picked(pool, bin, kind, n);
	if (n < most && bin->nr_chunks)
		n += ttmpool_bins_pick_moved(pool, bin, kind, most - n, picked);
	return n;
}
