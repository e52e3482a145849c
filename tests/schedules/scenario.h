/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "coop.h"

#define MOST_OPS 8

/**
 * struct scenario - what each thread does, a letter for each operation
 * @n: the number of threads
 * @ops: the operations of each thread
 *
 * A thread has two buffers, each under a lock that the swapper tries:
 *
 *     g G  get the first, or the second, with its bytes: populate it, swap it in,
 *          or move it back to the device, whatever is needed
 *     p P  drop it             o O  swap it out        a A  make it anonymous
 *     l    put it on the swapper's list                r    take it off
 *     k    end it: take it off the list, and then drop it without its lock,
 *          because no other thread examines it any more
 *     x    take two pages without a buffer, and give them back
 *     z    ask for the whole budget (only in scenarios that name it)
 *     s    shrink              w    swap others out    d    drain the pool
 *     t u  a low pool limit, and the usual one         b    a low page budget
 *     m    prime               c    scrub
 */
struct scenario {
	unsigned int n;
	char ops[MOST_THREADS][MOST_OPS + 1];
};

/** scenario_letters - the operations that any scenario may have. */
extern const char scenario_letters[];

/** scenario_parse() - read a scenario such as "gp/sd"; false if it is not valid. */
bool scenario_parse(struct scenario *scenario, const char *text);

/** scenario_print() - write it as text; @text has room for MOST_THREADS * (MOST_OPS +
 * 1). */
void scenario_print(const struct scenario *scenario, char *text);

/** scenario_play() - play it on a new machine to its end, with @choose choosing the
 * thread that goes on; returns NULL, or what was wrong. */
const char *scenario_play(const struct scenario *scenario,
			  unsigned int (*choose)(void *arg,
						 unsigned int enabled,
						 unsigned int current,
						 const struct point *pending),
			  void *arg);

#endif
