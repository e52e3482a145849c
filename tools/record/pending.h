/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_PENDING_H
#define RECORD_PENDING_H

#include <stddef.h>

#include "call.h"

/**
 * struct pending - calls that have been entered, and have not returned
 * @missed: how many never returned, as far as was seen
 *
 * Calls of one thread nest, so a return belongs to the last entry of its thread and
 * function. The rest is private.
 */
struct pending {
	uint64_t missed;

	struct pending_call *calls;
	size_t nr;
	size_t size;
};

/** pending_fini() - forget all calls; a zeroed structure is ready for use. */
void pending_fini(struct pending *pending);

/**
 * pending_enter() - a thread has entered a function
 * @pending: the calls
 * @function: which one
 * @call: what is known of it so far; copied
 *
 * Return: 0, or -ENOMEM.
 */
int pending_enter(struct pending *pending, int function,
		  const struct call *call);

/**
 * pending_return() - a thread returns from a function
 * @pending: the calls
 * @function: which one
 * @pid: of the thread
 * @call: filled in with the call that pending_enter() got
 *
 * Return: whether its entry had been seen.
 */
bool pending_return(struct pending *pending, int function, int pid,
		    struct call *call);

/**
 * pending_oldest() - when the oldest of them was entered
 * @pending: the calls
 * @now: the newest time that was seen; a call that is older by a minute is given up,
 *	since its return was probably missed
 *
 * Return: that time, or @now if there is none.
 */
uint64_t pending_oldest(struct pending *pending, uint64_t now);

#endif
