/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RECORD_FIELDS_H
#define RECORD_FIELDS_H

#include <traceevent/event-parse.h>

#include "call.h"

/** field_number() - a number of an event; a field that the event lacks is 0. */
uint64_t field_number(struct tep_event *event, struct tep_record *record,
		      const char *name);

/** field_device() - the field "dev" as the device of @call, if it names one. */
void field_device(struct tep_event *event, struct tep_record *record,
		  struct call *call);

#endif
