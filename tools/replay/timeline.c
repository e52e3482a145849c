// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Levels and events over time, for the plot, in memory that does not depend on the length
 * of the trace, which is unknown at first. Time is cut into bins of a millisecond; when
 * an event is behind the last bin, neighbours are merged until it fits:
 *
 *     |0|1|2|3|4|5|6|7|          an event at 9
 *     | 0 | 1 | 2 | 3 | 4 |      fits now
 *
 * A bin keeps the highest level that was seen in it, because the reader of such a plot
 * looks for peaks.
 */
#include "timeline.h"

#define FIRST_WIDTH_NS 1000000

static void raise_level(uint64_t *level, uint64_t n)
{
	if (*level < n)
		*level = n;
}

void timeline_raise(struct timeline_levels *levels,
		    const struct timeline_levels *by)
{
	raise_level(&levels->in_use, by->in_use);
	raise_level(&levels->pooled, by->pooled);
	raise_level(&levels->swapped, by->swapped);
}

/* Add bin @from, which is the later one, to @to. */
static void merge_bin(struct timeline_bin *to, const struct timeline_bin *from)
{
	size_t i;

	timeline_raise(&to->peak, &from->peak);
	for (i = 0; i < TIMELINE_EVENT_COUNT; i++)
		to->events[i] += from->events[i];
}

/* Make every bin twice as long. */
static void double_width(struct timeline *timeline)
{
	size_t i;

	for (i = 0; i < timeline->nr_bins; i += 2) {
		timeline->bins[i / 2] = timeline->bins[i];
		if (i + 1 < timeline->nr_bins)
			merge_bin(&timeline->bins[i / 2],
				  &timeline->bins[i + 1]);
	}
	timeline->nr_bins = (timeline->nr_bins + 1) / 2;
	timeline->width_ns *= 2;
}

/* A new bin begins without events and with the current levels. */
static void open_bin(struct timeline *timeline)
{
	timeline->bins[timeline->nr_bins++] =
		(struct timeline_bin){ .peak = timeline->now };
}

void timeline_add(struct timeline *timeline, uint64_t t_ns,
		  enum timeline_event event,
		  const struct timeline_levels *levels)
{
	struct timeline_bin *bin;

	if (timeline->width_ns == 0) {
		timeline->start_ns = t_ns;
		timeline->width_ns = FIRST_WIDTH_NS;
	}
	t_ns -= timeline->start_ns;
	while (t_ns / timeline->width_ns >= TIMELINE_BINS)
		double_width(timeline);
	while (timeline->nr_bins <= t_ns / timeline->width_ns)
		open_bin(timeline);
	bin = &timeline->bins[timeline->nr_bins - 1];
	bin->events[event]++;
	timeline_raise(&bin->peak, levels);
	timeline->now = *levels;
}
