// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cost of the work in events, which do not depend on the machine: calls of the
 * kernel's own functions, counted by probes. A probe costs time, so time is measured
 * without them. A function that this kernel does not have, or that its compiler inlined,
 * is not counted.
 *
 * Some of these functions take too long for a spinlock. Such a call counts as one under a
 * lock if a module makes it in the working thread, and preemption is off by more than the
 * probe itself turns it off. (What the kernel's slabs and IOMMU drivers do for themselves
 * is not the pool's.) A function of ours that is called first without a lock and then
 * with one shows how much the probe does; if it shows no difference, there is no race.
 */

#include <linux/atomic.h>
#include <linux/kprobes.h>
#include <linux/pgtable.h>
#include <linux/preempt.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <linux/spinlock.h>

#include "race.h"

/*
 * @long_one: should not be called under a spinlock
 * @called, @locked: for such functions, how often a pool called it, and how often under a
 * lock
 */
struct event {
	const char *name;
	bool long_one;
	struct kprobe probe;
	atomic_long_t calls;
	atomic_long_t called;
	atomic_long_t locked;
	bool there;
};

/* For this function the pages are counted, too: its second argument is an order. */
#define FREE "__free_pages"

static atomic_long_t freed;

static struct event events[] = {
	{ .name = "race_event_alone", .long_one = true },
	{ .name = "cpa_flush" },
	{ .name = "__cpa_flush_all" },
	{ .name = "flush_tlb_all" },
	{ .name = "flush_tlb_kernel_range" },
	{ .name = "iommu_map" },
	{ .name = "iommu_unmap" },
	{ .name = "qi_submit_sync" },
	{ .name = "alloc_iova" },
	{ .name = "clear_page_erms" },
	{ .name = "ttmpool_clear_pages", .long_one = true },
	{ .name = "__alloc_pages", .long_one = true },
	{ .name = "__alloc_pages_noprof", .long_one = true },
	{ .name = "alloc_pages_noprof", .long_one = true },
	{ .name = "alloc_pages_node_noprof", .long_one = true },
	{ .name = FREE, .long_one = true },
	{ .name = "release_pages", .long_one = true },
	{ .name = "dma_map_page_attrs", .long_one = true },
	{ .name = "dma_unmap_page_attrs", .long_one = true },
	{ .name = "set_memory_wc", .long_one = true },
	{ .name = "set_memory_wb", .long_one = true },
	{ .name = "set_pages_array_wc", .long_one = true },
	{ .name = "set_pages_array_wb", .long_one = true },
	{ .name = "set_pages_wb", .long_one = true },
};

static struct task_struct *worker;
static unsigned int depth_seen;
static unsigned int depth_of_probe;
static DEFINE_SPINLOCK(alone_lock);

/* The return address is on the stack as long as the function has only been entered. */
static bool is_called_by_a_module(struct pt_regs *regs)
{
	unsigned long caller = regs_get_kernel_stack_nth(regs, 0);

	return caller >= MODULES_VADDR && caller < MODULES_END;
}

static int count(struct kprobe *probe, struct pt_regs *regs)
{
	struct event *event = container_of(probe, struct event, probe);

	atomic_long_inc(&event->calls);
	if (current != worker || !in_task() || !event->long_one ||
	    !is_called_by_a_module(regs))
		return 0;
	atomic_long_inc(&event->called);
	if (!strcmp(event->name, FREE))
		atomic_long_add(1L << regs_get_kernel_argument(regs, 1),
				&freed);
	depth_seen = preempt_count();
	if (depth_seen > depth_of_probe)
		atomic_long_inc(&event->locked);
	return 0;
}

/* Called only to show what a probe sees. */
noinline void race_event_alone(void);
noinline void race_event_alone(void)
{
	barrier();
}

/* Is a lock noticed, and no lock where there is none? */
static bool locks_are_noticed(void)
{
	long free, held;

	depth_of_probe = UINT_MAX;
	events_enable();
	events_start();
	race_event_alone();
	depth_of_probe = depth_seen;
	race_event_alone();
	free = atomic_long_read(&events[0].locked);
	spin_lock(&alone_lock);
	race_event_alone();
	spin_unlock(&alone_lock);
	held = atomic_long_read(&events[0].locked);
	events_disable();
	return !free && held == 1;
}

int events_open(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct event *event = &events[i];

		event->probe.symbol_name = event->name;
		event->probe.pre_handler = count;
		event->probe.flags = KPROBE_FLAG_DISABLED;
		event->there = !register_kprobe(&event->probe);
	}
	worker = current;
	if (locks_are_noticed())
		return 0;
	events_close();
	return -ENODEV;
}

void events_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].there)
			unregister_kprobe(&events[i].probe);
}

/* Patching the kernel takes time: do it once for all counts in a row. */
void events_enable(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].there)
			enable_kprobe(&events[i].probe);
}

void events_disable(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].there)
			disable_kprobe(&events[i].probe);
}

void events_start(void)
{
	atomic_long_set(&freed, 0);
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		atomic_long_set(&events[i].calls, 0);
		atomic_long_set(&events[i].called, 0);
		atomic_long_set(&events[i].locked, 0);
	}
}

/* Functions that were not called are left out. The long ones are added up, with the
 * number of calls under a lock. */
void events_stop(char *text, size_t size)
{
	long all = 0, locked = 0;
	size_t at = 0;

	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		const struct event *event = &events[i];
		long calls = atomic_long_read(&event->calls);

		if (calls)
			at += scnprintf(text + at, size - at, " %s=%ld",
					event->name, calls);
		all += atomic_long_read(&event->called);
		locked += atomic_long_read(&event->locked);
	}
	scnprintf(text + at, size - at, " long=%ld locked=%ld", all, locked);
}

long events_freed(void)
{
	return atomic_long_read(&freed);
}
