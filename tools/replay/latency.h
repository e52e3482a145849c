/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_LATENCY_H
#define REPLAY_LATENCY_H

#include <stddef.h>
#include <stdint.h>

/** LATENCY_CLASSES - buffers of 1, 2-15, 16-255, 256-4095, 4096- pages */
#define LATENCY_CLASSES 5

#define LATENCY_BUCKETS 976

/**
 * struct latency - how long populates took, by size of the buffer
 * @max_ns: the longest
 * @samples: how many
 * @buckets: how many of each length
 *
 * Zero-initialise it.
 */
struct latency {
	uint64_t max_ns[LATENCY_CLASSES];
	uint64_t samples[LATENCY_CLASSES];
	uint32_t buckets[LATENCY_CLASSES][LATENCY_BUCKETS];
};

/** latency_add() - a populate of @pages pages took @ns. */
void latency_add(struct latency *latency, uint64_t pages, uint64_t ns);

/**
 * latency_percentile() - how long did all but the slowest take?
 * @latency: the samples
 * @class: of this class, below LATENCY_CLASSES
 * @percent: of how many of them, 1 to 100
 *
 * Return: a bound that holds for that many, at most a sixteenth too high; 0 without
 * samples.
 */
uint64_t latency_percentile(const struct latency *latency, size_t class,
			    unsigned int percent);

/** latency_class_min() - the smallest buffer of a class, in pages. */
uint64_t latency_class_min(size_t class);

#endif
