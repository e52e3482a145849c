// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work, which is clearing pages that came back. It takes long, and should not
 * hold up what is bound to one CPU; and it is memory traffic that nobody waits for. So
 * it has a workqueue of its own, unbound, on which no more than two pools are cleared at
 * a time (of each node, before Linux 6.9), however many devices there are. Root can say
 * on which CPUs it runs, how nice it is, and how much of it at once
 * (/sys/bus/workqueue/devices/ttmpool_scrub, by the name of the module). Nobody waits for
 * a work that has not begun; so it needs no rescuer.
 *
 * Queueing a work that is queued does nothing, and one that runs will run again: as the
 * contract wants it.
 *
 * It runs a moment later than it could. Whoever gives back many small buffers does
 * so one after the other, and would wake a worker for each; this way all but the
 * first find the work queued, which is one atomic operation.
 *
 *     gives     .  . ..  .  ...  .             .
 *               |-- a tick or more --> clears them all   |-- a tick or more -->
 */

#include <linux/jiffies.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "ttmpool_system.h"

#define WORK_DELAY_MS 2
#define MOST_WORKERS  2

static DEFINE_MUTEX(lock);
static struct workqueue_struct *queue; /* while there are users */
static unsigned int users;

int ttmpool_work_get(void)
{
	int err = 0;

	mutex_lock(&lock);
	if (!users)
		queue = alloc_workqueue("%s", WQ_UNBOUND | WQ_SYSFS,
					MOST_WORKERS, KBUILD_MODNAME "_scrub");
	if (queue)
		users++;
	else
		err = -ENOMEM;
	mutex_unlock(&lock);
	return err;
}

void ttmpool_work_put(void)
{
	mutex_lock(&lock);
	if (!--users) {
		destroy_workqueue(queue);
		queue = NULL;
	}
	mutex_unlock(&lock);
}

void ttmpool_work_run(struct work_struct *work)
{
	struct tpos_work *ours =
		container_of(to_delayed_work(work), struct tpos_work, work);

	ours->run(ours);
}

void tpos_work_queue(struct ttmpool_system *system, struct tpos_work *work)
{
	queue_delayed_work(queue, &work->work, msecs_to_jiffies(WORK_DELAY_MS));
}

void tpos_work_cancel(struct ttmpool_system *system, struct tpos_work *work)
{
	cancel_delayed_work_sync(&work->work);
}
