// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting until woken. The counter closes the gap between looking and sleeping:
 *
 *     seen = count          n = count + 1, a full barrier
 *     look: nothing there   (it has become true before that)
 *     sleep until count != seen
 *                           wake
 *
 * Whoever looked too early has read the count before it was raised, and does
 * not sleep at all (wait_event() looks again once it is in the queue).
 */

#include <linux/ktime.h>
#include <linux/wait.h>

#include "ttmpool_system.h"

static bool was_woken(struct tpos_wait *wait, long seen)
{
	return atomic_long_read(&wait->woken) != seen;
}

/*
 * What is left is counted from one millisecond of the clock to another, as
 * tpos_now_ms() has them. Each of them is counted once, in whichever of many sleeps
 * it falls; to round each sleep would lose or find up to a millisecond in each.
 */
int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	s64 start = ktime_to_ms(ktime_get());
	u64 passed;
	long left;

	if (!timeout_ms) {
		wait_event(wait->queue, was_woken(wait, seen));
		return 0;
	}
	if (*timeout_ms == TTMPOOL_WAIT_FOREVER)
		return wait_event_interruptible(wait->queue,
						was_woken(wait, seen))
			       ? -EINTR
			       : 0;
	left = wait_event_interruptible_timeout(wait->queue,
						was_woken(wait, seen),
						msecs_to_jiffies(*timeout_ms));
	if (!left) {
		*timeout_ms = 0;
		return -ETIMEDOUT;
	}
	passed = ktime_to_ms(ktime_get()) - start;
	*timeout_ms -= (unsigned int)min_t(u64, passed, *timeout_ms);
	return left < 0 ? -EINTR : 0;
}

void tpos_wake(struct tpos_wait *wait)
{
	atomic_long_inc_return(&wait->woken);
	/* After a full barrier, as it asks for. */
	if (waitqueue_active(&wait->queue))
		wake_up_all(&wait->queue);
}
