// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Validity: what must be true of a pool and of a manager whenever no call on them is under
 * way. It is written here once and can be checked anywhere: tests check it after every
 * step.
 *
 * For each chunk in a bin: it is pooled, and has the source, caching and order of the bin
 * and the flags of the list. For each chunk on the in-use list: it is in use. For all
 * chunks: they belong to this pool, and their pages lead back to them. And the counters are
 * the sums of the lists.
 */

#include "pool_internal.h"

struct tally {
	uint64_t pooled;     /* pages in bins */
	uint64_t mapped;     /* of these, pages that the device can reach */
	struct account used; /* pages in use */
};

static bool chunk_is_valid(struct ttmpool_pool *pool,
			   const struct ttmpool_chunk *chunk,
			   enum ttmpool_chunk_state state)
{
	return chunk->state == state && chunk->pool == pool &&
	       chunk->order < TTMPOOL_NR_ORDERS &&
	       tpos_page_chunk(pool->dev, chunk->page) == chunk;
}

/* What all chunks in one list of a bin have in common. */
struct place {
	enum ttmpool_source source;
	enum ttmpool_caching caching;
	unsigned int order;
	unsigned int flags;
};

static bool is_in_place(const struct ttmpool_chunk *chunk,
			const struct place *place)
{
	return chunk_source(chunk) == place->source &&
	       chunk->caching == place->caching &&
	       chunk->order == place->order &&
	       (chunk->flags & (TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN |
				TTMPOOL_CHUNK_FAR)) == place->flags &&
	       !(chunk->flags & TTMPOOL_CHUNK_ANONYMOUS) &&
	       (!(chunk->flags & TTMPOOL_CHUNK_REMEMBERS) ||
		(chunk->flags & TTMPOOL_CHUNK_NAMED &&
		 chunk_named(chunk)->last_owner));
}

static bool bin_is_valid(struct ttmpool_pool *pool, struct place place,
			 struct tally *tally)
{
	struct ttmpool_bin *bin =
		&pool->bins[place.source][place.caching][place.order];
	struct ttmpool_chunk *chunk;
	size_t n = 0;

	for (unsigned int i = 0; i < TTMPOOL_BIN_LISTS; i++) {
		uint64_t age = pool->clock;

		place.flags = ttmpool_bins_list_kind(i);
		ttmpool_for_each_chunk(chunk, &bin->lists[i]) {
			if (!chunk_is_valid(pool, chunk,
					    TTMPOOL_CHUNK_POOLED) ||
			    !is_in_place(chunk, &place) || chunk->age > age)
				return false;
			if (i < TTMPOOL_BIN_LISTS / 2)
				age = chunk->age;
			n++;
			if (place.flags & TTMPOOL_CHUNK_MAPPED)
				tally->mapped += ttmpool_chunk_pages(chunk);
		}
	}
	tally->pooled += (uint64_t)n << place.order;
	return n == bin->nr_chunks;
}

static bool bins_are_valid(struct ttmpool_pool *pool, struct tally *tally)
{
	struct place place = { 0 };

	for (int s = 0; s < TTMPOOL_SOURCE_COUNT; s++)
		for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++)
			for (place.order = 0; place.order < TTMPOOL_NR_ORDERS;
			     place.order++) {
				place.source = (enum ttmpool_source)s;
				place.caching = (enum ttmpool_caching)c;
				if (!bin_is_valid(pool, place, tally))
					return false;
			}
	return true;
}

/* @flags: TTMPOOL_CHUNK_HELD if all of these chunks must be held, or 0. */
static bool in_use_is_valid(struct ttmpool_pool *pool,
			    const struct ttmpool_list *chunks,
			    unsigned int flags, struct tally *tally)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (!chunk_is_valid(pool, chunk, TTMPOOL_CHUNK_IN_USE) ||
		    (chunk->flags & TTMPOOL_CHUNK_HELD) != flags)
			return false;
		if ((chunk->flags & TTMPOOL_CHUNK_ANONYMOUS) &&
		    !ttmpool_chunk_is_ordinary(chunk))
			return false;
	}
	ttmpool_account_add(pool, chunks, &tally->used);
	return true;
}

static bool runs_are_valid(struct ttmpool_pool *pool, struct tally *tally)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, &pool->runs) {
		struct ttmpool_runs *runs =
			ttmpool_list_entry(link, struct ttmpool_runs, link);

		if (runs->pool != pool ||
		    ttmpool_chunks_count_pages(&runs->chunks) !=
			    runs->num_pages ||
		    !in_use_is_valid(pool, &runs->chunks, TTMPOOL_CHUNK_HELD,
				     tally))
			return false;
	}
	return true;
}

/* @leaving: chunks may be on their way to the system, on no list and still mapped. */
static bool stats_agree(const struct ttmpool_pool *pool,
			const struct tally *tally, bool leaving)
{
	const struct ttmpool_pool_stats *stats = &pool->stats;
	const long *used = tally->used.pages;
	uint64_t mapped = tally->mapped + (uint64_t)used[TTMPOOL_MAPPED];
	uint64_t bytes = pool_bytes(pool, (size_t)mapped);

	return tally->pooled == stats->pages_pooled &&
	       tally->mapped == pool->pooled_mapped &&
	       (uint64_t)used[TTMPOOL_IN_USE] == stats->pages_in_use &&
	       (uint64_t)used[TTMPOOL_BOUNCED] == stats->pages_bounced &&
	       (uint64_t)used[TTMPOOL_ANONYMOUS] == stats->pages_anonymous &&
	       (leaving ? bytes <= stats->bytes_mapped
			: bytes == stats->bytes_mapped) &&
	       mapped <= ttmpool_iova_pages(pool->iova);
}

bool ttmpool_pool_is_valid(struct ttmpool_pool *pool)
{
	struct tally tally = { 0 };
	bool valid, leaving;

	tpos_mutex_lock(&pool->scrub);
	tpos_spin_lock(&pool->mgr->lock);
	leaving = ttmpool_turn_is_on(pool->mgr, pool);
	tpos_spin_lock(&pool->lock);
	tpos_long_hold(&pool->lock);
	valid = bins_are_valid(pool, &tally) &&
		in_use_is_valid(pool, &pool->in_use, 0, &tally) &&
		in_use_is_valid(pool, &pool->held, TTMPOOL_CHUNK_HELD,
				&tally) &&
		runs_are_valid(pool, &tally) &&
		ttmpool_chunks_count(&pool->spares) == pool->nr_spares &&
		stats_agree(pool, &tally, leaving);
	tpos_spin_unlock(&pool->lock);
	tpos_spin_unlock(&pool->mgr->lock);
	tpos_mutex_unlock(&pool->scrub);
	return valid;
}

static uint64_t quarantine_count(struct ttmpool_manager *mgr)
{
	struct ttmpool_chunk *chunk;
	uint64_t pages = 0;

	ttmpool_for_each_chunk(chunk, &mgr->quarantine)
		if (chunk->state == TTMPOOL_CHUNK_QUARANTINED &&
		    !ttmpool_chunk_is_mapped(chunk))
			pages += ttmpool_chunk_pages(chunk);
	ttmpool_for_each_chunk(chunk, &mgr->broken)
		if (chunk->state == TTMPOOL_CHUNK_QUARANTINED)
			pages += ttmpool_chunk_pages(chunk);
	return pages;
}

/* What the pools have: a sum for each counter. */
struct totals {
	uint64_t pooled;
	uint64_t kept;
	uint64_t in_use;
	uint64_t swapped;
	uint64_t spare_on[TTMPOOL_NODE_SLOTS + 1];
	bool valid;
};

static void pool_add(struct ttmpool_pool *pool, void *arg)
{
	const struct ttmpool_pool_stats *stats = &pool->stats;
	struct totals *totals = arg;

	totals->valid = totals->valid && ttmpool_pool_is_valid(pool);
	totals->pooled += stats->pages_pooled;
	totals->kept += stats->pages_pooled - ttmpool_bins_spare(pool);
	totals->spare_on[pool->node_slot] += ttmpool_bins_spare(pool);
	totals->in_use += stats->pages_in_use;
	totals->swapped += stats->pages_swapped;
}

static bool nodes_agree(struct ttmpool_manager *mgr,
			const struct totals *totals)
{
	for (unsigned int i = 1; i <= TTMPOOL_NODE_SLOTS; i++)
		if (totals->spare_on[i] != pages_of(&mgr->spare_on[i]))
			return false;
	return true;
}

bool ttmpool_manager_is_valid(struct ttmpool_manager *mgr)
{
	struct totals totals = { .valid = true };
	uint64_t quarantined;

	ttmpool_manager_each_pool(mgr, pool_add, &totals);
	tpos_spin_lock(&mgr->lock);
	tpos_long_hold(&mgr->lock);
	quarantined = quarantine_count(mgr);
	tpos_spin_unlock(&mgr->lock);
	return totals.valid && ttmpool_swapper_is_valid(mgr) &&
	       totals.swapped == pages_of(&mgr->pages_swapped) &&
	       quarantined == pages_of(&mgr->pages_quarantined) &&
	       totals.pooled == pages_of(&mgr->pages_pooled) &&
	       totals.kept == pages_of(&mgr->pages_kept) &&
	       nodes_agree(mgr, &totals) &&
	       totals.pooled + totals.in_use + quarantined ==
		       pages_of(&mgr->pages);
}
