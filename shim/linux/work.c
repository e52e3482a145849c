// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work: on the unbound workqueue, since clearing pages takes long and
 * should not hold up what is bound to one CPU. Queueing a work that is queued
 * does nothing, and one that runs will run again: as the contract wants it.
 */

#include "ttmpool_system.h"

void ttmpool_work_run(struct work_struct *work)
{
	struct tpos_work *ours = container_of(work, struct tpos_work, work);

	ours->run(ours);
}

void tpos_work_queue(struct ttmpool_system *system, struct tpos_work *work)
{
	queue_work(system_unbound_wq, &work->work);
}

void tpos_work_cancel(struct ttmpool_system *system, struct tpos_work *work)
{
	cancel_work_sync(&work->work);
}
