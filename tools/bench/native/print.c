// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One JSON object, keyed by row; ../tables.jq makes readable tables of it. */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "measure.h"

#define ROOM(rows) (sizeof((rows)->row) / sizeof(*(rows)->row))

struct row *rows_add(struct rows *rows, const char *what, const char *name, ...)
{
	struct row *row = &rows->row[rows->n];
	va_list args;

	if (rows->n++ == ROOM(rows))
		abort();
	*row = (struct row){ .unit = "ns" };
	snprintf(row->what, sizeof(row->what), "%s", what);
	va_start(args, name);
	vsnprintf(row->name, sizeof(row->name), name, args);
	va_end(args);
	return row;
}

static void print_json(const struct row *row, bool first)
{
	printf("%s\n  \"%s\": {\"what\": \"%s\", \"ours\": %.6g, "
	       "\"other\": %.6g, \"unit\": \"%s\"",
	       first ? "{" : ",", row->name, row->what, row->ours, row->other,
	       row->unit);
	if (row->pairs)
		printf(", \"ratio\": %.4g, \"spread\": %.3g, \"pairs\": %zu, "
		       "\"rejected\": %zu",
		       row->ratio, row->spread, row->pairs, row->rejected);
	if (row->at_most || row->goal > 0)
		printf(", \"goal\": %.6g", row->goal);
	printf("%s}", row->at_most ? ", \"most\": true" : "");
}

void print_rows(const struct rows *rows)
{
	for (size_t i = 0; i < rows->n; i++)
		print_json(&rows->row[i], !i);
	puts("\n}");
}
