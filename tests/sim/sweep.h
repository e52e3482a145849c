/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SWEEP_H
#define SWEEP_H

/*
 * The fault sweep. Every public operation that calls into the system is a
 * scene. A scene is played once to see which fallible calls it makes, and then
 * again and again: with the k-th call of each kind failing, once and for good,
 * at the beginning of a batch and half way through it. After each:
 *
 *     the operation either absorbed the failure or returned a negative errno,
 *     what it was about is as it was before, or as the operation promises,
 *     all counters agree, with the machine's, too,
 *     it succeeds when it is tried again,
 *     no content is lost, and
 *     nothing is left on the machine when all is taken down.
 *
 * The number of points tried is printed; it is also compared with the number of
 * calls that were counted, so that a scene that stops making a call is noticed.
 */

#include "check_cmocka.h"
#include "rig.h"

#define SWEEP_PAGES 77 /* chunks of 64, 8, 4 and 1 pages */

/* What a scene is played on. */
struct stage {
	struct check *t;
	struct rig *rig;
	struct buffer *buf; /* what the operation is about */
	struct buffer *other;
};

/**
 * struct scene - one operation
 * @name: for people
 * @prepare: what it is played on
 * @play: the operation: 0 or a negative errno
 * @is_as_promised: after an error: is the stage as it was, or as it may be?
 * @is_whole: after it has succeeded: is everything there? NULL: of course
 * @refill: the policy
 */
struct scene {
	const char *name;
	bool (*prepare)(struct stage *stage);
	int (*play)(struct stage *stage);
	bool (*is_as_promised)(struct stage *stage);
	bool (*is_whole)(struct stage *stage);
	bool refill;
};

/** sweep_buffer() - an empty write-combined buffer. */
struct buffer *sweep_buffer(struct stage *stage, size_t n, bool coherent);

/** sweep_open(), sweep_close() - set the stage, and take all down; true if
 * nothing is left on the machine. */
bool sweep_open(struct stage *stage, struct check *t,
		const struct scene *scene);
bool sweep_close(struct stage *stage);

/** sweep_scenes() - play them all; each kind of call in @calls (a set of bits,
 * by enum tpsim_call) must have been made. Returns false, and the case has
 * failed, at the first point that is not survived. */
bool sweep_scenes(struct check *t, const struct scene *scenes, size_t n,
		  unsigned int calls);

#endif
