// SPDX-License-Identifier: GPL-2.0 OR MIT
/* ttmpool-replay from outside: what it counts, and what it prints. */
#define _DEFAULT_SOURCE

#include "run.h"

#include <stdlib.h>
#include <unistd.h>

/* A buffer that comes and goes is one populate, and leaves nothing. */
static void replay_counts_a_buffer(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC FREE);
	run_replay("--json --caching wc t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("populates"), 1);
	assert_int_equal(run_number("pages"), 16);
	assert_int_equal(run_number("peak_pages_in_use"), 16);
	assert_true(run_number("peak_pages_pooled") >= 16);
	assert_int_equal(run_number("pages_leaked"), 0);
	assert_string_equal(run.err, "");
}

/* A buffer that the trace never frees is freed at the end, and counted. */
static void replay_frees_what_is_live_at_the_end(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC);
	run_replay("--json t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("unpopulates"), 0);
	assert_int_equal(run_number("freed_at_end"), 1);
	assert_int_equal(run_number("pages_leaked"), 0);
}

/* A second buffer of the same size is served from the pool, or without recycling from the
 * system. */
static void replay_recycles_or_not(void **state)
{
	static const char rows[] = ALLOC FREE "7,0,1,alloc,8,16,2,34,900\n"
					      "8,0,1,free,8,16,2,34,900\n";

	(void)state;
	run_write("t.csv", rows);
	run_replay("--json --caching wc t.csv");
	assert_int_equal(run_number("pages_from_pool"), 16);
	assert_int_equal(run_number("caching_batches"), 2);
	run_replay("--json --caching wc --recycle off t.csv");
	assert_int_equal(run_number("pages_from_pool"), 0);
	assert_int_equal(run_number("caching_batches"), 4);
	assert_int_equal(run_number("peak_pages_pooled"), 0);
}

/* The caching that the rows record is used unless another is forced. */
static void replay_follows_the_recorded_caching(void **state)
{
	static const char rows[] = "5,0,1,alloc,7,16,0,34,900\n";

	(void)state;
	run_write("t.csv", rows);
	run_replay("--json t.csv");
	assert_true(run_number("caching_pages") >= 32);
	run_replay("--json --caching cached t.csv");
	assert_int_equal(run_number("caching_pages"), 0);
}

/* Under memory pressure the pool releases pages. */
static void replay_gives_pages_up_under_pressure(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC FREE);
	run_replay("--json --caching wc --pressure 16@2 t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("pressures"), 1);
	assert_true(run_number("pages_shrunk") >= 16);
}

#define THREE_BUFFERS                 \
	"1,0,1,alloc,1,16,2,34,900\n" \
	"2,0,1,alloc,2,16,2,34,900\n" \
	"3,0,1,alloc,3,16,2,34,900\n" \
	"4,0,1,free,1,16,2,34,900\n"  \
	"5,0,1,free,2,16,2,34,900\n"

/* Without room for all buffers the oldest are swapped out, and return whole; without
 * --swap the last one does not fit. */
static void replay_swaps_what_does_not_fit(void **state)
{
	(void)state;
	run_write("t.csv", THREE_BUFFERS);
	run_replay("--json --no-baseline --budget 32 --swap t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("populates"), 3);
	assert_true(run_number("bytes_stored") >= 16 * 4096);
	assert_int_equal(run_number("bytes_stored"),
			 run_number("bytes_restored"));
	assert_true(run_number("brought_back") >= 1);
	run_replay("--json --no-baseline --budget 32 t.csv");
	assert_int_equal(run.status, 1);
	assert_int_equal(run_number("populates_failed"), 1);
	run_replay("--no-baseline --budget 32 --swap t.csv");
	run_assert_has(run.out, "moved to the store");
}

/* Each device has a pool, and buffers go to the devices in turn: pages of one device
 * serve no buffer of another. */
static void replay_gives_each_device_a_pool(void **state)
{
	static const char rows[] = "1,0,1,alloc,1,16,1,34,900\n"
				   "2,0,1,free,1,16,1,34,900\n"
				   "3,0,1,alloc,2,16,1,34,900\n"
				   "4,0,1,free,2,16,1,34,900\n";

	long long fresh;

	(void)state;
	run_write("t.csv", rows);
	run_replay("--json --no-baseline t.csv");
	fresh = run_number("pages_from_system");
	assert_true(fresh >= 16);
	assert_int_equal(run_number("pages_idle_elsewhere"), 0);
	run_replay("--json --no-baseline --devices 2 t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("pages_from_system"), 2 * fresh);
	assert_true(run_number("pages_idle_elsewhere") >= 16);
	assert_int_equal(run_number("pages_leaked"), 0);
	run_replay("--json --no-baseline --devices 2@2 t.csv");
	assert_int_equal(run_number("pages_from_system"), fresh);
}

/* The pool limit bounds the pooled pages. */
static void replay_keeps_to_the_pool_limit(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC FREE);
	run_replay("--json --caching wc --pool-limit 0 t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("caching_batches"), 2);
	assert_int_equal(run_number("pages_leaked"), 0);
}

/* A buffer larger than the machine is reported as a fault, and its free row is still
 * understood. */
static void replay_reports_a_failed_populate(void **state)
{
	static const char rows[] = "5,0,1,alloc,7,4294967295,2,34,900\n"
				   "6,0,1,free,7,4294967295,2,34,900\n";

	(void)state;
	run_write("t.csv", rows);
	run_replay("--json --ram 4 t.csv");
	assert_int_equal(run.status, 1);
	assert_int_equal(run_number("populates_failed"), 1);
	assert_int_equal(run_number("pages_leaked"), 0);
	run_assert_has(run.err,
		       "t.csv:1: buffer 7: populate failed on the simulated "
		       "machine (--ram ");
}

/* After a buffer was freed, another one may have its number. */
static void replay_accepts_a_number_that_is_free_again(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC FREE "7,0,1,alloc,7,32,1,34,900\n");
	run_replay("--json --no-baseline t.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("populates"), 2);
	assert_string_equal(run.err, "");
}

/* Several traces are several runs, each with an object on a line of its own. */
static void replay_prints_one_object_a_trace(void **state)
{
	const char *second;

	(void)state;
	run_write("a.csv", ALLOC);
	run_write("b.csv", ALLOC FREE);
	run_replay("--json a.csv b.csv");
	assert_int_equal(run.status, 0);
	assert_int_equal(strncmp(run.out, "{\"trace\": \"a.csv\"", 17), 0);
	second = strchr(run.out, '\n') + 1;
	assert_int_equal(strncmp(second, "{\"trace\": \"b.csv\"", 17), 0);
	assert_null(strchr(strchr(second, '\n') + 1, '\n'));
}

/* A malformed trace does not prevent the replay of the next one. */
static void replay_goes_on_after_a_malformed_trace(void **state)
{
	(void)state;
	run_write("a.csv", FREE);
	run_write("b.csv", ALLOC);
	run_replay("--json a.csv b.csv");
	run_assert_refused("a.csv:1: ", "not live");
	assert_int_equal(run_number("populates"), 1);
}

/* The last line says that a trace was not replayed. */
static void replay_counts_what_was_not_replayed(void **state)
{
	(void)state;
	run_write("a.csv", FREE);
	run_write("b.csv", ALLOC);
	run_replay("--no-baseline b.csv a.csv b.csv");
	assert_int_equal(run.status, 2);
	run_assert_has(run.out, "\n2 of 3 traces replayed, 0 pages leaked");
	run_replay("--no-baseline b.csv b.csv");
	run_assert_has(run.out, "\n2 traces replayed, 0 pages leaked");
}

/* The name of a trace may contain any bytes, and the object is still JSON. */
static void replay_escapes_the_name_of_a_trace(void **state)
{
	(void)state;
	run_write("q\"\\\n\xff\xc3\xa9", ALLOC);
	run_replay("--json q*");
	assert_int_equal(run.status, 0);
	run_assert_has(run.out,
		       "{\"trace\": \"q\\\"\\\\\\u000a\\ufffd\xc3\xa9\",");
	unlink(run_path("q\"\\\n\xff\xc3\xa9"));
}

/* A trace can come through a pipe. */
static void replay_reads_standard_input(void **state)
{
	int input;
	pid_t pid = run_start("--json -", &input);

	(void)state;
	assert_int_equal(write(input, ALLOC, strlen(ALLOC)), strlen(ALLOC));
	close(input);
	run_await(pid);
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("populates"), 1);
	run_assert_has(run.out, "{\"trace\": \"stdin\",");
}

/* A pipe cannot be read twice, and the replay says that it compared nothing. */
static void replay_says_that_a_pipe_is_not_compared(void **state)
{
	int input;
	pid_t pid = run_start("--brief -", &input);

	(void)state;
	assert_int_equal(write(input, ALLOC, strlen(ALLOC)), strlen(ALLOC));
	close(input);
	run_await(pid);
	assert_int_equal(run.status, 0);
	run_assert_has(run.out, "\nstdin ");
	assert_string_equal(
		run.err,
		"ttmpool-replay: stdin cannot be read twice: no replay "
		"without the pool to compare with\n");
}

/* Without a comparison the replay of a pipe prints no such note. */
static void replay_of_a_pipe_without_comparison_is_silent(void **state)
{
	int input;
	pid_t pid = run_start("--no-baseline -", &input);

	(void)state;
	assert_int_equal(write(input, ALLOC, strlen(ALLOC)), strlen(ALLOC));
	close(input);
	run_await(pid);
	assert_int_equal(run.status, 0);
	assert_string_equal(run.err, "");
}

/* Help and version go to stdout, and exit with 0. */
static void replay_answers_help_and_version(void **state)
{
	(void)state;
	run_replay("--help");
	assert_int_equal(run.status, 0);
	run_assert_has(run.out, "--pool-limit PAGES");
	run_replay("-h");
	assert_int_equal(run.status, 0);
	run_assert_has(run.out, "--pool-limit PAGES");
	run_replay("--version");
	assert_int_equal(run.status, 0);
	assert_int_equal(strncmp(run.out, "ttmpool-replay ", 15), 0);
}

/* Output that cannot be written is an error. */
static void replay_notices_a_full_disk(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC);
	run_replay("--json t.csv >/dev/full");
	assert_int_equal(run.status, 2);
	run_assert_has(run.err, "cannot write the output: No space left");
}

/* A plot that cannot be written is reported before the replay begins. */
static void replay_says_when_it_cannot_plot(void **state)
{
	(void)state;
	run_write("t.csv", ALLOC);
	run_replay("--json --plot none/p.svg t.csv");
	assert_int_equal(run.status, 2);
	run_assert_has(run.err, "cannot write none/p.svg: No such file");
	assert_string_equal(run.out, "");
}

/* A missing gnuplot is reported before the replay begins, and leaves no file. */
static void replay_says_that_gnuplot_is_missing(void **state)
{
	char *path = getenv("PATH");

	(void)state;
	assert_non_null(path);
	path = strdup(path);
	run_write("t.csv", ALLOC);
	setenv("PATH", "/none", 1);
	run_replay("--json --plot p.svg t.csv");
	setenv("PATH", path, 1);
	free(path);
	assert_int_equal(run.status, 2);
	/* Under Valgrind the process that starts gnuplot exits with 127 instead. */
	run_assert_has(run.err, "ttmpool-replay: ");
	run_assert_has(run.err, "gnuplot");
	assert_string_equal(run.out, "");
	assert_int_equal(access(run_path("p.svg"), F_OK), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(replay_counts_a_buffer),
	cmocka_unit_test(replay_frees_what_is_live_at_the_end),
	cmocka_unit_test(replay_recycles_or_not),
	cmocka_unit_test(replay_follows_the_recorded_caching),
	cmocka_unit_test(replay_gives_pages_up_under_pressure),
	cmocka_unit_test(replay_swaps_what_does_not_fit),
	cmocka_unit_test(replay_gives_each_device_a_pool),
	cmocka_unit_test(replay_keeps_to_the_pool_limit),
	cmocka_unit_test(replay_reports_a_failed_populate),
	cmocka_unit_test(replay_accepts_a_number_that_is_free_again),
	cmocka_unit_test(replay_prints_one_object_a_trace),
	cmocka_unit_test(replay_goes_on_after_a_malformed_trace),
	cmocka_unit_test(replay_counts_what_was_not_replayed),
	cmocka_unit_test(replay_escapes_the_name_of_a_trace),
	cmocka_unit_test(replay_reads_standard_input),
	cmocka_unit_test(replay_says_that_a_pipe_is_not_compared),
	cmocka_unit_test(replay_of_a_pipe_without_comparison_is_silent),
	cmocka_unit_test(replay_answers_help_and_version),
	cmocka_unit_test(replay_notices_a_full_disk),
	cmocka_unit_test(replay_says_when_it_cannot_plot),
	cmocka_unit_test(replay_says_that_gnuplot_is_missing),
};

CASES_MAIN("replay", tests, run_open, run_close)
