// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The swapper: which buffers go when others need their pages.
 *
 * The manager has a list of the buffers that may be swapped out and have pages to
 * give, newest first. (What is swapped out already, bound or empty has none, and is
 * on another list, that nobody looks at.) A round begins at the oldest. Who is busy
 * becomes the newest; so a round is one walk, and never looks twice.
 *
 *     newest  f e d c b a  oldest
 *             a f e d c b          a is busy
 *             a f e d c            b went; enough
 *
 * Who has more pages than were wanted stays the oldest, and goes on leaving in the
 * next round: no other buffer is begun before that one is gone. Small buffers
 * of one pool go together: as many of the oldest as have the pages that are wanted
 * are stripped in one batch of each kind (swapout.c).
 *
 * An error ends the round: a signal, a store that is full or broken or without
 * memory is the same for all. Whoever it came to in vain becomes the newest, in case
 * that it was his alone, so that another is tried in the next round.
 *
 * The lock of a buffer is the driver's, and only ever tried: a thread that
 * waits for memory may hold it. Processes may have the buffer mapped: the driver ends
 * that (vacate) under the lock of the buffer, and without the manager's, since it may
 * sleep. The swap mutex is held while buffers are moved, and that may be long. So nobody
 * waits for it who only wants some pages, or one of these buffers: he follows, and looks
 * again whenever some pages have left (swapout.c), a party has been let go, or the mutex
 * is free. The shrinker does not wait at all.
 */

#include "buffer_internal.h"

/* So many locks are tried before the list's own is let go for others. */
#define TRY_RUN 64

/* So many locks are tried for the system at a time: it will ask again. */
#define TRY_MOST 16384

/* So many pages are enough for a party: see WINDOW_PAGES in swapout.c. */
#define PARTY_PAGES 4096

/* Make it the newest of those that have pages; the manager's lock is held. */
static void lru_renew(struct ttmpool_manager *mgr, struct ttmpool_backend *be)
{
	tpos_assert_held(&mgr->lock);
	if (!be->lru_pages || ttmpool_list_empty(&be->lru))
		return;
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &mgr->lru.buffers);
}

void ttmpool_lru_touch(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->swappable)
		return;
	tpos_spin_lock(&mgr->lock);
	lru_renew(mgr, be);
	tpos_spin_unlock(&mgr->lock);
}

/* It is being swapped out: wait until its party is let go. */
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
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&be->lru);
	busy = be->lru_victim;
	tpos_spin_unlock(&mgr->lock);
	if (busy)
		lru_await(be);
	be->swappable = false;
	ttmpool_backend_count_swappable(be);
}

/**
 * struct round - one walk along the list
 * @mgr: whose
 * @wanted: pages that are still missing
 * @tries: so many locks may be tried yet
 * @over: there is nobody left to look at
 * @party: who goes next
 */
struct round {
	struct ttmpool_manager *mgr;
	unsigned long wanted;
	size_t tries;
	bool over;
	struct party party;
};

/* The oldest that is not of the party yet; NULL if all have been looked at. */
static struct ttmpool_backend *round_oldest(const struct round *round)
{
	struct ttmpool_lru *lru = &round->mgr->lru;
	struct ttmpool_list *link = lru->buffers.prev;
	struct ttmpool_backend *be;

	for (; link != &lru->buffers; link = link->prev) {
		be = ttmpool_list_entry(link, struct ttmpool_backend, lru);
		if (!be->lru_victim)
			return be->lru_round == lru->round ? NULL : be;
	}
	return NULL;
}

/* Has the party as many as it needs, or may have? */
static bool party_is_full(const struct round *round)
{
	const struct party *party = &round->party;

	return party->pages >= round->wanted || party->pages >= PARTY_PAGES ||
	       party->n == PARTY_MOST;
}

/* Look at some buffers, and lock whom the party can have. Returns whether it may
 * still grow. */
static bool round_look(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct party *party = &round->party;
	bool more = true;

	tpos_spin_lock(&mgr->lock);
	for (int i = 0; more && i < TRY_RUN; i++) {
		struct ttmpool_backend *be = round_oldest(round);

		round->over = !be || !round->tries;
		if (round->over ||
		    (party->n && be->pool != party->be[0]->pool)) {
			more = false;
			break;
		}
		round->tries--;
		be->lru_round = mgr->lru.round;
		if (be->funcs->trylock(be)) {
			be->lru_victim = true;
			assert_deep(party->n < PARTY_MOST);
			party->be[party->n++] = be;
			party->pages += be->lru_pages;
		} else {
			lru_renew(mgr, be);
		}
		more = !party_is_full(round);
	}
	tpos_spin_unlock(&mgr->lock);
	return more;
}

/* Is it the buffer that cannot be swapped out, and no other? Its arrays are not what
 * the library left there, or the hardware has poisoned a page of it. */
static bool is_own_fault(int err)
{
	return err == -EINVAL || err == -EFAULT;
}

/* Nothing but the buffers themselves points at their pages after this. */
static void party_vacate(const struct party *party)
{
	for (size_t i = 0; i < party->n; i++) {
		struct ttmpool_backend *be = party->be[i];

		if (be->funcs->vacate)
			be->funcs->vacate(be);
	}
}

/* Swap out who was locked, and let him go. Returns how many pages have left. */
static unsigned long round_play(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct party *party = &round->party;
	int err;

	tpos_assert(party->n);
	tpos_mutex_assert_held(&mgr->lru.mutex);
	if (party->pages > round->wanted)
		party->pages = round->wanted;
	party_vacate(party);
	err = ttmpool_party_swapout(party);
	round->over |= err && !is_own_fault(err);
	for (size_t i = 0; i < party->n; i++) {
		struct ttmpool_backend *be = party->be[i];

		tpos_assert(be->lru_victim);
		be->funcs->unlock(be);
		tpos_spin_lock(&mgr->lock);
		if (be == party->vain)
			lru_renew(mgr, be);
		else /* it may not have had its turn */
			be->lru_round = mgr->lru.round - 1;
		be->lru_victim = false;
		tpos_spin_unlock(&mgr->lock);
	}
	queue_wake(&mgr->lru.followers);
	return (unsigned long)party->gained;
}

/* One round. The swap mutex is held. */
static unsigned long lru_round(struct ttmpool_manager *mgr, unsigned long pages,
			       bool in_reclaim)
{
	struct round round = { .mgr = mgr,
			       .wanted = pages,
			       .tries = in_reclaim ? TRY_MOST : (size_t)-1 };
	unsigned long got = 0;

	tpos_mutex_assert_held(&mgr->lru.mutex);
	tpos_spin_lock(&mgr->lock);
	mgr->lru.round++;
	tpos_spin_unlock(&mgr->lock);
	while (got < pages && !round.over) {
		round.party = (struct party){ .in_reclaim = in_reclaim };
		while (round_look(&round))
			tpos_cond_resched();
		if (round.party.n)
			got += round_play(&round);
		round.wanted = got < pages ? pages - got : 0;
		tpos_cond_resched();
	}
	return got;
}

/* The swap mutex is held, and let go: who follows this one looks again. */
static unsigned long lru_end(struct ttmpool_manager *mgr, unsigned long got)
{
	tpos_mutex_unlock(&mgr->lru.mutex);
	queue_wake(&mgr->lru.followers);
	return got;
}

unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	if (!pages_of(&mgr->lru.pages))
		return 0;
	tpos_mutex_lock(&mgr->lru.mutex);
	return lru_end(mgr, lru_round(mgr, pages, false));
}

/*
 * The hook. Who finds somebody at work, and may wait, does until that one has given
 * something back, or is done. What comes back before he begins to wait he finds at his next
 * look, at the latest when the other one is done.
 */
static unsigned long lru_ask(struct ttmpool_manager *mgr, unsigned long pages,
			     bool wait)
{
	struct ttmpool_queue *followers = &mgr->lru.followers;
	bool mine;
	long seen;

	if (!pages_of(&mgr->lru.pages))
		return 0;
	ttmpool_queue_enter(followers);
	seen = tpos_wait_count(&followers->wait);
	mine = tpos_mutex_trylock(&mgr->lru.mutex);
	if (!mine && wait)
		tpos_wait(&followers->wait, seen, NULL);
	ttmpool_queue_leave(followers);
	if (mine)
		return lru_end(mgr, lru_round(mgr, pages, !wait));
	return wait ? TTMPOOL_LOOK_AGAIN : 0;
}

static unsigned long lru_count(struct ttmpool_manager *mgr)
{
	return pages_of(&mgr->lru.pages);
}

/* Add up the pages of a list; is nobody on it who belongs on the other one? */
static bool list_is_valid(struct ttmpool_list *list, bool with_pages,
			  unsigned long *pages)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, list) {
		struct ttmpool_backend *be =
			ttmpool_list_entry(link, struct ttmpool_backend, lru);

		if (!be->lru_pages == with_pages)
			return false;
		*pages += be->lru_pages;
	}
	return true;
}

/* Have the lists as many pages as are counted? */
static bool lru_is_valid(struct ttmpool_manager *mgr)
{
	unsigned long pages = 0;
	bool good;

	tpos_spin_lock(&mgr->lock);
	tpos_long_hold(&mgr->lock);
	good = list_is_valid(&mgr->lru.buffers, true, &pages) &&
	       list_is_valid(&mgr->lru.others, false, &pages);
	tpos_spin_unlock(&mgr->lock);
	return good && pages == lru_count(mgr);
}

static const struct ttmpool_swapper lru_swapper = {
	.count = lru_count,
	.swapout = lru_ask,
	.is_valid = lru_is_valid,
};

int ttmpool_lru_add(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->funcs->movable || !be->funcs->trylock)
		return -EOPNOTSUPP;
	if (be->swappable)
		return -EBUSY;
	tpos_assert(!be->lru_pages);
	tpos_assert(ttmpool_list_empty(&be->lru));
	be->swappable = true;
	tpos_spin_lock(&mgr->lock);
	mgr->swapper = &lru_swapper;
	be->lru_round = mgr->lru.round;
	ttmpool_list_add(&be->lru, &mgr->lru.others);
	tpos_spin_unlock(&mgr->lock);
	ttmpool_backend_count_swappable(be);
	return 0;
}
