/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_PROBES_H
#define RECORD_PROBES_H

#include <traceevent/event-parse.h>
#include <tracefs/tracefs.h>

#include "call.h"
#include "pending.h"

#define PROBES_MAX 16

/**
 * struct probes - the probes on TTM's functions
 * @group: the system name of their events
 * @events: the names of those that were made
 * @nr: their number
 * @pool_has_flags: struct ttm_pool has alloc_flags, and no use_dma_alloc
 * @pending: calls that have not returned
 */
struct probes {
	char group[32];
	char events[PROBES_MAX][16];
	size_t nr;
	bool pool_has_flags;
	struct pending pending;
};

/** probes_possible() - is ttm.ko loaded, or built in? */
bool probes_possible(void);

/**
 * probes_attach() - attach a probe to the entry of each function, and to its return
 * @probes: uninitialised memory
 *
 * A function that the kernel lacks gets no probe; before 7.0 that is
 * ttm_pool_backup().
 *
 * Return: 0, or a negative errno, after a line on stderr; nothing is attached then.
 */
int probes_attach(struct probes *probes);

/** probes_detach() - remove all probes. */
void probes_detach(struct probes *probes);

/**
 * probes_decode() - read an event
 * @probes: attached
 * @event: what kind of event it is
 * @record: its bytes
 * @call: has the time, CPU and thread of the event; the rest is filled in
 *
 * Return: 1 if a call is over now, 0 if not, or -ENOMEM.
 */
int probes_decode(struct probes *probes, struct tep_event *event,
		  struct tep_record *record, struct call *call);

#endif
