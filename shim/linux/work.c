// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work: on the unbound workqueue, since clearing pages takes long and
 * should not hold up what is bound to one CPU. Queueing a work that is queued
 * does nothing, and one that runs will run again: as the contract wants it.
 *
 * It runs a moment later than it could. Whoever gives back many small buffers does
 * so one after the other, and would wake a worker for each; this way all but the
 * first find the work queued, which is one atomic operation.
 *
 *     give  give give give  ...  give          give
 *     |-- a tick or more --> clears them all   |-- a tick or more -->
 */

#include <linux/jiffies.h>

#include "ttmpool_system.h"

#define WORK_DELAY_MS 2

void ttmpool_work_run(struct work_struct *work)
{
	struct tpos_work *ours =
		container_of(to_delayed_work(work), struct tpos_work, work);

	ours->run(ours);
}

void tpos_work_queue(struct ttmpool_system *system, struct tpos_work *work)
{
	queue_delayed_work(TTMPOOL_UNBOUND_WQ, &work->work,
			   msecs_to_jiffies(WORK_DELAY_MS));
}

void tpos_work_cancel(struct ttmpool_system *system, struct tpos_work *work)
{
	cancel_delayed_work_sync(&work->work);
}
