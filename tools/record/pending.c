// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Calls that have not returned: there are only a few for each thread, so an array is
 * enough. It is in the order of entry, and its first call is the oldest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pending.h"

#define LONGEST_NS (UINT64_C(60) * 1000 * 1000 * 1000)

struct pending_call {
	int function;
	struct call call;
};

void pending_fini(struct pending *pending)
{
	free(pending->calls);
	memset(pending, 0, sizeof(*pending));
}

int pending_enter(struct pending *pending, int function,
		  const struct call *call)
{
	if (pending->nr == pending->size) {
		size_t size = pending->size ? pending->size * 2 : 16;
		struct pending_call *calls =
			realloc(pending->calls, size * sizeof(*calls));

		if (!calls)
			return -ENOMEM;
		pending->calls = calls;
		pending->size = size;
	}
	pending->calls[pending->nr++] =
		(struct pending_call){ .function = function, .call = *call };
	return 0;
}

static void remove_at(struct pending *pending, size_t at)
{
	pending->nr--;
	memmove(&pending->calls[at], &pending->calls[at + 1],
		(pending->nr - at) * sizeof(*pending->calls));
}

bool pending_return(struct pending *pending, int function, int pid,
		    struct call *call)
{
	size_t at = pending->nr;

	while (at-- > 0) {
		if (pending->calls[at].function != function ||
		    pending->calls[at].call.pid != pid)
			continue;
		*call = pending->calls[at].call;
		remove_at(pending, at);
		return true;
	}
	pending->missed++;
	return false;
}

uint64_t pending_oldest(struct pending *pending, uint64_t now)
{
	while (pending->nr && pending->calls[0].call.t_ns + LONGEST_NS < now) {
		remove_at(pending, 0);
		pending->missed++;
	}
	return pending->nr ? pending->calls[0].call.t_ns : now;
}
