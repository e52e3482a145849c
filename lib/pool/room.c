// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Room: what is taken of the budgets for a request, all at once, before any page is
 * got or mapped for it.
 *
 *     lacks   300 pages, and 428 mappings: 128 pooled pages have lost theirs
 *     room    addresses: kept mappings of the device's pools go for them
 *             pages: pooled ones of any pool go, then what this one has reserved, then
 *             buffers that nobody needs now
 *     make    each fresh chunk, and each mapping, uses up some of it
 *
 * So a request that lacks a thousand pages has one reclaim, and not one for each of
 * its chunks; and where there is no room, no page was got in vain. Addresses come
 * first, since they cost less to make room for.
 */

#include "pool_internal.h"

/* So many pages more go than are lacking, so that the next one who lacks some finds
 * them; and no more than this part of the budget. */
#define SLACK_PAGES 512
#define SLACK_PART  8

static unsigned long slack_of(struct ttmpool_manager *mgr)
{
	unsigned long slack = pages_of(&mgr->page_budget) / SLACK_PART;

	return slack < SLACK_PAGES ? slack : SLACK_PAGES;
}

/* Others give up something for @lacks pages. Only pooled pages that may go for anybody go
 * for the slack: to swap out a buffer is too dear, and so is what this pool has reserved
 * for itself, which goes before that. Returns whether anything has gone. */
static bool room_is_made(struct ttmpool_pool *pool, unsigned long lacks)
{
	struct ttmpool_manager *mgr = pool->mgr;

	tpos_assert(lacks);
	return ttmpool_manager_reclaim(mgr, lacks + slack_of(mgr)) ||
	       ttmpool_pool_reclaim(pool, lacks, true) ||
	       ttmpool_manager_retry_quarantine(mgr) ||
	       ttmpool_swapper_swapout(mgr, lacks, true);
}

/* Could so many be had if all went that may? If not, nobody gives up any. */
static bool room_can_be_made(struct ttmpool_pool *pool, unsigned long lacks)
{
	struct ttmpool_manager *mgr = pool->mgr;
	unsigned long most = ttmpool_manager_count_spare(mgr) +
			     ttmpool_swapper_count(mgr) +
			     pages_of(&mgr->pages_quarantined);

	tpos_spin_lock(&pool->lock);
	most += (unsigned long)pool->stats.pages_pooled -
		ttmpool_bins_spare(pool);
	tpos_spin_unlock(&pool->lock);
	return lacks <= most;
}

/* If there is too little to be had, some may be in somebody else's hand, on its way to
 * the system or into a bin: that is waited for, once. */
static int room_for_pages(struct ttmpool_pool *pool, size_t pages, bool no_wait)
{
	struct ttmpool_manager *mgr = pool->mgr;
	bool may_wait = true;

	while (!ttmpool_budget_take_pages(mgr, pages)) {
		unsigned long lacks = ttmpool_budget_lacks(mgr, pages);

		if (!lacks || no_wait)
			return NO_PAGES;
		if (!room_can_be_made(pool, lacks) ||
		    !room_is_made(pool, lacks)) {
			/* what was in others' hands may be back by now */
			if (!may_wait || !ttmpool_turns_wait(mgr))
				return ttmpool_budget_take_pages(mgr, pages)
					       ? 0
					       : NO_PAGES;
			may_wait = false;
		}
		if (tpos_fatal_signal_pending())
			return -EINTR;
	}
	return 0;
}

static bool room_may_be(struct ttmpool_pool *pool, size_t pages)
{
	return ttmpool_budget_has(pool->mgr, pages) ||
	       room_can_be_made(pool, ttmpool_budget_lacks(pool->mgr, pages));
}

/*
 * Can there be room for what a request lacks of @pages, the others being pooled? If some of
 * it may be in somebody else's hand, that is waited for, once. With that question answered
 * first, what is pooled stays there for who can use it.
 */
bool ttmpool_room_may_be(struct ttmpool_pool *pool, const struct room *room,
			 size_t pages, size_t lacks)
{
	tpos_assert(lacks);
	tpos_assert(lacks <= pages);
	if (room->no_wait)
		return ttmpool_budget_has(pool->mgr, lacks);
	if (room_may_be(pool, pages))
		return true;
	ttmpool_turns_wait(pool->mgr);
	return room_may_be(pool, pages);
}

/* Kept mappings end for @bytes: those of the pool for its own limit, and any of the
 * device's for that one's. Have any, or are there enough by now? */
static bool mappings_end(struct ttmpool_pool *pool, uint64_t bytes,
			 unsigned long below)
{
	uint64_t own = ttmpool_budget_pool_excess(pool, bytes), got = 0, all;

	if (own)
		got = ttmpool_pool_give_up_mappings(pool, own);
	all = ttmpool_budget_device_excess(pool, bytes, below);
	if (all)
		got += ttmpool_device_give_up_mappings(pool, all);
	return got | ((own | all) == 0);
}

static int room_for_mapping(struct ttmpool_pool *pool, uint64_t bytes,
			    unsigned long below)
{
	tpos_assert(bytes);
	while (!ttmpool_budget_take_mapped(pool, bytes, below))
		if (!ttmpool_mappings_suffice(pool, bytes) ||
		    !mappings_end(pool, bytes, below))
			return NO_MAPPED;
	return 0;
}

/*
 * Have room for so many pages, and for the mappings of so many, the room that there
 * is included. NO_MAPPED: there are no addresses; NO_PAGES: no pages. What was taken
 * before an error stays, until ttmpool_room_return().
 */
int ttmpool_room_make(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped)
{
	int err = 0;

	if (mapped > room->mapped)
		err = room_for_mapping(pool,
				       pool_bytes(pool, mapped - room->mapped),
				       room->below);
	if (err)
		return err;
	if (mapped > room->mapped)
		room->mapped = mapped;
	if (pages > room->pages)
		err = room_for_pages(pool, pages - room->pages, room->no_wait);
	if (err)
		return err;
	if (pages > room->pages)
		room->pages = pages;
	tpos_assert(room->pages >= pages);
	tpos_assert(room->mapped >= mapped);
	return 0;
}

/* The same, of what nobody has: nothing is given up for it. All, or nothing more
 * than there was. */
bool ttmpool_room_try(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped)
{
	size_t more = pages > room->pages ? pages - room->pages : 0;
	size_t maps = mapped > room->mapped ? mapped - room->mapped : 0;

	/* a budget that was lowered has no room, not even for nothing */
	if (more && !ttmpool_budget_take_pages(pool->mgr, more))
		return false;
	if (maps && !ttmpool_budget_take_mapped(pool, pool_bytes(pool, maps),
						room->below)) {
		ttmpool_budget_return_pages(pool->mgr, more);
		return false;
	}
	room->pages += more;
	room->mapped += maps;
	tpos_assert(room->pages >= pages);
	tpos_assert(room->mapped >= mapped);
	return true;
}

/* What was not used. */
void ttmpool_room_return(struct ttmpool_pool *pool, struct room *room)
{
	if (room->mapped)
		ttmpool_budget_return_mapped(pool, room->mapped, room->mapped);
	if (room->pages)
		ttmpool_budget_return_pages(pool->mgr, room->pages);
	*room = (struct room){ .below = room->below,
			       .one_order = room->one_order,
			       .no_wait = room->no_wait };
}
