// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The fixtures of <ttmpool/testing.h>, while nothing leaks. */

#include "bench.h"

/* A fixture whose pages were all given back closes with 0. */
static void a_fixture_without_a_leak_closes_with_0(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* cmocka's functions do the same: the state is the fixture, and both return 0. */
static void setup_and_teardown_make_a_fixture(void **state)
{
	void *own = NULL;

	(void)state;
	assert_int_equal(ttmpool_test_setup(&own), 0);
	assert_int_equal(chunk_cycle(own, NULL), 0);
	assert_int_equal(ttmpool_test_teardown(&own), 0);
}

/* An initial state of cmocka can be the config of the fixture. */
static void setup_takes_a_config_as_the_state(void **state)
{
	const struct tpsim_config machine = { .page_shift = 14 };
	struct ttmpool_test_config config = { .machine = &machine };
	void *own = &config;
	struct ttmpool_test *test;

	(void)state;
	assert_int_equal(ttmpool_test_setup(&own), 0);
	test = own;
	assert_int_equal(tpsim_page_size(test->machine), 16384);
	assert_int_equal(ttmpool_test_teardown(&own), 0);
}

/* If the machine is impossible, setup makes no fixture and leaves the state alone. */
static void an_impossible_machine_makes_no_fixture(void **state)
{
	const struct tpsim_config machine = { .page_shift = 13 };
	struct ttmpool_test_config config = { .machine = &machine };
	void *own = &config;

	(void)state;
	assert_null(ttmpool_test_open(&config));
	assert_int_equal(ttmpool_test_setup(&own), -1);
	assert_ptr_equal(own, &config);
}

/* A policy that the pool refuses makes no fixture, and leaves no machine. */
static void an_impossible_policy_makes_no_fixture(void **state)
{
	const struct ttmpool_policy policy = { .max_order = TTMPOOL_NR_ORDERS };
	struct ttmpool_test_config config = { .policy = &policy };

	(void)state;
	assert_null(ttmpool_test_open(&config));
}

/* The device has the mask of the config. */
static void the_device_is_as_the_config_says(void **state)
{
	const struct tpsim_device_config device = { .dma_mask = 0xffffff };
	struct ttmpool_test_config config = { .device = &device };
	struct ttmpool_test *test = ttmpool_test_open(&config);

	(void)state;
	assert_non_null(test);
	assert_true(tpos_device_mask(test->dev, false) == 0xffffff);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* A buffer begins empty, is of the fixture's pool and owner, and ends with the
 * fixture. */
static void a_buffer_is_empty_and_goes_with_its_fixture(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_backend *be;

	(void)state;
	assert_non_null(test);
	be = ttmpool_test_buffer(test, 100, TTMPOOL_UNCACHED);
	assert_non_null(be);
	assert_int_equal(be->tt.state, TTMPOOL_TT_EMPTY);
	assert_int_equal(ttmpool_populate(be), 0);
	assert_int_equal(ttmpool_owner_pages(test->owner, TTMPOOL_IN_USE), 100);
	assert_int_not_equal(be->dma_addr[99], 0);
	assert_int_equal(ttmpool_unpopulate(be), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* A buffer without pages is refused. */
static void a_buffer_of_no_page_is_refused(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_null(ttmpool_test_buffer(test, 0, TTMPOOL_CACHED));
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* A plan is chosen by the name of a call, which fails once. */
static void a_plan_by_name_fails_the_next_call(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(ttmpool_test_plan(test, "caching-set"), 0);
	assert_int_equal(chunk_cycle(test, NULL), -ENOMEM);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_plan_end(test), 1);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* A number in the name of a plan says which call fails. */
static void a_plan_with_a_number_fails_that_call(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(ttmpool_test_plan(test, "caching-set:2"), 0);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	ttmpool_pool_drain(test->pool);
	assert_int_equal(chunk_cycle(test, NULL), -ENOMEM);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* With a plus in the name, all later calls fail, too, until the plan ends. */
static void a_plan_with_a_plus_fails_all_later_calls(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(ttmpool_test_plan(test, "dma-map:1+"), 0);
	assert_int_equal(chunk_cycle(test, NULL), -ENOSPC);
	assert_int_equal(chunk_cycle(test, NULL), -ENOSPC);
	assert_true(ttmpool_test_plan_end(test) >= 2);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* With a slash, that many chunks of the batch are done before the call fails. */
static void a_plan_with_a_slash_fails_half_way(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_backend *be;
	struct tpsim_counters before, after;

	(void)state;
	assert_non_null(test);
	be = ttmpool_test_buffer(test, 3, TTMPOOL_UNCACHED);
	assert_non_null(be);
	assert_int_equal(ttmpool_test_plan(test, "caching-set:1/1"), 0);
	tpsim_counters(test->machine, &before);
	assert_int_equal(ttmpool_populate(be), -ENOMEM);
	tpsim_counters(test->machine, &after);
	assert_true(after.caching_pages > before.caching_pages);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "out-of-memory" is a plan of several calls. */
static void out_of_memory_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(ttmpool_test_plan(test, "out-of-memory"), 0);
	assert_int_equal(chunk_cycle(test, NULL), -ENOMEM);
	ttmpool_test_plan_end(test);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "no-caching": a caching change fails, and cached pages can still be had. */
static void no_caching_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_backend *be;

	(void)state;
	assert_non_null(test);
	be = ttmpool_test_buffer(test, 1, TTMPOOL_CACHED);
	assert_non_null(be);
	assert_int_equal(ttmpool_test_plan(test, "no-caching"), 0);
	assert_int_equal(chunk_cycle(test, NULL), -ENOMEM);
	assert_int_equal(ttmpool_populate(be), 0);
	assert_int_equal(ttmpool_unpopulate(be), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "stuck-caching": pages cannot become write-back, and are quarantined. */
static void stuck_caching_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_manager_stats stats;

	(void)state;
	assert_non_null(test);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_plan(test, "stuck-caching"), 0);
	ttmpool_pool_drain(test->pool);
	ttmpool_manager_stats(test->mgr, &stats);
	assert_true(stats.pages_quarantined >= CHUNK);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "no-addresses": nothing can be mapped. */
static void no_addresses_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	assert_int_equal(ttmpool_test_plan(test, "no-addresses"), 0);
	assert_int_equal(chunk_cycle(test, NULL), -ENOSPC);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* A populated buffer of a fixture. */
static struct ttmpool_backend *buffer_ready(struct ttmpool_test *test)
{
	struct ttmpool_backend *be =
		ttmpool_test_buffer(test, CHUNK, TTMPOOL_CACHED);

	assert_non_null(be);
	assert_int_equal(ttmpool_populate(be), 0);
	return be;
}

/* "store-full": nothing can be swapped out. */
static void store_full_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_backend *be;

	(void)state;
	assert_non_null(test);
	be = buffer_ready(test);
	assert_int_equal(ttmpool_test_plan(test, "store-full"), 0);
	assert_true(ttmpool_swapout(be, TTMPOOL_ALL_PAGES) < 0);
	assert_int_equal(be->pages_stored, 0);
	assert_int_equal(ttmpool_drop(be), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "store-broken": nothing can be swapped in. */
static void store_broken_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_backend *be;

	(void)state;
	assert_non_null(test);
	be = buffer_ready(test);
	assert_int_equal(ttmpool_swapout(be, TTMPOOL_ALL_PAGES), 0);
	assert_int_equal(ttmpool_test_plan(test, "store-broken"), 0);
	assert_int_equal(ttmpool_swapin(be, TTMPOOL_ALL_PAGES), -EIO);
	assert_int_equal(ttmpool_drop(be), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* "interrupted": a request that waits for pages gets a signal. */
static void interrupted_is_a_plan(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 1,
				       .wait_ms = 1000 };
	struct ttmpool_backend *be;
	tpos_page_t *page;

	(void)state;
	assert_non_null(test);
	ttmpool_manager_set_page_budget(test->mgr, CHUNK);
	be = buffer_ready(test);
	assert_int_equal(ttmpool_test_plan(test, "interrupted"), 0);
	assert_int_equal(ttmpool_pool_take(test->pool, &req, &page, NULL),
			 -EINTR);
	assert_int_equal(ttmpool_unpopulate(be), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* Each listed name is a plan, and the calls' names are among them. */
static void each_name_that_is_listed_is_a_plan(void **state)
{
	const char *name;
	size_t n = 0;

	(void)state;
	for (; (name = ttmpool_test_plan_name(n)); n++) {
		struct ttmpool_test *test = ttmpool_test_open(NULL);

		assert_non_null(test);
		assert_int_equal(ttmpool_test_plan(test, name), 0);
		assert_int_equal(ttmpool_test_close(test), 0);
	}
	assert_true(n > TPSIM_CALL_COUNT);
	assert_string_equal(ttmpool_test_plan_name(n - 1),
			    tpsim_call_name(TPSIM_CALL_COUNT - 1));
}

/* An unknown name is refused, and no call fails. */
static void an_unknown_plan_is_refused(void **state)
{
	static const char *const names[] = {
		"",           "nonsense",    "dma",         "dma-maps",
		"dma-map:",   "dma-map:0",   "dma-map:-1",  "dma-map:1x",
		"dma-map:1/", "dma-map:1/0", "dma-map:1++", "out-of-memory:1"
	};
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(ttmpool_test_plan(test, names[i]), -ENOENT);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_plan_end(test), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* More than 8 failures are refused; those that fit stay planned. */
static void too_many_failures_are_refused(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);

	(void)state;
	assert_non_null(test);
	for (int i = 0; i < 6; i++)
		assert_int_equal(ttmpool_test_plan(test, "wait:9"), 0);
	assert_int_equal(ttmpool_test_plan(test, "out-of-memory"), -ENOSPC);
	assert_int_equal(ttmpool_test_plan(test, "store-full"), 0);
	assert_int_equal(ttmpool_test_plan(test, "wait"), -ENOSPC);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	ttmpool_test_plan_end(test);
	assert_int_equal(ttmpool_test_plan(test, "wait"), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* How many calls of all kinds one run of chunk_cycle() makes. */
static unsigned long calls_of_a_cycle(void)
{
	struct ttmpool_test *test = ttmpool_test_open(NULL);
	unsigned long before = 0, after = 0;

	assert_non_null(test);
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		before += tpsim_fault_calls(test->machine, (enum tpsim_call)c);
	assert_int_equal(chunk_cycle(test, NULL), 0);
	for (int c = 0; c < TPSIM_CALL_COUNT; c++)
		after += tpsim_fault_calls(test->machine, (enum tpsim_call)c);
	assert_int_equal(ttmpool_test_close(test), 0);
	return after - before;
}

/* A sweep visits each call that the code makes, and accepts code that cleans up. */
static void a_sweep_visits_each_failing_call(void **state)
{
	unsigned long visited = 0;

	(void)state;
	assert_int_equal(ttmpool_test_sweep(NULL, chunk_cycle, NULL, &visited),
			 0);
	assert_true(visited > 3);
	assert_int_equal(visited, calls_of_a_cycle());
}

/* The runs of a sweep, as the driver's code saw them. */
struct runs_seen {
	unsigned int runs;
	unsigned int failed;
};

static int cycle_counted(struct ttmpool_test *test, void *arg)
{
	struct runs_seen *seen = arg;
	int err = chunk_cycle(test, NULL);

	seen->runs++;
	seen->failed += err != 0;
	return err;
}

/* A sweep fails each call in three ways, and repeats a run that failed. */
static void a_sweep_tries_again_what_failed(void **state)
{
	struct runs_seen seen = { 0 };
	unsigned long visited;

	(void)state;
	assert_int_equal(
		ttmpool_test_sweep(NULL, cycle_counted, &seen, &visited), 0);
	assert_true(seen.failed > 0);
	assert_int_equal(seen.runs, 1 + 3 * visited + seen.failed);
}

static int refuse(struct ttmpool_test *test, void *arg)
{
	(void)test;
	(void)arg;
	return -EPERM;
}

/* Code that fails without a planned failure cannot be swept. */
static void a_sweep_returns_the_error_of_code_that_fails_by_itself(void **state)
{
	unsigned long visited = 1;

	(void)state;
	assert_int_equal(ttmpool_test_sweep(NULL, refuse, NULL, &visited),
			 -EPERM);
	assert_int_equal(visited, 0);
}

/* A sweep needs a machine that can be made. */
static void a_sweep_needs_a_fixture(void **state)
{
	const struct tpsim_config machine = { .page_shift = 13 };
	struct ttmpool_test_config config = { .machine = &machine };

	(void)state;
	assert_int_equal(ttmpool_test_sweep(&config, chunk_cycle, NULL, NULL),
			 -ENOMEM);
}

/* Fails for good once it has failed. */
static int cycle_once(struct ttmpool_test *test, void *arg)
{
	static struct ttmpool_test *broken;
	int err = test == broken ? -EIO : chunk_cycle(test, NULL);

	(void)arg;
	broken = err ? test : NULL;
	return err;
}

/* A sweep reports code that does not succeed when it is repeated, with the plan's
 * name. */
static void a_sweep_tells_of_code_that_stays_broken(void **state)
{
	struct heard heard = { .lines = 0 };
	struct ttmpool_test_config config = { .say = hear, .arg = &heard };

	(void)state;
	assert_true(ttmpool_test_sweep(&config, cycle_once, NULL, NULL) > 0);
	assert_non_null(strstr(heard.line[0], "with the plan \""));
	assert_non_null(strstr(heard.line[0],
			       "\": does not succeed when it is tried again"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fixture_without_a_leak_closes_with_0),
		cmocka_unit_test(setup_and_teardown_make_a_fixture),
		cmocka_unit_test(setup_takes_a_config_as_the_state),
		cmocka_unit_test(an_impossible_machine_makes_no_fixture),
		cmocka_unit_test(an_impossible_policy_makes_no_fixture),
		cmocka_unit_test(the_device_is_as_the_config_says),
		cmocka_unit_test(a_buffer_is_empty_and_goes_with_its_fixture),
		cmocka_unit_test(a_buffer_of_no_page_is_refused),
		cmocka_unit_test(a_plan_by_name_fails_the_next_call),
		cmocka_unit_test(a_plan_with_a_number_fails_that_call),
		cmocka_unit_test(a_plan_with_a_plus_fails_all_later_calls),
		cmocka_unit_test(a_plan_with_a_slash_fails_half_way),
		cmocka_unit_test(out_of_memory_is_a_plan),
		cmocka_unit_test(no_caching_is_a_plan),
		cmocka_unit_test(stuck_caching_is_a_plan),
		cmocka_unit_test(no_addresses_is_a_plan),
		cmocka_unit_test(store_full_is_a_plan),
		cmocka_unit_test(store_broken_is_a_plan),
		cmocka_unit_test(interrupted_is_a_plan),
		cmocka_unit_test(each_name_that_is_listed_is_a_plan),
		cmocka_unit_test(an_unknown_plan_is_refused),
		cmocka_unit_test(too_many_failures_are_refused),
		cmocka_unit_test(a_sweep_visits_each_failing_call),
		cmocka_unit_test(a_sweep_tries_again_what_failed),
		cmocka_unit_test(
			a_sweep_returns_the_error_of_code_that_fails_by_itself),
		cmocka_unit_test(a_sweep_needs_a_fixture),
		cmocka_unit_test(a_sweep_tells_of_code_that_stays_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
