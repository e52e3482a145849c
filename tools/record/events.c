// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * ttmpool's trace events name the buffer: ttmpool_populate is that verb, with the time
 * that it took, and ttmpool_state says that contents have moved, whatever moved them:
 *
 *     empty -> anonymous                        alloc: another buffer's pages were
 *                                               handed over
 *     ... -> empty                              free, the last one; from swapped, it is
 *                                               forgotten
 *     ... -> swapped                            swapout, which frees
 *     swapped, partial -> populated, anonymous  alloc, restores
 *
 * A buffer that is partly in the store counts as what it was before, since no row says
 * that a part of a buffer moved. When such an event comes the move is over, so its row
 * has the time of the end, and no duration.
 */
#include <stdio.h>
#include <string.h>
#include <tracefs/tracefs.h>

#include "events.h"
#include "fields.h"

const char *const events_names[] = { "ttmpool_populate", "ttmpool_state",
				     NULL };

/* enum ttmpool_tt_state. */
enum state {
	STATE_EMPTY,
	STATE_POPULATED,
	STATE_BOUND,
	STATE_ANONYMOUS,
	STATE_SWAPPED,
	STATE_PARTIAL,
};

bool events_possible(const char *system)
{
	char path[128];

	snprintf(path, sizeof(path), "events/%s/ttmpool_state", system);
	return tracefs_dir_exists(NULL, path);
}

static int decode_state(struct tep_event *event, struct tep_record *record,
			struct call *call)
{
	enum state from = (enum state)field_number(event, record, "from");
	enum state to = (enum state)field_number(event, record, "to");

	if (to == STATE_EMPTY) {
		call->op = from == STATE_SWAPPED ? CALL_FORGET : CALL_FREE;
		call->last = true;
	} else if (to == STATE_SWAPPED) {
		call->op = CALL_SWAPOUT;
		call->frees = true;
	} else if (from == STATE_SWAPPED || from == STATE_PARTIAL) {
		call->op = CALL_ALLOC;
		call->restores = true;
		return to != STATE_PARTIAL;
	} else {
		call->op = CALL_ALLOC;
		return from == STATE_EMPTY && to == STATE_ANONYMOUS;
	}
	return 1;
}

int events_decode(struct tep_event *event, struct tep_record *record,
		  struct call *call)
{
	call->key = field_number(event, record, "buf");
	call->pages = field_number(event, record, "pages");
	call->caching = (uint32_t)field_number(event, record, "caching");
	call->coherent = field_number(event, record, "coherent") != 0;
	field_device(event, record, call);
	if (!strcmp(event->name, "ttmpool_state"))
		return decode_state(event, record, call);
	call->op = CALL_ALLOC;
	call->failed = field_number(event, record, "err") != 0;
	call->dur_ns = field_number(event, record, "ns");
	call->t_ns -= call->dur_ns;
	return 1;
}
