// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What ttmpool-replay must refuse: it prints one line on stderr that names file and line,
 * and exits with status 2.
 */
#define _DEFAULT_SOURCE

#include "run.h"

#include <sys/stat.h>
#include <unistd.h>

/* The text @rows is refused in line @line, and no result is printed. */
static void assert_rows_refused(const char *rows, int line, const char *words)
{
	char where[32];

	run_write("t.csv", rows);
	snprintf(where, sizeof(where), "t.csv:%d: ", line);
	run_replay("--json t.csv");
	run_assert_refused(where, words);
	assert_string_equal(run.out, "");
}

/* A free of a buffer that is not live is malformed: never seen, or twice. */
static void replay_refuses_a_free_of_a_dead_buffer(void **state)
{
	(void)state;
	assert_rows_refused(FREE, 1, "free of buffer 7, which is not live");
	assert_rows_refused(ALLOC FREE FREE, 3, "which is not live");
	assert_rows_refused("5,0,1,swapout,7,16,2,34,9\n", 1, "swapout of");
	assert_rows_refused("5,0,1,swapin,7,16,2,34,9\n", 1, "swapin of");
}

/* An alloc of a buffer that is live is malformed. */
static void replay_refuses_an_alloc_of_a_live_buffer(void **state)
{
	(void)state;
	assert_rows_refused("# one\n" ALLOC ALLOC, 3,
			    "which is live since line 2");
}

/* A row with another size or caching than the alloc of its buffer is malformed. */
static void replay_refuses_a_buffer_that_changes(void **state)
{
	(void)state;
	assert_rows_refused(ALLOC "6,0,1,free,7,15,2,34,9\n", 2,
			    "other pages or caching than in line 1");
	assert_rows_refused(ALLOC "6,0,1,free,7,16,1,34,9\n", 2,
			    "other pages or caching than in line 1");
}

/* A second swapout of a buffer without an alloc in between is malformed. */
static void replay_refuses_a_second_swapout(void **state)
{
	static const char out[] = "6,0,1,swapout,7,16,2,34,9\n";
	char rows[128];

	(void)state;
	snprintf(rows, sizeof(rows), "%s%s%s", ALLOC, out, out);
	assert_rows_refused(rows, 3, "swapout of buffer 7 again");
}

/* Rows that the reader refuses make the program exit with status 2. */
static void replay_refuses_malformed_rows(void **state)
{
	(void)state;
	assert_rows_refused("", 1, "empty");
	assert_rows_refused(ALLOC "6,0,1,free,7\n", 2, "columns");
	assert_rows_refused(ALLOC "6,0,1,free,99999999999999999999,16,2,34,9\n",
			    2, "buf is above");
	assert_rows_refused(ALLOC "6,0,1,free,7,16,2,34,9", 2, "cut off");
	assert_rows_refused(ALLOC "6,0,1,free,-7,16,2,34,9\n", 2,
			    "not a number");
	assert_rows_refused(ALLOC "6,0,1,grow,7,16,2,34,9\n", 2, "op is not");
}

/* A binary file is refused. */
static void replay_refuses_a_binary_file(void **state)
{
	(void)state;
	run_replay("/bin/sh");
	run_assert_refused("/bin/sh:", "");
}

/* A stream without a newline is refused before it fills memory. */
static void replay_refuses_an_endless_line(void **state)
{
	(void)state;
	run_replay("/dev/zero");
	run_assert_refused("/dev/zero:1: ", "zero byte");
}

/* Other formats that could be mistaken for a trace are refused by their name. */
static void replay_names_another_format(void **state)
{
	static const char columns[] =
		"t_ns,cpu,pid,op,buf,pages,caching,flags,dur_ns\n";

	(void)state;
	assert_rows_refused("\x1f\x8b\x08", 1, "compressed");
	assert_rows_refused("\xfd"
			    "7zXZ",
			    1, "compressed");
	assert_rows_refused("\xef\xbb\xbf" ALLOC, 1, "byte order mark");
	assert_rows_refused("\xff\xfe", 1, "UTF-16");
	assert_rows_refused("\xfe\xff", 1, "UTF-16");
	assert_rows_refused("# one\n5,0,1,alloc,7,16,2,34,9\r\n", 2, "CR LF");
	assert_rows_refused(columns, 1, "# columns: ");
}

/* A directory, a name below a file, and a missing file are one line each. */
static void replay_refuses_what_it_cannot_read(void **state)
{
	(void)state;
	run_replay("/");
	run_assert_refused("/:1: ", "Is a directory");
	run_replay("/bin/sh/t.csv");
	run_assert_refused("/bin/sh/t.csv:1: ", "Not a directory");
	run_replay("none.csv");
	run_assert_refused("none.csv:1: ", "No such file");
}

/* A file without read permission is one line, too. The superuser may read all but some of
 * the kernel's files: proc_sys_permission() heeds no capability. */
static void replay_refuses_a_file_without_permission(void **state)
{
	static const char no_one[] = "/proc/sys/vm/compact_memory";

	(void)state;
	run_write("secret.csv", ALLOC);
	assert_int_equal(chmod(run_path("secret.csv"), 0), 0);
	if (!access(run_path("secret.csv"), R_OK)) {
		unlink(run_path("secret.csv"));
		assert_int_equal(symlink(no_one, run_path("secret.csv")), 0);
	}
	run_replay("secret.csv");
	run_assert_refused("secret.csv:1: ", "Permission denied");
}

/* A wrong command line is one line and status 2. */
static void replay_refuses_a_wrong_command_line(void **state)
{
	(void)state;
	run_replay("--no-such-option t.csv");
	run_assert_refused("ttmpool-replay: ", "--no-such-option");
	run_replay("");
	run_assert_refused("ttmpool-replay: ", "name a trace");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(replay_refuses_a_free_of_a_dead_buffer),
	cmocka_unit_test(replay_refuses_an_alloc_of_a_live_buffer),
	cmocka_unit_test(replay_refuses_a_buffer_that_changes),
	cmocka_unit_test(replay_refuses_a_second_swapout),
	cmocka_unit_test(replay_refuses_malformed_rows),
	cmocka_unit_test(replay_refuses_a_binary_file),
	cmocka_unit_test(replay_refuses_an_endless_line),
	cmocka_unit_test(replay_names_another_format),
	cmocka_unit_test(replay_refuses_what_it_cannot_read),
	cmocka_unit_test(replay_refuses_a_file_without_permission),
	cmocka_unit_test(replay_refuses_a_wrong_command_line),
};

CASES_MAIN("malformed", tests, run_open, run_close)
