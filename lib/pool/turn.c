// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Turns: how those who reclaim go from pool to pool.
 *
 * A pool that somebody works on without a lock must not go meanwhile. Whoever does
 * so says which pool it is, in a struct on its own stack that is on the manager's
 * list; who tears the pool down waits until nobody has it.
 *
 *     mgr->pools    A    B    C    D         mgr->turn: B gave last
 *     mgr->turns   [shrinker, C] [give, A]   both at work, for a slice each
 *
 * So any number of them work at the same time, and none waits for another: not the
 * shrinker, whose thread may be inside one of them already, and not a give. There
 * are two who wait for them: a pool that goes, for those who have it; and who lowers
 * a limit, for those who have taken pages out of their bins before, and have not
 * given them to the system yet.
 */

#include "pool_internal.h"

/* So many pools are looked at before the lock is let go for others. */
#define LOOKS 128

void ttmpool_turn_init(struct turn *turn, struct ttmpool_manager *mgr)
{
	turn->mgr = mgr;
	turn->pool = NULL;
	turn->left = (size_t)-1;
	turn->only_looks = false;
	ttmpool_list_init(&turn->link);
}

/* Whoever waits for turns to end looks again. */
static void turns_wake(struct ttmpool_manager *mgr, bool waited_for)
{
	if (waited_for)
		tpos_wake(&mgr->turn_ended);
}

/* Look at some pools, the next one first. Returns whether one passes the test. A
 * pool that goes is no place to stop at, not even to go on from: nobody waits for
 * those who come to it now. */
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
 * Go on to the next pool that passes the test, which is asked with the manager's
 * lock held, and may take the pool's. It is turn->pool, and stays until the next
 * call. Returns false, and the turn is over, if in one round there was none.
 */
bool ttmpool_turn_next(struct turn *turn, pool_test test, const void *arg)
{
	struct ttmpool_manager *mgr = turn->mgr;
	bool found, waited_for;

	do {
		tpos_spin_lock(&mgr->lock);
		found = turn_look(turn, test, arg);
		/* Those who wait for what was under way do not wait for more. */
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

/* The pool of this turn gave something: who comes next begins with the one after it. A
 * pool that had nothing which could go just then is not passed over: those before it would
 * give all that is wanted again and again, and it would keep what it has. */
void ttmpool_turn_gave(struct turn *turn)
{
	struct ttmpool_manager *mgr = turn->mgr;

	tpos_assert(turn->pool);
	tpos_spin_lock(&mgr->lock);
	mgr->turn = &turn->pool->link;
	tpos_spin_unlock(&mgr->lock);
}

/* There was something to be had: all pools are looked at once more. */
void ttmpool_turn_again(struct turn *turn)
{
	turn->left = (size_t)-1;
}

/* The turn is over, if it is not by now. */
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

/* Pages of this pool that nobody asked for are in hand: they will be pooled, or go to the
 * system, before the turn ends. Who lacks as many waits for it, as for those who reclaim. */
void ttmpool_turn_hold(struct turn *turn, struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;

	ttmpool_turn_init(turn, mgr);
	turn->pool = pool;
	tpos_assert(!pool->going);
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_add_tail(&turn->link, &mgr->turns);
	tpos_spin_unlock(&mgr->lock);
}

/* Is somebody at work who came before @mark? @lookers: or only looks on. */
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

/*
 * Wait for the turns that are under way, each for as long as it has the pool that
 * it has now. They wait for nobody, so no signal ends it. Returns whether there was
 * any.
 */
static bool turns_await(struct ttmpool_manager *mgr, bool lookers)
{
	struct turn mark = { .mgr = mgr };
	bool wait;
	long seen;

	tpos_spin_lock(&mgr->lock);
	wait = !ttmpool_list_empty(&mgr->turns);
	if (wait) {
		mgr->turn_waiters++;
		ttmpool_list_add_tail(&mark.link, &mgr->turns);
	}
	tpos_spin_unlock(&mgr->lock);
	if (!wait)
		return false;
	while (wait) {
		seen = tpos_wait_count(&mgr->turn_ended);
		tpos_spin_lock(&mgr->lock);
		wait = turns_precede(mgr, &mark, lookers);
		if (!wait) {
			tpos_assert(mgr->turn_waiters);
			mgr->turn_waiters--;
			ttmpool_list_del(&mark.link);
		}
		tpos_spin_unlock(&mgr->lock);
		if (wait)
			tpos_wait(&mgr->turn_ended, seen, NULL);
	}
	return true;
}

/* What others have taken out of the bins by now goes to the system. Returns whether
 * there were any others. */
bool ttmpool_turns_wait(struct ttmpool_manager *mgr)
{
	return turns_await(mgr, false);
}

/* Has somebody taken pages of this pool out of its bins? The manager's lock is held. */
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

/* A pool comes: it is asked after all others. */
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

/* A pool goes: nobody comes to it any more, and nobody has it. */
void ttmpool_turns_leave(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;

	tpos_spin_lock(&mgr->lock);
	pool->going = true;
	tpos_spin_unlock(&mgr->lock);
	turns_await(mgr, true);
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
