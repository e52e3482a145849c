/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_ROWS_H
#define RECORD_ROWS_H

#include <stdint.h>
#include <stdio.h>

/**
 * struct row - one row of a trace; docs/traces.md has the columns
 * @op: the word that is printed
 * @seq: its place among rows of the same time; set by rows_add()
 */
struct row {
	uint64_t t_ns;
	uint64_t seq;
	const char *op;
	uint64_t buf;
	uint64_t pages;
	uint64_t dur_ns;
	uint32_t cpu;
	uint32_t pid;
	uint32_t caching;
	uint32_t flags;
};

/**
 * struct rows - rows that are sorted and written
 * @file: where they go
 * @written: how many have been written
 * @late: how many came after a later one had been written, and got its time
 * @bytes: written, with what the caller wrote
 *
 * A row is added when its call is over, and the file is sorted by when calls began. So
 * rows wait in a heap until no earlier one can come any more.
 */
struct rows {
	FILE *file;
	uint64_t written;
	uint64_t late;
	uint64_t bytes;

	struct row *heap;
	size_t nr;
	size_t size;
	uint64_t next_seq;
	uint64_t last_t_ns;
};

/** rows_init() - nothing is written yet; the caller closes @file. */
void rows_init(struct rows *rows, FILE *file);

/** rows_fini() - forget what was not written. */
void rows_fini(struct rows *rows);

/** rows_add() - add a row. Return: 0 or -ENOMEM. */
int rows_add(struct rows *rows, const struct row *row);

/**
 * rows_write() - write the rows that began before @limit
 * @rows: the rows
 * @limit: no row of an earlier time will be added
 *
 * Return: 0, or a negative errno.
 */
int rows_write(struct rows *rows, uint64_t limit);

#endif
