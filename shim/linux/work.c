// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Deferred work, which is clearing pages that came back. It takes long, and should not hold
 * up work that is bound to one CPU. It is memory traffic that nobody waits for. So it has
 * an unbound workqueue of its own, on which no more than two pools are cleared at a time
 * (of each node, before Linux 6.9), however many devices there are. Root can set on which
 * CPUs it runs, its nice value, and how many works run at once
 * (/sys/bus/workqueue/devices/ttmpool_scrub, by the name of the module). Nobody waits for
 * a work that has not begun, so the queue needs no rescuer.
 *
 * Queueing a work that is queued does nothing, and a work that is queued while it runs will
 * run again. This is what the contract requires.
 *
 * The work runs a moment later than it could. A caller that gives back many small buffers
 * one after the other would wake a worker for each. With the delay, all but the first find
 * the work queued already, which costs one atomic operation.
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
