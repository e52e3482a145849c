// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The swapper: it chooses the buffers that are swapped out when others need pages.
 *
 * The manager has a list of the buffers that may be swapped out and have pages to
 * give, newest first. (Buffers that have no pages to give, because they are swapped
 * out, bound or empty, are on another list, which the swapper never walks.) A clock
 * counts how often a buffer became the newest, and each buffer has the time at which it
 * did. A round begins at the oldest buffer. A busy buffer becomes the newest, so a round
 * is one walk along the list: it ends at the first buffer that is younger than the
 * round, and looks at each buffer once.
 *
 *     newest  f e d c b a  oldest
 *             a f e d c b          a is busy
 *             a f e d c            b was swapped out; that is enough
 *
 * A buffer that is being swapped out is on a third list, so that rounds of several
 * threads do not meet it. When it comes back, it goes where its time belongs.
 *
 * A buffer with more pages than were wanted stays the oldest, and the next round
 * continues with it: the swapper begins with no other buffer before all of this one
 * has left. Small buffers of one pool leave together: the swapper takes as many of the
 * oldest buffers as are needed for the wanted pages, and strips them with one batch of
 * unmaps and one of caching changes (swapout.c).
 *
 * An error that concerns all buffers alike ends the round: a signal, or a store that
 * is full, broken or without memory. (An error of one buffer does not: see
 * is_own_fault().) The buffer of which no page could leave becomes the newest, in case
 * the error concerned only this buffer, so that another one is tried next.
 *
 * The lock of a buffer belongs to the driver. The swapper only ever tries it, because a
 * thread that waits for memory may hold it. Processes may have mapped the buffer; the
 * driver ends these mappings (vacate). It does so under the buffer's lock and without
 * the manager's, because it may sleep.
 *
 * Each call of the system's shrinker does a round of its own, beside those of other threads,
 * and waits for none: who calls it may hold any lock, and the thread at work may be the
 * caller itself, whose store asked for memory. A request for pages can wait. So the requests
 * go one after the other, under the swap mutex: the second may need nothing more after the
 * first. But moving buffers may take long, so who only wants some pages, or one of these
 * buffers, does not wait for the mutex. It becomes a follower: it sleeps, and checks again
 * whenever some pages have left (swapout.c), a party of buffers was unlocked, or the mutex
 * is free. A request also follows if its round found no buffer, because the shrinker's
 * callers had all of them.
 */

#include "buffer_internal.h"

/*
 * After trying this many locks, the swapper drops the list's lock for other
 * threads.
 */
#define TRY_RUN 64

/*
 * The swapper tries at most this many locks for one call of the system's shrinker,
 * which will call again.
 */
#define TRY_MOST 16384

/*
 * Makes a buffer the newest of those that have pages. The manager's lock is held.
 */
static void lru_renew(struct ttmpool_manager *mgr, struct ttmpool_backend *be)
{
	tpos_assert_held(&mgr->lock);
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
	lru_renew(mgr, be);
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
 * @mgr: the manager that has the list
 * @began: the time when it began; younger buffers are not looked at
 * @wanted: number of pages that are still missing
 * @freed: number of pages that the system has got
 * @tries: number of locks that may still be tried
 * @ask: the request for which pages leave
 * @over: the round is over: no buffer or no try is left, or an error ended it
 * @missed: it found no buffer, while other threads swapped out some
 * @party: the buffers that are swapped out next
 */
struct round {
	struct ttmpool_manager *mgr;
	uint64_t began;
	unsigned long wanted;
	unsigned long freed;
	size_t tries;
	struct ttmpool_ask *ask;
	bool over;
	bool missed;
	struct party party;
};

static struct round round_for(struct ttmpool_manager *mgr, unsigned long pages,
			      struct ttmpool_ask *ask)
{
	return (struct round){ .mgr = mgr,
			       .wanted = pages,
			       .ask = ask,
			       .tries = ask->in_reclaim ? TRY_MOST
							: (size_t)-1 };
}

/*
 * Returns the oldest buffer that nobody swaps out, or NULL if the round has looked at all of
 * them.
 */
static struct ttmpool_backend *round_oldest(const struct round *round)
{
	struct ttmpool_lru *lru = &round->mgr->lru;
	struct ttmpool_backend *be;

	tpos_assert_held(&round->mgr->lock);
	if (ttmpool_list_empty(&lru->buffers))
		return NULL;
	be = ttmpool_list_entry(lru->buffers.prev, struct ttmpool_backend, lru);
	assert_deep(!be->lru_victim);
	return be->lru_time > round->began ? NULL : be;
}

/* The lock of the buffer was taken: it joins the party. */
static void round_invite(struct round *round, struct ttmpool_backend *be)
{
	struct ttmpool_lru *lru = &round->mgr->lru;
	struct party *party = &round->party;

	assert_deep(party->n < PARTY_MOST);
	be->lru_victim = true;
	lru->nr_victims++;
	ttmpool_list_move_tail(&be->lru, &lru->victims);
	party->be[party->n++] = be;
	party->pages += be->lru_pages;
}

/*
 * The buffer was unlocked. It goes back to where its time belongs, unless it has no pages any
 * more, or is no longer to be swapped out. The older buffers on the list are those that came
 * back from other threads meanwhile, so they are few.
 */
static void round_dismiss(struct round *round, struct ttmpool_backend *be)
{
	struct ttmpool_lru *lru = &round->mgr->lru;
	struct ttmpool_list *link;

	tpos_assert_held(&round->mgr->lock);
	tpos_assert(be->lru_victim);
	tpos_assert(lru->nr_victims);
	be->lru_victim = false;
	lru->nr_victims--;
	if (!be->lru_pages || ttmpool_list_empty(&be->lru))
		return;
	if (be == round->party.vain || be->lru_time > round->began) {
		lru_renew(round->mgr, be);
		return;
	}
	for (link = lru->buffers.prev; link != &lru->buffers; link = link->prev)
		if (ttmpool_list_entry(link, struct ttmpool_backend, lru)
			    ->lru_time > be->lru_time)
			break;
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, link);
}

/* Returns whether the party has enough pages, or as many buffers as it may have. */
static bool party_is_full(const struct round *round)
{
	const struct party *party = &round->party;

	return party->pages >= round->wanted || party->n == PARTY_MOST ||
	       (party->n && party->pages >= window_pages(party->be[0]->pool));
}

/*
 * Looks at up to TRY_RUN buffers, and locks those that the party can have. Returns
 * whether the party may still grow.
 */
static bool round_look(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct party *party = &round->party;
	bool more = true;

	tpos_spin_lock(&mgr->lock);
	for (int i = 0; more && i < TRY_RUN; i++) {
		struct ttmpool_backend *be = round_oldest(round);

		round->over = !be || !round->tries;
		round->missed = !be && mgr->lru.nr_victims > party->n;
		if (round->over ||
		    (party->n && be->pool != party->be[0]->pool)) {
			more = false;
			break;
		}
		round->tries--;
		if (be->funcs->trylock(be))
			round_invite(round, be);
		else
			lru_renew(mgr, be);
		more = !party_is_full(round);
	}
	tpos_spin_unlock(&mgr->lock);
	return more;
}

/*
 * Returns whether the error concerns this buffer alone: its arrays are not what the
 * library left there, or the hardware has poisoned one of its pages.
 */
static bool is_own_fault(int err)
{
	return err == -EINVAL || err == -EFAULT;
}

/*
 * Ends all mappings of processes. After this, only the buffers themselves refer to
 * their pages.
 */
static void party_vacate(const struct party *party)
{
	for (size_t i = 0; i < party->n; i++) {
		struct ttmpool_backend *be = party->be[i];

		if (be->funcs->vacate)
			be->funcs->vacate(be);
	}
}

/*
 * Swaps out the buffers of the party, and unlocks them. Returns how many pages have
 * left.
 */
static unsigned long round_play(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct party *party = &round->party;
	int err;

	tpos_assert(party->n);
	if (party->pages > round->wanted)
		party->pages = round->wanted;
	party_vacate(party);
	err = ttmpool_party_swapout(party);
	if (err && !is_own_fault(err)) {
		round->over = true;
		round->missed = false;
	}
	if (err == -EINTR || err == -ETIMEDOUT)
		round->ask->err = err;
	for (size_t i = 0; i < party->n; i++) {
		struct ttmpool_backend *be = party->be[i];

		be->funcs->unlock(be);
		tpos_spin_lock(&mgr->lock);
		round_dismiss(round, be);
		tpos_spin_unlock(&mgr->lock);
	}
	queue_wake(&mgr->lru.followers);
	round->freed += (unsigned long)party->freed;
	return (unsigned long)party->gained;
}

/* Returns whether the request ends, because of a signal or its deadline, while it looks for
 * buffers. */
static bool round_is_ended(struct round *round)
{
	round->ask->err = ttmpool_ask_check(round->mgr, round->ask);
	round->over |= round->ask->err;
	return round->ask->err;
}

/*
 * Does one round. Pages that leave a buffer and are quarantined count for what is wanted,
 * because the next buffer's pages are likely to be quarantined, too. They are not among the
 * pages that were freed, because nobody has got them.
 */
static void round_run(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	unsigned long got;

	round->over = false;
	tpos_spin_lock(&mgr->lock);
	round->began = mgr->lru.clock;
	tpos_spin_unlock(&mgr->lock);
	while (round->wanted && !round->over) {
		round->party = (struct party){ .ask = round->ask };
		while (round_look(round) && !round_is_ended(round))
			tpos_cond_resched();
		got = round->party.n ? round_play(round) : 0;
		round->wanted -= got < round->wanted ? got : round->wanted;
		tpos_cond_resched();
	}
}

/*
 * After a round that found no buffer because other threads swapped them out: sleeps until
 * one of these threads has done something. Returns whether another look may find more.
 */
static bool round_follows(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct ttmpool_queue *followers = &mgr->lru.followers;
	bool busy;
	long seen;

	if (!round->missed || round->ask->err)
		return false;
	ttmpool_queue_enter(followers);
	seen = tpos_wait_count(&followers->wait);
	tpos_spin_lock(&mgr->lock);
	busy = mgr->lru.nr_victims;
	tpos_spin_unlock(&mgr->lock);
	if (busy)
		round->ask->err =
			ttmpool_queue_follow(mgr, followers, seen, round->ask);
	ttmpool_queue_leave(followers);
	return !round->ask->err;
}

/* Unlocks the swap mutex, and wakes the followers so that they check again. */
static void lru_end(struct ttmpool_manager *mgr)
{
	tpos_mutex_unlock(&mgr->lru.mutex);
	queue_wake(&mgr->lru.followers);
}

unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	struct ttmpool_ask ask = { .err = 0 };
	struct round round = round_for(mgr, pages, &ask);

	if (!pages_of(&mgr->lru.pages))
		return 0;
	tpos_mutex_lock(&mgr->lru.mutex);
	do {
		round_run(&round);
	} while (round.wanted && round_follows(&round));
	lru_end(mgr);
	return round.freed;
}

/* A request for pages: one round, or nothing if another request does one. */
static unsigned long lru_ask_or_follow(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct ttmpool_queue *followers = &mgr->lru.followers;
	bool mine;
	long seen;

	ttmpool_queue_enter(followers);
	seen = tpos_wait_count(&followers->wait);
	mine = tpos_mutex_trylock(&mgr->lru.mutex);
	if (!mine)
		round->ask->err =
			ttmpool_queue_follow(mgr, followers, seen, round->ask);
	ttmpool_queue_leave(followers);
	if (!mine)
		return round->ask->err ? 0 : TTMPOOL_LOOK_AGAIN;
	round_run(round);
	lru_end(mgr);
	if (!round->freed && round_follows(round))
		return TTMPOOL_LOOK_AGAIN;
	return round->freed;
}

/*
 * The manager's hook. If another thread is swapping out, and this one may wait, it sleeps
 * until that thread has given pages back or is done. Pages that come back before this
 * thread begins to sleep are found at its next check, at the latest when the other thread
 * is done.
 */
static unsigned long lru_ask(struct ttmpool_manager *mgr, unsigned long pages,
			     struct ttmpool_ask *ask)
{
	struct round round = round_for(mgr, pages, ask);

	if (!pages_of(&mgr->lru.pages))
		return 0;
	if (!ask->in_reclaim)
		return lru_ask_or_follow(&round);
	round_run(&round);
	return round.freed;
}

static unsigned long lru_count(struct ttmpool_manager *mgr)
{
	return pages_of(&mgr->lru.pages);
}

/* Returns whether the buffer is on the list that it belongs on. */
static bool link_is_valid(const struct ttmpool_lru *lru,
			  const struct ttmpool_list *list,
			  const struct ttmpool_backend *be)
{
	const struct ttmpool_list *next = be->lru.next;

	if (!be->lru_pages)
		return list == &lru->others;
	if (list != (be->lru_victim ? &lru->victims : &lru->buffers))
		return false;
	return list == &lru->victims || next == list ||
	       ttmpool_list_entry(next, struct ttmpool_backend, lru)->lru_time <
		       be->lru_time;
}

/* Adds up the pages of a list. Returns false if a buffer is on it that belongs on another
 * list, or elsewhere. */
static bool list_is_valid(const struct ttmpool_lru *lru,
			  struct ttmpool_list *list, unsigned long *pages)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, list) {
		struct ttmpool_backend *be =
			ttmpool_list_entry(link, struct ttmpool_backend, lru);

		if (!link_is_valid(lru, list, be))
			return false;
		*pages += be->lru_pages;
	}
	return true;
}

/*
 * Returns whether the buffers on the lists have as many pages as the counter says.
 */
static bool lru_is_valid(struct ttmpool_manager *mgr)
{
	struct ttmpool_lru *lru = &mgr->lru;
	unsigned long pages = 0;
	bool good;

	tpos_spin_lock(&mgr->lock);
	tpos_long_hold(&mgr->lock);
	good = list_is_valid(lru, &lru->buffers, &pages) &&
	       list_is_valid(lru, &lru->victims, &pages) &&
	       list_is_valid(lru, &lru->others, &pages);
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
	ttmpool_list_add(&be->lru, &mgr->lru.others);
	tpos_spin_unlock(&mgr->lock);
	/* A request that waits for pages can now have those of this buffer. */
	if (ttmpool_backend_count_swappable(be))
		queue_wake(&mgr->queue);
	return 0;
}
