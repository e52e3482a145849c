// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Parting: where no pooled chunk is small enough for what is still wanted, one that is
 * larger is divided on its way out, and what is left of it goes back, as old as it was.
 *
 *     wanted 100      pooled [            512            ]
 *     handed out      64 + 32 + 4
 *     pooled again    256 + 128 + 16 + 8 + 4
 *
 * A large chunk is worth more than its pages, so this is the last that is tried, when
 * the system has none; but in a pool that was prepared for such a time it comes before
 * the system is asked. A mapping cannot be divided: it ends, and what is handed out is
 * mapped anew, in one batch, as all that a populate finds without a mapping. A chunk
 * of the coherent allocator is mapped for life, and stays whole.
 */

#include "take.h"

/* What costs the least to take apart comes first: what is not mapped, and near. */
static const uint8_t preference[] = {
	TTMPOOL_CHUNK_CLEAN,
	0,
	TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN,
	TTMPOOL_CHUNK_MAPPED,
	TTMPOOL_CHUNK_FAR | TTMPOOL_CHUNK_CLEAN,
	TTMPOOL_CHUNK_FAR,
	TTMPOOL_CHUNK_FAR | TTMPOOL_CHUNK_MAPPED | TTMPOOL_CHUNK_CLEAN,
	TTMPOOL_CHUNK_FAR | TTMPOOL_CHUNK_MAPPED,
};

#define NR_PREFERENCES (sizeof(preference) / sizeof(*preference))

/* Take the smallest pooled chunk of an order above @order out of its bin. */
static bool part_pick(struct take *take, unsigned int order,
		      struct ttmpool_list *picked)
{
	struct ttmpool_pool *pool = take->pool;
	struct ttmpool_bin *bins = pool->bins[TTMPOOL_PLAIN][take->req.caching];
	size_t got = 0;

	tpos_spin_lock(&pool->lock);
	while (!got && ++order < TTMPOOL_NR_ORDERS) {
		struct bins_kind kind = { .order = order };

		for (size_t i = 0; bins[order].nr_chunks && !got; i++) {
			tpos_assert(i < NR_PREFERENCES);
			kind.flags = preference[i];
			got = ttmpool_bins_pick(pool, &bins[order], kind, 1,
						picked);
		}
	}
	tpos_spin_unlock(&pool->lock);
	return got;
}

/*
 * Halve the smallest of @rest, one chunk at first, until it fits, and move it to
 * @parts; and again, until there is enough or nothing left. Returns whether there was
 * memory for the descriptors.
 */
static bool part_cut(struct take *take, struct ttmpool_list *rest,
		     struct ttmpool_list *parts)
{
	while (take->req.num_pages && !ttmpool_list_empty(rest)) {
		struct ttmpool_chunk *last = ttmpool_chunk_of(rest->prev);
		size_t pages = ttmpool_chunk_pages(last);

		if (last->order >
		    order_at_most(take->max_order, take->req.num_pages)) {
			if (!ttmpool_chunk_split(take->pool, last))
				return false;
			continue;
		}
		ttmpool_list_move_tail(&last->link, parts);
		take->req.num_pages -= pages;
		take->bare += pages;
		take->pages_hit += pages;
		take->chunks_hit++;
	}
	return true;
}

static void chunks_note_parked(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		tpos_note_parked(pool->dev, chunk);
}

/* Take what is wanted of one chunk, which is alone in @whole. */
static bool part_chunk(struct take *take, struct ttmpool_list *whole)
{
	struct ttmpool_chunk *chunk = ttmpool_chunk_of(whole->next);
	struct ttmpool_pool *pool = take->pool;
	struct ttmpool_list parts;
	bool good;

	take->dirty |= !(chunk->flags & TTMPOOL_CHUNK_CLEAN);
	take->unmapped = true;
	if (ttmpool_chunk_is_streaming(chunk))
		ttmpool_chunks_unmap(pool, whole, false);
	tpos_note_issued(pool->dev, chunk);
	ttmpool_list_init(&parts);
	good = part_cut(take, whole, &parts);
	chunks_note_parked(pool, whole);
	chunks_note_parked(pool, &parts);
	ttmpool_bins_park(pool, whole, PARK_UNMAPPED);
	ttmpool_chunks_merge(&take->got, &parts);
	return good;
}

/* Take what is still wanted of pooled chunks that are too large: 0 or -ENOMEM. */
int ttmpool_take_parts(struct take *take)
{
	struct ttmpool_list whole;

	if (take->req.source != TTMPOOL_PLAIN)
		return -ENOMEM;
	while (take->req.num_pages) {
		unsigned int order =
			order_at_most(take->max_order, take->req.num_pages);

		ttmpool_list_init(&whole);
		if (!part_pick(take, order, &whole) ||
		    !part_chunk(take, &whole))
			return -ENOMEM;
	}
	return 0;
}
