// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Locks: their order, their holders, and what may be called under them. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_mutex_t outer;
static tpos_spinlock_t inner, same, innermost;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 0);
	tpos_mutex_init(&outer, m, 1);
	tpos_spin_init(&inner, m, 2);
	tpos_spin_init(&same, m, 2);
	tpos_spin_init(&innermost, m, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_mutex_fini(&outer);
	tpos_spin_fini(&inner);
	tpos_spin_fini(&same);
	tpos_spin_fini(&innermost);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

/* Locks are taken in rising order, released in any order, and counted. */
static void locks_are_taken_in_order(void **state)
{
	(void)state;
	tpos_mutex_lock(&outer);
	tpos_spin_lock(&inner);
	tpos_spin_lock(&innermost);
	tpos_mutex_assert_held(&outer);
	tpos_assert_held(&innermost);
	tpos_spin_unlock(&inner);
	tpos_spin_unlock(&innermost);
	tpos_mutex_unlock(&outer);
	tpos_spin_lock(&inner);
	tpos_spin_unlock(&inner);
	assert_int_equal(counters_of(m).locks_taken, 4);
}

/* A mutex may be held across calls that sleep. */
static void a_mutex_may_be_held_across_calls(void **state)
{
	(void)state;
	tpos_mutex_lock(&outer);
	tpos_pages_clear(dev, &batch.list);
	tpos_mutex_unlock(&outer);
	assert_int_equal(counters_of(m).bytes_cleared, 4096);
}

/* A trylock may be against the order, and fails for the holder of the lock. */
static void a_trylock_does_not_wait(void **state)
{
	tpos_mutex_t high;

	(void)state;
	tpos_mutex_init(&high, m, 9);
	tpos_mutex_lock(&high);
	assert_true(tpos_mutex_trylock(&outer));
	assert_false(tpos_mutex_trylock(&outer));
	tpos_mutex_unlock(&outer);
	tpos_mutex_unlock(&high);
	tpos_mutex_fini(&high);
}

#define ROUNDS 2000

static void *count_up(void *arg)
{
	long *n = arg;

	for (int i = 0; i < ROUNDS; i++) {
		tpos_spin_lock(&inner);
		++*n;
		tpos_spin_unlock(&inner);
	}
	return NULL;
}

/* Two threads never hold the lock at the same time. */
static void a_lock_excludes(void **state)
{
	pthread_t thread;
	long n = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, count_up, &n), 0);
	count_up(&n);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(n, 2 * ROUNDS);
}

static void *add_up(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		tpos_atomic_add_return(3, arg);
	return NULL;
}

/* No addition to an atomic is lost. */
static void an_atomic_adds_up(void **state)
{
	tpos_atomic_t sum;
	pthread_t thread;

	(void)state;
	tpos_atomic_set(&sum, -5);
	assert_int_equal(tpos_atomic_add_return(5, &sum), 0);
	assert_int_equal(pthread_create(&thread, NULL, add_up, &sum), 0);
	add_up(&sum);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(tpos_atomic_read(&sum), 2 * 3 * ROUNDS);
}

static void *add_up_to_a_limit(void *arg)
{
	for (int i = 0; i < ROUNDS; i++)
		tpos_atomic_add_unless_above(3, arg, 100);
	return NULL;
}

/* An addition that would exceed the limit does not happen, whatever other threads add;
 * nor does one to a value that is above it already. */
static void an_atomic_stops_at_its_limit(void **state)
{
	pthread_t thread;
	tpos_atomic_t sum;

	(void)state;
	tpos_atomic_set(&sum, 0);
	assert_true(tpos_atomic_add_unless_above(10, &sum, 10));
	assert_false(tpos_atomic_add_unless_above(1, &sum, 10));
	assert_true(tpos_atomic_add_unless_above(0, &sum, 10));
	assert_false(tpos_atomic_add_unless_above(0, &sum, 9));
	assert_false(tpos_atomic_add_unless_above(ULONG_MAX, &sum, 10));
	assert_true(tpos_atomic_add_unless_above(5, &sum, ULONG_MAX));
	assert_int_equal(tpos_atomic_read(&sum), 15);
	pthread_create(&thread, NULL, add_up_to_a_limit, &sum);
	add_up_to_a_limit(&sum);
	pthread_join(thread, NULL);
	assert_int_equal(tpos_atomic_read(&sum), 99);
}

static void take_in_falling_order(void *arg)
{
	(void)arg;
	tpos_spin_lock(&innermost);
	tpos_spin_lock(&inner);
}

static void take_two_of_a_rank(void *arg)
{
	(void)arg;
	tpos_spin_lock(&inner);
	tpos_spin_lock(&same);
}

static void take_twice(void *arg)
{
	(void)arg;
	tpos_spin_lock(&inner);
	tpos_spin_lock(&inner);
}

static void sleep_for_a_mutex(void *arg)
{
	tpos_mutex_t last;

	(void)arg;
	tpos_mutex_init(&last, m, 9);
	tpos_spin_lock(&inner);
	tpos_mutex_lock(&last);
}

static void release_what_is_not_held(void *arg)
{
	(void)arg;
	tpos_spin_unlock(&inner);
}

static void *release(void *arg)
{
	tpos_spin_unlock(arg);
	return NULL;
}

static void release_from_another_thread(void *arg)
{
	pthread_t thread;

	(void)arg;
	tpos_spin_lock(&inner);
	pthread_create(&thread, NULL, release, &inner);
	pthread_join(thread, NULL);
}

static void assert_what_is_not_held(void *arg)
{
	(void)arg;
	tpos_assert_held(&inner);
}

static void end_what_is_held(void *arg)
{
	(void)arg;
	tpos_spin_lock(&inner);
	tpos_spin_fini(&inner);
}

static void walk(unsigned int steps)
{
	for (unsigned int i = 0; i < steps; i++)
		tpsim_lock_step();
}

static void walk_far_under_two(void *arg)
{
	(void)arg;
	tpos_spin_lock(&inner);
	walk(TPSIM_HOLD_STEPS / 2);
	tpos_spin_lock(&innermost);
	walk(1);
	tpos_spin_unlock(&innermost);
	walk(TPSIM_HOLD_STEPS / 2);
}

/* While a spinlock is held, only a fixed number of steps along lists may be made. Without
 * a spinlock, under a mutex, or after tpos_long_hold(), any number may. */
static void no_spinlock_is_held_for_many_steps(void **state)
{
	(void)state;
	assert_complains("held for long", walk_far_under_two, NULL);
	walk(2 * TPSIM_HOLD_STEPS);
	tpos_mutex_lock(&outer);
	walk(2 * TPSIM_HOLD_STEPS);
	for (int i = 0; i < 3; i++) {
		tpos_spin_lock(&inner);
		walk(TPSIM_HOLD_STEPS);
		tpos_spin_unlock(&inner);
	}
	tpos_mutex_unlock(&outer);
	tpos_spin_lock(&inner);
	tpos_long_hold(&inner);
	walk(2 * TPSIM_HOLD_STEPS);
	tpos_spin_unlock(&inner);
}

/* Whatever lockdep would report ends the program. */
static void bad_locking_ends_the_program(void **state)
{
	(void)state;
	assert_complains("lock order", take_in_falling_order, NULL);
	assert_complains("lock order", take_two_of_a_rank, NULL);
	assert_complains("recursive locking", take_twice, NULL);
	assert_complains("sleeping while atomic", sleep_for_a_mutex, NULL);
	assert_complains("not held", release_what_is_not_held, NULL);
	assert_complains("not held", release_from_another_thread, NULL);
	assert_complains("lock not held", assert_what_is_not_held, NULL);
	assert_complains("held lock freed", end_what_is_held, NULL);
}

static unsigned long no_pages(struct tpos_shrinker *shrinker, bool swap)
{
	(void)shrinker;
	(void)swap;
	return 0;
}

static void no_work(struct tpos_work *work)
{
	(void)work;
}

/* Call number *@arg of the contract, with a spinlock held. */
static void call_under_a_spinlock(void *arg)
{
	static struct tpos_shrinker shrinker = { .count = no_pages };
	static struct tpos_work work = { .run = no_work };
	struct ttmpool_report report = { .pool = "p" };
	struct tpos_alloc req = { .node = ANY_NODE };
	struct ttmpool_chunk chunk = { 0 };
	struct tpos_device_info info;

	tpos_spin_lock(&inner);
	switch (*(int *)arg) {
	case 0:
		tpos_device_query(dev, &info);
		break;
	case 1:
		tpos_pages_alloc(dev, &req, &chunk);
		break;
	case 2:
		tpos_pages_free(dev, &batch.list);
		break;
	case 3:
		tpos_pages_clear(dev, &batch.list);
		break;
	case 4:
		tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
		break;
	case 5:
		tpos_dma_map(dev, &batch.list);
		break;
	case 6:
		tpos_dma_unmap(dev, &batch.list, true);
		break;
	case 7:
		tpos_free(m, tpos_zalloc(m, 1));
		break;
	case 8:
		tpos_free(m, NULL);
		break;
	case 9:
		tpos_shrinker_register(m, &shrinker);
		break;
	case 10:
		tpos_shrinker_unregister(m, &shrinker);
		break;
	case 11:
		tpos_work_queue(m, &work);
		break;
	case 12:
		tpos_work_cancel(m, &work);
		break;
	case 13:
		tpos_report(m, &report);
		break;
	}
}

/* No call of the contract may be made while a spinlock is held. */
static void every_call_may_sleep(void **state)
{
	(void)state;
	for (int call = 0; call < 14; call++)
		assert_complains("sleeping while atomic: tpos_",
				 call_under_a_spinlock, &call);
}

static void fail_an_assertion(void *arg)
{
	(void)arg;
	tpsim_assert_failed("a == b", "pool.c", 42);
}

/* A failed assertion of the library reports its place. */
static void an_assertion_names_its_place(void **state)
{
	(void)state;
	assert_complains("assertion failed: pool.c:42: a == b",
			 fail_an_assertion, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(locks_are_taken_in_order),
		TEST(a_mutex_may_be_held_across_calls),
		TEST(a_trylock_does_not_wait),
		TEST(a_lock_excludes),
		TEST(an_atomic_adds_up),
		TEST(an_atomic_stops_at_its_limit),
		TEST(no_spinlock_is_held_for_many_steps),
		TEST(bad_locking_ends_the_program),
		TEST(every_call_may_sleep),
		TEST(an_assertion_names_its_place),
	};

	return cmocka_run_group_tests_name("machine-locks", tests, NULL, NULL);
}
