// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Times on a machine that others use, too: both contenders take turns, each pair
 * has a ratio of its own, and what is told is the median of the ratios, and how
 * far they lie apart. Times by themselves are of this machine alone.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "measure.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), compare);
	return values[n / 2];
}

void pairs_row(const struct pairs *pairs, struct row *row)
{
	double ratio[PAIRS], ours[PAIRS], other[PAIRS];

	for (size_t i = 0; i < pairs->n; i++)
		ratio[i] = pairs->other[i] / pairs->ours[i];
	memcpy(ours, pairs->ours, sizeof(ours));
	memcpy(other, pairs->other, sizeof(other));
	row->ours = median(ours, pairs->n);
	row->other = median(other, pairs->n);
	row->ratio = median(ratio, pairs->n);
	row->spread = (ratio[pairs->n * 3 / 4] - ratio[pairs->n / 4]) / 2 /
		      row->ratio;
}

static void print_json(const struct row *row, bool first)
{
	printf("%s\n  \"%s\": {\"what\": \"%s\", \"ours\": %.6g, ",
	       first ? "{" : ",", row->name, row->what, row->ours);
	if (row->at_most) {
		printf("\"other\": %.6g, \"goal\": %.6g, \"most\": true}",
		       row->other, row->goal);
		return;
	}
	printf("\"other\": %.6g, \"ratio\": %.4g, \"spread\": %.3g, "
	       "\"goal\": %.6g, \"unit\": \"%s\"}",
	       row->other, row->ratio, row->spread, row->goal, row->unit);
}

static void print_line(const struct row *row)
{
	printf("%-4s %-52s %10.4g %10.4g %-7s", row->name, row->what, row->ours,
	       row->other, row->unit);
	if (row->at_most)
		printf("  at most %g\n", row->goal);
	else if (row->goal > 0)
		printf("  x %.2f (+-%.0f %%), goal %g\n", row->ratio,
		       100 * row->spread, row->goal);
	else
		printf("  x %.2f (+-%.0f %%)\n", row->ratio, 100 * row->spread);
}

void print_rows(const struct row *rows, size_t n, bool json)
{
	bool first = true;

	if (!json)
		printf("%-4s %-52s %10s %10s\n", "", "", "ours", "other");
	for (size_t i = 0; i < n; i++) {
		if (!json)
			print_line(&rows[i]);
		else if (*rows[i].name)
			print_json(&rows[i], first);
		first = first && !*rows[i].name;
	}
	if (json)
		puts("\n}");
}
