// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Latencies in histograms whose buckets grow with the value: sixteen for every power of
 * two, so that a percentile is at most a sixteenth too high, and the memory does not
 * depend on the number of samples.
 *
 *     ns       0 1 .. 15 | 16 17 .. 31 | 32 34 36 .. 62 | 64 68 .. 124 | ...
 *     bucket   0 1 .. 15 | 16 17 .. 31 | 32 33 34 .. 47 | 48 49 ..  63 | ...
 */
#include "latency.h"

#define PER_POWER 16

static const uint64_t class_min[LATENCY_CLASSES] = { 1, 2, 16, 256, 4096 };

uint64_t latency_class_min(size_t class)
{
	return class_min[class];
}

static size_t class_of(uint64_t pages)
{
	size_t class = LATENCY_CLASSES - 1;

	while (class > 0 && pages < class_min[class])
		class --;
	return class;
}

static size_t bucket_of(uint64_t ns)
{
	size_t power = 0;

	while (ns >= 2 * PER_POWER) {
		ns >>= 1;
		power++;
	}
	return power * PER_POWER + (size_t)ns;
}

/* The largest value of a bucket. */
static uint64_t bucket_max(size_t bucket)
{
	size_t power = bucket < 2 * PER_POWER ? 0 : bucket / PER_POWER - 1;
	uint64_t first = bucket - power * PER_POWER;

	return ((first + 1) << power) - 1;
}

void latency_add(struct latency *latency, uint64_t pages, uint64_t ns)
{
	size_t class = class_of(pages);

	latency->samples[class]++;
	latency->buckets[class][bucket_of(ns)]++;
	if (ns > latency->max_ns[class])
		latency->max_ns[class] = ns;
}

uint64_t latency_percentile(const struct latency *latency, size_t class,
			    unsigned int percent)
{
	uint64_t samples = latency->samples[class];
	uint64_t wanted =
		samples / 100 * percent + (samples % 100 * percent + 99) / 100;
	uint64_t seen = 0;
	size_t bucket;

	if (samples == 0)
		return 0;
	for (bucket = 0; bucket < LATENCY_BUCKETS; bucket++) {
		seen += latency->buckets[class][bucket];
		if (seen >= wanted)
			break;
	}
	if (bucket_max(bucket) > latency->max_ns[class])
		return latency->max_ns[class];
	return bucket_max(bucket);
}
