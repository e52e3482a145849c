/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_TRACE_H
#define REPLAY_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <ttmpool/caching.h>

/** TRACE_LINE_MAX - a longer line is an error; real ones have 100 bytes. */
#define TRACE_LINE_MAX 4095

/** enum trace_op - what a row says happened */
enum trace_op {
	TRACE_ALLOC,
	TRACE_FREE,
	TRACE_SWAPOUT,
	TRACE_SWAPIN,
	TRACE_OP_COUNT,
};

/** struct trace_row - one row; docs/traces.md explains the columns */
struct trace_row {
	uint64_t t_ns;
	uint64_t cpu;
	uint64_t pid;
	enum trace_op op;
	uint64_t buf;
	uint64_t pages;
	enum ttmpool_caching caching;
	uint64_t flags;
	uint64_t dur_ns;
};

/**
 * struct trace - a trace that is being read
 * @path: its name, for messages; the string must outlive it
 * @line: number of the line that was read last, from 1
 * @rows: rows read so far
 * @bytes: bytes read so far
 * @size: bytes in all, or 0 if that is not known
 * @coherent: its header says that the driver used coherent pages
 *
 * The rest is private.
 */
struct trace {
	const char *path;
	uint64_t line;
	uint64_t rows;
	uint64_t bytes;
	uint64_t size;
	bool coherent;
	FILE *file;
	uint64_t last_t_ns;
	char text[TRACE_LINE_MAX + 1];
	char error[256];
};

/**
 * trace_open() - start reading
 * @trace: uninitialised memory
 * @path: a file, or "-" for standard input
 *
 * Return: 0, or a negative errno; then trace_complain() prints why.
 */
int trace_open(struct trace *trace, const char *path);

/**
 * trace_next() - read one row
 * @trace: an open trace
 * @row: filled in
 *
 * Return: 1; 0 at the end; -EINVAL if it is no trace, or another negative errno; then
 * trace_complain() prints why.
 */
int trace_next(struct trace *trace, struct trace_row *row);

/** trace_close() - stop reading; also after a failed trace_open(). */
void trace_close(struct trace *trace);

/**
 * trace_fail() - record what is wrong with the line that was read last
 * @trace: the trace
 * @format: as printf()
 *
 * Return: -EINVAL, always.
 */
int trace_fail(struct trace *trace, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/** trace_shown_name() - the name of @path in messages and results: "stdin" for "-". */
const char *trace_shown_name(const char *path);

/** trace_complain() - write "PATH:LINE: what is wrong" and a newline. */
void trace_complain(const struct trace *trace, FILE *stream);

/** trace_rereadable() - can the same rows be read again from @path? */
bool trace_rereadable(const char *path);

/** trace_op_name() - the word in column op. */
const char *trace_op_name(enum trace_op op);

#endif
