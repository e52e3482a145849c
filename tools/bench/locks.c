// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How many locks a thread takes: probes see calls of the kernel's lock functions, and
 * count them for each thread that has asked for it. Locks taken in interrupts are not
 * counted.
 */

#include <linux/kprobes.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include "race.h"

/* @n: written only by @task */
static struct {
	struct task_struct *task;
	long n;
} counters[RACE_THREADS];

static int count(struct kprobe *probe, struct pt_regs *regs)
{
	if (!in_task())
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (READ_ONCE(counters[i].task) == current)
			counters[i].n++;
	return 0;
}

static struct kprobe probes[] = {
	{ .symbol_name = "_raw_spin_lock", .pre_handler = count },
	{ .symbol_name = "_raw_spin_lock_irqsave", .pre_handler = count },
	{ .symbol_name = "mutex_lock", .pre_handler = count },
};

int locks_open(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
		int err;

		probes[i].addr = NULL; /* left from the last time */
		probes[i].flags = 0;
		err = register_kprobe(&probes[i]);
		if (!err)
			continue;
		while (i--)
			unregister_kprobe(&probes[i]);
		return err;
	}
	return 0;
}

void locks_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(probes); i++)
		unregister_kprobe(&probes[i]);
}

void locks_start(int thread)
{
	counters[thread].n = 0;
	WRITE_ONCE(counters[thread].task, current);
}

long locks_stop(int thread)
{
	WRITE_ONCE(counters[thread].task, NULL);
	return counters[thread].n;
}
