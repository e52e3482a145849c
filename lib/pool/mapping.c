// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Mappings: those that are only kept end, oldest first, when others need the addresses.
 *
 * A plain chunk stays pooled without its mapping; a coherent chunk must go to the system.
 * Mappings of reserved pages stay, unless their own pool needs the addresses.
 */

#include "pool_internal.h"

/**
 * struct wanted - mappings to end
 * @pages: of this many pages
 * @for_itself: including those of reserved pages
 * @again: there may be more, which were being cleared or divided
 */
struct wanted {
	size_t pages;
	bool for_itself;
	bool again;
};

/* Takes mapped chunks out of the bins. Returns how many pages they have. */
static size_t mapped_pick(struct ttmpool_pool *pool, struct wanted *wanted,
			  struct ttmpool_list *picked)
{
	struct bins_want want = { .mask = TTMPOOL_CHUNK_MAPPED,
				  .value = TTMPOOL_CHUNK_MAPPED,
				  .pages = wanted->pages,
				  .least = (size_t)-1,
				  .room = TTMPOOL_NO_BOUND };
	size_t got;

	ttmpool_list_init(picked);
	tpos_assert(wanted->pages);
	do {
		tpos_spin_lock(&pool->lock);
		if (!wanted->for_itself && pool->reserve)
			want.room = want.got + ttmpool_bins_spare_mapped(pool);
		got = ttmpool_bins_pick_oldest(pool, &want, picked);
		ttmpool_bins_count(pool, -(long)got);
		wanted->again |= !got && pool->scrubbing;
		tpos_spin_unlock(&pool->lock);
	} while (got && want.got < want.pages);
	return want.got;
}

/* As pool_give_up_mappings(), in pages, and only for chunks that are in bins. */
static size_t bins_give_up_mappings(struct ttmpool_pool *pool,
				    struct wanted *wanted)
{
	struct ttmpool_list picked, coherent;
	size_t got = mapped_pick(pool, wanted, &picked);

	if (ttmpool_chunks_extract(&picked, ttmpool_chunk_is_coherent,
				   &coherent))
		ttmpool_chunks_release(pool, &coherent);
	if (!ttmpool_list_empty(&picked)) {
		ttmpool_chunks_unmap(pool, &picked, false);
		ttmpool_bins_park(pool, &picked, PARK_UNMAPPED);
	}
	wanted->pages -= got < wanted->pages ? got : wanted->pages;
	return got;
}

/*
 * Ends the oldest kept mappings, until those of @bytes are gone or none is left.
 * @for_itself: including those of reserved pages. Returns how many bytes are no longer
 * mapped.
 */
static uint64_t pool_give_up_mappings(struct ttmpool_pool *pool, uint64_t bytes,
				      bool for_itself)
{
	struct wanted wanted = { .pages = (size_t)(bytes >>
						   pool->info.page_shift),
				 .for_itself = for_itself };
	struct turn turn;
	size_t got;

	tpos_assert(bytes);
	assert_deep(!(bytes & (pool_bytes(pool, 1) - 1)));
	ttmpool_turn_hold(&turn, pool);
	got = bins_give_up_mappings(pool, &wanted);
	if (wanted.pages && wanted.again) {
		ttmpool_pool_await_scrub(pool);
		got += bins_give_up_mappings(pool, &wanted);
	}
	ttmpool_turn_end(&turn);
	return pool_bytes(pool, got);
}

/*
 * Returns how many bytes of addresses could come back at most if all kept mappings ended.
 * Addresses that are held for others of a batch may come back with them. While chunks are
 * out of their bins to be cleared, all that is pooled is counted. The caller holds the
 * pool's lock.
 */
static uint64_t could_come_back(struct ttmpool_pool *pool, bool for_itself)
{
	uint64_t mapped = pool->stats.bytes_mapped, kept, held = 0;

	tpos_assert_held(&pool->lock);
	if (pool->addresses > mapped)
		held = pool->addresses - mapped;
	if (pool->scrubbing)
		kept = pool->stats.pages_pooled;
	else if (for_itself)
		kept = pool->pooled_mapped;
	else
		kept = ttmpool_bins_spare_mapped(pool);
	return pool_bytes(pool, (size_t)kept) + held;
}

/* Returns whether it is another pool with the same address budget. */
static bool shares_iova(struct ttmpool_pool *pool, const void *arg)
{
	const struct ttmpool_pool *self = arg;

	return pool != self && pool->iova == self->iova;
}

/* Returns whether @bytes would be within @limit if mappings of @most bytes ended. @limit
 * may be the largest number that there is, so nothing is added to it. */
static bool within(uint64_t bytes, uint64_t limit, uint64_t most)
{
	return bytes <= limit || bytes - limit <= most;
}

/*
 * Returns whether @bytes more would be within the limits if all kept mappings of the device
 * ended. If not, no mapping has to end in vain. (Nobody knows how many addresses the device
 * itself has.)
 */
bool ttmpool_mappings_suffice(struct ttmpool_pool *pool, uint64_t bytes)
{
	uint64_t limit = pool->mapped_limit, now, most;
	struct turn turn;
	bool fits;

	tpos_assert(bytes);
	tpos_spin_lock(&pool->lock);
	most = could_come_back(pool, true);
	fits = !limit || within(pool->addresses + bytes, limit, most);
	tpos_spin_unlock(&pool->lock);
	limit = pool->iova->limit;
	now = pool_bytes(pool, ttmpool_iova_pages(pool->iova));
	if (!fits || !limit)
		return fits;
	ttmpool_turn_init(&turn, pool->mgr);
	turn.only_looks = true;
	while (!within(now + bytes, limit, most) &&
	       ttmpool_turn_next(&turn, shares_iova, pool)) {
		tpos_spin_lock(&turn.pool->lock);
		most += could_come_back(turn.pool, false);
		tpos_spin_unlock(&turn.pool->lock);
	}
	ttmpool_turn_end(&turn);
	return within(now + bytes, limit, most);
}

/*
 * Ends kept mappings of @pool, and if they are not enough, of the other pools of its
 * device, which keep those of their reserved pages. Returns how many bytes are no longer
 * mapped.
 */
uint64_t ttmpool_device_give_up_mappings(struct ttmpool_pool *pool,
					 uint64_t bytes)
{
	uint64_t got = pool_give_up_mappings(pool, bytes, true);
	struct turn turn;

	if (got < bytes && pages_of(&pool->iova->pools) > 1) {
		ttmpool_turn_init(&turn, pool->mgr);
		while (got < bytes &&
		       ttmpool_turn_next(&turn, shares_iova, pool))
			got += pool_give_up_mappings(turn.pool, bytes - got,
						     false);
		ttmpool_turn_end(&turn);
	}
	/* While chunks were out of the bins, the pool limit may have been lowered. */
	ttmpool_manager_trim(pool->mgr);
	return got;
}

/* Ends kept mappings of @pool only, for its own limit. Returns how many bytes are no longer
 * mapped. */
uint64_t ttmpool_pool_give_up_mappings(struct ttmpool_pool *pool,
				       uint64_t bytes)
{
	uint64_t got = pool_give_up_mappings(pool, bytes, true);

	ttmpool_manager_trim(pool->mgr);
	return got;
}
