// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Signals: when they come, to which threads, and what they end. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpos_wait wait;
static tpos_mutex_t low;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	tpos_wait_init(&wait);
	tpos_mutex_init(&low, m, 1);
	assert_true(tpsim_ledger_is_empty(m)); /* and works on it */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_mutex_fini(&low);
	tpos_wait_fini(&wait);
	tpsim_machine_destroy(m);
	return 0;
}

static int wait_ms(long seen, unsigned int ms, unsigned int *left)
{
	*left = ms;
	return tpos_wait(&wait, seen, left);
}

/* The n-th check for a signal finds one, and so do all after it, until it is cleared. */
static void a_signal_comes_and_stays(void **state)
{
	(void)state;
	assert_false(tpos_signal_pending());
	tpsim_signal_after(m, 3);
	assert_false(tpos_signal_pending());
	assert_false(tpos_signal_pending());
	for (int i = 0; i < 5; i++)
		assert_true(tpos_signal_pending());
	tpsim_signal_clear(m);
	assert_false(tpos_signal_pending());
}

/* Only a signal that kills is fatal; it counts as a signal, too. */
static void a_signal_that_kills_is_both(void **state)
{
	(void)state;
	assert_false(tpos_fatal_signal_pending());
	tpsim_signal_after(m, 1);
	assert_true(tpos_signal_pending());
	assert_false(tpos_fatal_signal_pending());
	tpsim_kill_after(m, 2);
	assert_false(tpos_signal_pending());
	assert_true(tpos_fatal_signal_pending());
	assert_true(tpos_signal_pending());
	tpsim_signal_clear(m);
	assert_false(tpos_fatal_signal_pending());
}

/* A signal ends a wait, before it begins or during it; the time that is left stays. */
static void a_signal_ends_a_wait(void **state)
{
	unsigned int left;

	(void)state;
	tpsim_signal_after(m, 2);
	assert_int_equal(wait_ms(0, 10, &left), -EINTR); /* had one go */
	assert_int_equal(left, 10);
	assert_int_equal(wait_ms(0, TTMPOOL_WAIT_FOREVER, &left), -EINTR);
	tpsim_signal_clear(m);
	assert_int_equal(wait_ms(0, 10, &left), -ETIMEDOUT);
}

/* A wake-up takes precedence over a signal. */
static void who_is_woken_gets_no_signal(void **state)
{
	unsigned int left;

	(void)state;
	tpsim_signal_after(m, 1);
	tpos_wake(&wait);
	assert_int_equal(wait_ms(0, 10, &left), 0);
	tpsim_signal_clear(m);
}

/* A signal reaches threads that work on its machine. */
static void signals_are_of_one_machine(void **state)
{
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });

	(void)state;
	tpsim_signal_after(m, 1);
	tpsim_ledger_is_empty(other);
	assert_false(tpos_signal_pending());
	tpos_mutex_lock(&low);
	assert_true(tpos_signal_pending());
	tpos_mutex_unlock(&low);
	tpsim_machine_destroy(other);
	assert_false(tpos_signal_pending());
	tpsim_signal_clear(m);
}

static void look_at_and_wake(void *arg)
{
	tpsim_ledger_is_empty(arg);
	tpos_wake(&wait);
}

/* A waiter still works on its own machine afterwards, whatever machine others used
 * meanwhile. */
static void a_waiter_stays_with_its_machine(void **state)
{
	struct tpsim_machine *mine =
		machine_with(&(struct tpsim_config){ .threads = true });
	unsigned int left;

	(void)state;
	tpsim_while_waiting(mine, look_at_and_wake, m);
	tpsim_signal_after(mine, 2);
	assert_int_equal(wait_ms(0, 10, &left), 0);
	assert_true(tpos_signal_pending());
	tpsim_machine_destroy(mine);
}

static void get_no_signal(void *arg)
{
	(void)arg;
	tpsim_signal_after(m, 0);
}

/* A signal cannot come with a check that is already past. */
static void the_past_has_no_signals(void **state)
{
	(void)state;
	assert_complains("counted from 1", get_no_signal, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_signal_comes_and_stays),
		TEST(a_signal_that_kills_is_both),
		TEST(a_signal_ends_a_wait),
		TEST(who_is_woken_gets_no_signal),
		TEST(signals_are_of_one_machine),
		TEST(a_waiter_stays_with_its_machine),
		TEST(the_past_has_no_signals),
	};

	return cmocka_run_group_tests_name("machine-signal", tests, NULL, NULL);
}
