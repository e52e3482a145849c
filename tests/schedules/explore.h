/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "scenario.h"

/**
 * struct result - the result of an exploration
 * @schedules: the number of schedules that were played to their end
 * @repeated: the number of those that turned out half way to have been seen already
 * @steps: the number of steps in all of them
 * @complete: there are no others, as far as this way of exploring goes
 * @wrong: what was wrong with the last one, or NULL
 */
struct result {
	unsigned long long schedules;
	unsigned long long repeated;
	unsigned long long steps;
	bool complete;
	const char *wrong;
};

/** NO_BOUND - any number of preemptions. */
#define NO_BOUND 255u

/**
 * explore_all() - play all schedules of a scenario, one after the other
 * @scenario: the scenario
 * @bound: the largest number of preemptions (switches from a thread that could go on)
 * @most: the largest number of schedules
 * @result: filled in
 *
 * With NO_BOUND, only one is played of all schedules that differ only in the order of
 * independent steps (sleep sets; Godefroid, 1996).
 */
void explore_all(const struct scenario *scenario, unsigned int bound,
		 unsigned long long most, struct result *result);

/**
 * explore_random() - play one schedule, by random priorities
 * @scenario: the scenario
 * @seed: everything follows from this
 * @depth: the running thread gets the lowest priority so many times, less one; a fault
 * that needs so many orders is then found with a known probability (Burckhardt et al.,
 * PCT, 2010)
 * @length: the approximate length of a schedule
 * @result: added to
 */
void explore_random(const struct scenario *scenario, uint64_t seed,
		    unsigned int depth, unsigned int length,
		    struct result *result);

/** explore_again() - play the schedule that @text names. */
void explore_again(const struct scenario *scenario, const char *text,
		   struct result *result);

/** explore_print() - print the schedule that was begun last, for explore_again():
 * "0*12,1*3,..." are threads and the numbers of their steps. Safe in a signal handler. */
void explore_print(int fd);

#endif
