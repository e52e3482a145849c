// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Verbs of the buffer floor with a trace event each. lib/ knows no tracing, so its own
 * functions go by another name here (ttmpool.mk gives it to the compiler, header and
 * definition alike), and these stand in front of them:
 *
 *     a driver --> ttmpool_populate()            traced_buffer.c: call, then event
 *                  `-> ttmpool_untraced_populate() lib/buffer/backend.c
 *                      `-> ttmpool_pool_take()   traced_pool.c: likewise
 *                          `-> ttmpool_untraced_take()        lib/pool/arrays.c
 *
 * An event comes when its verb is over, with what it returned: what the verb
 * cost is the events before it.
 */

#include <ttmpool/backend.h>

#include "ttmpool_trace_buffer.h"

int ttmpool_untraced_populate(struct ttmpool_backend *be);
int ttmpool_untraced_unpopulate(struct ttmpool_backend *be);
void ttmpool_untraced_set_state(struct ttmpool_backend *be,
				enum ttmpool_tt_state state);
void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state);

int ttmpool_populate(struct ttmpool_backend *be)
{
	u64 begun = trace_ttmpool_populate_enabled() ? ktime_get_ns() : 0;
	int err = ttmpool_untraced_populate(be);

	trace_ttmpool_populate(be, begun ? ktime_get_ns() - begun : 0, err);
	return err;
}

int ttmpool_unpopulate(struct ttmpool_backend *be)
{
	u64 begun = trace_ttmpool_unpopulate_enabled() ? ktime_get_ns() : 0;
	int err = ttmpool_untraced_unpopulate(be);

	trace_ttmpool_unpopulate(be, begun ? ktime_get_ns() - begun : 0, err);
	return err;
}

/* Whoever moves a buffer, the driver or the swapper, comes through here. */
void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state)
{
	enum ttmpool_tt_state from = be->tt.state;

	ttmpool_untraced_set_state(be, state);
	if (from != state)
		trace_ttmpool_state(be, from);
}
