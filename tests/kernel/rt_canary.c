// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A module with a fault: it takes a spinlock with preemption disabled; in a PREEMPT_RT
 * kernel, such a lock sleeps. tools/kernel/init-rt.sh has to find the fault. The module
 * does not stay loaded.
 */

#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

static DEFINE_SPINLOCK(lock);

static int __init rt_canary_sing(void)
{
	preempt_disable();
	spin_lock(&lock);
	spin_unlock(&lock);
	preempt_enable();
	return -EAGAIN;
}

module_init(rt_canary_sing);
MODULE_DESCRIPTION("Sleeps where it may not, so that this is found");
MODULE_LICENSE("Dual MIT/GPL");
