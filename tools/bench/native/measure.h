/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** now_ns() - the time of a clock that never goes back. */
uint64_t now_ns(void);

/**
 * struct row - one line of the result
 * @name: of the target, or a short one if the row belongs to none
 * @what: what was measured
 * @ours, @other: medians
 * @unit: of both
 * @ratio: the median of how many times better ours is, pair by pair
 * @spread: half of the ratios are within this fraction of @ratio
 * @pairs, @rejected: how many were counted, and how many were not (pairs_take())
 * @goal: the ratio that the target requires; 0 for none
 * @at_most: the goal is for @ours instead, and is an upper bound
 */
struct row {
	char name[32];
	char what[72];
	double ours;
	double other;
	const char *unit;
	double ratio;
	double spread;
	size_t pairs;
	size_t rejected;
	double goal;
	bool at_most;
};

/** struct rows - the result; there is room for all measurements. */
struct rows {
	size_t n;
	struct row row[160];
};

/** rows_add() - add a row of times in ns; the name is formatted as by printf(). */
struct row *rows_add(struct rows *rows, const char *what, const char *name, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * struct side - one of the two that are compared
 * @take: measure once; less is better, and a value not above 0 is a failure
 * @arg: for it
 */
struct side {
	double (*take)(void *arg);
	void *arg;
};

/**
 * struct pairs - values of two contenders, measured in turn
 * @n: how many pairs there are, at most PAIRS
 * @rejected: how many were not counted
 * @ours, @other: less is better
 */
#define PAIRS 31
struct pairs {
	size_t n;
	size_t rejected;
	double ours[PAIRS];
	double other[PAIRS];
};

/**
 * pairs_take() - measure two sides in turns, A B B A
 * @pairs: filled in
 * @n: how many pairs are wanted
 * @ours, @other: the two sides
 *
 * A pair in which the system took the processor away from this process is not counted,
 * until as many as are wanted have been rejected.
 *
 * Return: 0, or -EIO if one side failed.
 */
int pairs_take(struct pairs *pairs, size_t n, const struct side *ours,
	       const struct side *other);

/** pairs_row() - fill in medians, ratio and spread. */
void pairs_row(const struct pairs *pairs, struct row *row);

/** compare() - pairs_take() of PAIRS, and pairs_row(). */
int compare(struct row *row, const struct side *ours, const struct side *other);

/** print_rows() - print a JSON object whose keys are the rows' names. */
void print_rows(const struct rows *rows);

#endif
