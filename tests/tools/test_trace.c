// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The trace reader: what it reads, and what it refuses, with the line that it names. Each
 * case writes a file, reads it to its end or to the first error, and checks the result.
 */
#define _POSIX_C_SOURCE 200809L

#include "cases.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trace.h"

#define ROW "5,0,1,alloc,7,16,2,34,900\n"

/* The result of reading a file. */
struct reading {
	int err;
	struct trace trace;
	struct trace_row last;
};

static void write_all(int fd, const char *bytes, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, bytes, size);

		assert_true(n > 0);
		bytes += n;
		size -= (size_t)n;
	}
}

static void read_bytes(struct reading *reading, const char *bytes, size_t size)
{
	char path[] = "/tmp/ttmpool-trace-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	write_all(fd, bytes, size);
	close(fd);
	memset(reading, 0, sizeof(*reading));
	assert_int_equal(trace_open(&reading->trace, path), 0);
	do {
		reading->err = trace_next(&reading->trace, &reading->last);
	} while (reading->err > 0);
	trace_close(&reading->trace);
	unlink(path);
}

static void read_text(struct reading *reading, const char *text)
{
	read_bytes(reading, text, strlen(text));
}

/* @text is refused in line @line, with @words in the message. */
static void assert_refused(const char *text, uint64_t line, const char *words)
{
	struct reading reading;

	read_text(&reading, text);
	assert_int_equal(reading.err, -EINVAL);
	assert_int_equal(reading.trace.line, line);
	if (!strstr(reading.trace.error, words))
		fail_msg("\"%s\" is not in \"%s\"", words, reading.trace.error);
	assert_null(strchr(reading.trace.error, '\n'));
}

/* Every column of a row is read into its field. */
static void trace_reads_all_columns_of_a_row(void **state)
{
	struct reading reading;

	(void)state;
	read_text(&reading, "4412836943,1,3,swapout,12,2025,1,34,35834945\n");
	assert_int_equal(reading.err, 0);
	assert_int_equal(reading.trace.rows, 1);
	assert_int_equal(reading.last.t_ns, 4412836943);
	assert_int_equal(reading.last.cpu, 1);
	assert_int_equal(reading.last.pid, 3);
	assert_int_equal(reading.last.op, TRACE_SWAPOUT);
	assert_int_equal(reading.last.buf, 12);
	assert_int_equal(reading.last.pages, 2025);
	assert_int_equal(reading.last.caching, TTMPOOL_WRITE_COMBINED);
	assert_int_equal(reading.last.flags, 34);
	assert_int_equal(reading.last.dur_ns, 35834945);
}

/* All four operations are known, by the words that the tracer writes. */
static void trace_knows_four_operations(void **state)
{
	struct reading reading;
	char row[64];
	int op;

	(void)state;
	for (op = 0; op < TRACE_OP_COUNT; op++) {
		snprintf(row, sizeof(row), "5,0,1,%s,7,16,2,34,9\n",
			 trace_op_name((enum trace_op)op));
		read_text(&reading, row);
		assert_int_equal(reading.err, 0);
		assert_int_equal(reading.last.op, op);
	}
}

/* The largest number of each column is accepted, and one more is not. */
static void trace_reads_the_largest_numbers(void **state)
{
	struct reading reading;

	(void)state;
	read_text(&reading, "9223372036854775807,4294967295,4294967295,alloc,"
			    "18446744073709551615,4294967295,2,4294967295,"
			    "9223372036854775807\n");
	assert_int_equal(reading.err, 0);
	assert_int_equal(reading.last.t_ns, INT64_MAX);
	assert_true(reading.last.buf == UINT64_MAX);
	assert_int_equal(reading.last.pages, UINT32_MAX);
	assert_refused("9223372036854775808,0,1,alloc,7,16,2,34,9\n", 1,
		       "t_ns is above");
	assert_refused("5,4294967296,1,alloc,7,16,2,34,9\n", 1, "cpu is above");
	assert_refused("5,0,1,alloc,18446744073709551616,16,2,34,9\n", 1,
		       "buf is above");
	assert_refused("5,0,1,alloc,7,4294967296,2,34,9\n", 1,
		       "pages is above");
	assert_refused("5,0,1,alloc,7,16,3,34,9\n", 1, "caching is above 2");
}

/* A number that does not fit is refused, whatever its length, and never wraps. */
static void trace_refuses_a_number_that_would_wrap(void **state)
{
	(void)state;
	assert_refused(ROW "6,0,1,free,99999999999999999999999999,16,2,34,9\n",
		       2, "buf is above");
	assert_refused("18446744073709551621,0,1,alloc,7,16,2,34,9\n", 1,
		       "t_ns is above");
}

/* A buffer without pages is refused. */
static void trace_refuses_zero_pages(void **state)
{
	(void)state;
	assert_refused("5,0,1,alloc,7,0,2,34,9\n", 1, "pages is below 1");
}

/* A number has no sign, space, letter or point. */
static void trace_refuses_what_is_no_number(void **state)
{
	static const char *const words[] = { "-5",  "+5",  " 5", "5 ", "0x5",
					     "5.0", "1e3", "a",  "5\t" };
	char row[64];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(row, sizeof(row), "5,0,1,alloc,7,16,2,34,%s\n",
			 words[i]);
		assert_refused(row, 1, "dur_ns is not a number");
	}
}

/* An empty column is refused, not read as zero. */
static void trace_refuses_an_empty_column(void **state)
{
	(void)state;
	assert_refused("5,,1,alloc,7,16,2,34,9\n", 1, "cpu is empty");
}

/* An unknown operation is refused. */
static void trace_refuses_an_unknown_operation(void **state)
{
	(void)state;
	assert_refused(ROW "6,0,1,move,7,16,2,34,9\n", 2,
		       "op is not alloc, free, swapout or swapin: \"move\"");
	assert_refused("6,0,1,ALLOC,7,16,2,34,9\n", 1, "op is not");
}

/* A row with too few or too many columns is refused with its number of columns. */
static void trace_refuses_another_number_of_columns(void **state)
{
	(void)state;
	assert_refused(ROW "6,0,1,free,7,16,2,34\n", 2, "has 8 columns");
	assert_refused("5,0,1,alloc,7,16,2,34,9,1\n", 1, "has 10 columns");
	assert_refused("hello\n", 1, "has 1 column,");
	assert_refused(ROW "\n", 2, "has 1 column,");
}

/* A last line without a newline is refused as cut off, even if it looks complete. */
static void trace_refuses_a_line_that_is_cut_off(void **state)
{
	(void)state;
	assert_refused(ROW "6,0,1,free,7,16,2,34,9", 2, "cut off");
	assert_refused(ROW "6,0,1,fr", 2, "cut off");
}

/* An empty file is refused. */
static void trace_refuses_an_empty_file(void **state)
{
	(void)state;
	assert_refused("", 1, "empty");
}

/* A file with only a header is refused. */
static void trace_refuses_a_file_without_rows(void **state)
{
	(void)state;
	assert_refused("# a comment\n# another\n", 3, "no rows");
}

/* A zero byte ends strings in C, and must not hide the rest of a line. */
static void trace_refuses_a_zero_byte(void **state)
{
	static const char bytes[] = "5,0,1,alloc,7,16,2,34,9\0,1\n";
	struct reading reading;

	(void)state;
	read_bytes(&reading, bytes, sizeof(bytes) - 1);
	assert_int_equal(reading.err, -EINVAL);
	assert_int_equal(reading.trace.line, 1);
	assert_non_null(strstr(reading.trace.error, "zero byte"));
}

/* The quote in a message is printable and short. */
static void trace_quotes_garbage_safely(void **state)
{
	struct reading reading;
	const char *at;

	(void)state;
	read_text(&reading, "\x1b[31m\x80\xff and much more than fits into a "
			    "line,0,1,alloc,7,16,2,34,9\n");
	assert_int_equal(reading.err, -EINVAL);
	for (at = reading.trace.error; *at; at++)
		assert_in_range(*at, ' ', '~');
	assert_true(strlen(reading.trace.error) < 80);
}

/* A line may have TRACE_LINE_MAX bytes, and not one more. */
static void trace_refuses_a_very_long_line(void **state)
{
	char text[TRACE_LINE_MAX + 64];
	struct reading reading;

	(void)state;
	memset(text, '#', sizeof(text));
	strcpy(text + TRACE_LINE_MAX, "\n" ROW);
	read_text(&reading, text);
	assert_int_equal(reading.err, 0);
	strcpy(text + TRACE_LINE_MAX, "#\n" ROW);
	assert_refused(text, 1, "longer than");
}

/* Rows are in order of time; two may have the same time. */
static void trace_refuses_time_that_runs_backwards(void **state)
{
	struct reading reading;

	(void)state;
	read_text(&reading, ROW ROW);
	assert_int_equal(reading.err, 0);
	assert_refused(ROW "4,0,1,free,7,16,2,34,9\n", 2, "runs backwards");
}

/* If the header names the columns, they must be these, in this order. */
static void trace_checks_the_columns_of_the_header(void **state)
{
	struct reading reading;

	(void)state;
	read_text(&reading, "# columns: t_ns,cpu,pid,op,buf,pages,caching,"
			    "flags,dur_ns\n" ROW);
	assert_int_equal(reading.err, 0);
	assert_refused(
		"# columns: t_ns,cpu,pid,op,buf,pages,caching,flags\n" ROW, 1,
		"the columns must be");
	assert_refused("# columns: cpu,t_ns,pid,op,buf,pages,caching,flags,"
		       "dur_ns\n" ROW,
		       1, "the columns must be");
}

/* The header says whether the driver's pool had coherent pages. */
static void trace_reads_the_kind_of_pool_from_the_header(void **state)
{
	struct reading reading;

	(void)state;
	read_text(&reading, "# ttm_pool: use_dma_alloc=1 use_dma32=0\n" ROW);
	assert_true(reading.trace.coherent);
	read_text(&reading, "# ttm_pool: use_dma_alloc=0 use_dma32=0\n" ROW);
	assert_false(reading.trace.coherent);
	read_text(&reading, "# note: not use_dma_alloc=1\n" ROW);
	assert_false(reading.trace.coherent);
}

/* Comments may stand between rows, and count as lines. */
static void trace_counts_comments_as_lines(void **state)
{
	(void)state;
	assert_refused("# one\n" ROW "# three\nfour\n", 4, "has 1 column,");
}

/* After an error in the middle, the file is closed and nothing is left. */
static void trace_can_be_closed_at_any_time(void **state)
{
	struct trace trace;

	(void)state;
	assert_int_equal(trace_open(&trace, "/dev/null/none"), -ENOTDIR);
	assert_int_equal(trace.line, 1);
	assert_non_null(strstr(trace.error, "Not a directory"));
	trace_close(&trace);
	trace_close(&trace);
}

/* A directory can be opened, but reading it is an error. */
static void trace_refuses_a_directory(void **state)
{
	struct trace_row row;
	struct trace trace;

	(void)state;
	assert_int_equal(trace_open(&trace, "/"), 0);
	assert_int_equal(trace_next(&trace, &row), -EISDIR);
	assert_int_equal(trace.line, 1);
	assert_non_null(strstr(trace.error, "Is a directory"));
	trace_close(&trace);
}

/* An error message is one line that begins with file and line. */
static void trace_complains_in_one_line(void **state)
{
	struct trace trace = { .path = "dir/some.csv", .line = 42 };
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	assert_int_equal(trace_fail(&trace, "%s is %d", "it", 3), -EINVAL);
	trace_complain(&trace, stream);
	fclose(stream);
	assert_string_equal(text, "dir/some.csv:42: it is 3\n");
	free(text);
}

/* Only a regular file can be read twice. */
static void trace_knows_what_can_be_read_again(void **state)
{
	(void)state;
	assert_true(trace_rereadable("/proc/self/exe"));
	assert_false(trace_rereadable("-"));
	assert_false(trace_rereadable("/dev/null"));
	assert_false(trace_rereadable("/dev/null/none"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(trace_reads_all_columns_of_a_row),
	cmocka_unit_test(trace_knows_four_operations),
	cmocka_unit_test(trace_reads_the_largest_numbers),
	cmocka_unit_test(trace_refuses_a_number_that_would_wrap),
	cmocka_unit_test(trace_refuses_zero_pages),
	cmocka_unit_test(trace_refuses_what_is_no_number),
	cmocka_unit_test(trace_refuses_an_empty_column),
	cmocka_unit_test(trace_refuses_an_unknown_operation),
	cmocka_unit_test(trace_refuses_another_number_of_columns),
	cmocka_unit_test(trace_refuses_a_line_that_is_cut_off),
	cmocka_unit_test(trace_refuses_an_empty_file),
	cmocka_unit_test(trace_refuses_a_file_without_rows),
	cmocka_unit_test(trace_refuses_a_zero_byte),
	cmocka_unit_test(trace_quotes_garbage_safely),
	cmocka_unit_test(trace_refuses_a_very_long_line),
	cmocka_unit_test(trace_refuses_time_that_runs_backwards),
	cmocka_unit_test(trace_checks_the_columns_of_the_header),
	cmocka_unit_test(trace_reads_the_kind_of_pool_from_the_header),
	cmocka_unit_test(trace_counts_comments_as_lines),
	cmocka_unit_test(trace_can_be_closed_at_any_time),
	cmocka_unit_test(trace_refuses_a_directory),
	cmocka_unit_test(trace_complains_in_one_line),
	cmocka_unit_test(trace_knows_what_can_be_read_again),
};

CASES_MAIN("trace", tests, NULL, NULL)
