// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting: who finds no room, and has time, sleeps until somebody brings something
 * back. There are two places to sleep at, since there are two things to wait for:
 *
 *     manager->queue   pages   woken by pages that go back to the system, or that
 *                              are pooled: they could go
 *     iova->queue      bytes   woken by mappings that end, or that are only kept
 *                              from now on: they could end
 *
 * A sleeper holds nothing: no page, no address, no lock. So whoever has the time
 * left looks again from the beginning, and the one who wakes him need not know what
 * he lacks. What is given up by no call of ours (a buffer's lock, most of all) wakes
 * nobody: so everybody looks again every 100 ms.
 *
 * Time is one absolute deadline for each call, whatever is done until then, however
 * often one is woken.
 */

#include "pool_internal.h"

#define NAP_MS 100

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

/* From now on who brings something back wakes those who sleep. It is said before one
 * looks, by a full barrier. */
void ttmpool_queue_enter(struct ttmpool_queue *queue)
{
	tpos_atomic_add_return(1, &queue->waiting);
}

void ttmpool_queue_leave(struct ttmpool_queue *queue)
{
	long left = tpos_atomic_add_return(-1, &queue->waiting);

	tpos_assert(left >= 0);
}

/* The end of a wait that begins now. */
struct ttmpool_deadline ttmpool_deadline(struct ttmpool_pool *pool,
					 unsigned int wait_ms)
{
	struct ttmpool_deadline until = { .wait_ms = wait_ms };

	if (wait_ms && wait_ms != TTMPOOL_WAIT_FOREVER)
		until.at_ms = tpos_now_ms(pool->mgr->system) + wait_ms;
	return until;
}

/* How long to sleep before one looks again; 0: the time is over. */
static unsigned int nap_until(struct ttmpool_pool *pool,
			      const struct ttmpool_deadline *until)
{
	uint64_t now;

	if (until->wait_ms == TTMPOOL_WAIT_FOREVER)
		return NAP_MS;
	now = tpos_now_ms(pool->mgr->system);
	if (now >= until->at_ms)
		return 0;
	return until->at_ms - now < NAP_MS ? (unsigned int)(until->at_ms - now)
					   : NAP_MS;
}

/*
 * Sleep until one should look again: 0; or -ETIMEDOUT, the time is over; -EINTR, a
 * signal is pending. @seen: the count of @queue before one looked the last time.
 */
int ttmpool_queue_wait(struct ttmpool_pool *pool, struct ttmpool_queue *queue,
		       long seen, const struct ttmpool_deadline *until)
{
	unsigned int nap = nap_until(pool, until);
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
