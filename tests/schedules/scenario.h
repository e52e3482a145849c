/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "coop.h"

#define MOST_OPS 8

/**
 * struct scenario - what each thread does, a letter for each operation
 * @n: threads
 * @ops: of each
 *
 * A thread has two buffers of its own, each under a lock that the swapper
 * tries:
 *
 *     g G  have the first, or the second, with its bytes: populate, swap in,
 *          or move back to the device, whatever it takes
 *     p P  drop it             o O  swap it out        a A  make it anonymous
 *     l    on the swapper's list                       r    off it again
 *     k    end it: off the list, and then dropped without its lock, since nobody
 *          looks at it any more
 *     x    take two pages without a buffer, and give them back
 *     z    ask for as many as the budget has (in scenes that name it alone)
 *     s    shrink              w    swap others out    d    drain the pool
 *     t u  a low pool limit, and the usual one         b    a low page budget
 *     m    prime               c    scrub
 */
struct scenario {
	unsigned int n;
	char ops[MOST_THREADS][MOST_OPS + 1];
};

/** scenario_letters - those that any scenario may have. */
extern const char scenario_letters[];

/** scenario_parse() - from "gp/sd"; false if it is none. */
bool scenario_parse(struct scenario *scenario, const char *text);

/** scenario_print() - the same as text; @text has MOST_THREADS * (MOST_OPS +
 * 1). */
void scenario_print(const struct scenario *scenario, char *text);

/** scenario_play() - from a new machine to its end, by this choice of who goes
 * on; NULL, or what was wrong. */
const char *scenario_play(const struct scenario *scenario,
			  unsigned int (*choose)(void *arg,
						 unsigned int enabled,
						 unsigned int current,
						 const struct point *pending),
			  void *arg);

#endif
