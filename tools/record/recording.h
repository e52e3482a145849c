/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_RECORDING_H
#define RECORD_RECORDING_H

#include "call.h"
#include "rows.h"

/**
 * struct recording_counts - what is printed at the end
 * @allocs: rows "alloc"
 * @frees: rows "free"
 * @swapouts: rows "swapout"
 * @swapins: rows "swapin"
 * @failed: calls that failed, and have no row
 * @older: calls on buffers that had their pages before the recording began
 * @odd: calls that do not fit what was seen before: others were missed
 * @others: calls of other devices than the one that was wanted
 * @live: buffers that have pages now
 * @pages: pages of these
 */
struct recording_counts {
	uint64_t allocs;
	uint64_t frees;
	uint64_t swapouts;
	uint64_t swapins;
	uint64_t failed;
	uint64_t older;
	uint64_t odd;
	uint64_t others;
	uint64_t live;
	uint64_t pages;
};

struct known;

/**
 * struct recording - a trace that is made from calls
 * @rows: the rows to write
 * @counts: so far
 * @device: only calls of this one; NULL: of all
 *
 * The rest is private.
 */
struct recording {
	struct rows rows;
	struct recording_counts counts;
	const char *device;

	struct known *known;
	size_t nr_known;
	size_t nr_slots;
	int *pids;
	size_t nr_pids;
	uint64_t next_buf;
	bool began;
	bool coherent;
};

/**
 * recording_init() - begin
 * @recording: uninitialised memory
 * @file: where the trace goes; the caller closes it
 *
 * Return: 0, or -ENOMEM.
 */
int recording_init(struct recording *recording, FILE *file);

/** recording_fini() - forget what was not written. */
void recording_fini(struct recording *recording);

/**
 * recording_head() - write a comment line at the top
 * @recording: has no row yet
 * @format: as printf(), without "# " and newline
 *
 * Return: 0, or a negative errno.
 */
int recording_head(struct recording *recording, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/**
 * recording_add() - add a call
 * @recording: the recording
 * @call: what was seen; the calls of one buffer come in their order
 *
 * A call that fits no well-formed trace is counted and left out: docs/traces.md says that
 * a buffer that is freed was live.
 *
 * Return: 0, or a negative errno.
 */
int recording_add(struct recording *recording, const struct call *call);

#endif
