// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Functions of the buffer floor with a trace event each. lib/ does not know about tracing.
 * So its own functions have other names here (ttmpool.mk passes them to the compiler, for
 * declaration and definition alike), and the functions below wrap them:
 *
 *     a driver --> ttmpool_populate()            traced_buffer.c: call, then event
 *                  `-> ttmpool_untraced_populate() lib/buffer/backend.c
 *                      `-> ttmpool_pool_take()   traced_pool.c: the same
 *                          `-> ttmpool_untraced_take()        lib/pool/arrays.c
 *
 * The event comes when the function has ended, with its return value. The events before it
 * show what the function cost.
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

/*
 * Every change of state comes through here, be it by the driver or by the swapper.
 */
void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state)
{
	enum ttmpool_tt_state from = be->tt.state;

	ttmpool_untraced_set_state(be, state);
	if (from != state)
		trace_ttmpool_state(be, from);
}
