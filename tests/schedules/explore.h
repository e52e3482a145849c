/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef EXPLORE_H
#define EXPLORE_H

#include "scenario.h"

/**
 * struct result - of an exploration
 * @schedules: played to their end
 * @repeated: of which was found half way that they had been seen
 * @steps: in all of them
 * @complete: there are no others, as far as the way of exploring goes
 * @wrong: what was wrong with the last one, or NULL
 */
struct result {
	unsigned long long schedules;
	unsigned long long repeated;
	unsigned long long steps;
	bool complete;
	const char *wrong;
};

/** NO_BOUND - as many preemptions as there can be. */
#define NO_BOUND 255u

/**
 * explore_all() - all schedules of a scenario, one after the other
 * @scenario: of this
 * @bound: with at most so many preemptions: a thread that could go on does not
 * @most: not more than so many
 * @result: filled in
 *
 * With NO_BOUND, of schedules that differ in the order of steps that do not
 * matter to each other one is played (sleep sets; Godefroid, 1996).
 */
void explore_all(const struct scenario *scenario, unsigned int bound,
		 unsigned long long most, struct result *result);

/**
 * explore_random() - one schedule, by random priorities
 * @scenario: of this
 * @seed: all follows from this
 * @depth: so many times, less one, the one who runs becomes the last; a fault
 *	that needs so many orders is then found with a probability that is known
 *	(Burckhardt et al., PCT, 2010)
 * @length: of a schedule, about
 * @result: added to
 */
void explore_random(const struct scenario *scenario, uint64_t seed,
		    unsigned int depth, unsigned int length,
		    struct result *result);

/** explore_again() - the one schedule that @text names. */
void explore_again(const struct scenario *scenario, const char *text,
		   struct result *result);

/** explore_print() - the last schedule that was begun, for explore_again():
 * "0*12,1*3,...": who made how many steps. Safe in a signal handler. */
void explore_print(int fd);

#endif
