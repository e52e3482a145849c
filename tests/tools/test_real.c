// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool-replay and traces of real size: the recorded ones, and one of a million events.
 * They take too long for Valgrind.
 */
#define _DEFAULT_SOURCE

#include "run.h"

/* The long trace: @events rows, at most eight buffers live at any time. */
static void write_long_trace(int input, long events)
{
	FILE *file = fdopen(input, "w");
	long i;

	assert_non_null(file);
	for (i = 0; i < events; i++)
		fprintf(file, "%ld,0,0,%s,%ld,%ld,1,2,1\n", i,
			i % 16 < 8 ? "alloc" : "free", i / 16 * 8 + i % 8,
			1 + i % 8);
	assert_int_equal(fclose(file), 0);
}

static void replay_long_trace(long events)
{
	int input;
	pid_t pid = run_start("--json --ram 16 -", &input);

	write_long_trace(input, events);
	run_await(pid);
	assert_int_equal(run.status, 0);
	assert_int_equal(run_number("events"), events);
	assert_int_equal(run_number("peak_pages_in_use"), 36);
}

/* The memory depends on the live buffers only: a million events need as much as a
 * thousand. (ASan's quarantine would hide that, so it is set to be small.) */
static void replay_memory_does_not_grow_with_the_trace(void **state)
{
	long small;

	(void)state;
	replay_long_trace(1008);
	small = run.max_rss_kib;
	replay_long_trace(1000000);
	assert_in_range(run.max_rss_kib, 1, small + 4096);
}

/* Each real trace, forced to write-combined, needs at least twenty times fewer
 * TLB flushes with the pool than without. */
static void replay_of_real_traces_saves_tlb_flushes(void **state)
{
	static const char *const names[] = { "bochs-kms.csv", "bochs-swap.csv",
					     "qxl-sway-swap.csv",
					     "qxl-xorg.csv",
					     "radeon-windows.csv" };
	long long with;
	char args[1280];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(args, sizeof(args),
			 "--json --no-baseline --caching wc '%s'",
			 run_trace_path(names[i]));
		run_replay(args);
		assert_int_equal(run.status, 0);
		assert_int_equal(run_number("pages_leaked"), 0);
		with = run_number("tlb_flushes");
		snprintf(args, sizeof(args),
			 "--json --recycle off --caching wc '%s'",
			 run_trace_path(names[i]));
		run_replay(args);
		assert_int_equal(run.status, 0);
		if (run_number("tlb_flushes") < 20 * with)
			fail_msg("%s: %lld flushes with the pool, %lld without",
				 names[i], with, run_number("tlb_flushes"));
	}
}

/* The header of radeon's trace says that its driver used coherent pages. */
static void replay_follows_the_recorded_kind_of_pages(void **state)
{
	char args[1280];

	(void)state;
	snprintf(args, sizeof(args), "--json --no-baseline '%s'",
		 run_trace_path("radeon-windows.csv"));
	run_replay(args);
	run_assert_has(run.out, "\"backend\": \"coherent\"");
	snprintf(args, sizeof(args), "--json --source auto --no-baseline '%s'",
		 run_trace_path("radeon-windows.csv"));
	run_replay(args);
	run_assert_has(run.out, "\"backend\": \"plain\"");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(replay_memory_does_not_grow_with_the_trace),
	cmocka_unit_test(replay_of_real_traces_saves_tlb_flushes),
	cmocka_unit_test(replay_follows_the_recorded_kind_of_pages),
};

CASES_MAIN("real", tests, run_open, run_close)
