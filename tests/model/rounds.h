/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "world.h"

#define ROUND 10000

/**
 * struct script - the steps to play
 * @seed: each step follows from this and from its number
 * @page_shift: of the machine; 0 for 12
 * @steps: the numbers of the steps, in order
 * @n: the number of steps
 * @verbose: print each step
 * @log: print the state of the world after each step
 */
struct script {
	uint64_t seed;
	unsigned int page_shift;
	unsigned int steps[ROUND];
	size_t n;
	bool verbose;
	bool log;
};

/** script_whole() - choose the first @n steps of a seed. */
void script_whole(struct script *script, uint64_t seed, size_t n);

/** script_is_good() - play the script in a process of its own; returns whether all was
 * right. Adds its counts to @tally, which is shared, or NULL. */
bool script_is_good(const struct script *script, struct tally *tally);

/** script_shorten() - leave out the steps that are not needed for the failure. */
void script_shorten(struct script *script);

/** script_show() - play the script once more, and print its steps. */
void script_show(struct script *script);

#endif
