// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The oldest: which pooled chunks leave, are cleared or are unmapped first.
 *
 * Every list of a bin is in the order in which its chunks were pooled (bin.c), so the
 * oldest chunk of a pool is the last one of some list, and so is the next oldest. The
 * number of lists of a pool does not depend on its number of chunks.
 *
 *     list a   ... 9 7 4        4, then 5 and 6, then 7, then 8
 *     list b   ... 8 6 5
 *
 * If the pool was prepared, as many pages of each kind stay as were pooled then.
 *
 * No chunk is divided for this. If only a certain number of pages may go, because the
 * others are reserved, a chunk that is too large stays where it is, and smaller chunks go
 * in its place.
 */

#include "pool_internal.h"

/* The cost of looking for the oldest chunk, as a number of chunks that could be moved
 * instead. */
#define SEARCH_COST 4

#define NR_BINS                                                 \
	((size_t)TTMPOOL_SOURCE_COUNT * TTMPOOL_CACHING_COUNT * \
	 TTMPOOL_NR_ORDERS)

/* Returns the @i-th bin of all; its order is @i modulo the number of orders. */
static struct ttmpool_bin *bin_at(struct ttmpool_pool *pool, size_t i)
{
	assert_deep(i < NR_BINS);
	return &pool->bins[0][0][0] + i;
}

#define NR_KINDS (NR_BINS / TTMPOOL_NR_ORDERS)

/* Writes to @room how many pages of each kind may go. @prepared: only those beyond what was
 * prepared, because pages of other kinds cannot serve in their place. */
static void kinds_room(struct ttmpool_pool *pool, const struct bins_want *want,
		       bool prepared, size_t *room)
{
	const size_t *kept = &pool->kinds_kept[0][0];

	tpos_assert_held(&pool->lock);
	for (size_t kind = 0; kind < NR_KINDS; kind++) {
		const struct ttmpool_bin *bins =
			bin_at(pool, kind * TTMPOOL_NR_ORDERS);
		size_t pages = bins_pages(bins, TTMPOOL_NR_ORDERS);

		room[kind] = TTMPOOL_NO_BOUND;
		if (bins == want->keeps)
			room[kind] = 0;
		else if (prepared)
			room[kind] = pages > kept[kind] ? pages - kept[kind]
							: 0;
	}
}

/* Counts the pooled chunks of each order, of each kind only those that fit into its @room,
 * the largest first. */
static void bins_orders(struct ttmpool_pool *pool, const size_t *room,
			size_t *n)
{
	for (size_t order = 0; order < TTMPOOL_NR_ORDERS; order++)
		n[order] = 0;
	for (size_t kind = 0; kind < NR_KINDS; kind++) {
		size_t left = room[kind];

		for (size_t order = TTMPOOL_NR_ORDERS; order-- > 0;) {
			size_t i = kind * TTMPOOL_NR_ORDERS + order;
			size_t chunks = bin_at(pool, i)->nr_chunks;

			if (chunks > left >> order)
				chunks = left >> order;
			left -= chunks << order;
			n[order] += chunks;
		}
	}
}

/* Returns what is left of @pages when whole chunks make up as many of them as they can. The
 * sizes of chunks are powers of two, so taking the largest first leaves the least. */
static size_t room_left(const size_t *n, size_t pages)
{
	for (unsigned int order = TTMPOOL_NR_ORDERS; order-- > 0;) {
		size_t take = pages >> order;

		pages -= (take < n[order] ? take : n[order]) << order;
	}
	return pages;
}

/*
 * Returns the orders whose chunks may go, as a set of bits. If no more than want->room
 * pages may go, a chunk must fit. It must also not stand in the way of others that could
 * make up all that is wanted, or as much of it as possible: of a single page and a chunk of
 * 512, with room for 512, the large one goes, unless no more than one page is wanted.
 */
static unsigned int bins_admit(struct ttmpool_pool *pool,
			       const struct bins_want *want,
			       const size_t *kinds)
{
	size_t room = want->room - want->got, need = want->total - want->got;
	size_t n[TTMPOOL_NR_ORDERS];
	unsigned int orders = 0;

	assert_deep(want->got <= want->room);
	if (want->room == TTMPOOL_NO_BOUND)
		return (1u << TTMPOOL_NR_ORDERS) - 1;
	bins_orders(pool, kinds, n);
	if (need > room - room_left(n, room))
		need = room - room_left(n, room);
	for (unsigned int order = 0; order < TTMPOOL_NR_ORDERS; order++) {
		size_t pages = (size_t)1 << order;

		if (!n[order] || pages > room)
			continue;
		n[order]--;
		if (room - room_left(n, room - pages) >= need)
			orders |= 1u << order;
		n[order]++;
	}
	return orders;
}

/**
 * struct oldest - a list whose last chunk is the oldest
 * @bin: the bin that the list is in, or NULL if there is none
 * @list: the list
 * @age: the age of its last chunk
 * @next: the age of the oldest chunk that is not in this list
 */
struct oldest {
	struct ttmpool_bin *bin;
	struct ttmpool_list *list;
	uint64_t age;
	uint64_t next;
};

/* Looks at the lists of a bin that have the right kind. */
static void bin_oldest(struct ttmpool_bin *bin, const struct bins_want *want,
		       struct oldest *oldest)
{
	for (unsigned int i = 0; i < TTMPOOL_BIN_LISTS; i++) {
		struct ttmpool_list *list = &bin->lists[i];
		uint64_t age;

		if ((ttmpool_bins_list_kind(i) & want->mask) != want->value ||
		    ttmpool_list_empty(list))
			continue;
		age = ttmpool_chunk_of(list->prev)->age;
		if (age < oldest->age) {
			oldest->next = oldest->age;
			oldest->age = age;
			oldest->list = list;
			oldest->bin = bin;
		} else if (age < oldest->next) {
			oldest->next = age;
		}
	}
}

static struct oldest bins_find(struct ttmpool_pool *pool,
			       const struct bins_want *want, const size_t *room)
{
	struct oldest oldest = { .age = TTMPOOL_NO_AGE,
				 .next = TTMPOOL_NO_AGE };
	unsigned int orders = bins_admit(pool, want, room);

	for (size_t i = 0; i < NR_BINS; i++) {
		struct ttmpool_bin *bin = bin_at(pool, i);
		size_t order = i % TTMPOOL_NR_ORDERS;

		if (bin->nr_chunks && orders >> order & 1 &&
		    room[i / TTMPOOL_NR_ORDERS] >> order)
			bin_oldest(bin, want, &oldest);
	}
	return oldest;
}

/* Returns how many of the wanted pages can go, if so many of each kind may. */
static size_t bins_most(struct ttmpool_pool *pool, const struct bins_want *want,
			const size_t *kinds)
{
	size_t room = want->room - want->got, need = want->total - want->got;
	size_t n[TTMPOOL_NR_ORDERS], most;

	bins_orders(pool, kinds, n);
	most = room - room_left(n, room);
	return most < need ? most : need;
}

/* Finds the oldest chunk that may go. Chunks of prepared kinds go only if the others do not
 * make up as many pages, because they are too large: a reserve never keeps more than its
 * number of pages. */
static struct oldest bins_oldest(struct ttmpool_pool *pool,
				 const struct bins_want *want)
{
	size_t room[NR_KINDS], any[NR_KINDS];

	kinds_room(pool, want, false, any);
	if (!pool->prepared || want->room == TTMPOOL_NO_BOUND)
		return bins_find(pool, want, any);
	kinds_room(pool, want, true, room);
	if (!pool->scrubbing &&
	    bins_most(pool, want, room) < bins_most(pool, want, any))
		return bins_find(pool, want, any);
	return bins_find(pool, want, room);
}

/* Returns whether enough has been picked, if the next chunk has @pages pages. */
static bool bins_suffice(const struct bins_want *want, size_t pages)
{
	return want->got >= want->pages ||
	       (want->got >= want->least && pages > want->most - want->got);
}

/* Moves chunks of one list to @picked, as long as they are the oldest. Returns false if
 * enough has been picked, and true if there may be more to pick. */
static bool oldest_pick(struct ttmpool_pool *pool, const struct oldest *oldest,
			struct bins_want *want, struct ttmpool_list *picked,
			int *left)
{
	do {
		struct ttmpool_chunk *chunk =
			ttmpool_chunk_of(oldest->list->prev);

		if (bins_suffice(want, ttmpool_chunk_pages(chunk)))
			return false;
		assert_deep(oldest->bin->nr_chunks > 0);
		chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
		ttmpool_list_move_tail(&chunk->link, picked);
		ttmpool_bin_count(pool, oldest->bin, chunk, -1);
		want->got += ttmpool_chunk_pages(chunk);
	} while (--*left > 0 && want->room == TTMPOOL_NO_BOUND &&
		 !ttmpool_list_empty(oldest->list) &&
		 ttmpool_chunk_of(oldest->list->prev)->age <= oldest->next);
	return true;
}

/*
 * Moves the oldest of the wanted chunks to @picked, but no more than may be moved under one
 * hold of the lock. They still count as pooled. Returns how many pages they have, by which
 * it has raised want->got; 0 if nothing more can be picked.
 */
size_t ttmpool_bins_pick_oldest(struct ttmpool_pool *pool,
				struct bins_want *want,
				struct ttmpool_list *picked)
{
	const size_t had = want->got;
	int left = TTMPOOL_HOLD_CHUNKS;

	tpos_assert(!(want->value & ~want->mask));
	tpos_assert_held(&pool->lock);
	while (left > 0) {
		struct oldest oldest = bins_oldest(pool, want);

		if (!oldest.bin ||
		    !oldest_pick(pool, &oldest, want, picked, &left))
			break;
		left -= SEARCH_COST;
	}
	return want->got - had;
}

/*
 * Returns how many pages may go for more of a kind, @keeps, while the pool is being
 * prepared: those beyond the reserve that there was before, of other kinds, and beyond what
 * was prepared of these. Otherwise 0: those that are not reserved go as for any request.
 */
size_t ttmpool_bins_spare_beside(struct ttmpool_pool *pool,
				 const struct ttmpool_bin *keeps)
{
	const size_t *kept = &pool->kinds_kept[0][0];
	size_t stays = 0, pooled = (size_t)pool->stats.pages_pooled;

	tpos_assert_held(&pool->lock);
	if (!pool->preparing)
		return 0;
	for (size_t kind = 0; kind < NR_KINDS; kind++) {
		const struct ttmpool_bin *bins =
			bin_at(pool, kind * TTMPOOL_NR_ORDERS);
		size_t pages = bins_pages(bins, TTMPOOL_NR_ORDERS);

		stays += bins == keeps || pages < kept[kind] ? pages
							     : kept[kind];
	}
	if (stays < pool->reserve_after)
		stays = pool->reserve_after;
	return pooled > stays ? pooled - stays : 0;
}

/* Returns the age of the oldest chunk that is wanted, or TTMPOOL_NO_AGE. */
uint64_t ttmpool_bins_oldest_age(struct ttmpool_pool *pool,
				 const struct bins_want *want)
{
	tpos_assert_held(&pool->lock);
	return bins_oldest(pool, want).age;
}
