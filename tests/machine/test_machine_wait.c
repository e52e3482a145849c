// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Waiting on a machine without threads: other code runs only while the test lets it. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpos_wait wait;
static tpos_mutex_t low, high;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	tpos_wait_init(&wait);
	tpos_mutex_init(&low, m, 1);
	tpos_mutex_init(&high, m, 2);
	assert_true(tpsim_ledger_is_empty(m)); /* and works on it */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_mutex_fini(&low);
	tpos_mutex_fini(&high);
	tpos_wait_fini(&wait);
	tpsim_machine_destroy(m);
	return 0;
}

static int wait_ms(long seen, unsigned int ms, unsigned int *left)
{
	*left = ms;
	return tpos_wait(&wait, seen, left);
}

/* Wake-ups are counted. */
static void a_wake_up_is_counted(void **state)
{
	(void)state;
	assert_int_equal(tpos_wait_count(&wait), 0);
	tpos_wake(&wait);
	tpos_wake(&wait);
	assert_int_equal(tpos_wait_count(&wait), 2);
}

/* A waiter that comes after the wake-up does not wait for the next one. */
static void a_wake_up_that_was_is_not_missed(void **state)
{
	unsigned int left;

	(void)state;
	tpos_wake(&wait);
	assert_int_equal(wait_ms(0, TTMPOOL_WAIT_FOREVER, &left), 0);
	assert_int_equal(left, TTMPOOL_WAIT_FOREVER);
	assert_int_equal(tpsim_fault_calls(m, TPSIM_CALL_WAIT), 0);
}

/* Without a wake-up the whole time-out passes, in simulated time. */
static void time_passes(void **state)
{
	uint64_t before = counters_of(m).ns;
	unsigned int left;

	(void)state;
	assert_int_equal(wait_ms(0, 250, &left), -ETIMEDOUT);
	assert_int_equal(left, 0);
	assert_true(counters_of(m).ns - before >= 250000000);
	assert_int_equal(wait_ms(0, 0, &left), -ETIMEDOUT);
}

static void wake(void *arg)
{
	tpos_wake(arg);
}

/* Code that runs during the wait may wake the waiter. */
static void others_may_wake(void **state)
{
	unsigned int left;

	(void)state;
	tpsim_while_waiting(m, wake, &wait);
	assert_int_equal(wait_ms(0, TTMPOOL_WAIT_FOREVER, &left), 0);
	assert_int_equal(wait_ms(1, 30, &left), 0);
	assert_int_equal(left, 30);
	tpsim_while_waiting(m, NULL, NULL);
	assert_int_equal(wait_ms(2, 30, &left), -ETIMEDOUT);
}

struct job {
	struct tpos_work work;
	int runs;
	int wakes; /* in this run */
};

static void job_run(struct tpos_work *work)
{
	struct job *job = ttmpool_list_entry(work, struct job, work);

	if (++job->runs == job->wakes)
		tpos_wake(&wait);
	else
		tpos_work_queue(m, work);
}

/* So may queued work; it runs once in each wait. */
static void work_may_wake(void **state)
{
	struct job job = { .wakes = 3 };
	unsigned int left;

	(void)state;
	tpos_work_init(&job.work, job_run);
	tpos_work_queue(m, &job.work);
	assert_int_equal(wait_ms(0, 10, &left), -ETIMEDOUT);
	assert_int_equal(job.runs, 1);
	assert_int_equal(wait_ms(0, 10, &left), -ETIMEDOUT);
	assert_int_equal(wait_ms(0, 10, &left), 0);
	assert_int_equal(left, 10);
	assert_int_equal(job.runs, 3);
}

static void take_low(void *arg)
{
	(void)arg;
	tpos_mutex_lock(&low);
	tpos_mutex_unlock(&low);
	tpos_wake(&wait);
}

/* Code that runs during the wait holds none of the waiter's locks; the waiter holds them
 * again afterwards. */
static void others_hold_no_locks(void **state)
{
	unsigned int left;

	(void)state;
	tpsim_while_waiting(m, take_low, NULL);
	tpos_mutex_lock(&high);
	assert_int_equal(wait_ms(0, 10, &left), 0);
	tpos_mutex_assert_held(&high);
	tpos_mutex_unlock(&high);
}

/* A wait fails as planned; after a planned time-out no time is left. */
static void a_wait_fails_as_planned(void **state)
{
	struct tpsim_fault late = { .call = TPSIM_CALL_WAIT,
				    .nth = 1,
				    .error = -ETIMEDOUT };
	unsigned int left;

	(void)state;
	tpsim_while_waiting(m, wake, &wait);
	plan(m, TPSIM_CALL_WAIT, 1, 0);
	assert_int_equal(wait_ms(0, 10, &left), -EINTR);
	assert_int_equal(left, 10);
	tpsim_fault_plan(m, &late);
	assert_int_equal(tpos_now_ms(m), 0);
	assert_int_equal(wait_ms(0, 10, &left), -ETIMEDOUT);
	assert_int_equal(left, 0);
	assert_int_equal(tpos_now_ms(m), 10);
	assert_int_equal(wait_ms(0, 10, &left), 0);
}

/* The clock advances with the cost of calls, with waits, and with tpsim_pass_time(). */
static void the_clock_moves_on(void **state)
{
	unsigned int left;

	(void)state;
	assert_int_equal(tpos_now_ms(m), 0);
	assert_int_equal(wait_ms(0, 250, &left), -ETIMEDOUT);
	assert_int_equal(tpos_now_ms(m), 250);
	tpsim_pass_time(m, 50);
	assert_int_equal(tpos_now_ms(m), 300);
	assert_int_equal(counters_of(m).ns / 1000000, 300);
}

static void wait_for_ever(void *arg)
{
	unsigned int left;

	(void)arg;
	wait_ms(0, TTMPOOL_WAIT_FOREVER, &left);
}

static void time_out_for_ever(void *arg)
{
	tpsim_fault_plan(m, &(struct tpsim_fault){ .call = TPSIM_CALL_WAIT,
						   .nth = 1,
						   .error = -ETIMEDOUT });
	wait_for_ever(arg);
}

static void wait_for_a_lock_of_ones_own(void *arg)
{
	tpsim_while_waiting(m, take_low, NULL);
	tpos_mutex_lock(&low);
	wait_for_ever(arg);
}

static void lock_low(void *arg)
{
	(void)arg;
	tpos_mutex_lock(&low);
}

static void keep_a_lock_meanwhile(void *arg)
{
	tpsim_while_waiting(m, lock_low, NULL);
	wait_for_ever(arg);
}

static void *wait_in_a_thread(void *arg)
{
	wait_for_ever(arg);
	return NULL;
}

static void wait_without_a_machine(void *arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, wait_in_a_thread, arg);
	pthread_join(thread, NULL);
}

/* tpos_wake(), or tpos_wait(). */
static void call_under_a_spinlock(void *arg)
{
	tpos_spinlock_t lock;

	tpos_spin_init(&lock, m, 1);
	tpos_spin_lock(&lock);
	if (*(int *)arg)
		tpos_wake(&wait);
	else
		wait_for_ever(NULL);
}

/* No thread may wait or wake while it holds a spinlock. */
static void no_wait_is_atomic(void **state)
{
	(void)state;
	assert_complains("sleeping while atomic: tpos_wait",
			 call_under_a_spinlock, &(int){ 0 });
	assert_complains("sleeping while atomic: tpos_wake",
			 call_under_a_spinlock, &(int){ 1 });
}

/* A wait that nothing can end, or code that prevents its end, ends the program. */
static void bad_waits_end_the_program(void **state)
{
	(void)state;
	assert_complains("deadlock", wait_for_ever, NULL);
	assert_complains("fault plan", time_out_for_ever, NULL);
	assert_complains("deadlock", wait_for_a_lock_of_ones_own, NULL);
	assert_complains("keeps a lock", keep_a_lock_meanwhile, NULL);
	assert_complains("works on no machine", wait_without_a_machine, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_wake_up_is_counted),
		TEST(a_wake_up_that_was_is_not_missed),
		TEST(time_passes),
		TEST(others_may_wake),
		TEST(work_may_wake),
		TEST(others_hold_no_locks),
		TEST(a_wait_fails_as_planned),
		TEST(the_clock_moves_on),
		TEST(no_wait_is_atomic),
		TEST(bad_waits_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-wait", tests, NULL, NULL);
}
