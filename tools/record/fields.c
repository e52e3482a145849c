// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The data of probes and trace events, by the names of their fields. */
#include <stdio.h>

#include "fields.h"

uint64_t field_number(struct tep_event *event, struct tep_record *record,
		      const char *name)
{
	unsigned long long value = 0;

	tep_get_field_val(NULL, event, name, record, &value, 0);
	return value;
}

void field_device(struct tep_event *event, struct tep_record *record,
		  struct call *call)
{
	int len = 0;
	char *name = tep_get_field_raw(NULL, event, "dev", record, &len, 0);

	/* A probe says "(fault)" for a pool that has no device. */
	if (name && len > 0 && *name != '(')
		snprintf(call->device, sizeof(call->device), "%.*s", len, name);
}
