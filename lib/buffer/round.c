// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The swapper: it chooses the buffers that are swapped out when others need pages.
 *
 * A round begins at the oldest buffer of the manager's list (lru.c), and looks at each buffer
 * once. A busy buffer becomes the newest. So a round is one walk along the list, which ends at
 * the first buffer that the round itself has made the newest:
 *
 *     newest  f e d c b a  oldest
 *             a f e d c b          a is busy
 *             a f e d c            b was swapped out; that is enough
 *
 * If other threads have moved buffers meanwhile, some that it has not looked at are behind
 * that one. Then the round goes on, but not for ever: until it has found twice as many busy
 * buffers as there were buffers when it began.
 *
 * A buffer with more pages than were wanted stays the oldest, and the next round
 * continues with it: the swapper begins with no other buffer before all of this one
 * has left. Small buffers of one pool leave together: the swapper takes as many of the
 * oldest buffers as are needed for the wanted pages, and strips them with one batch of
 * unmaps and one of caching changes (swapout.c).
 *
 * An error that concerns all buffers alike ends the round: a signal, or a store that
 * is full, broken or without memory. (An error of one buffer does not: see
 * is_own_fault().) The buffer that met the error becomes the newest, in case the error
 * concerned only this buffer, so that another one is tried next. A signal is no such error.
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
 * whenever some pages have left (swapout.c), the shrinker has unlocked its buffers, or the
 * mutex is free. A request also follows if its round found no buffer while the shrinker's callers
 * had some. It waits only for buffers that were there when its first round ended: each of them
 * loses pages or becomes newer, so the wait ends.
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

/**
 * struct round - one walk along the list
 * @mgr: the manager that has the list
 * @listed: how many buffers had pages when it began
 * @first: the time when it made a buffer the newest for the first time
 * @renewed: how many buffers it has made the newest
 * @wanted: number of pages that are still missing
 * @freed: number of pages that the system has got
 * @tries: number of locks that may still be tried
 * @ask: the request for which pages leave
 * @over: the round is over: no buffer or no try is left, or an error ended it
 * @missed: it found no buffer any more, while other threads swapped some out
 * @party: the buffers that are swapped out next
 */
struct round {
	struct ttmpool_manager *mgr;
	size_t listed;
	uint64_t first;
	uint64_t renewed;
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

static void round_begin(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;

	round->over = false;
	round->missed = false;
	round->renewed = 0;
	tpos_spin_lock(&mgr->lock);
	round->listed = mgr->lru.nr_with_pages;
	tpos_spin_unlock(&mgr->lock);
}

/* Makes a buffer the newest, because it is busy or no page of it could leave. */
static void round_renew(struct round *round, struct ttmpool_backend *be)
{
	ttmpool_lru_renew(be);
	if (!round->renewed++)
		round->first = be->lru_time;
}

/*
 * Returns whether the round has looked at the buffer, and so at all of them. If only this
 * round has made buffers the newest since it did so first, their times say so.
 */
static bool round_has_seen(const struct round *round,
			   const struct ttmpool_backend *be)
{
	uint64_t moved = round->mgr->lru.clock - round->first + 1;

	if (!round->renewed || be->lru_time < round->first)
		return false;
	return moved == round->renewed || round->renewed >= 2 * round->listed;
}

/*
 * Returns the buffer to look at next, or NULL if the round is over. Where the first round of a
 * request ends, it is decided which buffers the request waits for: all that have been there
 * until then, with those that were busy for a moment, and that the round made the newest.
 */
static struct ttmpool_backend *round_next(struct round *round)
{
	struct ttmpool_backend *be = ttmpool_lru_oldest(round->mgr);

	if (be && !round_has_seen(round, be) && round->tries) {
		round->tries--;
		return be;
	}
	if (round->party.n) /* these first; they are among the victims */
		return NULL;
	round->over = true;
	if (!round->ask->since)
		round->ask->since = round->mgr->lru.clock;
	round->missed = ttmpool_lru_has_victim(round->mgr, round->ask->since);
	return NULL;
}

/*
 * Returns whether the party has enough pages, or as many buffers as it may have. As long as the
 * store fails, one buffer is tried at a time: each of them would get a store, and lose the
 * mappings of processes, for nothing.
 */
static bool party_is_full(const struct round *round)
{
	const struct party *party = &round->party;
	size_t most = round->mgr->lru.store_failed ? 1 : PARTY_MOST;

	return party->pages >= round->wanted || party->n >= most ||
	       (party->n && party->pages >= window_pages(party->be[0]->pool));
}

/* Returns whether the buffer is of the pool of the party. */
static bool party_admits(const struct party *party,
			 const struct ttmpool_backend *be)
{
	return !party->n || be->pool == party->be[0]->pool;
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
		struct ttmpool_backend *be = round_next(round);

		more = be && party_admits(party, be);
		if (!more)
			break;
		if (be->funcs->trylock(be)) {
			ttmpool_lru_take(be);
			assert_deep(party->n < PARTY_MOST);
			party->time[party->n] = be->lru_time;
			party->be[party->n++] = be;
			party->pages += be->lru_pages;
		} else {
			round_renew(round, be);
		}
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
 * Unlocks the buffers of the party, and wakes those who wait for them. If a request has got
 * nothing, other requests would get nothing, too, and wake each other; then only a thread that
 * takes a buffer off the list is woken.
 */
static void party_dissolve(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct party *party = &round->party;
	bool wake = round->ask->in_reclaim || party->gained || round->over;

	for (size_t i = 0; i < party->n; i++) {
		struct ttmpool_backend *be = party->be[i];

		be->funcs->unlock(be);
		tpos_spin_lock(&mgr->lock);
		wake |= ttmpool_list_empty(&be->lru);
		if (ttmpool_lru_return(be, party->time[i]) &&
		    be == party->failed)
			round_renew(round, be);
		tpos_spin_unlock(&mgr->lock);
	}
	if (wake)
		queue_wake(&mgr->lru.followers);
}

/* Returns whether a signal or its deadline ends the request. */
static bool round_is_ended(struct round *round)
{
	round->ask->err = ttmpool_ask_check(round->mgr, round->ask);
	round->over |= round->ask->err;
	return round->ask->err;
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

/* Notes whether the store failed the party. */
static void round_note_store(const struct round *round, int err)
{
	struct ttmpool_manager *mgr = round->mgr;

	tpos_spin_lock(&mgr->lock);
	mgr->lru.store_failed = err;
	tpos_spin_unlock(&mgr->lock);
}

/* Lets pages of the party leave, no more than are wanted. */
static void party_leave(struct round *round)
{
	struct party *party = &round->party;
	int err;

	if (party->pages > round->wanted)
		party->pages = round->wanted;
	party_vacate(party);
	err = ttmpool_party_swapout(party);
	round->over |= err && !is_own_fault(err);
	if (err == -EINTR || err == -ETIMEDOUT)
		round->ask->err = err;
	else if (!is_own_fault(err))
		round_note_store(round, err);
}

/*
 * Swaps out the buffers of the party, unless the request ends before anything is done to them,
 * and unlocks them. Returns how many pages have left.
 */
static unsigned long round_play(struct round *round)
{
	tpos_assert(round->party.n);
	if (!round_is_ended(round))
		party_leave(round);
	party_dissolve(round);
	round->freed += (unsigned long)round->party.freed;
	return (unsigned long)round->party.gained;
}

/*
 * Does one round. Pages that leave a buffer and are quarantined count for what is wanted,
 * because the next buffer's pages are likely to be quarantined, too. They are not among the
 * pages that were freed, because nobody has got them.
 */
static void round_run(struct round *round)
{
	unsigned long got;

	round_begin(round);
	while (round->wanted && !round->over) {
		round->party = (struct party){ .ask = round->ask };
		while (round_look(round) && !round_is_ended(round))
			tpos_cond_resched();
		got = round->party.n ? round_play(round) : 0;
		round->wanted -= got < round->wanted ? got : round->wanted;
		tpos_cond_resched();
	}
}

static bool has_victim(const struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	bool has;

	tpos_spin_lock(&mgr->lock);
	has = ttmpool_lru_has_victim(mgr, round->ask->since);
	tpos_spin_unlock(&mgr->lock);
	return has;
}

/* After a round: whether to wait for buffers that other threads swap out. Sleeps until one of
 * these threads has done something. Returns whether another round may find more. */
static bool round_follows(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	struct ttmpool_queue *followers = &mgr->lru.followers;
	long seen;

	if (!round->missed)
		return false;
	tpos_assert(!round->ask->err);
	ttmpool_queue_enter(followers);
	seen = tpos_wait_count(&followers->wait);
	if (has_victim(round))
		round->ask->err =
			ttmpool_queue_follow(mgr, followers, seen, round->ask);
	ttmpool_queue_leave(followers);
	return !round->ask->err;
}

/*
 * Does a round under the swap mutex, which the thread has, and unlocks that. The followers
 * check again now; but not if they would find nothing, as this round, because other threads
 * have the buffers: these will wake them.
 */
static void round_run_locked(struct round *round)
{
	struct ttmpool_manager *mgr = round->mgr;
	unsigned long freed = round->freed;

	round_run(round);
	tpos_mutex_unlock(&mgr->lru.mutex);
	if (!round->missed || round->freed != freed || !has_victim(round))
		queue_wake(&mgr->lru.followers);
}

/*
 * Takes the swap mutex, or, if another thread has it, sleeps until that has done something.
 * Returns whether the thread has the mutex.
 */
static bool round_lock_or_follow(struct round *round)
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
	return mine;
}

unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	unsigned long most = pages_of(&mgr->lru.pages);
	struct ttmpool_ask ask = { .err = 0 };
	struct round round = round_for(mgr, pages < most ? pages : most, &ask);

	if (!most)
		return 0;
	do {
		while (!round_lock_or_follow(&round))
			if (ask.err)
				return round.freed;
		round_run_locked(&round);
	} while (round.wanted && round_follows(&round));
	return round.freed;
}

/* A request for pages: a round, or, if another request does one, the wait for that. */
static unsigned long swap_or_follow(struct round *round)
{
	if (!round_lock_or_follow(round))
		return round->ask->err ? 0 : TTMPOOL_LOOK_AGAIN;
	round_run_locked(round);
	if (!round->freed && round_follows(round))
		return TTMPOOL_LOOK_AGAIN;
	return round->freed;
}

/*
 * The manager's hook. If other threads are swapping out, and this one may wait, it sleeps
 * until one of those has given pages back or is done. Pages that come back before this
 * thread begins to sleep are found at its next check, at the latest when the other thread
 * is done.
 */
static unsigned long swap_for(struct ttmpool_manager *mgr, unsigned long pages,
			      struct ttmpool_ask *ask)
{
	struct round round = round_for(mgr, pages, ask);

	if (!pages_of(&mgr->lru.pages))
		return 0;
	if (!ask->in_reclaim)
		return swap_or_follow(&round);
	round_run(&round);
	return round.freed;
}

static unsigned long count_swappable(struct ttmpool_manager *mgr)
{
	return pages_of(&mgr->lru.pages);
}

/* The system's shrinker asks this. What other threads are swapping out is theirs: as it is with
 * the pages that the kernel's own reclaim has isolated, nobody else may plan with it. */
static unsigned long count_idle(struct ttmpool_manager *mgr)
{
	unsigned long pages, leaving;

	tpos_spin_lock(&mgr->lock);
	leaving = mgr->lru.pages_leaving;
	pages = pages_of(&mgr->lru.pages);
	tpos_spin_unlock(&mgr->lock);
	return pages > leaving ? pages - leaving : 0;
}

static const struct ttmpool_swapper round_swapper = {
	.count = count_swappable,
	.count_idle = count_idle,
	.swapout = swap_for,
	.is_valid = ttmpool_lru_is_valid,
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
	mgr->swapper = &round_swapper;
	ttmpool_list_add(&be->lru, &mgr->lru.others);
	tpos_spin_unlock(&mgr->lock);
	/* A request that waits for pages can now have those of this buffer. */
	if (ttmpool_backend_count_swappable(be))
		queue_wake(&mgr->queue);
	return 0;
}
