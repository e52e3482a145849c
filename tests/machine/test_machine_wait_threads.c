// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Waiting on a machine with threads, where threads really sleep. Nothing here depends on
 * which thread comes first, because the count tells a sleeper that it was woken.
 */

#include <stdatomic.h>
#include <unistd.h>

#include "bed.h"

#define SLEEPERS 3
#define ROUNDS   200

static struct tpsim_machine *m;
static struct tpos_wait wait;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .threads = true });
	tpos_wait_init(&wait);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_wait_fini(&wait);
	tpsim_machine_destroy(m);
	return 0;
}

/* One thread that waits once, until the count differs from @seen. */
struct sleep {
	pthread_t thread;
	long seen;
	unsigned int left;
	bool unending; /* only a wake-up ends it */
	bool killable;
	int err;
};

static void *sleep_main(void *arg)
{
	struct sleep *sleep = arg;

	tpsim_ledger_is_empty(m); /* select the machine */
	if (sleep->killable)
		sleep->err =
			tpos_wait_killable(&wait, sleep->seen, &sleep->left);
	else
		sleep->err = tpos_wait(&wait, sleep->seen,
				       sleep->unending ? NULL : &sleep->left);
	return NULL;
}

static void sleep_begin(struct sleep *sleep)
{
	assert_int_equal(
		pthread_create(&sleep->thread, NULL, sleep_main, sleep), 0);
}

static void sleep_start(struct sleep *sleep, long seen, unsigned int ms)
{
	*sleep = (struct sleep){ .seen = seen, .left = ms, .unending = !ms };
	sleep_begin(sleep);
}

static void sleep_start_killable(struct sleep *sleep, unsigned int ms)
{
	*sleep = (struct sleep){ .left = ms, .killable = true };
	sleep_begin(sleep);
}

static int sleep_end(struct sleep *sleep)
{
	assert_int_equal(pthread_join(sleep->thread, NULL), 0);
	return sleep->err;
}

static void until_waits(unsigned long n)
{
	while (tpsim_fault_calls(m, TPSIM_CALL_WAIT) < n)
		sched_yield();
}

/* Wait until a thread sleeps. */
static void until_asleep(void)
{
	unsigned int sleepers = 0;

	while (!sleepers) {
		pthread_mutex_lock(&wait.mutex);
		sleepers = wait.sleepers;
		pthread_mutex_unlock(&wait.mutex);
		sched_yield();
	}
}

/* A wake-up wakes all sleepers. */
static void all_are_woken(void **state)
{
	struct sleep sleeps[SLEEPERS];

	(void)state;
	for (int i = 0; i < SLEEPERS; i++)
		sleep_start(&sleeps[i], 0, TTMPOOL_WAIT_FOREVER);
	until_waits(SLEEPERS);
	tpos_wake(&wait);
	for (int i = 0; i < SLEEPERS; i++) {
		assert_int_equal(sleep_end(&sleeps[i]), 0);
		assert_int_equal(sleeps[i].left, TTMPOOL_WAIT_FOREVER);
	}
}

/* A wake-up is not lost, whether it comes before the sleep or during it. */
static void no_wake_up_is_lost(void **state)
{
	(void)state;
	for (long i = 0; i < ROUNDS; i++) {
		struct sleep sleep;

		sleep_start(&sleep, i, TTMPOOL_WAIT_FOREVER);
		tpos_wake(&wait);
		assert_int_equal(sleep_end(&sleep), 0);
	}
}

/* A sleep that only a wake-up may end is not ended by a signal. */
static void a_signal_does_not_end_every_sleep(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, 0);
	until_asleep();
	tpsim_signal_after(m, 1);
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
	until_asleep();
	tpos_wake(&wait);
	assert_int_equal(sleep_end(&sleep), 0);
	tpsim_signal_clear(m);
}

/* A killable sleep is ended by a signal only if that kills. */
static void only_a_kill_ends_a_killable_sleep(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start_killable(&sleep, TTMPOOL_WAIT_FOREVER);
	until_asleep();
	tpsim_signal_after(m, 1);
	for (int i = 0; i < ROUNDS; i++)
		sched_yield();
	until_asleep();
	tpsim_kill_after(m, 1);
	assert_int_equal(sleep_end(&sleep), -EINTR);
	tpsim_signal_clear(m);
}

/* With a signal that does not kill, a killable sleep ends with the time, or when the thread is
 * woken. */
static void a_killable_sleep_has_a_time_out(void **state)
{
	struct sleep sleep;

	(void)state;
	tpsim_signal_after(m, 1);
	sleep_start_killable(&sleep, 1);
	assert_int_equal(sleep_end(&sleep), -ETIMEDOUT);
	assert_int_equal(sleep.left, 0);
	sleep_start_killable(&sleep, 3600000);
	until_asleep();
	tpos_wake(&wait);
	assert_int_equal(sleep_end(&sleep), 0);
	assert_true(sleep.left > 0);
	tpsim_signal_clear(m);
}

/* Without a wake-up the time-out ends the sleep, and no time is left. */
static void a_time_out_ends_a_sleep(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, 1);
	assert_int_equal(sleep_end(&sleep), -ETIMEDOUT);
	assert_int_equal(sleep.left, 0);
}

/* A sleeper that is woken in time has the rest of the time left. */
static void time_is_left(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, 3600000);
	until_asleep();
	tpos_wake(&wait);
	assert_int_equal(sleep_end(&sleep), 0);
	assert_true(sleep.left > 0 && sleep.left <= 3600000);
}

static void *wake_often(void *arg)
{
	while (!atomic_load((atomic_bool *)arg)) {
		tpos_wake(&wait);
		usleep(200);
	}
	return NULL;
}

/* A thread that is woken again and again sleeps, in total, as long as it wanted to:
 * fractions of a millisecond are neither lost nor added. */
static void many_short_sleeps_are_one_long(void **state)
{
	atomic_bool over = false;
	unsigned int left = 100;
	pthread_t thread;
	uint64_t start;

	(void)state;
	tpsim_ledger_is_empty(m);
	assert_int_equal(pthread_create(&thread, NULL, wake_often, &over), 0);
	start = tpos_now_ms(m);
	while (left)
		tpos_wait(&wait, tpos_wait_count(&wait), &left);
	start = tpos_now_ms(m) - start;
	atomic_store(&over, true);
	pthread_join(thread, NULL);
	assert_true(start >= 80 && start < 1000);
}

/* A signal ends the sleep of all threads that sleep on the machine. */
static void a_signal_wakes_sleepers(void **state)
{
	struct sleep sleeps[SLEEPERS];

	(void)state;
	for (int i = 0; i < SLEEPERS; i++)
		sleep_start(&sleeps[i], 0, TTMPOOL_WAIT_FOREVER);
	until_waits(SLEEPERS);
	tpsim_signal_after(m, 1);
	for (int i = 0; i < SLEEPERS; i++)
		assert_int_equal(sleep_end(&sleeps[i]), -EINTR);
	tpsim_signal_clear(m);
}

/* The check that makes a signal come may be made by another thread. */
static void a_question_wakes_sleepers(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, TTMPOOL_WAIT_FOREVER);
	until_asleep();
	tpsim_signal_after(m, 2);
	assert_false(tpos_signal_pending());
	assert_true(tpos_signal_pending());
	assert_int_equal(sleep_end(&sleep), -EINTR);
	tpsim_signal_clear(m);
}

static void signal_now(void *arg)
{
	tpsim_signal_after(arg, 1);
}

/* Nor is a signal lost that comes between the last check and the sleep. */
static void no_signal_is_lost(void **state)
{
	struct sleep sleep;

	(void)state;
	tpsim_while_waiting(m, signal_now, m);
	sleep_start(&sleep, 0, TTMPOOL_WAIT_FOREVER);
	assert_int_equal(sleep_end(&sleep), -EINTR);
	tpsim_while_waiting(m, NULL, NULL);
	tpsim_signal_clear(m);
}

/* A signal does not end the sleep of threads on another machine. */
static void others_sleep_on(void **state)
{
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, TTMPOOL_WAIT_FOREVER);
	until_waits(1);
	tpsim_signal_after(other, 1);
	tpos_wake(&wait);
	assert_int_equal(sleep_end(&sleep), 0);
	tpsim_machine_destroy(other);
}

static void work_wakes(struct tpos_work *work)
{
	(void)work;
	tpos_wake(&wait);
}

/* The worker runs while other threads sleep. */
static void the_worker_may_wake(void **state)
{
	struct tpos_work work;
	struct sleep sleep;

	(void)state;
	tpos_work_init(&work, work_wakes);
	sleep_start(&sleep, 0, TTMPOOL_WAIT_FOREVER);
	tpos_work_queue(m, &work);
	assert_int_equal(sleep_end(&sleep), 0);
	tpos_work_cancel(m, &work);
}

static void end_the_wait(void *arg)
{
	(void)arg;
	tpos_wait_fini(&wait);
}

/* A wait cannot be ended while a thread sleeps on it. */
static void a_wait_outlives_its_sleepers(void **state)
{
	struct sleep sleep;

	(void)state;
	sleep_start(&sleep, 0, TTMPOOL_WAIT_FOREVER);
	until_asleep();
	assert_complains("end of a wait", end_the_wait, NULL);
	tpos_wake(&wait);
	assert_int_equal(sleep_end(&sleep), 0);
}

static void *no_machine_main(void *arg)
{
	*(bool *)arg = tpos_signal_pending();
	return NULL;
}

/* A thread that works on no machine has no signals. */
static void no_machine_means_no_signals(void **state)
{
	pthread_t thread;
	bool pending = true;

	(void)state;
	tpsim_signal_after(m, 1);
	assert_int_equal(
		pthread_create(&thread, NULL, no_machine_main, &pending), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_false(pending);
	tpsim_signal_clear(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_are_woken),
		TEST(no_wake_up_is_lost),
		TEST(a_time_out_ends_a_sleep),
		TEST(time_is_left),
		TEST(many_short_sleeps_are_one_long),
		TEST(a_signal_wakes_sleepers),
		TEST(a_signal_does_not_end_every_sleep),
		TEST(only_a_kill_ends_a_killable_sleep),
		TEST(a_killable_sleep_has_a_time_out),
		TEST(a_question_wakes_sleepers),
		TEST(no_signal_is_lost),
		TEST(others_sleep_on),
		TEST(the_worker_may_wake),
		TEST(no_machine_means_no_signals),
		TEST(a_wait_outlives_its_sleepers),
	};

	return cmocka_run_group_tests_name("machine-wait-threads", tests, NULL,
					   NULL);
}
