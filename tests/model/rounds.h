/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ROUNDS_H
#define ROUNDS_H

#include "world.h"

#define ROUND 10000

/**
 * struct script - what to play
 * @seed: each step follows from this and from its number
 * @page_shift: of the machine; 0 for 12
 * @steps: the numbers of the steps, in order
 * @n: how many
 * @verbose: print each step
 * @log: print what has become of the world after each
 */
struct script {
	uint64_t seed;
	unsigned int page_shift;
	unsigned int steps[ROUND];
	size_t n;
	bool verbose;
	bool log;
};

/** script_whole() - the first @n steps of a seed. */
void script_whole(struct script *script, uint64_t seed, size_t n);

/** script_is_good() - play it in a process of its own; whether all was right.
 * What it did is added to @tally, which is shared, or NULL. */
bool script_is_good(const struct script *script, struct tally *tally);

/** script_shorten() - leave out what is not needed for it to fail. */
void script_shorten(struct script *script);

/** script_show() - play it once more, and print what it does. */
void script_show(struct script *script);

#endif
