// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fixtures of <ttmpool/testing.h>, when something leaks. These cases do not run under
 * Valgrind: it would report each leak.
 */

#include <stdio.h>

#include "bench.h"

static struct heard heard;
static const struct ttmpool_test_config config = { .pool_name = "gpu0",
						   .owner_name = "client-7",
						   .say = hear,
						   .arg = &heard };

static struct ttmpool_test *open_heard(void)
{
	struct ttmpool_test *test = ttmpool_test_open(&config);

	heard.lines = 0;
	assert_non_null(test);
	return test;
}

/* Take a chunk and forget it; returns the line of the call. */
static int chunk_forget(struct ttmpool_test *test)
{
	struct ttmpool_request req = chunk_of(test->owner);
	tpos_dma_addr_t addr[CHUNK];
	tpos_page_t *pages[CHUNK];
	int line = __LINE__ + 2;

	assert_int_equal(ttmpool_pool_take(test->pool, &req, pages, addr), 0);
	return line;
}

/* The teardown of a case that leaks fails, and the program continues. */
static void a_leak_fails_its_own_case(void **state)
{
	void *own = (void *)(uintptr_t)&config;

	(void)state;
	heard.lines = 0;
	assert_int_equal(ttmpool_test_setup(&own), 0);
	chunk_forget(own);
	assert_int_equal(ttmpool_test_teardown(&own), -1);
}

/* The case after one that leaked begins clean, and passes. */
static void the_next_case_runs(void **state)
{
	struct ttmpool_test *test = open_heard();

	(void)state;
	chunk_forget(test);
	assert_int_equal(ttmpool_test_close(test), 1);
	test = open_heard();
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
	assert_int_equal(heard.lines, 0);
}

/* A leak is reported with size, order, caching, pool, owner, and the line that took
 * it. */
static void a_leak_is_named(void **state)
{
	struct ttmpool_test *test = open_heard();
	char expected[512];

	(void)state;
	snprintf(expected, sizeof(expected),
		 "ttmpool: leak: 64 KiB (order 4, write-combined) of pool "
		 "gpu0, owner client-7, taken at %s:%d",
		 __FILE__, chunk_forget(test));
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_int_equal(heard.lines, 1);
	assert_string_equal(heard.line[0], expected);
}

/* For recycled pages the report names the line that took them last. */
static void recycled_pages_name_the_last_taker(void **state)
{
	struct ttmpool_test *test = open_heard();
	char expected[512];

	(void)state;
	assert_int_equal(chunk_cycle(test, NULL), 0);
	snprintf(expected, sizeof(expected), "taken at %s:%d", __FILE__,
		 chunk_forget(test));
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_non_null(strstr(heard.line[0], expected));
}

/* For a call without the macro no line is known, even after a call with it. */
static void a_leak_without_a_line_says_so(void **state)
{
	struct ttmpool_test *test = open_heard();
	struct ttmpool_request req = chunk_of(NULL);
	tpos_page_t *pages[CHUNK];

	(void)state;
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal((ttmpool_pool_take)(test->pool, &req, pages, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_non_null(strstr(heard.line[0], "owner none, taken by a file "
					      "that does not include "
					      "<ttmpool/testing_lines.h>"));
}

/* Within nested calls, the line of the outermost one counts. */
static void the_outermost_line_counts(void **state)
{
	struct ttmpool_test *test = open_heard();

	(void)state;
	ttmpool_test_enter("outer.c", 7);
	chunk_forget(test);
	assert_int_equal(ttmpool_test_leave(-5), -5);
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_non_null(strstr(heard.line[0], "taken at outer.c:7"));
}

/* A buffer that is still populated is a leak. */
static void a_populated_buffer_is_a_leak(void **state)
{
	struct ttmpool_test *test = open_heard();
	struct ttmpool_backend *be =
		ttmpool_test_buffer(test, CHUNK, TTMPOOL_UNCACHED);

	(void)state;
	assert_non_null(be);
	assert_int_equal(ttmpool_populate(be), 0);
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_non_null(strstr(heard.line[0], "(order 4, uncached)"));
}

/* Contents in the store are a leak, too. */
static void contents_in_a_store_are_a_leak(void **state)
{
	struct ttmpool_test *test = open_heard();
	struct ttmpool_backend *be =
		ttmpool_test_buffer(test, CHUNK, TTMPOOL_CACHED);

	(void)state;
	assert_non_null(be);
	assert_int_equal(ttmpool_populate(be), 0);
	assert_int_equal(ttmpool_swapout(be, TTMPOOL_ALL_PAGES), 0);
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_string_equal(heard.line[0],
			    "ttmpool: leak: a buffer of 16 pages of pool gpu0, "
			    "owner client-7, has 16 pages in its store");
}

/* The pieces of a chunk that was halved have the line that took the chunk. */
static void pieces_of_a_chunk_have_its_line(void **state)
{
	struct ttmpool_test *test = open_heard();
	struct ttmpool_backend *be =
		ttmpool_test_buffer(test, CHUNK, TTMPOOL_CACHED);
	const struct tpsim_fault full = { .call = TPSIM_CALL_STORE_WRITE,
					  .nth = 4,
					  .error = -ENOMEM };
	struct tpsim_counters counters;
	size_t leaks;

	(void)state;
	assert_non_null(be);
	assert_int_equal(ttmpool_populate(be), 0);
	tpsim_fault_plan(test->machine, &full);
	assert_true(ttmpool_swapout(be, 6) <= 0);
	assert_int_equal(ttmpool_swapin(be, TTMPOOL_ALL_PAGES), 0);
	tpsim_counters(test->machine, &counters);
	assert_int_not_equal(counters.splits, 0);
	leaks = ttmpool_test_close(test);
	assert_true(leaks > 1);
	assert_int_equal(heard.lines, leaks);
	for (size_t i = 0; i < leaks; i++)
		assert_non_null(strstr(heard.line[i], __FILE__));
}

/* A pool that the driver does not end fails its case, and no other. */
static void a_pool_that_did_not_end_is_a_leak(void **state)
{
	static struct ttmpool_pool pool;
	struct ttmpool_test *test = open_heard();
	struct ttmpool_pool_config own = { .name = "own", .dev = test->dev };
	struct ttmpool_request req = chunk_of(NULL);
	tpos_page_t *pages[CHUNK];

	(void)state;
	assert_int_equal(ttmpool_pool_init(&pool, test->mgr, &own), 0);
	assert_int_equal(ttmpool_pool_take(&pool, &req, pages, NULL), 0);
	assert_int_equal(ttmpool_test_close(test), 2);
	assert_non_null(strstr(heard.line[0], "still uses the manager"));
	assert_non_null(strstr(heard.line[1], "a pool that did not end, taken "
					      "at " __FILE__));
	the_next_case_runs(NULL);
}

/* So does a manager that the driver does not end. */
static void a_manager_that_did_not_end_is_a_leak(void **state)
{
	static struct ttmpool_manager mgr;
	struct ttmpool_test *test = open_heard();
	struct ttmpool_manager_config own = { .system = test->machine,
					      .page_budget = 1,
					      .pool_limit = 1 };

	(void)state;
	assert_int_equal(ttmpool_manager_init(&mgr, &own), 0);
	assert_int_equal(ttmpool_test_close(test), 1);
	assert_string_equal(heard.line[0],
			    "ttmpool: leak: left on the machine: 0 pages, 0 "
			    "mappings, 0 descriptors, 0 stores, 1 managers");
}

/* Of many leaks, 16 are reported one by one, and all are counted. */
static void many_leaks_are_counted(void **state)
{
	struct ttmpool_test *test = open_heard();

	(void)state;
	for (int i = 0; i < 20; i++)
		chunk_forget(test);
	assert_int_equal(ttmpool_test_close(test), 20);
	assert_int_equal(heard.lines, 17);
	assert_string_equal(heard.line[16], "ttmpool: and 4 leaks more");
}

/* A plan that has not ended does not disturb the teardown. */
static void a_plan_does_not_hinder_the_teardown(void **state)
{
	struct ttmpool_test *test = open_heard();

	(void)state;
	assert_int_equal(chunk_cycle(test, NULL), 0);
	assert_int_equal(ttmpool_test_plan(test, "stuck-caching"), 0);
	assert_int_equal(ttmpool_test_close(test), 0);
}

/* Take two chunks, with an error path that forgets the first. */
static int forget_on_error(struct ttmpool_test *test, void *arg)
{
	struct ttmpool_request req = chunk_of(test->owner);
	tpos_page_t *first[CHUNK], *second[CHUNK];
	tpos_dma_addr_t addr[CHUNK];
	int err = ttmpool_pool_take(test->pool, &req, first, addr);

	(void)arg;
	if (!err)
		err = ttmpool_pool_take(test->pool, &req, second, addr);
	if (err)
		return err;
	err = chunk_give(test->pool, second);
	return err ? err : chunk_give(test->pool, first);
}

/* A sweep finds a leak on an error path, and names the plan that shows it. */
static void a_sweep_names_the_plan_of_a_leak(void **state)
{
	struct ttmpool_test *test;
	char name[64];
	const char *said;

	(void)state;
	heard.lines = 0;
	assert_true(ttmpool_test_sweep(&config, forget_on_error, NULL, NULL) >
		    0);
	assert_non_null(strstr(heard.line[0], "ttmpool: leak: 64 KiB"));
	said = strstr(heard.line[1], "with the plan \"");
	assert_non_null(said);
	assert_int_equal(
		sscanf(said, "with the plan \"%63[^\"]\": leaked", name), 1);
	test = open_heard();
	assert_int_equal(ttmpool_test_plan(test, name), 0);
	assert_true(forget_on_error(test, NULL) < 0);
	assert_int_equal(ttmpool_test_close(test), 1);
}

static int forget_always(struct ttmpool_test *test, void *arg)
{
	(void)arg;
	chunk_forget(test);
	return 0;
}

/* A leak without any failure ends the sweep before its calls fail. */
static void a_sweep_ends_with_a_leak_without_a_failure(void **state)
{
	unsigned long visited = 1;

	(void)state;
	heard.lines = 0;
	assert_int_equal(
		ttmpool_test_sweep(&config, forget_always, NULL, &visited), 1);
	assert_int_equal(visited, 0);
	assert_string_equal(heard.line[1],
			    "ttmpool: sweep: leaked without a failure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_leak_fails_its_own_case),
		cmocka_unit_test(the_next_case_runs),
		cmocka_unit_test(a_leak_is_named),
		cmocka_unit_test(recycled_pages_name_the_last_taker),
		cmocka_unit_test(a_leak_without_a_line_says_so),
		cmocka_unit_test(the_outermost_line_counts),
		cmocka_unit_test(a_populated_buffer_is_a_leak),
		cmocka_unit_test(contents_in_a_store_are_a_leak),
		cmocka_unit_test(pieces_of_a_chunk_have_its_line),
		cmocka_unit_test(a_pool_that_did_not_end_is_a_leak),
		cmocka_unit_test(a_manager_that_did_not_end_is_a_leak),
		cmocka_unit_test(many_leaks_are_counted),
		cmocka_unit_test(a_plan_does_not_hinder_the_teardown),
		cmocka_unit_test(a_sweep_names_the_plan_of_a_leak),
		cmocka_unit_test(a_sweep_ends_with_a_leak_without_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
