/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_RESULT_H
#define REPLAY_RESULT_H

#include <stdint.h>

#include <ttmpool/pool.h>

#include "latency.h"
#include "tpsim.h"

/**
 * struct replay_result - what one replay of one trace found
 * @trace: file name
 * @backend: name of the backend that the buffers had
 * @events: rows of the trace
 * @populates: buffers that got pages
 * @populates_failed: buffers that did not
 * @unpopulates: buffers that gave their pages back, by a row of the trace
 * @freed_at_end: buffers that were live at the end, and gave theirs back then
 * @swapouts: rows of that kind
 * @swapins: rows of that kind
 * @brought_back: buffers that had been swapped out when their free row came
 * @pressures: times that the shrinkers were asked for pages
 * @pages: pages handed out, all populates together
 * @pages_idle_elsewhere: pages that came from the system while as many of their kind were
 *	idle in the pools of other devices
 * @mean_in_use: pages that buffers had, mean over the time of the trace
 * @mean_pooled: pooled pages, mean over the time of the trace
 * @pages_shrunk: pages that the shrinkers released
 * @pages_leaked: pages still out after the pool was torn down
 * @faults: all that a user of the library must not see: failed populates, pages with
 *	foreign bytes, leaks, wrong accesses
 * @pool: the counters of the pools, added up, before they were torn down
 * @machine: what it cost, the tear-down included
 * @latency: how long populates took, in simulated time
 */
struct replay_result {
	const char *trace;
	const char *backend;
	uint64_t events;
	uint64_t populates;
	uint64_t populates_failed;
	uint64_t unpopulates;
	uint64_t freed_at_end;
	uint64_t swapouts;
	uint64_t swapins;
	uint64_t brought_back;
	uint64_t pressures;
	uint64_t pages;
	uint64_t pages_idle_elsewhere;
	double mean_in_use;
	double mean_pooled;
	uint64_t pages_shrunk;
	uint64_t pages_leaked;
	uint64_t faults;
	struct ttmpool_pool_stats pool;
	struct tpsim_counters machine;
	struct latency latency;
};

/** replay_result_hit_rate() - the fraction of the pages that came from the pool. */
double replay_result_hit_rate(const struct replay_result *result);

#endif
