// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * W5: one thread populates, another gives back, like a driver whose buffers end in an
 * interrupt thread: pages that are freed on one CPU are needed on the other. How many
 * locks does each thread take for a buffer? These are counted, not timed: an emulated
 * machine shows no contention.
 *
 *     A: populate --> ring of 16 --> B: unpopulate --> ring of 16 --> A
 */

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#include "race.h"

#define RING    16
#define BUFFERS 1024
#define PAGES   16

/* A and B each write one of the two; all buffers between them are populated. */
static struct {
	const struct arm *arm;
	struct buffer buffers[RING];
	unsigned int made;
	unsigned int gone;
	bool ended;
	long locks_of_a;
	long locks_of_b;
	int err;
	struct completion done;
} ring;

static int run_b(void *unused)
{
	while (ring.gone < BUFFERS) {
		if (ring.gone == smp_load_acquire(&ring.made)) {
			if (READ_ONCE(ring.ended))
				break;
			cond_resched();
			cpu_relax();
			continue;
		}
		locks_start(1);
		ring.arm->unpopulate(&ring.buffers[ring.gone % RING]);
		ring.locks_of_b += locks_stop(1);
		smp_store_release(&ring.gone, ring.gone + 1);
	}
	complete(&ring.done);
	return 0;
}

/* A's part, in the caller's thread. */
static int run_a(void)
{
	int err = 0;

	while (!err && ring.made < BUFFERS) {
		if (ring.made - smp_load_acquire(&ring.gone) == RING) {
			cond_resched();
			cpu_relax();
			continue;
		}
		locks_start(0);
		err = ring.arm->populate(&ring.buffers[ring.made % RING]);
		ring.locks_of_a += locks_stop(0);
		if (!err)
			smp_store_release(&ring.made, ring.made + 1);
	}
	WRITE_ONCE(ring.ended, true);
	return err;
}

/* Populate all buffers and give them back once, so that their pages are pooled. */
static int fill_the_pool(void)
{
	int n = 0, err = 0;

	for (; !err && n < RING; n++)
		err = ring.arm->populate(&ring.buffers[n]);
	n -= err != 0;
	while (n--)
		ring.arm->unpopulate(&ring.buffers[n]);
	if (!err && ring.arm->work)
		ring.arm->work();
	return err;
}

static int run_both(void)
{
	struct task_struct *b;
	int err = fill_the_pool();

	if (err)
		return err;
	b = kthread_create(run_b, NULL, "race-b");
	if (IS_ERR(b))
		return PTR_ERR(b);
	err = locks_open();
	if (err) {
		kthread_stop(b);
		return err;
	}
	kthread_bind(b, cpumask_last(cpu_online_mask));
	wake_up_process(b);
	err = run_a();
	wait_for_completion(&ring.done);
	locks_close();
	if (err)
		return err;
	pr_info("count: W5 wc %u locks-populate %s %ld\n", PAGES,
		ring.arm->name, ring.locks_of_a);
	pr_info("count: W5 wc %u locks-unpopulate %s %ld\n", PAGES,
		ring.arm->name, ring.locks_of_b);
	return 0;
}

int race_threads(const struct arm *arm, struct device *dev)
{
	int n = 0, err = arm->open(dev);

	if (err)
		return err;
	memset(&ring, 0, sizeof(ring));
	ring.arm = arm;
	init_completion(&ring.done);
	for (; !err && n < RING; n++) {
		ring.buffers[n] =
			(struct buffer){ .pages = PAGES,
					 .caching = TTMPOOL_WRITE_COMBINED };
		err = arm->order(&ring.buffers[n]);
	}
	n -= err != 0;
	if (!err)
		err = run_both();
	while (n--)
		arm->dispose(&ring.buffers[n]);
	arm->close();
	return err;
}
