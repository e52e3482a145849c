/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_CAPTURE_H
#define RECORD_CAPTURE_H

#include <traceevent/event-parse.h>
#include <tracefs/tracefs.h>

#include "options.h"
#include "probes.h"
#include "recording.h"

/**
 * struct capture - events on their way from the kernel to a recording
 * @options: the command line
 * @recording: where they go
 * @probes: on TTM's functions
 * @probed: these are attached
 * @traced: ttmpool's events are on
 * @lost: events for which the kernel had no room
 * @newest_ns: the newest time that was seen
 * @err: the error that ended the reading, or 0
 *
 * All of it happens in an instance of its own, so it does not disturb other tracing.
 */
struct capture {
	const struct options *options;
	struct recording *recording;
	struct tracefs_instance *instance;
	struct tep_handle *tep;
	struct probes probes;
	bool probed;
	bool traced;
	uint64_t lost;
	uint64_t newest_ns;
	int err;
};

/**
 * capture_begin() - let the kernel record events from now on
 * @capture: uninitialised memory
 * @options: the command line
 * @recording: has no row yet; both outlive @capture
 *
 * Return: 0, or a negative errno, after a line on stderr; nothing is left then.
 */
int capture_begin(struct capture *capture, const struct options *options,
		  struct recording *recording);

/**
 * capture_read() - fetch the recorded events, and write the rows that are ready
 *
 * Return: 0, or a negative errno.
 */
int capture_read(struct capture *capture);

/** capture_abandon() - like capture_end(), but forget what was not written. */
void capture_abandon(struct capture *capture);

/**
 * capture_end() - stop, read the rest, write all of it, and leave no trace
 *
 * Return: 0, or a negative errno.
 */
int capture_end(struct capture *capture);

#endif
