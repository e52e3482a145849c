// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting and signals: wait_event_interruptible_timeout(), wake_up_all() and
 * signal_pending().
 *
 * A case has one thread, as a rule. Then nobody could wake it, and so what
 * would happen in the meantime is a function that the case names, and no time
 * passes at all.
 */

#include <time.h>

#include "machine.h"

/* Of each thread. */
static _Thread_local struct {
	unsigned long looks; /* until a signal is pending; 0: none will be */
	void (*happens)(void *arg);
	void *arg;
} self;

void tpsim_signal_after(struct tpsim_machine *machine, unsigned long nth)
{
	(void)machine;
	self.looks = nth;
}

void tpsim_signal_clear(struct tpsim_machine *machine)
{
	tpsim_signal_after(machine, 0);
}

void tpsim_while_waiting(struct tpsim_machine *machine,
			 void (*happens)(void *arg), void *arg)
{
	(void)machine;
	self.happens = happens;
	self.arg = arg;
}

bool tpos_signal_pending(void)
{
	if (self.looks > 1)
		self.looks--;
	else
		return self.looks;
	return false;
}

void tpos_wait_init(struct tpos_wait *wait)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&wait->woken, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&wait->mutex, NULL);
	wait->count = 0;
}

void tpos_wait_fini(struct tpos_wait *wait)
{
	pthread_mutex_destroy(&wait->mutex);
	pthread_cond_destroy(&wait->woken);
}

long tpos_wait_count(struct tpos_wait *wait)
{
	long count;

	pthread_mutex_lock(&wait->mutex);
	count = wait->count;
	pthread_mutex_unlock(&wait->mutex);
	return count;
}

void tpos_wake(struct tpos_wait *wait)
{
	thread_may_sleep(__func__);
	pthread_mutex_lock(&wait->mutex);
	wait->count++;
	pthread_cond_broadcast(&wait->woken);
	pthread_mutex_unlock(&wait->mutex);
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Sleep until woken, or until the time is over. Returns whether it is. */
static bool sleep_until(struct tpos_wait *wait, uint64_t end_ms)
{
	struct timespec end = { .tv_sec = (time_t)(end_ms / 1000),
				.tv_nsec = (long)(end_ms % 1000) * 1000000 };

	if (!end_ms)
		return pthread_cond_wait(&wait->woken, &wait->mutex);
	return pthread_cond_timedwait(&wait->woken, &wait->mutex, &end);
}

int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	bool forever = *timeout_ms == TTMPOOL_WAIT_FOREVER;
	uint64_t start = now_ms(), end = forever ? 0 : start + *timeout_ms;
	uint64_t passed;
	bool over = false;
	int err = 0;

	thread_may_sleep(__func__);
	if (self.happens)
		self.happens(self.arg);
	pthread_mutex_lock(&wait->mutex);
	while (wait->count == seen && !err) {
		if (tpos_signal_pending())
			err = -EINTR;
		else if (over || self.happens || (!forever && end <= start))
			err = -ETIMEDOUT;
		else
			over = sleep_until(wait, end);
	}
	pthread_mutex_unlock(&wait->mutex);
	passed = now_ms() - start;
	if (!forever)
		*timeout_ms = err == -ETIMEDOUT || passed > *timeout_ms
				      ? 0
				      : *timeout_ms - (unsigned int)passed;
	return err;
}
