// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The state of the replay: the live buffers, the latencies, the timeline. None of it may
 * grow with the length of the trace. */

#include "cases.h"

#include "buffers.h"
#include "latency.h"
#include "timeline.h"

/* Many buffers come and go in random order; each is found only while it is live. */
static void buffers_are_found_while_they_live(void **state)
{
	static bool alive[512];
	struct buffers buffers;
	uint64_t seed = 1;
	size_t i;

	(void)state;
	memset(alive, 0, sizeof(alive));
	assert_int_equal(buffers_init(&buffers), 0);
	for (i = 0; i < 20000; i++) {
		uint64_t id;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		id = seed >> 55;
		if (alive[id])
			buffers_destroy(&buffers, buffers_find(&buffers, id));
		else
			assert_non_null(buffers_create(&buffers, id, 1));
		alive[id] = !alive[id];
		id = (seed >> 40) & 511;
		assert_int_equal(buffers_find(&buffers, id) != NULL, alive[id]);
	}
	for (i = 0; i < 512; i++)
		if (alive[i])
			buffers_destroy(&buffers, buffers_find(&buffers, i));
	buffers_fini(&buffers);
}

/* A million buffers, one at a time, need the table of one. */
static void buffers_take_memory_for_the_live_alone(void **state)
{
	struct buffers buffers;
	size_t slots;
	uint64_t id;

	(void)state;
	assert_int_equal(buffers_init(&buffers), 0);
	slots = buffers.nr_slots;
	for (id = 0; id < 1000000; id++)
		buffers_destroy(&buffers, buffers_create(&buffers, id, 0));
	assert_int_equal(buffers.nr_slots, slots);
	buffers_fini(&buffers);
}

/* The walk at the end of a trace visits every buffer once. */
static void buffers_are_all_met_at_the_end(void **state)
{
	struct buffers buffers;
	struct buffer *buffer;
	size_t cursor = 0;
	uint64_t sum = 0;
	uint64_t id;

	(void)state;
	assert_int_equal(buffers_init(&buffers), 0);
	for (id = 1; id <= 1000; id++)
		assert_non_null(buffers_create(&buffers, id, 1));
	while ((buffer = buffers_next(&buffers, &cursor))) {
		sum += buffer->id;
		buffers_destroy(&buffers, buffer);
	}
	assert_int_equal(sum, 500500);
	buffers_fini(&buffers);
}

/* Percentiles are never too low, and at most a sixteenth too high. */
static void latency_percentiles_are_near_the_truth(void **state)
{
	struct latency latency = { .samples = { 0 } };
	uint64_t ns;

	(void)state;
	for (ns = 1; ns <= 100000; ns++)
		latency_add(&latency, 1, ns);
	assert_in_range(latency_percentile(&latency, 0, 50), 50000, 53125);
	assert_in_range(latency_percentile(&latency, 0, 99), 99000, 100000);
	assert_int_equal(latency_percentile(&latency, 0, 100), 100000);
}

/* The largest possible time has a bucket, too. */
static void latency_takes_any_time(void **state)
{
	struct latency latency = { .samples = { 0 } };

	(void)state;
	latency_add(&latency, 4096, UINT64_MAX);
	latency_add(&latency, 4096, 0);
	assert_int_equal(latency_percentile(&latency, 4, 50), 0);
	assert_true(latency_percentile(&latency, 4, 51) == UINT64_MAX);
}

/* A size belongs to the largest class whose minimum it reaches. */
static void latency_has_classes_by_size(void **state)
{
	struct latency latency = { .samples = { 0 } };
	size_t class;

	(void)state;
	for (class = 0; class < LATENCY_CLASSES; class ++) {
		latency_add(&latency, latency_class_min(class), 1);
		if (class > 0)
			latency_add(&latency, latency_class_min(class) - 1, 1);
	}
	assert_int_equal(latency.samples[0], 2);
	assert_int_equal(latency.samples[3], 2);
	assert_int_equal(latency.samples[4], 1);
	assert_int_equal(latency_percentile(&latency, 4, 99), 1);
}

/* A class without samples has the percentile 0. */
static void latency_without_samples_is_zero(void **state)
{
	struct latency latency = { .samples = { 0 } };

	(void)state;
	assert_int_equal(latency_percentile(&latency, 2, 99), 0);
}

/* However long a trace is, the timeline keeps its events and its peak. */
static void timeline_keeps_peaks_and_events_when_bins_merge(void **state)
{
	static struct timeline timeline;
	struct timeline_levels levels = { .in_use = 5 };
	uint64_t events = 0;
	uint64_t peak = 0;
	size_t i;

	(void)state;
	memset(&timeline, 0, sizeof(timeline));
	for (i = 0; i < 100000; i++) {
		levels.pooled = i == 777 ? 1000 : 3;
		timeline_add(&timeline, 1000 + i * 50000000, TIMELINE_POPULATE,
			     &levels);
	}
	assert_in_range(timeline.nr_bins, TIMELINE_BINS / 2, TIMELINE_BINS);
	for (i = 0; i < timeline.nr_bins; i++) {
		events += timeline.bins[i].events[TIMELINE_POPULATE];
		if (peak < timeline.bins[i].peak.pooled)
			peak = timeline.bins[i].peak.pooled;
	}
	assert_int_equal(events, 100000);
	assert_int_equal(peak, 1000);
}

/* Between two events the levels stay the same. */
static void timeline_fills_the_time_in_which_nothing_happens(void **state)
{
	static struct timeline timeline;
	struct timeline_levels levels = { .in_use = 5 };

	(void)state;
	memset(&timeline, 0, sizeof(timeline));
	timeline_add(&timeline, 0, TIMELINE_POPULATE, &levels);
	levels.in_use = 0;
	timeline_add(&timeline, 10500000, TIMELINE_UNPOPULATE, &levels);
	assert_int_equal(timeline.nr_bins, 11);
	assert_int_equal(timeline.bins[5].peak.in_use, 5);
	assert_int_equal(timeline.bins[5].events[TIMELINE_POPULATE], 0);
	assert_int_equal(timeline.bins[10].events[TIMELINE_UNPOPULATE], 1);
}

/* One timeline can span the smallest and the largest time. */
static void timeline_spans_all_of_time(void **state)
{
	static struct timeline timeline;
	struct timeline_levels levels = { .swapped = 1 };

	(void)state;
	memset(&timeline, 0, sizeof(timeline));
	timeline_add(&timeline, 0, TIMELINE_SWAPOUT, &levels);
	timeline_add(&timeline, INT64_MAX, TIMELINE_SWAPIN, &levels);
	assert_true(timeline.nr_bins <= TIMELINE_BINS);
	assert_int_equal(timeline.bins[0].events[TIMELINE_SWAPOUT], 1);
	assert_int_equal(
		timeline.bins[timeline.nr_bins - 1].events[TIMELINE_SWAPIN], 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(buffers_are_found_while_they_live),
	cmocka_unit_test(buffers_take_memory_for_the_live_alone),
	cmocka_unit_test(buffers_are_all_met_at_the_end),
	cmocka_unit_test(latency_percentiles_are_near_the_truth),
	cmocka_unit_test(latency_takes_any_time),
	cmocka_unit_test(latency_has_classes_by_size),
	cmocka_unit_test(latency_without_samples_is_zero),
	cmocka_unit_test(timeline_keeps_peaks_and_events_when_bins_merge),
	cmocka_unit_test(timeline_fills_the_time_in_which_nothing_happens),
	cmocka_unit_test(timeline_spans_all_of_time),
};

CASES_MAIN("state", tests, NULL, NULL)
