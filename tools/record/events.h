/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_EVENTS_H
#define RECORD_EVENTS_H

#include <traceevent/event-parse.h>

#include "call.h"

/** events_names - the events of ttmpool that are recorded, ended by NULL */
extern const char *const events_names[];

/** events_possible() - is a module with ttmpool loaded whose events are in @system? */
bool events_possible(const char *system);

/**
 * events_decode() - read an event of ttmpool
 * @event: what kind of event it is
 * @record: its bytes
 * @call: has the time, CPU and thread of the event; the rest is filled in
 *
 * Return: 1 if it is a call, 0 if not.
 */
int events_decode(struct tep_event *event, struct tep_record *record,
		  struct call *call);

#endif
