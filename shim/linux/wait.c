// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting until woken. The counter closes the gap between checking and sleeping:
 *
 *     seen = count          n = count + 1, a full barrier
 *     check: not true       (it has become true before that)
 *     sleep until count != seen
 *                           wake
 *
 * A thread that checked too early has read the count before it was raised, and does not
 * sleep at all (wait_event() checks again when the thread is in the queue).
 */

#include <linux/ktime.h>
#include <linux/wait.h>

#include "ttmpool_system.h"

static bool was_woken(struct tpos_wait *wait, long seen)
{
	return atomic_long_read(&wait->woken) != seen;
}

/* Sleeps for at most so many jiffies. Returns what the kernel's macros return. */
static long sleep_for(struct tpos_wait *wait, long seen, bool killable,
		      long jiffies_most)
{
	if (killable)
		return wait_event_killable_timeout(
			wait->queue, was_woken(wait, seen), jiffies_most);
	return wait_event_interruptible_timeout(
		wait->queue, was_woken(wait, seen), jiffies_most);
}

/*
 * The remaining time is computed from whole milliseconds of the clock, as tpos_now_ms()
 * returns them. Each millisecond is counted once, in whichever of many sleeps it falls.
 * Rounding each sleep would lose or gain up to a millisecond in each.
 */
static int wait_until(struct tpos_wait *wait, long seen, bool killable,
		      unsigned int *timeout_ms)
{
	s64 start = ktime_to_ms(ktime_get());
	u64 passed;
	long left;

	if (*timeout_ms == TTMPOOL_WAIT_FOREVER) {
		left = sleep_for(wait, seen, killable, MAX_SCHEDULE_TIMEOUT);
		return left < 0 ? -EINTR : 0;
	}
	left = sleep_for(wait, seen, killable, msecs_to_jiffies(*timeout_ms));
	if (!left) {
		*timeout_ms = 0;
		return -ETIMEDOUT;
	}
	passed = ktime_to_ms(ktime_get()) - start;
	*timeout_ms -= (unsigned int)min_t(u64, passed, *timeout_ms);
	return left < 0 ? -EINTR : 0;
}

int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	if (timeout_ms)
		return wait_until(wait, seen, false, timeout_ms);
	wait_event(wait->queue, was_woken(wait, seen));
	return 0;
}

int tpos_wait_killable(struct tpos_wait *wait, long seen,
		       unsigned int *timeout_ms)
{
	return wait_until(wait, seen, true, timeout_ms);
}

void tpos_wake(struct tpos_wait *wait)
{
	atomic_long_inc_return(&wait->woken);
	/* waitqueue_active() needs the full barrier of the line above. */
	if (waitqueue_active(&wait->queue))
		wake_up_all(&wait->queue);
}
