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

#include "ttmpool_trace.h"

int ttmpool_untraced_populate(struct ttmpool_backend *be);
int ttmpool_untraced_unpopulate(struct ttmpool_backend *be);

int ttmpool_populate(struct ttmpool_backend *be)
{
	int err = ttmpool_untraced_populate(be);

	trace_ttmpool_populate(be->pool->dev, be->tt.num_pages, be->tt.caching,
			       err);
	return err;
}

int ttmpool_unpopulate(struct ttmpool_backend *be)
{
	int err = ttmpool_untraced_unpopulate(be);

	trace_ttmpool_unpopulate(be->pool->dev, be->tt.num_pages,
				 be->tt.caching, err);
	return err;
}
