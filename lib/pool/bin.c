// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Bins: where free chunks lie.
 *
 * A pool has one bin for each source, caching and order. What else is true of a
 * free chunk (mapped or not, clean or dirty, of the wanted node or far from it)
 * chooses one of the eight lists in the bin, by the chunk's own flag bits, so
 * that a populate finds the chunk that costs it least without looking at any
 * other:
 *
 *     bins[plain][wc][9] --> lists[MAPPED|CLEAN]  newest <-> ... <-> oldest
 *                            lists[MAPPED]        newest <-> ... <-> oldest
 *                            lists[CLEAN]
 *                            ...
 *
 * A buffer is handed the newest chunk, which may still be warm in a cache; what
 * goes back to the system is the oldest. Chunks that were parked together carry
 * the same stamp of the pool's clock, and the oldest of all lists is found by
 * comparing the stamps at their tails.
 */

#include "pool_internal.h"

/* So many chunks are taken off one list before the stamps are compared again.
 */
#define OLDEST_RUN 64

/* The flag bits that choose a list. */
#define LIST_FLAGS \
	(TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN | TTMPOOL_CHUNK_FAR)

_Static_assert(LIST_FLAGS + 1 == TTMPOOL_BIN_LISTS,
	       "the flags that choose a list must be the lowest bits");

static struct ttmpool_bin *chunk_bin(struct ttmpool_pool *pool,
				     const struct ttmpool_chunk *chunk)
{
	assert_deep(chunk->pool == pool);
	assert_deep(chunk->caching < TTMPOOL_CACHING_COUNT);
	assert_deep(chunk->order < TTMPOOL_NR_ORDERS);
	return &pool->bins[chunk_source(chunk)][chunk->caching][chunk->order];
}

/* The @i-th bin of all, in any order. */
static struct ttmpool_bin *bin_at(struct ttmpool_pool *pool, size_t i)
{
	return &pool->bins[0][0][0] + i;
}

#define NR_BINS                                                 \
	((size_t)TTMPOOL_SOURCE_COUNT * TTMPOOL_CACHING_COUNT * \
	 TTMPOOL_NR_ORDERS)

void ttmpool_bins_init(struct ttmpool_pool *pool)
{
	for (size_t i = 0; i < NR_BINS; i++)
		for (size_t j = 0; j < TTMPOOL_BIN_LISTS; j++)
			ttmpool_list_init(&bin_at(pool, i)->lists[j]);
}

/* The counters of pool and manager change together, under the pool's lock. */
void ttmpool_bins_count(struct ttmpool_pool *pool, long pages)
{
	struct ttmpool_pool_stats *stats = &pool->stats;

	tpos_assert_held(&pool->lock);
	stats->pages_pooled += (uint64_t)pages;
	if (stats->pages_pooled > stats->pages_pooled_peak)
		stats->pages_pooled_peak = stats->pages_pooled;
	tpos_atomic_add_return(pages, &pool->mgr->pages_pooled);
}

/* Stamp @first, and the chunks after it that can be parked as one with it; which
 * is the last of them? */
static struct ttmpool_chunk *bins_mark_run(struct ttmpool_chunk *first,
					   const struct ttmpool_list *end,
					   uint32_t stamp, size_t *n)
{
	const uint32_t kind = first->kind;
	struct ttmpool_chunk *chunk = first;

	for (*n = 1;; ++*n) {
		struct ttmpool_chunk *next = ttmpool_chunk_of(chunk->link.next);

		chunk_set_state(chunk, TTMPOOL_CHUNK_POOLED);
		chunk->stamp = stamp;
		if (&next->link == end || next->kind != kind)
			return chunk;
		chunk = next;
	}
}

/* Put a batch into its bins, run by run of chunks of one kind; how many pages has
 * it? They are not counted. The pool's lock is held. */
long ttmpool_bins_place(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
			enum ttmpool_bins_park how)
{
	long pages = 0;

	tpos_assert_held(&pool->lock);
	pool->clock += how == PARK_GIVEN;
	while (!ttmpool_list_empty(chunks)) {
		struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);
		struct ttmpool_bin *bin = chunk_bin(pool, first);
		struct ttmpool_list *list =
			&bin->lists[first->flags & LIST_FLAGS];
		struct ttmpool_chunk *last;
		size_t n = 1;

		last = first;
		if (how == PARK_GIVEN)
			last = bins_mark_run(first, chunks, pool->clock, &n);
		else
			chunk_set_state(first, TTMPOOL_CHUNK_POOLED);
		ttmpool_list_move_range(&first->link, &last->link,
					how == PARK_SPARED ? list : list->next);
		bin->nr_chunks += n;
		pages += (long)(n << first->order);
	}
	return pages;
}

/* As ttmpool_bins_place(), and count them. */
void ttmpool_bins_park_locked(struct ttmpool_pool *pool,
			      struct ttmpool_list *chunks,
			      enum ttmpool_bins_park how)
{
	ttmpool_bins_count(pool, ttmpool_bins_place(pool, chunks, how));
}

void ttmpool_bins_park(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_bins_park how)
{
	tpos_spin_lock(&pool->lock);
	ttmpool_bins_park_locked(pool, chunks, how);
	tpos_spin_unlock(&pool->lock);
}

/*
 * Move the newest chunks of one list to the end of @picked, for at most
 * req->num_pages pages; return how many chunks.
 */
size_t ttmpool_bins_pick(struct ttmpool_pool *pool,
			 const struct ttmpool_request *req, unsigned int order,
			 unsigned int list_flags, struct ttmpool_list *picked)
{
	struct ttmpool_bin *bin = &pool->bins[req->source][req->caching][order];
	struct ttmpool_list *list = &bin->lists[list_flags];
	struct ttmpool_list *last = list;
	size_t most = req->num_pages >> order;
	size_t n = 0;

	tpos_assert_held(&pool->lock);
	while (n < most && last->next != list) {
		last = last->next;
		n++;
	}
	if (!n)
		return 0;
	tpos_assert(n <= bin->nr_chunks);
	ttmpool_list_cut_through(list, last, picked);
	bin->nr_chunks -= n;
	ttmpool_bins_count(pool, -(long)(n << order));
	return n;
}

/* Is @a's stamp older than @b's? The clock may have wrapped between them. */
static bool chunk_is_older(const struct ttmpool_chunk *a,
			   const struct ttmpool_chunk *b)
{
	return (int32_t)(a->stamp - b->stamp) < 0;
}

/* The list whose last chunk is the oldest, of those that @mask admits. */
static struct ttmpool_bin *bins_oldest(struct ttmpool_pool *pool,
				       unsigned int mask, unsigned int value,
				       struct ttmpool_list **list)
{
	struct ttmpool_chunk *oldest = NULL;

	for (size_t i = 0; i < NR_BINS; i++) {
		struct ttmpool_bin *bin = bin_at(pool, i);

		for (unsigned int j = 0; bin->nr_chunks && j <= LIST_FLAGS;
		     j++) {
			struct ttmpool_list *tail = bin->lists[j].prev;

			if ((j & mask) != value || tail == &bin->lists[j])
				continue;
			if (oldest &&
			    !chunk_is_older(ttmpool_chunk_of(tail), oldest))
				continue;
			oldest = ttmpool_chunk_of(tail);
			*list = &bin->lists[j];
		}
	}
	return oldest ? chunk_bin(pool, oldest) : NULL;
}

/*
 * Move the oldest chunks whose flags, under @mask, are @value, to @picked: for
 * at least @pages pages if there are so many, and no chunk more than that
 * takes. Returns how many pages they have, which count as pooled still.
 */
size_t ttmpool_bins_pick_oldest(struct ttmpool_pool *pool, unsigned int mask,
				unsigned int value, size_t pages,
				struct ttmpool_list *picked)
{
	struct ttmpool_list *list = NULL;
	size_t got = 0;

	tpos_assert_held(&pool->lock);
	while (got < pages) {
		struct ttmpool_bin *bin = bins_oldest(pool, mask, value, &list);

		if (!bin)
			break;
		for (int i = 0;
		     i < OLDEST_RUN && got < pages && !ttmpool_list_empty(list);
		     i++) {
			struct ttmpool_chunk *chunk =
				ttmpool_chunk_of(list->prev);

			assert_deep(bin->nr_chunks > 0);
			chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
			ttmpool_list_move_tail(&chunk->link, picked);
			bin->nr_chunks--;
			got += ttmpool_chunk_pages(chunk);
		}
	}
	return got;
}
