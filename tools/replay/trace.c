// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The trace reader: one row at a time, in memory that does not depend on the length of
 * the trace.
 *
 *     # comment                                       header, or anywhere
 *     # columns: t_ns,cpu,pid,op,buf,pages,...        checked if it is there
 *     # ttm_pool: use_dma_alloc=1 ...                 makes @coherent true
 *     4412836943,1,0,alloc,1,2025,2,2,35834945        a row
 *
 * It is strict. A trace is evidence, and a number that was read wrongly makes a wrong
 * claim about a pool; so a row has all of its columns, a number has only digits and fits,
 * time does not run backwards, and the last line ends with a newline, since otherwise a
 * truncated file would pass with a shorter number in its last column.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include "trace.h"

#define COLUMNS "t_ns,cpu,pid,op,buf,pages,caching,flags,dur_ns"

enum column {
	COLUMN_T_NS,
	COLUMN_CPU,
	COLUMN_PID,
	COLUMN_OP,
	COLUMN_BUF,
	COLUMN_PAGES,
	COLUMN_CACHING,
	COLUMN_FLAGS,
	COLUMN_DUR_NS,
	COLUMN_COUNT,
};

static const struct {
	const char *name;
	uint64_t min;
	uint64_t max;
} columns[COLUMN_COUNT] = {
	[COLUMN_T_NS] = { "t_ns", 0, INT64_MAX },
	[COLUMN_CPU] = { "cpu", 0, UINT32_MAX },
	[COLUMN_PID] = { "pid", 0, UINT32_MAX },
	[COLUMN_OP] = { "op", 0, 0 },
	[COLUMN_BUF] = { "buf", 0, UINT64_MAX },
	[COLUMN_PAGES] = { "pages", 1, UINT32_MAX },
	[COLUMN_CACHING] = { "caching", 0, TTMPOOL_CACHING_COUNT - 1 },
	[COLUMN_FLAGS] = { "flags", 0, UINT32_MAX },
	[COLUMN_DUR_NS] = { "dur_ns", 0, INT64_MAX },
};

static const char *const op_names[TRACE_OP_COUNT] = {
	[TRACE_ALLOC] = "alloc",
	[TRACE_FREE] = "free",
	[TRACE_SWAPOUT] = "swapout",
	[TRACE_SWAPIN] = "swapin",
};

const char *trace_op_name(enum trace_op op)
{
	return op_names[op];
}

int trace_fail(struct trace *trace, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(trace->error, sizeof(trace->error), format, args);
	va_end(args);
	return -EINVAL;
}

const char *trace_shown_name(const char *path)
{
	return strcmp(path, "-") ? path : "stdin";
}

void trace_complain(const struct trace *trace, FILE *stream)
{
	fprintf(stream, "%s:%" PRIu64 ": %s\n", trace_shown_name(trace->path),
		trace->line, trace->error);
}

bool trace_rereadable(const char *path)
{
	struct stat st;

	return strcmp(path, "-") && !stat(path, &st) && S_ISREG(st.st_mode);
}

int trace_open(struct trace *trace, const char *path)
{
	struct stat st;
	int err;

	memset(trace, 0, sizeof(*trace));
	trace->path = path;
	trace->line = 1;
	trace->file = strcmp(path, "-") ? fopen(path, "r") : stdin;
	if (!trace->file) {
		err = errno;
		trace_fail(trace, "cannot open it: %s", strerror(err));
		return -err;
	}
	if (!fstat(fileno(trace->file), &st) && S_ISREG(st.st_mode))
		trace->size = (uint64_t)st.st_size;
	trace->line = 0;
	return 0;
}

void trace_close(struct trace *trace)
{
	if (trace->file && trace->file != stdin)
		fclose(trace->file);
	trace->file = NULL;
}

/* At the end of the file: 0 if a line ends there, too. */
static int end_of_file(struct trace *trace, size_t len)
{
	int err = errno;

	if (ferror(trace->file)) {
		trace_fail(trace, "cannot read it: %s", strerror(err));
		return -err;
	}
	if (len > 0)
		return trace_fail(trace, "the line is cut off: the file ends "
					 "without a newline");
	if (trace->rows == 0)
		return trace_fail(trace, trace->line > 1
						 ? "the trace has no rows"
						 : "the file is empty");
	return 0;
}

/* Files that could be mistaken for a trace begin with a byte that no trace begins
 * with. */
static int check_first_byte(struct trace *trace)
{
	int c = getc_unlocked(trace->file);

	if (c != EOF)
		ungetc(c, trace->file);
	switch (c) {
	case 0x1f:
	case 0xfd:
		return trace_fail(trace,
				  "the file is compressed: unpack it, and "
				  "name the trace \"-\" to read a pipe");
	case 0xef:
		return trace_fail(trace,
				  "the file begins with a byte order mark: "
				  "save it as UTF-8 without one");
	case 0xfe:
	case 0xff:
		return trace_fail(trace,
				  "the file is UTF-16: save it as UTF-8");
	default:
		return 0;
	}
}

/* Read a line into trace->text, without its newline: 1, 0 at the end, -errno. */
static int read_line(struct trace *trace)
{
	size_t len = 0;
	int c;

	trace->line++;
	errno = 0;
	if (trace->line == 1 && check_first_byte(trace))
		return -EINVAL;
	while ((c = getc_unlocked(trace->file)) != '\n') {
		if (c == EOF)
			return end_of_file(trace, len);
		if (c == '\0')
			return trace_fail(trace,
					  "a zero byte in column %zu: "
					  "this is no text file",
					  len + 1);
		if (len == TRACE_LINE_MAX)
			return trace_fail(trace,
					  "the line is longer than %d "
					  "bytes",
					  TRACE_LINE_MAX);
		trace->text[len++] = (char)c;
	}
	if (len > 0 && trace->text[len - 1] == '\r')
		return trace_fail(trace,
				  "the line ends with CR LF, and must end "
				  "with LF alone");
	trace->text[len] = '\0';
	trace->bytes += len + 1;
	return 1;
}

static int read_comment(struct trace *trace)
{
	static const char names[] = "# columns:";
	static const char pool[] = "# ttm_pool:";
	const char *text = trace->text;

	if (!strncmp(text, pool, strlen(pool)) &&
	    strstr(text, "use_dma_alloc=1"))
		trace->coherent = true;
	if (strncmp(text, names, strlen(names)))
		return 0;
	text += strlen(names);
	text += strspn(text, " ");
	if (strcmp(text, COLUMNS))
		return trace_fail(trace, "the columns must be " COLUMNS);
	return 0;
}

/* Split trace->text at its commas. */
static int split_row(struct trace *trace, char *fields[COLUMN_COUNT])
{
	char *at = trace->text;
	size_t n = 0;

	for (;;) {
		if (n < COLUMN_COUNT)
			fields[n] = at;
		n++;
		at = strchr(at, ',');
		if (!at)
			break;
		*at++ = '\0';
	}
	if (n != COLUMN_COUNT)
		return trace_fail(trace,
				  "the row has %zu column%s, and must have "
				  "%d: " COLUMNS,
				  n, n == 1 ? "" : "s", COLUMN_COUNT);
	return 0;
}

/* @field, made fit for one line of a terminal. */
static const char *shown_field(const char *field, char shown[25])
{
	size_t i;

	for (i = 0; i < 24 && field[i]; i++)
		shown[i] = field[i] >= ' ' && field[i] <= '~' ? field[i] : '?';
	shown[i] = '\0';
	return shown;
}

static int parse_number(struct trace *trace, enum column column,
			const char *field, uint64_t *value)
{
	uint64_t max = columns[column].max;
	uint64_t n = 0;
	const char *at;
	char shown[25];

	for (at = field; *at; at++) {
		unsigned int digit = (unsigned int)(*at - '0');

		if (digit > 9)
			return trace_fail(trace, "%s is not a number: \"%s\"",
					  columns[column].name,
					  shown_field(field, shown));
		if (digit > max || n > (max - digit) / 10)
			return trace_fail(trace, "%s is above %" PRIu64 ": %s",
					  columns[column].name, max,
					  shown_field(field, shown));
		n = n * 10 + digit;
	}
	if (at == field)
		return trace_fail(trace, "%s is empty", columns[column].name);
	if (n < columns[column].min)
		return trace_fail(trace, "%s is below %" PRIu64 ": %s",
				  columns[column].name, columns[column].min,
				  shown_field(field, shown));
	*value = n;
	return 0;
}

static int parse_op(struct trace *trace, const char *field, enum trace_op *op)
{
	char shown[25];
	int i;

	for (i = 0; i < TRACE_OP_COUNT; i++) {
		if (!strcmp(field, op_names[i])) {
			*op = (enum trace_op)i;
			return 0;
		}
	}
	return trace_fail(trace,
			  "op is not alloc, free, swapout or swapin: \"%s\"",
			  shown_field(field, shown));
}

static int parse_row(struct trace *trace, struct trace_row *row)
{
	char *fields[COLUMN_COUNT] = { NULL };
	uint64_t n[COLUMN_COUNT] = { 0 };
	int err;
	int i;

	err = split_row(trace, fields);
	for (i = 0; i < COLUMN_COUNT && !err; i++) {
		if (i == COLUMN_OP)
			err = parse_op(trace, fields[i], &row->op);
		else
			err = parse_number(trace, (enum column)i, fields[i],
					   &n[i]);
	}
	if (err)
		return err;
	row->t_ns = n[COLUMN_T_NS];
	row->cpu = n[COLUMN_CPU];
	row->pid = n[COLUMN_PID];
	row->buf = n[COLUMN_BUF];
	row->pages = n[COLUMN_PAGES];
	row->caching = (enum ttmpool_caching)n[COLUMN_CACHING];
	row->flags = n[COLUMN_FLAGS];
	row->dur_ns = n[COLUMN_DUR_NS];
	return 0;
}

int trace_next(struct trace *trace, struct trace_row *row)
{
	int err;

	for (;;) {
		err = read_line(trace);
		if (err <= 0)
			return err;
		if (trace->text[0] != '#')
			break;
		err = read_comment(trace);
		if (err)
			return err;
	}
	if (!strcmp(trace->text, COLUMNS))
		return trace_fail(trace, "a line with the names of the columns "
					 "must begin with \"# columns: \"");
	err = parse_row(trace, row);
	if (err)
		return err;
	if (row->t_ns < trace->last_t_ns)
		return trace_fail(trace,
				  "t_ns runs backwards: %" PRIu64
				  " after %" PRIu64,
				  row->t_ns, trace->last_t_ns);
	trace->last_t_ns = row->t_ns;
	trace->rows++;
	return 1;
}
