// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The rows that ttmpool-record makes of the calls that it sees: a trace without anything
 * that ttmpool-replay would refuse.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "pending.h"
#include "recording.h"
#include "trace.h"

#define BUFFER_A  UINT64_C(0xffff888100001000)
#define BUFFER_B  UINT64_C(0xffff888100001200)
#define SECOND_NS (UINT64_C(1000) * 1000 * 1000)

struct fixture {
	struct recording recording;
	FILE *file;
	char *text;
	size_t size;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->file = open_memstream(&f->text, &f->size);
	return recording_init(&f->recording, f->file);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	recording_fini(&f->recording);
	fclose(f->file);
	free(f->text);
	free(f);
	return 0;
}

static struct call call_of(enum call_op op, uint64_t key, uint64_t t_ns)
{
	return (struct call){ .op = op,
			      .key = key,
			      .t_ns = t_ns,
			      .dur_ns = 5,
			      .pages = 7,
			      .caching = 1,
			      .flags = 2,
			      .cpu = 3,
			      .pid = 4000,
			      .device = "0000:00:02.0" };
}

static void add(struct fixture *f, enum call_op op, uint64_t key, uint64_t t_ns)
{
	struct call call = call_of(op, key, t_ns);

	assert_int_equal(recording_add(&f->recording, &call), 0);
}

/* All rows, without the comments. */
static const char *rows_of(struct fixture *f)
{
	const char *text;

	assert_int_equal(rows_write(&f->recording.rows, UINT64_MAX), 0);
	fflush(f->file);
	text = f->text;
	while (*text == '#')
		text = strchr(text, '\n') + 1;
	return text;
}

/* The rows of an alloc and a free have the data of their calls. */
static void an_alloc_and_a_free_are_two_rows(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_ALLOC, BUFFER_A, 100);
	add(f, CALL_FREE, BUFFER_A, 200);
	assert_string_equal(rows_of(f), "100,3,0,alloc,1,7,1,2,5\n"
					"200,3,0,free,1,7,1,2,5\n");
	assert_int_equal(f->recording.counts.live, 0);
	assert_int_equal(f->recording.counts.pages, 0);
}

/* The header takes the kind of the pool from the first buffer. */
static void the_first_buffer_tells_the_kind_of_pool(void **state)
{
	struct fixture *f = *state;
	struct call call = call_of(CALL_ALLOC, BUFFER_A, 100);

	call.coherent = true;
	assert_int_equal(recording_add(&f->recording, &call), 0);
	rows_of(f);
	assert_memory_equal(f->text, "# ttm_pool: use_dma_alloc=1 device=0000",
			    39);
}

/* Rows are sorted by the begin of their calls, not by the end. */
static void rows_are_sorted_by_when_calls_began(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_ALLOC, BUFFER_A, 300);
	add(f, CALL_ALLOC, BUFFER_B, 100);
	assert_string_equal(rows_of(f), "100,3,0,alloc,2,7,1,2,5\n"
					"300,3,0,alloc,1,7,1,2,5\n");
}

/* Calls that began at the same time stay in the order in which they were seen. */
static void rows_of_the_same_time_keep_their_order(void **state)
{
	struct fixture *f = *state;
	int i;

	for (i = 0; i < 9; i++) {
		add(f, CALL_ALLOC, BUFFER_A, 100);
		add(f, CALL_FREE, BUFFER_A, 100);
	}
	assert_memory_equal(strstr(rows_of(f), "\n") + 1, "100,3,0,free", 12);
	assert_int_equal(f->recording.counts.odd, 0);
}

/* A row is written only when no earlier one can come any more. */
static void a_row_waits_for_those_that_may_come_before_it(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_ALLOC, BUFFER_A, 300);
	assert_int_equal(rows_write(&f->recording.rows, 300), 0);
	assert_int_equal(f->recording.rows.written, 0);
	assert_int_equal(rows_write(&f->recording.rows, 301), 0);
	assert_int_equal(f->recording.rows.written, 1);
}

/* Time does not run backwards in a trace: a row that comes too late gets the last time,
 * and is counted. */
static void a_row_that_comes_too_late_gets_the_last_time(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_ALLOC, BUFFER_A, 300);
	assert_int_equal(rows_write(&f->recording.rows, 400), 0);
	add(f, CALL_ALLOC, BUFFER_B, 200);
	assert_non_null(strstr(rows_of(f), "\n300,3,0,alloc,2,"));
	assert_int_equal(f->recording.rows.late, 1);
}

/* A trace begins without buffers, so a buffer that is older has no rows. */
static void a_buffer_older_than_the_recording_has_no_row(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_FREE, BUFFER_A, 100);
	add(f, CALL_SWAPOUT, BUFFER_B, 200);
	assert_string_equal(rows_of(f), "");
	assert_int_equal(f->recording.counts.older, 2);
}

/* A call that failed changed nothing, and is counted. */
static void a_call_that_failed_has_no_row(void **state)
{
	struct fixture *f = *state;
	struct call call = call_of(CALL_ALLOC, BUFFER_A, 100);

	call.failed = true;
	assert_int_equal(recording_add(&f->recording, &call), 0);
	assert_string_equal(rows_of(f), "");
	assert_int_equal(f->recording.counts.failed, 1);
}

/* TTM frees within its swapout: the free is seen first, but began later. */
static void a_buffer_keeps_its_id_through_the_store(void **state)
{
	struct fixture *f = *state;
	struct call back = call_of(CALL_ALLOC, BUFFER_A, 400);

	add(f, CALL_ALLOC, BUFFER_A, 100);
	add(f, CALL_FREE, BUFFER_A, 210);
	add(f, CALL_SWAPOUT, BUFFER_A, 200);
	back.restores = true;
	assert_int_equal(recording_add(&f->recording, &back), 0);
	assert_string_equal(rows_of(f), "100,3,0,alloc,1,7,1,2,5\n"
					"200,3,0,swapout,1,7,1,2,5\n"
					"210,3,0,free,1,7,1,2,5\n"
					"400,3,0,alloc,1,7,1,2,5\n"
					"405,3,0,swapin,1,7,1,2,0\n");
}

/* A swapout without a free of its own makes both rows, once. */
static void a_swapout_that_frees_has_both_rows(void **state)
{
	struct fixture *f = *state;
	struct call out = call_of(CALL_SWAPOUT, BUFFER_A, 200);

	out.frees = true;
	add(f, CALL_ALLOC, BUFFER_A, 100);
	assert_int_equal(recording_add(&f->recording, &out), 0);
	assert_int_equal(recording_add(&f->recording, &out), 0);
	assert_string_equal(rows_of(f), "100,3,0,alloc,1,7,1,2,5\n"
					"200,3,0,swapout,1,7,1,2,5\n"
					"200,3,0,free,1,7,1,2,5\n");
}

/* When a part of a buffer returns, there is no row, since the buffer had pages all the
 * time. */
static void a_part_that_comes_back_has_no_row(void **state)
{
	struct fixture *f = *state;
	struct call back = call_of(CALL_ALLOC, BUFFER_A, 200);

	back.restores = true;
	add(f, CALL_ALLOC, BUFFER_A, 100);
	assert_int_equal(recording_add(&f->recording, &back), 0);
	assert_string_equal(rows_of(f), "100,3,0,alloc,1,7,1,2,5\n");
	assert_int_equal(f->recording.counts.odd, 0);
}

/* The kernel uses memory again: a destroyed buffer does not give its id to another
 * one. */
static void a_key_that_was_forgotten_is_another_buffer(void **state)
{
	struct fixture *f = *state;
	struct call gone = call_of(CALL_FREE, BUFFER_B, 500);

	gone.last = true;
	add(f, CALL_ALLOC, BUFFER_A, 100);
	add(f, CALL_FREE, BUFFER_A, 200);
	add(f, CALL_FORGET, BUFFER_A, 300);
	add(f, CALL_ALLOC, BUFFER_B, 400);
	assert_int_equal(recording_add(&f->recording, &gone), 0);
	add(f, CALL_ALLOC, BUFFER_A, 600);
	add(f, CALL_ALLOC, BUFFER_B, 700);
	assert_non_null(strstr(rows_of(f), "\n600,3,0,alloc,3,"));
	assert_non_null(strstr(f->text, "\n700,3,0,alloc,4,"));
	assert_int_equal(f->recording.nr_known, 2);
}

/* If a free was lost, the next alloc is of another buffer, and the trace stays valid. */
static void a_lost_free_is_counted(void **state)
{
	struct fixture *f = *state;

	add(f, CALL_ALLOC, BUFFER_A, 100);
	add(f, CALL_ALLOC, BUFFER_A, 200);
	assert_non_null(strstr(rows_of(f), "\n200,3,0,alloc,2,"));
	assert_int_equal(f->recording.counts.odd, 1);
	assert_int_equal(f->recording.counts.live, 1);
}

/* With a device, calls of other devices are counted and not written. */
static void other_devices_are_left_out(void **state)
{
	struct fixture *f = *state;

	f->recording.device = "0000:00:03.0";
	add(f, CALL_ALLOC, BUFFER_A, 100);
	assert_string_equal(rows_of(f), "");
	assert_int_equal(f->recording.counts.others, 1);
}

/* Threads are numbered in the order in which they appear. */
static void threads_are_numbered(void **state)
{
	struct fixture *f = *state;
	struct call call = call_of(CALL_ALLOC, BUFFER_B, 200);

	add(f, CALL_ALLOC, BUFFER_A, 100);
	call.pid = 1;
	assert_int_equal(recording_add(&f->recording, &call), 0);
	add(f, CALL_FREE, BUFFER_A, 300);
	assert_string_equal(rows_of(f), "100,3,0,alloc,1,7,1,2,5\n"
					"200,3,1,alloc,2,7,1,2,5\n"
					"300,3,0,free,1,7,1,2,5\n");
}

/* The generator of Knuth's MMIX: all runs are the same. */
static uint64_t next_random(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) +
		UINT64_C(1442695040888963407);
	return *seed >> 33;
}

/* Add a random call. */
static void add_any(struct fixture *f, uint64_t *seed, uint64_t t_ns)
{
	struct call call = call_of((enum call_op)(next_random(seed) % 4),
				   BUFFER_A + next_random(seed) % 300 * 512,
				   t_ns - next_random(seed) % 1000);
	uint64_t bits = next_random(seed);

	call.restores = bits & 1;
	call.frees = bits & 2;
	call.last = bits & 4;
	call.failed = (bits & 0x78) == 0;
	call.pages = 1 + bits % 9;
	assert_int_equal(recording_add(&f->recording, &call), 0);
}

/* Each free has its alloc, and each swapout a known buffer, as the replay needs it. */
static void check_with_reader(const char *path, const struct recording *r)
{
	static bool live[100000];
	struct trace trace;
	struct trace_row row;
	uint64_t rows = 0;

	assert_int_equal(trace_open(&trace, path), 0);
	while (trace_next(&trace, &row) == 1) {
		rows++;
		assert_true(row.buf < 100000);
		if (row.op == TRACE_ALLOC || row.op == TRACE_FREE) {
			assert_int_equal(live[row.buf], row.op == TRACE_FREE);
			live[row.buf] = row.op == TRACE_ALLOC;
		}
	}
	assert_string_equal(trace.error, "");
	assert_int_equal(rows, r->counts.allocs + r->counts.frees +
				       r->counts.swapouts + r->counts.swapins);
	trace_close(&trace);
}

/* Any calls make a trace that the replay accepts. */
static void any_calls_make_a_sound_trace(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/ttmpool-record-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");
	uint64_t seed = 1;
	uint64_t i;

	assert_non_null(file);
	f->recording.rows.file = file;
	for (i = 1; i <= 100000; i++) {
		/* No call is late here: a buffer's rows are in its order. */
		add_any(f, &seed, i * 1000);
		if (i % 100 == 0)
			assert_int_equal(
				rows_write(&f->recording.rows, (i - 2) * 1000),
				0);
	}
	assert_int_equal(rows_write(&f->recording.rows, UINT64_MAX), 0);
	fclose(file);
	check_with_reader(path, &f->recording);
	unlink(path);
}

/* A full disk ends the recording with its own error. */
static void a_full_disk_is_reported(void **state)
{
	struct fixture *f = *state;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	setvbuf(full, NULL, _IONBF, 0);
	f->recording.rows.file = full;
	f->recording.began = true;
	add(f, CALL_ALLOC, BUFFER_A, 100);
	assert_int_equal(rows_write(&f->recording.rows, UINT64_MAX), -28);
	f->recording.rows.file = f->file;
	fclose(full);
}

/* Calls of one thread nest, and each return finds its own entry. */
static void returns_find_their_entries(void **state)
{
	struct pending pending = { 0 };
	struct call outer = call_of(CALL_SWAPOUT, BUFFER_A, 100);
	struct call inner = call_of(CALL_FREE, BUFFER_A, 200);
	struct call other = call_of(CALL_FREE, BUFFER_B, 150);
	struct call got;

	(void)state;
	other.pid = 5;
	assert_int_equal(pending_enter(&pending, 1, &outer), 0);
	assert_int_equal(pending_enter(&pending, 2, &other), 0);
	assert_int_equal(pending_enter(&pending, 2, &inner), 0);
	assert_true(pending_return(&pending, 2, 4000, &got));
	assert_int_equal(got.t_ns, 200);
	assert_int_equal(pending_oldest(&pending, 300), 100);
	assert_true(pending_return(&pending, 1, 4000, &got));
	assert_int_equal(got.t_ns, 100);
	assert_int_equal(pending_oldest(&pending, 300), 150);
	assert_true(pending_return(&pending, 2, 5, &got));
	assert_int_equal(pending_oldest(&pending, 300), 300);
	assert_int_equal(pending.missed, 0);
	pending_fini(&pending);
}

/* A return without an entry is counted, and so is an entry without a return. */
static void what_was_missed_is_counted(void **state)
{
	struct pending pending = { 0 };
	struct call call = call_of(CALL_ALLOC, BUFFER_A, 100);
	struct call got;

	(void)state;
	assert_false(pending_return(&pending, 1, 4000, &got));
	assert_int_equal(pending_enter(&pending, 1, &call), 0);
	assert_int_equal(pending_oldest(&pending, 59 * SECOND_NS), 100);
	assert_int_equal(pending_oldest(&pending, 61 * SECOND_NS),
			 61 * SECOND_NS);
	assert_int_equal(pending.missed, 2);
	pending_fini(&pending);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_alloc_and_a_free_are_two_rows),
		CASE(the_first_buffer_tells_the_kind_of_pool),
		CASE(rows_are_sorted_by_when_calls_began),
		CASE(rows_of_the_same_time_keep_their_order),
		CASE(a_row_waits_for_those_that_may_come_before_it),
		CASE(a_row_that_comes_too_late_gets_the_last_time),
		CASE(a_buffer_older_than_the_recording_has_no_row),
		CASE(a_call_that_failed_has_no_row),
		CASE(a_buffer_keeps_its_id_through_the_store),
		CASE(a_swapout_that_frees_has_both_rows),
		CASE(a_part_that_comes_back_has_no_row),
		CASE(a_key_that_was_forgotten_is_another_buffer),
		CASE(a_lost_free_is_counted),
		CASE(other_devices_are_left_out),
		CASE(threads_are_numbered),
		CASE(any_calls_make_a_sound_trace),
		CASE(a_full_disk_is_reported),
		cmocka_unit_test(returns_find_their_entries),
		cmocka_unit_test(what_was_missed_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
