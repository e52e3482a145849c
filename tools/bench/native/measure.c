// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Times on a machine that other programs use, too. The two contenders take turns. Each
 * pair of times has a ratio, and the report has the median of the ratios and their
 * spread. The times themselves depend on this machine, so they are not compared with
 * others.
 *
 * If the system gave the processor to another program in the middle of a pair, one of its
 * values contains that time, so the pair is left out; this does not depend on the values.
 * On a busy machine every pair may be like that; then they are counted, and the spread
 * shows it.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "measure.h"

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* How often a thread of ours had to wait, though it could have run. */
static long interruptions(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_nivcsw;
}

int pairs_take(struct pairs *pairs, size_t n, const struct side *ours,
	       const struct side *other)
{
	pairs->n = 0;
	pairs->rejected = 0;
	for (size_t i = 0; pairs->n < n; i++) {
		long before = interruptions();
		double a = i % 2 ? 0 : ours->take(ours->arg);
		double b = other->take(other->arg);

		if (i % 2)
			a = ours->take(ours->arg);
		if (!(a > 0) || !(b > 0))
			return -EIO;
		if (interruptions() != before && pairs->rejected < n) {
			pairs->rejected++;
			continue;
		}
		pairs->ours[pairs->n] = a;
		pairs->other[pairs->n++] = b;
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t n)
{
	qsort(values, n, sizeof(*values), ascending);
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
	row->pairs = pairs->n;
	row->rejected = pairs->rejected;
}

int compare(struct row *row, const struct side *ours, const struct side *other)
{
	struct pairs pairs;
	int err = pairs_take(&pairs, PAIRS, ours, other);

	if (!err)
		pairs_row(&pairs, row);
	return err;
}
