/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** now_ns() - of a clock that only goes forward. */
uint64_t now_ns(void);

/** median() - of @n values, which are sorted by it. */
double median(double *values, size_t n);

/**
 * struct row - one line of the result
 * @name: of the target, or "" for a line that is none
 * @what: was measured
 * @ours, @other: medians
 * @unit: of both
 * @ratio: the median of how many times better ours is, pair by pair
 * @spread: half of the ratios lie within so much of it, as a part of it
 * @goal: what the target wants of the ratio; 0 for none
 * @at_most: the goal is for @ours instead, and is an upper bound
 */
struct row {
	const char *name;
	const char *what;
	double ours;
	double other;
	const char *unit;
	double ratio;
	double spread;
	double goal;
	bool at_most;
};

/**
 * struct pairs - values of two contenders, taken in turn
 * @n: how many pairs there are, at most PAIRS
 * @ours, @other: less is better
 */
#define PAIRS 31
struct pairs {
	size_t n;
	double ours[PAIRS];
	double other[PAIRS];
};

/** pairs_row() - fill in medians, ratio and spread. */
void pairs_row(const struct pairs *pairs, struct row *row);

/** print_rows() - as a table, or as a JSON object keyed by row. */
void print_rows(const struct row *rows, size_t n, bool json);

#endif
