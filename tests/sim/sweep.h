/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef SWEEP_H
#define SWEEP_H

/*
 * The fault sweep. Every public operation that calls into the system is a scene. The
 * sweep plays a scene once to see which fallible calls it makes. Then it plays the scene
 * again and again: with the k-th call of each kind failing, once and for good, at the
 * beginning of a batch and half way through it. After each of these runs:
 *
 *     the operation has either absorbed the failure or returned a negative errno,
 *     its object is as it was before, or as the operation promises,
 *     all counters agree with each other and with the machine,
 *     what could not be rolled back is in quarantine, and leaves it when the
 *     shrinker has tried again,
 *     the next buffer that gets pages gets zeroes,
 *     the operation succeeds when it is tried again,
 *     no contents are lost, and
 *     nothing is left on the machine when everything is taken down.
 *
 * (The machine ends the program if a page goes to the system that is mapped, or not
 * write-back.) The sweep prints how many points it tried. It fails if a planned failure
 * did not happen, or if no scene makes a kind of call that the caller expects. The matrix
 * (matrix.c) plays the same scenes with pairs of failures, and a smaller buffer.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

/** sweep_pages - pages of a buffer: 77 is chunks of 64, 8, 4 and 1 pages */
extern size_t sweep_pages;

/* The objects that a scene is played on. */
struct stage {
	struct check *t;
	struct rig *rig;
	struct buffer *buf; /* the object of the operation */
	struct buffer *other;
};

/**
 * struct scene - one operation
 * @name: for people
 * @prepare: sets the stage
 * @play: the operation; returns 0 or a negative errno
 * @is_as_promised: after an error: is the stage as it was, or as it may be?
 * @is_whole: after success: are all contents there? NULL if there is nothing to check
 * @refill: the policy
 * @careful: the policy: verify and checksum
 * @keeps_budget: it leaves no budget for another buffer
 */
struct scene {
	const char *name;
	bool (*prepare)(struct stage *stage);
	int (*play)(struct stage *stage);
	bool (*is_as_promised)(struct stage *stage);
	bool (*is_whole)(struct stage *stage);
	bool refill;
	bool careful;
	bool keeps_budget;
};

/* The scenes: scenes_pages.c, scenes_moves.c. */
extern const struct scene sweep_pages_scenes[], sweep_moves_scenes[];
extern const size_t sweep_pages_nr, sweep_moves_nr;

/** sweep_is_somewhere() - the buffer has its contents, in whatever state it is. */
bool sweep_is_somewhere(struct stage *stage);

/** sweep_is_whole() - bring the buffer back to its device, and check every byte. */
bool sweep_is_whole(struct stage *stage);

/** sweep_buffer() - an empty write-combined buffer. */
struct buffer *sweep_buffer(struct stage *stage, size_t n, bool coherent);

/** sweep_open(), sweep_close() - set the stage, and take everything down; true if nothing
 * is left on the machine. */
bool sweep_open(struct stage *stage, struct check *t,
		const struct scene *scene);
bool sweep_close(struct stage *stage);

/**
 * sweep_count() - count how many calls of each kind a scene makes
 * @fault: with this failure planned, or NULL
 *
 * Return: NULL, or what was wrong.
 */
const char *sweep_count(struct check *t, const struct scene *scene,
			const struct tpsim_fault *fault,
			unsigned long calls[TPSIM_CALL_COUNT]);

/**
 * sweep_point() - play a scene with these failures planned
 * @happened: how many of the planned failures happened
 *
 * Return: NULL, or what was wrong.
 */
const char *sweep_point(struct check *t, const struct scene *scene,
			const struct tpsim_fault *faults, size_t n,
			unsigned long *happened);

/** sweep_scenes() - play all scenes; together they must make each kind of call in @calls
 * (a set of bits, by enum tpsim_call). Returns false, and the case has failed, at the
 * first point that is not survived. */
bool sweep_scenes(struct check *t, const struct scene *scenes, size_t n,
		  unsigned int calls);

#endif
