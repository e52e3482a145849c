// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Splitting: a chunk becomes smaller ones.
 *
 *     wanted  100    pooled  512
 *     divided                256 128 64 64    64 is taken, and 36 are still wanted
 *     divided                256 128 32 32    32 is taken, then 4 of the other 32
 *
 * A large chunk is worth more than its pages, so a pooled one is divided only if a populate
 * finds nothing else (pick.c). Meanwhile it is in no bin, but it counts as pooled, as
 * chunks that are being cleared do: a thread that looks for it waits for pool->scrub. A
 * mapping cannot be divided, so it ends. A coherent chunk, which is mapped for life, stays
 * whole.
 *
 * Each part needs a descriptor, so splitting takes memory at a time when there is none. So
 * a pool has some descriptors without pages (spares): a few while something is split, and,
 * if it was prepared for that (prime.c), as many as all its chunks can need.
 */

#include "pool_internal.h"

static struct ttmpool_chunk *spare_get(struct ttmpool_pool *pool)
{
	struct ttmpool_chunk *spare = NULL;

	tpos_spin_lock(&pool->lock);
	if (pool->nr_spares) {
		tpos_assert(!ttmpool_list_empty(&pool->spares));
		spare = ttmpool_chunk_of(pool->spares.next);
		ttmpool_list_del(&spare->link);
		pool->nr_spares--;
	}
	tpos_spin_unlock(&pool->lock);
	return spare;
}

/* Makes a descriptor say the same as another one, except for its page and for which of the
 * two kinds of descriptor it is. */
static void chunk_describe(struct ttmpool_chunk *to,
			   const struct ttmpool_chunk *from)
{
	const uint16_t names = TTMPOOL_CHUNK_NAMED | TTMPOOL_CHUNK_REMEMBERS;
	uint16_t named = to->flags & TTMPOOL_CHUNK_NAMED;

	to->dma = from->dma;
	to->age = from->age;
	to->ticket = from->ticket;
	to->order = from->order;
	to->caching = from->caching;
	to->flags = (uint16_t)((from->flags & ~names) | named);
	if (named & from->flags) {
		to->flags |= from->flags & TTMPOOL_CHUNK_REMEMBERS;
		chunk_named(to)->last_owner = chunk_named(from)->last_owner;
	}
	chunk_publish(to, from->pool, (enum ttmpool_chunk_state)from->state);
}

/* Halves a chunk, if there is a descriptor for its upper half, which then follows it on its
 * list. Returns whether there was one. */
static bool chunk_halve(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk,
			struct ttmpool_chunk *upper)
{
	if (!upper)
		return false;
	tpos_assert(chunk->order > 0);
	assert_deep(chunk_source(chunk) == TTMPOOL_PLAIN);
	chunk_describe(upper, chunk);
	upper->order--;
	tpos_pages_split(pool->dev, chunk, upper);
	tpos_page_set_chunk(upper->page, upper);
	ttmpool_list_add(&upper->link, &chunk->link);
	pool_tally(pool, &pool->stats.splits, 1);
	return true;
}

/*
 * Halves a chunk that no other thread can see: it keeps the first half, and the other half
 * follows it on its list. Returns whether there was memory for a descriptor. @flags:
 * TPOS_ALLOC_*, how hard to try. The spares are not used here: a prepared pool needs all of
 * them for its pooled chunks.
 */
bool ttmpool_chunk_split(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk,
			 unsigned int flags)
{
	return chunk_halve(pool, chunk, ttmpool_chunk_new(pool, flags));
}

/* Takes the smallest plain chunk of an order above kind.order out of its bin, near ones
 * first, if there is a spare descriptor. The chunk still counts as pooled. Returns whether
 * there was one. */
static bool split_pick(struct ttmpool_pool *pool, struct ttmpool_bin *bins,
		       struct bins_kind kind, struct ttmpool_list *picked)
{
	size_t got = 0;

	tpos_spin_lock(&pool->lock);
	while (!got && pool->nr_spares && ++kind.order < TTMPOOL_NR_ORDERS)
		for (kind.flags = 0; bins[kind.order].nr_chunks && !got;
		     kind.flags++)
			got = ttmpool_bins_pick(pool, &bins[kind.order], kind,
						1, picked);
	if (got)
		ttmpool_bins_count(pool, 1l << kind.order);
	pool->scrubbing = got;
	tpos_spin_unlock(&pool->lock);
	return got;
}

/*
 * Divides the smallest pooled chunk that is larger than @order until one part is of @order,
 * and pools all parts with the age of the chunk. Returns whether there was such a chunk. If
 * there are too few descriptors, the parts are larger. The caller holds pool->scrub, for
 * which the shrinker may wait, so nothing may be allocated here.
 */
bool ttmpool_bins_split(struct ttmpool_pool *pool, enum ttmpool_caching caching,
			unsigned int order)
{
	struct bins_kind kind = { .order = order };
	struct ttmpool_chunk *chunk;
	struct ttmpool_list parts;

	tpos_mutex_assert_held(&pool->scrub);
	ttmpool_list_init(&parts);
	if (!split_pick(pool, pool->bins[TTMPOOL_PLAIN][caching], kind, &parts))
		return false;
	chunk = ttmpool_chunk_of(parts.next);
	assert_deep(chunk->order > order);
	if (ttmpool_chunk_is_mapped(chunk))
		ttmpool_chunks_unmap(pool, &parts, false);
	tpos_note_issued(pool->dev, chunk);
	while (chunk->order > order &&
	       chunk_halve(pool, chunk, spare_get(pool)))
		;
	ttmpool_for_each_chunk(chunk, &parts)
		tpos_note_parked(pool->dev, chunk);
	ttmpool_bins_return(pool, &parts, PARK_UNMAPPED);
	return true;
}

static void spares_free(struct ttmpool_pool *pool, struct ttmpool_list *spares)
{
	struct ttmpool_chunk *spare, *after;

	ttmpool_for_each_chunk_safe(spare, after, spares)
		tpos_chunk_free(pool->mgr->system, spare);
}

/* Makes sure that there are at least @n descriptors for splitting. Returns whether there
 * was memory for them; if not, there are as many as before. @flags: TPOS_ALLOC_*, how hard
 * to try. */
bool ttmpool_spares_keep(struct ttmpool_pool *pool, size_t n,
			 unsigned int flags)
{
	struct ttmpool_list made;
	size_t missing;

	ttmpool_list_init(&made);
	tpos_spin_lock(&pool->lock);
	missing = n > pool->nr_spares ? n - pool->nr_spares : 0;
	tpos_spin_unlock(&pool->lock);
	for (size_t i = 0; i < missing; i++) {
		struct ttmpool_chunk *spare = ttmpool_chunk_new(pool, flags);

		if (!spare) {
			spares_free(pool, &made);
			return false;
		}
		ttmpool_list_add(&spare->link, &made);
		tpos_cond_resched();
	}
	tpos_spin_lock(&pool->lock);
	ttmpool_list_splice(&made, &pool->spares);
	pool->nr_spares += missing;
	tpos_spin_unlock(&pool->lock);
	return true;
}

bool ttmpool_spares_are_gone(struct ttmpool_pool *pool)
{
	bool gone;

	tpos_spin_lock(&pool->lock);
	gone = !pool->nr_spares;
	tpos_spin_unlock(&pool->lock);
	return gone;
}

/* Frees all spares, unless the pool is prepared. */
void ttmpool_spares_drop(struct ttmpool_pool *pool)
{
	struct ttmpool_list spares;

	ttmpool_list_init(&spares);
	tpos_spin_lock(&pool->lock);
	if (!pool->prepared) {
		ttmpool_list_splice(&pool->spares, &spares);
		pool->nr_spares = 0;
	}
	tpos_spin_unlock(&pool->lock);
	spares_free(pool, &spares);
}
