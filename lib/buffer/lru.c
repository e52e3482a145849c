// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The list of the buffers that may be swapped out when others need pages (round.c).
 *
 * A manager has three lists of them:
 *
 *     buffers   have pages to give, newest first
 *     victims   are being swapped out now, and still have pages
 *     others    have no pages to give, because they are swapped out, bound or empty; the
 *               swapper never walks this list
 *
 * A clock counts how often a buffer became the newest, and each buffer has the time at which
 * it did. A victim is off the first list, so that the rounds of several threads do not meet
 * it. When it comes back, it goes where its time belongs:
 *
 *     newest  f e d c    oldest    a and b are being swapped out
 *     newest  f e d c b  oldest    b is back; most of it is still here
 *
 * The manager's spinlock protects the lists, the clock and the times.
 */

#include "buffer_internal.h"

/* A buffer that comes back passes at most this many others. */
#define PASS_MOST 128

static struct ttmpool_backend *lru_entry(const struct ttmpool_list *link)
{
	return ttmpool_list_entry(link, struct ttmpool_backend, lru);
}

/* Makes a buffer the newest of those that have pages, if it is on a list of those. */
void ttmpool_lru_renew(struct ttmpool_backend *be)
{
	tpos_assert_held(&be->pool->mgr->lock);
	if (!be->lru_pages || ttmpool_list_empty(&be->lru))
		return;
	ttmpool_list_del(&be->lru);
	lru_add_newest(be);
}

void ttmpool_lru_touch(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->swappable)
		return;
	tpos_spin_lock(&mgr->lock);
	ttmpool_lru_renew(be);
	tpos_spin_unlock(&mgr->lock);
}

/* Waits until the party of a buffer that is being swapped out has been unlocked. */
static void lru_await(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;
	bool victim;

	ttmpool_queue_enter(&mgr->lru.followers);
	for (;;) {
		long seen = tpos_wait_count(&mgr->lru.followers.wait);

		tpos_spin_lock(&mgr->lock);
		victim = be->lru_victim;
		tpos_spin_unlock(&mgr->lock);
		if (!victim)
			break;
		tpos_wait(&mgr->lru.followers.wait, seen, NULL);
	}
	ttmpool_queue_leave(&mgr->lru.followers);
}

void ttmpool_lru_remove(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;
	bool busy;

	if (!be->swappable)
		return;
	tpos_assert_not_reclaiming();
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&be->lru);
	busy = be->lru_victim;
	tpos_spin_unlock(&mgr->lock);
	if (busy)
		lru_await(be);
	be->swappable = false;
	ttmpool_backend_count_swappable(be);
}

/* Returns the oldest buffer that nobody swaps out, or NULL. */
struct ttmpool_backend *ttmpool_lru_oldest(struct ttmpool_manager *mgr)
{
	struct ttmpool_lru *lru = &mgr->lru;

	tpos_assert_held(&mgr->lock);
	return ttmpool_list_empty(&lru->buffers) ? NULL
						 : lru_entry(lru->buffers.prev);
}

/* The lock of the oldest buffer was taken: it is a victim from now on. */
void ttmpool_lru_take(struct ttmpool_backend *be)
{
	struct ttmpool_lru *lru = &be->pool->mgr->lru;

	tpos_assert_held(&be->pool->mgr->lock);
	tpos_assert(!be->lru_victim);
	tpos_assert(be->lru_pages);
	be->lru_victim = true;
	lru->pages_leaving += be->lru_pages;
	ttmpool_list_move_tail(&be->lru, &lru->victims);
}

/* Returns the link behind which a buffer of this time belongs, or the list's head. The walk
 * begins at the newest or at the oldest buffer, and may end before it is there. */
static struct ttmpool_list *lru_place(struct ttmpool_lru *lru, uint64_t time,
				      bool newest_first)
{
	struct ttmpool_list *head = &lru->buffers;
	struct ttmpool_list *link = newest_first ? head : head->prev;
	int left = PASS_MOST;

	if (newest_first)
		for (; left-- && link->next != head; link = link->next) {
			if (lru_entry(link->next)->lru_time < time)
				break;
			tpos_list_step();
		}
	else
		for (; left-- && link != head; link = link->prev) {
			if (lru_entry(link)->lru_time > time)
				break;
			tpos_list_step();
		}
	return link;
}

/* Makes a buffer as old as one beside it if its time does not belong there. If it is newer
 * from now on, the clock tells rounds that somebody moved it. */
static void lru_adapt_time(struct ttmpool_lru *lru, struct ttmpool_backend *be)
{
	const struct ttmpool_list *newer = be->lru.prev, *older = be->lru.next;

	if (newer != &lru->buffers && lru_entry(newer)->lru_time < be->lru_time)
		be->lru_time = lru_entry(newer)->lru_time;
	if (older != &lru->buffers &&
	    lru_entry(older)->lru_time > be->lru_time) {
		be->lru_time = lru_entry(older)->lru_time;
		lru->clock++;
	}
}

/*
 * The victim was unlocked. It goes back to where its time belongs, unless it has no pages
 * any more, or is no longer to be swapped out. Returns whether it is on the list. @time: the
 * buffer's time when it was taken. If nobody used the buffer since then, those that are
 * older have come back from other threads meanwhile; if somebody did, those that are newer
 * were used after it. So there are few of them.
 */
bool ttmpool_lru_return(struct ttmpool_backend *be, uint64_t time)
{
	struct ttmpool_lru *lru = &be->pool->mgr->lru;
	struct ttmpool_list *link;

	tpos_assert_held(&be->pool->mgr->lock);
	tpos_assert(be->lru_victim);
	tpos_assert(lru->pages_leaving >= be->lru_pages);
	be->lru_victim = false;
	lru->pages_leaving -= be->lru_pages;
	if (!be->lru_pages || ttmpool_list_empty(&be->lru))
		return false;
	ttmpool_list_del(&be->lru);
	link = lru_place(lru, be->lru_time, be->lru_time != time);
	ttmpool_list_add(&be->lru, link);
	lru_adapt_time(lru, be);
	return true;
}

/* Returns whether a buffer that had become the newest by the time @since is being swapped
 * out, and has pages left. Of many victims, it looks at the first ones only: these are the
 * oldest, by and large. */
bool ttmpool_lru_has_victim(struct ttmpool_manager *mgr, uint64_t since)
{
	const struct ttmpool_list *link;
	int left = PASS_MOST;

	tpos_assert_held(&mgr->lock);
	ttmpool_list_for_each(link, &mgr->lru.victims) {
		if (lru_entry(link)->lru_time <= since)
			return true;
		if (!--left)
			break;
	}
	return false;
}

/* Returns whether the buffer is on the list that it belongs on, at the right place. */
static bool link_is_valid(const struct ttmpool_lru *lru,
			  const struct ttmpool_list *list,
			  const struct ttmpool_backend *be)
{
	const struct ttmpool_list *older = be->lru.next;

	if (!be->lru_pages)
		return list == &lru->others;
	if (be->lru_victim)
		return list == &lru->victims;
	return list == &lru->buffers && be->lru_time <= lru->clock &&
	       (older == list || lru_entry(older)->lru_time <= be->lru_time);
}

/* Adds up the pages of a list. Returns false if a buffer is on it that belongs elsewhere. */
static bool list_is_valid(const struct ttmpool_lru *lru,
			  const struct ttmpool_list *list, unsigned long *pages)
{
	const struct ttmpool_list *link;

	ttmpool_list_for_each(link, list) {
		if (!link_is_valid(lru, list, lru_entry(link)))
			return false;
		*pages += lru_entry(link)->lru_pages;
	}
	return true;
}

/*
 * Returns whether the buffers on the lists have as many pages as the counter says.
 */
bool ttmpool_lru_is_valid(struct ttmpool_manager *mgr)
{
	struct ttmpool_lru *lru = &mgr->lru;
	unsigned long pages = 0, leaving = 0;
	bool good;

	tpos_spin_lock(&mgr->lock);
	tpos_long_hold(&mgr->lock);
	good = list_is_valid(lru, &lru->buffers, &pages) &&
	       list_is_valid(lru, &lru->victims, &leaving) &&
	       list_is_valid(lru, &lru->others, &pages) &&
	       leaving == lru->pages_leaving;
	tpos_spin_unlock(&mgr->lock);
	return good && pages + leaving == pages_of(&lru->pages);
}
