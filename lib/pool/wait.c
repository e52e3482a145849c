// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting: a thread that finds no room, and has time left, sleeps until others bring
 * something back. There are two things to wait for, and so two queues:
 *
 *     manager->queue   pages   woken when pages go back to the system, or are pooled,
 *                              because pooled pages can be given up
 *     iova->queue      bytes   woken when mappings end, or are only kept from now on,
 *                              because kept mappings can end
 *
 * A sleeping thread holds nothing: no page, no address, no lock. So a thread that is woken
 * in time looks again from the beginning, and the thread that wakes it need not know what
 * it lacks. Some things become free without any call of ours, above all when a driver
 * releases the lock of a buffer, and then nobody is woken. So each waiter looks again every
 * 100 ms. Addresses that another driver's device has freed are known to the machine only.
 * To ask it costs more, so a waiter does that ever less often: after 100 ms, 200 ms later, and
 * so on, but each 1.6 s at least; or each 16 s, if the machine had some, but not enough.
 *
 * Each call has one absolute deadline, whatever it does until then, and however often it is
 * woken.
 */

#include "pool_internal.h"

void ttmpool_queue_init(struct ttmpool_queue *queue)
{
	tpos_wait_init(&queue->wait);
	tpos_atomic_set(&queue->waiting, 0);
}

void ttmpool_queue_fini(struct ttmpool_queue *queue)
{
	tpos_assert(!tpos_atomic_read(&queue->waiting));
	tpos_wait_fini(&queue->wait);
}

/* From now on, a thread that brings something back wakes those that sleep here. The caller
 * must enter before it looks for room; the full barrier keeps that order. */
void ttmpool_queue_enter(struct ttmpool_queue *queue)
{
	tpos_atomic_add_return(1, &queue->waiting);
}

void ttmpool_queue_leave(struct ttmpool_queue *queue)
{
	long left = tpos_atomic_add_return(-1, &queue->waiting);

	tpos_assert(left >= 0);
}

/* Returns the end of a wait that begins now. */
struct ttmpool_deadline ttmpool_deadline(struct ttmpool_pool *pool,
					 unsigned int wait_ms)
{
	struct ttmpool_deadline until = { .wait_ms = wait_ms };

	if (wait_ms && wait_ms != TTMPOOL_WAIT_FOREVER)
		until.at_ms = tpos_now_ms(pool->mgr->system) + wait_ms;
	return until;
}

/* Returns how long to sleep before looking again; 0 if the time is over. */
static unsigned int nap_until(struct ttmpool_manager *mgr,
			      const struct ttmpool_deadline *until)
{
	uint64_t now;

	if (until->wait_ms == TTMPOOL_WAIT_FOREVER)
		return TTMPOOL_NAP_MS;
	now = tpos_now_ms(mgr->system);
	if (now >= until->at_ms)
		return 0;
	return until->at_ms - now < TTMPOOL_NAP_MS
		       ? (unsigned int)(until->at_ms - now)
		       : TTMPOOL_NAP_MS;
}

/* The longest times between two questions for addresses: if the machine has none, and if it
 * has some. */
#define ASK_MOST_MS      1600
#define ASK_MOST_TOLD_MS 16000

/* Begins to wait for addresses. */
void ttmpool_asking_begin(struct asking *asking, struct ttmpool_pool *pool)
{
	asking->every = TTMPOOL_NAP_MS;
	asking->next = tpos_now_ms(pool->mgr->system) + TTMPOOL_NAP_MS;
}

/* Returns whether it is time to ask the machine for addresses. */
bool ttmpool_asking_is_due(struct asking *asking, struct ttmpool_pool *pool)
{
	uint64_t now = tpos_now_ms(pool->mgr->system);

	if (now < asking->next)
		return false;
	if (asking->every < ASK_MOST_MS)
		asking->every *= 2;
	asking->next = now + asking->every;
	return true;
}

/* The machine had addresses, but the request may find that they are not enough, so it asks
 * less often from now on. */
void ttmpool_asking_was_told(struct asking *asking)
{
	asking->next += asking->every;
	if (asking->every < ASK_MOST_TOLD_MS)
		asking->every *= 2;
}

/*
 * Sleeps until the caller should look again, and returns 0; or -ETIMEDOUT if the time is
 * over, or -EINTR if a signal is pending. @seen: the count of @queue before the caller last
 * looked.
 */
int ttmpool_queue_wait(struct ttmpool_pool *pool, struct ttmpool_queue *queue,
		       long seen, const struct ttmpool_deadline *until)
{
	unsigned int nap = nap_until(pool->mgr, until);
	int err;

	tpos_assert(until->wait_ms);
	tpos_assert(tpos_atomic_read(&queue->waiting) > 0);
	if (!nap)
		return -ETIMEDOUT;
	if (tpos_signal_pending())
		return -EINTR;
	pool_tally(pool, &pool->stats.waits, 1);
	err = tpos_wait(&queue->wait, seen, &nap);
	return err == -ETIMEDOUT ? 0 : err;
}

/* Returns whether the request has a deadline for its sleep and its work. */
static bool ask_has_end(const struct ttmpool_ask *ask)
{
	return ask->until && ask->until->wait_ms;
}

/* Returns -EINTR if a signal ends the request, -ETIMEDOUT if its deadline is over, or 0. */
int ttmpool_ask_check(struct ttmpool_manager *mgr,
		      const struct ttmpool_ask *ask)
{
	if (ask->in_reclaim || ask->killable ? tpos_fatal_signal_pending()
					     : tpos_signal_pending())
		return -EINTR;
	return ask_has_end(ask) && !nap_until(mgr, ask->until) ? -ETIMEDOUT : 0;
}

/*
 * Sleeps until the threads at work have done something, or for a while. Returns what
 * ttmpool_ask_check() returns then. A thread whose request only a kill ends sleeps on with
 * any other signal.
 */
int ttmpool_ask_sleep(struct ttmpool_manager *mgr, struct tpos_wait *wait,
		      long seen, const struct ttmpool_ask *ask)
{
	unsigned int nap = TTMPOOL_NAP_MS;
	int err = ttmpool_ask_check(mgr, ask);

	if (err)
		return err;
	if (ask_has_end(ask))
		nap = nap_until(mgr, ask->until);
	if (ask->killable)
		tpos_wait_killable(wait, seen, &nap);
	else
		tpos_wait(wait, seen, &nap);
	return ttmpool_ask_check(mgr, ask);
}

/* As ttmpool_ask_sleep(), in a queue. */
int ttmpool_queue_follow(struct ttmpool_manager *mgr,
			 struct ttmpool_queue *queue, long seen,
			 const struct ttmpool_ask *ask)
{
	tpos_assert(tpos_atomic_read(&queue->waiting) > 0);
	return ttmpool_ask_sleep(mgr, &queue->wait, seen, ask);
}
