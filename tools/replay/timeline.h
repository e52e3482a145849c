/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_TIMELINE_H
#define REPLAY_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

#define TIMELINE_BINS 2048

/** struct timeline_levels - where the pages are */
struct timeline_levels {
	uint64_t in_use;
	uint64_t pooled;
	uint64_t swapped;
};

/** enum timeline_event - what happened */
enum timeline_event {
	TIMELINE_POPULATE,
	TIMELINE_UNPOPULATE,
	TIMELINE_SWAPOUT,
	TIMELINE_SWAPIN,
	TIMELINE_PRESSURE,
	TIMELINE_FAILURE,
	TIMELINE_EVENT_COUNT,
};

/** struct timeline_bin - a stretch of time: highest levels, and events */
struct timeline_bin {
	struct timeline_levels peak;
	uint64_t events[TIMELINE_EVENT_COUNT];
};

/**
 * struct timeline - the whole of a trace, in bins of equal length
 * @start_ns: when the first begins
 * @width_ns: how long each is; 0 before the first event
 * @nr_bins: how many are in use
 * @now: the levels after the last event
 * @bins: the bins
 *
 * Zero-initialise it.
 */
struct timeline {
	uint64_t start_ns;
	uint64_t width_ns;
	size_t nr_bins;
	struct timeline_levels now;
	struct timeline_bin bins[TIMELINE_BINS];
};

/**
 * timeline_add() - add an event
 * @timeline: the timeline
 * @t_ns: when; not before the event that was added last
 * @event: what
 * @levels: where the pages are after it
 */
void timeline_add(struct timeline *timeline, uint64_t t_ns,
		  enum timeline_event event,
		  const struct timeline_levels *levels);

/** timeline_raise() - make each level at least what it is in @by. */
void timeline_raise(struct timeline_levels *levels,
		    const struct timeline_levels *by);

#endif
