// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A race, on purpose: two threads count on one plain variable. A kernel that looks for
 * races must report it, or its silence about everything else means nothing.
 */

#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>

static unsigned long canary_count;

static int canary_sing(void *unused)
{
	while (!kthread_should_stop()) {
		canary_count++;
		cond_resched();
	}
	return 0;
}

static int __init canary_init(void)
{
	struct task_struct *threads[2];

	for (int i = 0; i < 2; i++)
		threads[i] = kthread_run(canary_sing, NULL, "canary/%d", i);
	msleep(5000);
	for (int i = 0; i < 2; i++)
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
	return 0;
}

static void __exit canary_exit(void)
{
}

module_init(canary_init);
module_exit(canary_exit);
MODULE_DESCRIPTION("A data race, to be found");
MODULE_LICENSE("Dual MIT/GPL");
