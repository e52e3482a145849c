// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Turns: how threads that reclaim go from pool to pool.
 *
 * A pool that a thread works on without a lock must not end meanwhile. So the thread names
 * the pool in a struct on its own stack, which is on the manager's list. A thread that
 * tears the pool down waits until no other thread has it.
 *
 *     mgr->pools    A    B    C    D         mgr->turn: B gave last
 *     mgr->turns   [shrinker, C] [give, A]   both at work, for a slice each
 *
 * So any number of threads work at the same time, and none waits for another: neither the
 * shrinker, whose thread may be inside one of these turns already, nor a give. Turns are
 * waited for only by a thread that tears down a pool, because others may have it; and by a
 * thread that lowers a limit, drains a pool, or lacks pages of the page budget, because
 * others may have taken pages out of their bins and not given them to the system yet.
 */

#include "pool_internal.h"

/* At most this many pools are looked at before the lock is released for others. */
#define LOOKS 128

void ttmpool_turn_init(struct turn *turn, struct ttmpool_manager *mgr)
{
	turn->mgr = mgr;
	turn->pool = NULL;
	turn->left = (size_t)-1;
	turn->only_looks = false;
	ttmpool_list_init(&turn->link);
}

/* Wakes the threads that wait for turns to end, if there are any. */
static void turns_wake(struct ttmpool_manager *mgr, bool waited_for)
{
	if (waited_for)
		tpos_wake(&mgr->turn_ended);
}

/* Looks at some pools, beginning with the next one. Returns whether one passes the test. A
 * turn never stops at a pool that is being torn down, not even to go on from there later,
 * because nobody waits for a turn that gets there now. */
static bool turn_look(struct turn *turn, pool_test test, const void *arg)
{
	struct ttmpool_manager *mgr = turn->mgr;
	struct ttmpool_list *link = turn->pool ? &turn->pool->link : mgr->turn;

	tpos_assert_held(&mgr->lock);
	if (turn->left > mgr->nr_pools)
		turn->left = mgr->nr_pools;
	turn->pool = NULL;
	for (int i = 0; i < LOOKS && turn->left; i++) {
		struct ttmpool_pool *pool;

		turn->left--;
		link = ttmpool_list_next(link);
		if (link == &mgr->pools)
			link = mgr->pools.next;
		pool = ttmpool_list_entry(link, struct ttmpool_pool, link);
		if (pool->going)
			continue;
		turn->pool = pool;
		if (test(pool, arg))
			return true;
	}
	return false;
}

/*
 * Goes on to the next pool that passes the test. The test is called with the manager's lock
 * held, and may take the pool's lock. The pool becomes turn->pool, and stays until the next
 * call. Returns false, and the turn is over, if no pool in a whole round passes.
 */
bool ttmpool_turn_next(struct turn *turn, pool_test test, const void *arg)
{
	struct ttmpool_manager *mgr = turn->mgr;
	bool found, waited_for;

	do {
		tpos_spin_lock(&mgr->lock);
		found = turn_look(turn, test, arg);
		/* A thread that waits for earlier turns does not wait for the next pool. */
		ttmpool_list_del(&turn->link);
		if (found || turn->left)
			ttmpool_list_add_tail(&turn->link, &mgr->turns);
		else
			turn->pool = NULL;
		waited_for = mgr->turn_waiters;
		tpos_spin_unlock(&mgr->lock);
		turns_wake(mgr, waited_for);
	} while (!found && turn->left);
	return found;
}

/*
 * The pool of this turn gave something, so the next turn begins with the pool after it. A
 * pool that was only asked, and had nothing to give just then, does not change where the
 * next turn begins: otherwise the pools before it would give all that is wanted again and
 * again, and it would keep what it has.
 */
void ttmpool_turn_gave(struct turn *turn)
{
	struct ttmpool_manager *mgr = turn->mgr;

	tpos_assert(turn->pool);
	tpos_spin_lock(&mgr->lock);
	mgr->turn = &turn->pool->link;
	tpos_spin_unlock(&mgr->lock);
}

/* Begins a new round: all pools are looked at once more. */
void ttmpool_turn_again(struct turn *turn)
{
	turn->left = (size_t)-1;
}

/* Ends the turn, if it has not ended yet. */
void ttmpool_turn_end(struct turn *turn)
{
	struct ttmpool_manager *mgr = turn->mgr;
	bool waited_for;

	if (!turn->pool)
		return;
	tpos_assert(turn->pool->mgr == mgr);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&turn->link);
	waited_for = mgr->turn_waiters;
	tpos_spin_unlock(&mgr->lock);
	turn->pool = NULL;
	turns_wake(mgr, waited_for);
}

/* The caller holds pages of this pool that nobody asked for; they will be pooled, or go to
 * the system, before the turn ends. A request that lacks pages waits for that, as it waits
 * for threads that reclaim. */
void ttmpool_turn_hold(struct turn *turn, struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;

	ttmpool_turn_init(turn, mgr);
	turn->pool = pool;
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_add_tail(&turn->link, &mgr->turns);
	tpos_spin_unlock(&mgr->lock);
}

/* Returns whether a thread is at work whose turn is before @mark. @lookers: including
 * threads that take nothing out of a bin. */
static bool turns_precede(struct ttmpool_manager *mgr, const struct turn *mark,
			  bool lookers)
{
	struct ttmpool_list *link;

	tpos_assert_held(&mgr->lock);
	for (link = mgr->turns.next; link != &mark->link;
	     link = ttmpool_list_next(link)) {
		struct turn *turn = ttmpool_list_entry(link, struct turn, link);

		if (turn->pool && (lookers || !turn->only_looks))
			return true;
	}
	return false;
}

/* Puts a mark behind the turns that are under way. Returns whether there are any; if not,
 * there is no mark. */
static bool turns_mark(struct ttmpool_manager *mgr, struct turn *mark)
{
	bool on;

	tpos_spin_lock(&mgr->lock);
	on = !ttmpool_list_empty(&mgr->turns);
	if (on) {
		mgr->turn_waiters++;
		ttmpool_list_add_tail(&mark->link, &mgr->turns);
	}
	tpos_spin_unlock(&mgr->lock);
	return on;
}

/* Returns whether the wait goes on: a turn is before the mark, and nothing has ended the
 * wait. Takes the mark away if not. */
static bool turns_go_on(struct turn *mark, bool lookers, bool ended)
{
	struct ttmpool_manager *mgr = mark->mgr;
	bool on;

	tpos_spin_lock(&mgr->lock);
	on = !ended && turns_precede(mgr, mark, lookers);
	if (!on) {
		tpos_assert(mgr->turn_waiters);
		mgr->turn_waiters--;
		ttmpool_list_del(&mark->link);
	}
	tpos_spin_unlock(&mgr->lock);
	return on;
}

/*
 * Waits for the turns that are under way, each for as long as it has the pool that it has
 * now. They do not wait for any turn themselves; but a thread that has one may be slow: the
 * system may make it swap out buffers when it allocates. So the signals and the deadline of
 * @ask end this wait. If that is NULL, nothing does, because the caller has to be done.
 * Returns 1 if there were turns, 0 if not, or the error of ttmpool_ask_check().
 */
static int turns_await(struct ttmpool_manager *mgr, bool lookers,
		       const struct ttmpool_ask *ask)
{
	struct turn mark = { .mgr = mgr };
	int err = 0;
	long seen;

	if (!turns_mark(mgr, &mark))
		return 0;
	for (;;) {
		seen = tpos_wait_count(&mgr->turn_ended);
		if (!turns_go_on(&mark, lookers, err))
			return err ? err : 1;
		if (ask)
			err = ttmpool_ask_sleep(mgr, &mgr->turn_ended, seen,
						ask);
		else
			tpos_wait(&mgr->turn_ended, seen, NULL);
	}
}

/* Waits until what other threads have taken out of the bins by now has gone to the system,
 * or back into a bin. Returns whether there were any other threads. */
bool ttmpool_turns_wait(struct ttmpool_manager *mgr)
{
	return turns_await(mgr, false, NULL);
}

/* As ttmpool_turns_wait(), but for a request, whose signals and deadline end the wait: then
 * returns -EINTR or -ETIMEDOUT. */
int ttmpool_turns_wait_for(struct ttmpool_manager *mgr,
			   const struct ttmpool_ask *ask)
{
	return turns_await(mgr, false, ask);
}

/* Returns whether a thread may have taken pages of this pool out of its bins. The caller
 * holds the manager's lock. */
bool ttmpool_turn_is_on(struct ttmpool_manager *mgr,
			const struct ttmpool_pool *pool)
{
	struct ttmpool_list *link;

	tpos_assert_held(&mgr->lock);
	ttmpool_list_for_each(link, &mgr->turns) {
		struct turn *turn = ttmpool_list_entry(link, struct turn, link);

		if (turn->pool == pool && !turn->only_looks)
			return true;
	}
	return false;
}

/* Adds a new pool at the end of the manager's list. */
void ttmpool_turns_enter(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;

	tpos_assert(!pool->going);
	tpos_mutex_lock(&mgr->reclaim);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_add_tail(&pool->link, &mgr->pools);
	mgr->nr_pools++;
	tpos_spin_unlock(&mgr->lock);
	tpos_mutex_unlock(&mgr->reclaim);
}

/* Removes a pool: no turn comes to it any more, and those that were under way before, and
 * may have it, are waited for. */
void ttmpool_turns_leave(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;

	tpos_spin_lock(&mgr->lock);
	pool->going = true;
	tpos_spin_unlock(&mgr->lock);
	turns_await(mgr, true, NULL);
	tpos_mutex_lock(&mgr->reclaim);
	tpos_spin_lock(&mgr->lock);
	tpos_assert(mgr->nr_pools);
	if (mgr->turn == &pool->link)
		mgr->turn = pool->link.prev;
	ttmpool_list_del(&pool->link);
	mgr->nr_pools--;
	tpos_spin_unlock(&mgr->lock);
	tpos_mutex_unlock(&mgr->reclaim);
}

static bool is_any(struct ttmpool_pool *pool, const void *arg)
{
	(void)pool;
	(void)arg;
	return true;
}

void ttmpool_manager_each_pool(struct ttmpool_manager *mgr,
			       void (*fn)(struct ttmpool_pool *pool, void *arg),
			       void *arg)
{
	struct turn turn;

	ttmpool_turn_init(&turn, mgr);
	turn.only_looks = true;
	while (ttmpool_turn_next(&turn, is_any, NULL))
		fn(turn.pool, arg);
	ttmpool_turn_end(&turn);
}
