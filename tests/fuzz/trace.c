// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The trace reader, fuzzed. For any bytes it returns a row, the end, or what is wrong and
 * on which line. A row that it accepts is within its bounds, is not earlier than the row
 * before it, and reads as the same row when it is written down again.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void wrong(const char *what)
{
	fprintf(stderr, "wrong: %s\n", what);
	abort();
}

/* Make a file of these bytes; @path is its name. */
static int file_of(const void *bytes, size_t size, char *path, size_t room)
{
	int fd = memfd_create("trace", 0);

	if (fd < 0 || write(fd, bytes, size) != (ssize_t)size)
		wrong("no file");
	snprintf(path, room, "/proc/self/fd/%d", fd);
	return fd;
}

static void write_again(const struct trace_row *row, char *line, size_t room)
{
	snprintf(line, room,
		 "%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%s,%" PRIu64 ",%" PRIu64
		 ",%d,%" PRIu64 ",%" PRIu64 "\n",
		 row->t_ns, row->cpu, row->pid, trace_op_name(row->op),
		 row->buf, row->pages, (int)row->caching, row->flags,
		 row->dur_ns);
}

static void read_again(const struct trace_row *row)
{
	struct trace_row same;
	struct trace trace;
	char line[256], path[64];
	int fd;

	write_again(row, line, sizeof(line));
	fd = file_of(line, strlen(line), path, sizeof(path));
	memset(&same, 0, sizeof(same));
	if (trace_open(&trace, path) || trace_next(&trace, &same) != 1)
		wrong("a row that was written again is refused");
	if (same.t_ns != row->t_ns || same.cpu != row->cpu ||
	    same.pid != row->pid || same.op != row->op ||
	    same.buf != row->buf || same.pages != row->pages ||
	    same.caching != row->caching || same.flags != row->flags ||
	    same.dur_ns != row->dur_ns)
		wrong("a row that was written again is another");
	trace_close(&trace);
	close(fd);
}

static void check_row(const struct trace_row *row, uint64_t last)
{
	if (row->t_ns < last)
		wrong("time runs backwards");
	if ((unsigned int)row->op >= TRACE_OP_COUNT ||
	    (unsigned int)row->caching >= TTMPOOL_CACHING_COUNT || !row->pages)
		wrong("a column is out of its bounds");
}

static void read_all(struct trace *trace)
{
	struct trace_row row = { 0 };
	uint64_t last = 0, rows = 0;
	int got;

	while ((got = trace_next(trace, &row)) == 1) {
		check_row(&row, last);
		last = row.t_ns;
		rows++;
		if (rows <= 4)
			read_again(&row);
	}
	if (got > 0 || trace->rows != rows)
		wrong("rows were not counted");
	if (got < 0 && !trace->error[0])
		wrong("an error without a word");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct trace trace;
	char path[64];
	int fd = file_of(bytes, size, path, sizeof(path));

	if (!trace_open(&trace, path))
		read_all(&trace);
	trace_close(&trace);
	close(fd);
	return 0;
}
