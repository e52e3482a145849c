/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

#include "options.h"
#include "result.h"
#include "timeline.h"

/**
 * replay_trace() - drive one trace through a pool on a fresh machine
 * @path: the trace
 * @options: of the replay
 * @result: filled in
 * @timeline: gets the levels and events over time, if it is not NULL
 *
 * Faults of the library are counted in @result, and the first ones are written to stderr,
 * with the line of the trace.
 *
 * Return: 0; a negative errno if the trace is malformed or cannot be read, or the process
 * has no memory: one line on stderr says so.
 */
int replay_trace(const char *path, const struct options *options,
		 struct replay_result *result, struct timeline *timeline);

#endif
