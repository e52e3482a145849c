// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Rows in the order of their times: a binary heap, whose first row is the earliest one
 * that has not been written. Rows of the same time stay in the order in which they were
 * added: a swapout comes before the free that it caused.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

#define FIRST_SIZE 256

void rows_init(struct rows *rows, FILE *file)
{
	memset(rows, 0, sizeof(*rows));
	rows->file = file;
}

void rows_fini(struct rows *rows)
{
	free(rows->heap);
	rows->heap = NULL;
	rows->nr = 0;
}

static bool is_before(const struct row *a, const struct row *b)
{
	return a->t_ns != b->t_ns ? a->t_ns < b->t_ns : a->seq < b->seq;
}

static void swap_rows(struct row *a, struct row *b)
{
	struct row was = *a;

	*a = *b;
	*b = was;
}

static int make_room(struct rows *rows)
{
	size_t size = rows->size ? rows->size * 2 : FIRST_SIZE;
	struct row *heap;

	if (rows->nr < rows->size)
		return 0;
	heap = realloc(rows->heap, size * sizeof(*heap));
	if (!heap)
		return -ENOMEM;
	rows->heap = heap;
	rows->size = size;
	return 0;
}

int rows_add(struct rows *rows, const struct row *row)
{
	size_t at = rows->nr;

	if (make_room(rows))
		return -ENOMEM;
	rows->heap[at] = *row;
	rows->heap[at].seq = rows->next_seq++;
	if (row->t_ns < rows->last_t_ns) {
		rows->heap[at].t_ns = rows->last_t_ns;
		rows->late++;
	}
	rows->nr++;
	while (at > 0 &&
	       is_before(&rows->heap[at], &rows->heap[(at - 1) / 2])) {
		swap_rows(&rows->heap[at], &rows->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	return 0;
}

static void take_first(struct rows *rows)
{
	struct row *heap = rows->heap;
	size_t at = 0;
	size_t child;

	heap[0] = heap[--rows->nr];
	while ((child = 2 * at + 1) < rows->nr) {
		if (child + 1 < rows->nr &&
		    is_before(&heap[child + 1], &heap[child]))
			child++;
		if (!is_before(&heap[child], &heap[at]))
			return;
		swap_rows(&heap[child], &heap[at]);
		at = child;
	}
}

static int print_row(struct rows *rows, const struct row *row)
{
	int n = fprintf(rows->file,
			"%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%s,%" PRIu64
			",%" PRIu64 ",%" PRIu32 ",%" PRIu32 ",%" PRIu64 "\n",
			row->t_ns, row->cpu, row->pid, row->op, row->buf,
			row->pages, row->caching, row->flags, row->dur_ns);

	if (n < 0)
		return errno ? -errno : -EIO;
	rows->bytes += (uint64_t)n;
	rows->written++;
	rows->last_t_ns = row->t_ns;
	return 0;
}

int rows_write(struct rows *rows, uint64_t limit)
{
	int err = 0;

	while (rows->nr && rows->heap[0].t_ns < limit && !err) {
		err = print_row(rows, &rows->heap[0]);
		take_first(rows);
	}
	return err;
}
