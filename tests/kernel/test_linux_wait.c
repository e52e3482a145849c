// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Waiting in a real kernel: with other threads, for a time, and until a signal. */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>

#include "check_ktap.h"

/**
 * struct sleeper - a thread that waits
 * @task: the thread
 * @wait: what it waits on
 * @seen: the count that it saw before
 * @timeout_ms: how long it waits, and the time that was left
 * @killable: only a kill interrupts it
 * @err: what tpos_wait() returned
 * @ended: it has returned
 */
struct sleeper {
	struct task_struct *task;
	struct tpos_wait *wait;
	long seen;
	unsigned int timeout_ms;
	bool killable;
	int err;
	bool ended;
};

static int sleeper_run(void *data)
{
	struct sleeper *sleeper = data;

	allow_signal(SIGUSR1);
	allow_signal(SIGKILL);
	if (sleeper->killable)
		sleeper->err = tpos_wait_killable(sleeper->wait, sleeper->seen,
						  &sleeper->timeout_ms);
	else
		sleeper->err = tpos_wait(sleeper->wait, sleeper->seen,
					 &sleeper->timeout_ms);
	smp_store_release(&sleeper->ended, true);
	flush_signals(current);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

static bool sleeper_start(struct sleeper *sleeper, struct tpos_wait *wait,
			  unsigned int timeout_ms)
{
	sleeper->wait = wait;
	sleeper->seen = tpos_wait_count(wait);
	sleeper->timeout_ms = timeout_ms;
	sleeper->task = kthread_run(sleeper_run, sleeper, "ttmpool-sleeper");
	msleep(100);
	return !IS_ERR(sleeper->task);
}

static bool sleeper_has_ended(struct sleeper *sleeper)
{
	return smp_load_acquire(&sleeper->ended);
}

/* Returns the result of the wait, once there is one. */
static int sleeper_end(struct sleeper *sleeper)
{
	while (!sleeper_has_ended(sleeper))
		msleep(20);
	kthread_stop(sleeper->task);
	return sleeper->err;
}

/* Without a wake-up the wait ends with the time-out, and no time is left. */
static void waiting_ends_with_the_time(struct check *t)
{
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	unsigned int timeout_ms = 30;

	CHECK(t, wait);
	tpos_wait_init(wait);
	CHECK_EQ(t, tpos_wait(wait, tpos_wait_count(wait), &timeout_ms),
		 -ETIMEDOUT);
	CHECK_EQ(t, timeout_ms, 0);
	tpos_wait_fini(wait);
}

/* A thread that was woken between looking and waiting does not wait. */
static void a_wake_before_the_wait_counts(struct check *t)
{
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	unsigned int timeout_ms = TTMPOOL_WAIT_FOREVER;
	long seen;

	CHECK(t, wait);
	tpos_wait_init(wait);
	seen = tpos_wait_count(wait);
	tpos_wake(wait);
	CHECK_EQ(t, tpos_wait(wait, seen, &timeout_ms), 0);
	CHECK_EQ(t, timeout_ms, TTMPOOL_WAIT_FOREVER);
	tpos_wait_fini(wait);
}

/* One wake-up ends the wait of all threads, and those with a time-out have time left. */
static void one_wake_wakes_all(struct check *t)
{
	static const unsigned int timeouts[] = { TTMPOOL_WAIT_FOREVER, 60000 };
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	struct sleeper *sleepers = check_zalloc(t, 2 * sizeof(*sleepers));

	CHECK(t, wait && sleepers);
	tpos_wait_init(wait);
	for (int i = 0; i < 2; i++)
		CHECK(t, sleeper_start(&sleepers[i], wait, timeouts[i]));
	for (int i = 0; i < 2; i++)
		CHECK(t, !sleeper_has_ended(&sleepers[i]));
	tpos_wake(wait);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(t, sleeper_end(&sleepers[i]), 0);
	CHECK_EQ(t, sleepers[0].timeout_ms, TTMPOOL_WAIT_FOREVER);
	CHECK(t, sleepers[1].timeout_ms > 0 && sleepers[1].timeout_ms < 60000);
	tpos_wait_fini(wait);
}

/* A signal ends the wait, with a time-out and without. */
static void a_signal_ends_the_waiting(struct check *t)
{
	static const unsigned int timeouts[] = { TTMPOOL_WAIT_FOREVER, 60000 };
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	struct sleeper *sleeper = check_zalloc(t, sizeof(*sleeper));

	CHECK(t, wait && sleeper);
	tpos_wait_init(wait);
	for (int i = 0; i < 2; i++) {
		sleeper->ended = false;
		CHECK(t, sleeper_start(sleeper, wait, timeouts[i]));
		send_sig(SIGUSR1, sleeper->task, 1);
		CHECK_EQ(t, sleeper_end(sleeper), -EINTR);
	}
	tpos_wait_fini(wait);
}

/* Of signals, only one that kills ends a killable wait; its time ends it as well. */
static void only_a_kill_ends_the_killable_waiting(struct check *t)
{
	static const unsigned int timeouts[] = { TTMPOOL_WAIT_FOREVER, 60000,
						 200 };
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	struct sleeper *sleeper = check_zalloc(t, sizeof(*sleeper));

	CHECK(t, wait && sleeper);
	tpos_wait_init(wait);
	sleeper->killable = true;
	for (int i = 0; i < 3; i++) {
		sleeper->ended = false;
		CHECK(t, sleeper_start(sleeper, wait, timeouts[i]));
		send_sig(SIGUSR1, sleeper->task, 1);
		msleep(20);
		if (timeouts[i] >= 60000) {
			CHECK(t, !sleeper_has_ended(sleeper));
			send_sig(SIGKILL, sleeper->task, 1);
			CHECK_EQ(t, sleeper_end(sleeper), -EINTR);
		} else {
			CHECK_EQ(t, sleeper_end(sleeper), -ETIMEDOUT);
		}
	}
	tpos_wait_fini(wait);
}

/* A thread that wakes again and again. */
static int waker_run(void *data)
{
	while (!kthread_should_stop()) {
		tpos_wake(data);
		usleep_range(100, 200);
	}
	return 0;
}

/* A thread that is woken again and again sleeps, in total, as long as it wanted to. */
static void many_short_sleeps_are_one_long(struct check *t)
{
	struct tpos_wait *wait = check_zalloc(t, sizeof(*wait));
	unsigned int timeout_ms = 100;
	struct task_struct *task;
	u64 start;

	CHECK(t, wait);
	tpos_wait_init(wait);
	task = kthread_run(waker_run, wait, "ttmpool-waker");
	CHECK(t, !IS_ERR(task));
	start = tpos_now_ms(t->system);
	while (timeout_ms && tpos_now_ms(t->system) - start < 5000)
		tpos_wait(wait, tpos_wait_count(wait), &timeout_ms);
	start = tpos_now_ms(t->system) - start;
	kthread_stop(task);
	CHECK_EQ(t, timeout_ms, 0);
	CHECK(t, start >= 80 && start < 1000);
	tpos_wait_fini(wait);
}

CHECK_SUITE(linux_wait, CHECK_CASE(many_short_sleeps_are_one_long),
	    CHECK_CASE(waiting_ends_with_the_time),
	    CHECK_CASE(a_wake_before_the_wait_counts),
	    CHECK_CASE(only_a_kill_ends_the_killable_waiting),
	    CHECK_CASE(one_wake_wakes_all),
	    CHECK_CASE(a_signal_ends_the_waiting));
