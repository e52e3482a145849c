// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * One manager, two pools, and all their operations at once, by threads on every
 * processor, for a kernel that looks for data races while they run. Its files in
 * /sys/module/ttmpool_races/parameters:
 *
 *     run      write: the number of seconds to run. An error if anything was wrong, as
 *              far as a thread can tell while it runs, or at the end
 *     rounds   read: how many buffers were handed out so far
 */

#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/dma-mapping.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pci.h>

#include "races.h"
#include "ttmpool_system.h"

static struct ttmpool_system race_system = { .name = "races" };
static struct race race;
static struct device *device;
static atomic_long_t wrong;
static unsigned long rounds;

module_param(rounds, ulong, 0444);
MODULE_PARM_DESC(rounds, "Buffers that were handed out so far");

static race_part_t *const parts[] = { race_work,     race_work,  race_work,
				      race_work,     race_runs,  race_magazine,
				      race_magazine, race_watch, race_disturb };

/**
 * struct racer - a thread and its part
 */
struct racer {
	race_part_t *part;
	unsigned int nr;
	struct task_struct *task;
};

static struct racer racers[ARRAY_SIZE(parts)];

void race_wrong(const char *what, long value)
{
	pr_err("races: wrong: %s: %ld\n", what, value);
	atomic_long_inc(&wrong);
}

/* The thread stays until it is stopped, even if its part could not begin. */
static int racer_run(void *data)
{
	struct racer *racer = data;
	int err = racer->part(&race, racer->nr);

	if (err)
		race_wrong("a thread", err);
	while (!kthread_should_stop())
		msleep(1);
	return 0;
}

/* Start neighbouring threads on different processors. */
static int racers_start(void)
{
	unsigned int cpu = cpumask_first(cpu_online_mask);

	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++) {
		struct racer *racer = &racers[i];

		racer->part = parts[i];
		racer->nr = i;
		racer->task = kthread_create(racer_run, racer, "racer/%u", i);
		if (IS_ERR(racer->task))
			return PTR_ERR(racer->task);
		kthread_bind(racer->task, cpu);
		wake_up_process(racer->task);
		cpu = cpumask_next(cpu, cpu_online_mask);
		if (cpu >= nr_cpu_ids)
			cpu = cpumask_first(cpu_online_mask);
	}
	return 0;
}

static void racers_stop(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(racers); i++) {
		if (!IS_ERR_OR_NULL(racers[i].task))
			kthread_stop(racers[i].task);
		racers[i].task = NULL;
	}
}

static int race_open(void)
{
	struct ttmpool_manager_config config = {
		.system = &race_system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_pool_config pool_config = {
		.name = "races",
		.dev = device,
		.node = TTMPOOL_NODE_OF_DEVICE,
		.iova = &race.iova,
	};
	int err = ttmpool_manager_init(&race.mgr, &config);

	if (err)
		return err;
	ttmpool_owner_init(&race.owner, "races");
	err = ttmpool_iova_init(&race.iova, 2 << 20, 1 << 20);
	for (int i = 0; !err && i < RACE_POOLS; i++)
		err = ttmpool_pool_init(&race.pools[i], &race.mgr,
					&pool_config);
	return err;
}

static void race_close(void)
{
	struct ttmpool_pool_stats stats;

	if (!ttmpool_manager_is_valid(&race.mgr))
		race_wrong("the manager's counters disagree", 0);
	for (int i = 0; i < RACE_POOLS; i++) {
		ttmpool_pool_stats(&race.pools[i], &stats);
		rounds += stats.takes;
		if (ttmpool_pool_fini(&race.pools[i]))
			race_wrong("pages were in use at the end, pool", i);
	}
	ttmpool_iova_fini(&race.iova);
	if (ttmpool_owner_fini(&race.owner))
		race_wrong("somebody is charged for nothing", 0);
	if (ttmpool_manager_purge_quarantine(&race.mgr) ||
	    ttmpool_manager_fini(&race.mgr))
		race_wrong("the manager does not end", 0);
}

static int run_set(const char *val, const struct kernel_param *kp)
{
	unsigned int seconds;
	int err = kstrtouint(val, 0, &seconds);

	if (!err)
		err = device ? race_open() : -EBUSY;
	if (err)
		return err;
	err = racers_start();
	if (!err)
		msleep(seconds * 1000);
	racers_stop();
	race_close();
	if (atomic_long_read(&wrong))
		return -EUCLEAN;
	return err;
}

static const struct kernel_param_ops run_ops = { .set = run_set };

module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "Write seconds: all at once, for so long");

static int races_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	int err;

	/* One device is enough. */
	if (device)
		return -ENODEV;
	err = dma_set_mask_and_coherent(&pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		device = &pdev->dev;
	return err;
}

static void races_remove(struct pci_dev *pdev)
{
	device = NULL;
}

static const struct pci_device_id races_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) }, {}
};

static struct pci_driver races_driver = { .name = KBUILD_MODNAME,
					  .id_table = races_ids,
					  .probe = races_probe,
					  .remove = races_remove };

module_pci_driver(races_driver);
MODULE_DESCRIPTION("All that can be done with one manager, at once");
MODULE_LICENSE("Dual MIT/GPL");
