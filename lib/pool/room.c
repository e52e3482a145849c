// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Room: what a request takes from the budgets, all at once, before it gets or maps any
 * page.
 *
 *     lacks   300 pages, and 428 mappings: 128 pooled pages have lost theirs
 *     room    addresses: kept mappings of the device's pools end
 *             pages: pooled ones of any pool leave, then those that this pool has reserved,
 *             then quarantined ones that can be made write-back; then buffers are swapped out
 *     make    each fresh chunk, and each mapping, uses up some of it
 *
 * So a request that lacks a thousand pages has one reclaim, and not one for each of its
 * chunks; and if there is no room, no page was got in vain. Room for addresses is made
 * first, because that costs less.
 */

#include "pool_internal.h"

/* Others give up this many pages more than a request lacks, so that the next request finds
 * some; but no more than this part of the budget. */
#define SLACK_PAGES 512
#define SLACK_PART  8

/* A request checks again at most this often because other threads were at work. */
#define MOST_LOOKS 64

/* At most this many of these checks also try to swap out buffers. */
#define MOST_ROUNDS 2

static unsigned long slack_of(struct ttmpool_manager *mgr)
{
	unsigned long slack = pages_of(&mgr->page_budget) / SLACK_PART;

	return slack < SLACK_PAGES ? slack : SLACK_PAGES;
}

/**
 * struct look - repeated checks of one thread whether there is room
 * @pool: the pool that needs pages
 * @room: what its request has, and how long it may take
 * @looks: number of checks that found too little
 * @repaired: since the last check, the quarantine was tried
 * @pages, @pooled: the manager's counts at the last check
 * @since: for the swapper, the time of the first check
 * @err: why it may not check again: -EINTR or -ETIMEDOUT
 */
struct look {
	struct ttmpool_pool *pool;
	struct room *room;
	unsigned int looks;
	bool repaired;
	unsigned long pages;
	unsigned long pooled;
	uint64_t since;
	int err;
};

static void look_begin(struct look *look)
{
	struct ttmpool_manager *mgr = look->pool->mgr;

	look->repaired = false;
	look->pages = pages_of(&mgr->pages);
	look->pooled = pages_of(&mgr->pages_pooled);
}

/* Tries to repair quarantined pages, once for each check. Returns whether any went to the
 * system. */
static bool look_repair(struct look *look)
{
	if (look->repaired)
		return false;
	look->repaired = true;
	return ttmpool_manager_retry_quarantine(look->pool->mgr);
}

/* Returns what ends this request: other threads' work for it, and its waits for them. */
static struct ttmpool_ask look_ask(const struct look *look)
{
	return (struct ttmpool_ask){ .killable = look->room->killable,
				     .until = look->room->until,
				     .since = look->since };
}

/*
 * Called when a check found too little. Returns whether another check is worth it.
 * Quarantined pages may be of use by now. Other threads may hold pages that are on their way
 * to the system or into a bin: this function waits for those. Pages may also have moved
 * from a pool that was still to be checked to one that had been checked already: then the
 * counts have changed.
 */
static bool look_again(struct look *look)
{
	struct ttmpool_manager *mgr = look->pool->mgr;
	const struct ttmpool_ask ask = look_ask(look);
	int others;

	if (look->err)
		return false;
	if (look_repair(look))
		return true;
	if (look->looks++ == MOST_LOOKS)
		return false;
	others = ttmpool_turns_wait_for(mgr, &ask);
	if (others < 0)
		look->err = others;
	return others > 0 ||
	       (!others && (pages_of(&mgr->pages) != look->pages ||
			    pages_of(&mgr->pages_pooled) != look->pooled));
}

/* Returns whether buffers may be swapped out. If that was in vain a short time ago, a
 * request that waits would find them as they were, each time that it is woken. */
static bool look_may_swap(const struct look *look)
{
	return look->looks < MOST_ROUNDS &&
	       (!look->room->next_round ||
		tpos_now_ms(look->pool->mgr->system) >= look->room->next_round);
}

/* Swaps out buffers for @lacks pages. Returns whether any pages have left. */
static bool look_swap(struct look *look, unsigned long lacks)
{
	struct ttmpool_manager *mgr = look->pool->mgr;
	struct room *room = look->room;
	struct ttmpool_ask ask = look_ask(look);
	bool gone;

	tpos_assert(room->until);
	if (!look_may_swap(look))
		return false;
	gone = ttmpool_swapper_swapout(mgr, lacks, &ask);
	look->since = ask.since;
	if (gone)
		return true;
	look->err = ask.err;
	if (room->until->wait_ms)
		room->next_round = tpos_now_ms(mgr->system) + TTMPOOL_NAP_MS;
	return false;
}

/* Gives up pages that the pool has reserved. Returns whether any have gone. */
static bool own_pages_go(const struct look *look, unsigned long lacks)
{
	const struct ttmpool_bin *keeps = look->room->keeps;

	if (keeps)
		return ttmpool_pool_reclaim_beside(look->pool, lacks, keeps);
	return ttmpool_pool_reclaim(look->pool, lacks, true);
}

/*
 * Makes others give up pages for a request that lacks some. Returns whether any have gone.
 * Only pooled pages that are not reserved go for the slack: swapping out a buffer would
 * cost too much, and so would what this pool has reserved for itself, which goes before any
 * buffer does.
 */
static bool room_is_made(struct look *look, unsigned long lacks)
{
	struct ttmpool_manager *mgr = look->pool->mgr;

	tpos_assert(lacks);
	return ttmpool_manager_reclaim(mgr, lacks + slack_of(mgr)) ||
	       own_pages_go(look, lacks) || look_repair(look) ||
	       look_swap(look, lacks);
}

/* Returns whether there would be room for @lacks pages if everything went that may. If not,
 * nobody gives up anything. */
static bool room_can_be_made(struct ttmpool_pool *pool, const struct room *room,
			     unsigned long lacks)
{
	struct ttmpool_manager *mgr = pool->mgr;
	unsigned long most =
		ttmpool_manager_count_spare(mgr) + ttmpool_swapper_count(mgr);

	tpos_spin_lock(&pool->lock);
	if (room->keeps)
		most += ttmpool_bins_spare_beside(pool, room->keeps);
	else
		most += (unsigned long)pool->stats.pages_pooled -
			ttmpool_bins_spare(pool);
	tpos_spin_unlock(&pool->lock);
	return lacks <= most;
}

/* Takes @pages from the budget, and makes room for them if necessary. */
static int room_for_pages(struct ttmpool_pool *pool, struct room *room,
			  size_t pages)
{
	struct look look = { .pool = pool, .room = room };
	struct ttmpool_manager *mgr = pool->mgr;

	for (;;) {
		unsigned long lacks;

		look_begin(&look);
		if (ttmpool_budget_take_pages(mgr, pages))
			return 0;
		lacks = ttmpool_budget_lacks(mgr, pages);
		if (!lacks || room->no_wait)
			return NO_PAGES;
		if ((!room_can_be_made(pool, room, lacks) ||
		     !room_is_made(&look, lacks)) &&
		    !look_again(&look))
			break;
		if (tpos_fatal_signal_pending())
			return -EINTR;
	}
	return look.err == -EINTR ? -EINTR : NO_PAGES;
}

static bool room_may_be(struct ttmpool_pool *pool, const struct room *room,
			size_t pages)
{
	return ttmpool_budget_has(pool->mgr, pages) ||
	       room_can_be_made(pool, room,
				ttmpool_budget_lacks(pool->mgr, pages));
}

/*
 * Returns 0 if there can be room for the @lacks pages that a request of @pages does not
 * find pooled; NO_PAGES if not; or -EINTR. The caller asks this first, so that the pooled
 * pages stay in their bins for requests that can use them, if there cannot be room.
 */
int ttmpool_room_may_be(struct ttmpool_pool *pool, struct room *room,
			size_t pages, size_t lacks)
{
	struct look look = { .pool = pool, .room = room };
	bool may;

	tpos_assert(lacks);
	tpos_assert(lacks <= pages);
	if (room->no_wait)
		return ttmpool_budget_has(pool->mgr, lacks) ? 0 : NO_PAGES;
	do {
		look_begin(&look);
		may = room_may_be(pool, room, pages);
	} while (!may && look_again(&look));
	/* what was in others' hands may be back by now */
	if (may || room_may_be(pool, room, pages))
		return 0;
	return look.err == -EINTR ? -EINTR : NO_PAGES;
}

/* Ends kept mappings for @bytes: those of the pool for its own limit, and those of any pool
 * of the device for the device's limit. Returns whether any have ended, or none has to by
 * now. */
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
 * Makes room for @pages fresh pages, and for the mappings of @mapped pages; room that was
 * taken before counts. Returns 0; NO_MAPPED if there are no addresses; NO_PAGES if there
 * are no pages; or -EINTR. What was taken before an error stays until
 * ttmpool_room_return().
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
		err = room_for_pages(pool, room, pages - room->pages);
	if (err)
		return err;
	if (pages > room->pages)
		room->pages = pages;
	tpos_assert(room->pages >= pages);
	tpos_assert(room->mapped >= mapped);
	return 0;
}

/* As ttmpool_room_make(), but nobody gives up anything for it. Takes all of it, or nothing
 * more than there was. Returns whether it succeeded. */
bool ttmpool_room_try(struct ttmpool_pool *pool, struct room *room,
		      size_t pages, size_t mapped)
{
	size_t more = pages > room->pages ? pages - room->pages : 0;
	size_t maps = mapped > room->mapped ? mapped - room->mapped : 0;

	/* a budget that was lowered has no room, not even for 0 pages */
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

/* Gives back to the budgets what was not used. */
void ttmpool_room_return(struct ttmpool_pool *pool, struct room *room)
{
	if (room->mapped)
		ttmpool_budget_return_mapped(pool, room->mapped, room->mapped);
	if (room->pages)
		ttmpool_budget_return_pages(pool->mgr, room->pages);
	room->mapped = 0;
	room->pages = 0;
	room->give_ups = 0;
}
