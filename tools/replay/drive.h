/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_DRIVE_H
#define REPLAY_DRIVE_H

#include "buffers.h"
#include "options.h"
#include "result.h"
#include "rig.h"
#include "timeline.h"
#include "trace.h"

/**
 * struct replay - one replay under way
 * @options: of the replay
 * @trace: what is replayed
 * @rig: the machine and the pools
 * @live: the buffers between their alloc and their free row
 * @result: what has been found
 * @timeline: what happened when, or NULL
 * @buffers: how many had their turn
 * @levels: where the pages are now
 * @start_ns: time of the first row
 * @last_ns: time of the row that was read last
 * @expired_ns: when the IOMMU's timer fired last
 * @in_use_ns: pages in use times nanoseconds, summed up
 * @pooled_ns: pooled pages times nanoseconds, summed up
 */
struct replay {
	const struct options *options;
	struct trace trace;
	struct rig rig;
	struct buffers live;
	struct replay_result *result;
	struct timeline *timeline;
	struct timeline_levels levels;
	uint64_t buffers;
	uint64_t start_ns;
	uint64_t last_ns;
	uint64_t expired_ns;
	double in_use_ns; /* pages times nanoseconds */
	double pooled_ns;
};

/*
 * Each drives one row, which does not contradict those before it. 0, or a negative errno
 * if the trace turns out to be malformed, or if the process has no memory.
 */
int drive_alloc(struct replay *replay, const struct trace_row *row);
int drive_free(struct replay *replay, struct buffer *buffer);
int drive_swapout(struct replay *replay, struct buffer *buffer);
int drive_swapin(struct replay *replay);

/** drive_pressure() - ask the shrinkers for pages, if it is time for that. */
void drive_pressure(struct replay *replay);

/** drive_release_all() - take the pages of all buffers that are still live. */
void drive_release_all(struct replay *replay);

/** drive_found() - count a fault of the library, and print it. */
void drive_found(struct replay *replay, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
