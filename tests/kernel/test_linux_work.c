// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Deferred work: how much of it runs at a time (shim/linux/work.c). */

#include <linux/delay.h>
#include <linux/nodemask.h>

#include "check_ktap.h"
#include "rig.h"

#define JOBS    12
#define AT_ONCE 2 /* of each node */

struct jobs {
	struct tpos_work work[JOBS];
	atomic_t now;
	atomic_t most;
	atomic_t done;
};

static struct jobs *jobs;

static void job(struct tpos_work *work)
{
	int now = atomic_inc_return(&jobs->now);

	if (now > atomic_read(&jobs->most))
		atomic_set(&jobs->most, now);
	msleep(20);
	atomic_dec(&jobs->now);
	atomic_inc(&jobs->done);
}

/* However many pools have pages to clear, at most two of each node are being cleared at a
 * time; and all get their turn. */
static void clearing_is_bounded(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	jobs = check_zalloc(t, sizeof(*jobs));
	CHECK(t, jobs);
	for (int i = 0; i < JOBS; i++) {
		tpos_work_init(&jobs->work[i], job);
		tpos_work_queue(t->system, &jobs->work[i]);
	}
	for (int i = 0; i < 500 && atomic_read(&jobs->done) < JOBS; i++)
		msleep(20);
	for (int i = 0; i < JOBS; i++)
		tpos_work_cancel(t->system, &jobs->work[i]);
	CHECK_EQ(t, atomic_read(&jobs->done), JOBS);
	CHECK(t, atomic_read(&jobs->most) <= AT_ONCE * num_online_nodes());
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_work, CHECK_CASE(clearing_is_bounded));
