// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the work costs in events, which do not depend on the machine: calls of
 * the kernel's own functions, counted by probes. A probe costs time; so time is
 * taken without them. A function that a kernel does not have, or that its
 * compiler put into another, is not counted, and not mentioned.
 */

#include <linux/atomic.h>
#include <linux/kprobes.h>

#include "race.h"

struct event {
	const char *name;
	struct kprobe probe;
	atomic_long_t calls;
	bool there;
};

static struct event events[] = {
	{ .name = "cpa_flush" },       { .name = "__cpa_flush_all" },
	{ .name = "flush_tlb_all" },   { .name = "flush_tlb_kernel_range" },
	{ .name = "iommu_map" },       { .name = "iommu_unmap" },
	{ .name = "qi_submit_sync" },  { .name = "alloc_iova" },
	{ .name = "__alloc_pages" },   { .name = "__alloc_pages_noprof" },
	{ .name = "clear_page_erms" }, { .name = "ttmpool_clear_pages" },
};

static int count(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_long_inc(&container_of(probe, struct event, probe)->calls);
	return 0;
}

void events_open(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct event *event = &events[i];

		event->probe.symbol_name = event->name;
		event->probe.pre_handler = count;
		event->probe.flags = KPROBE_FLAG_DISABLED;
		event->there = !register_kprobe(&event->probe);
	}
}

void events_close(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++)
		if (events[i].there)
			unregister_kprobe(&events[i].probe);
}

void events_start(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		if (!events[i].there)
			continue;
		atomic_long_set(&events[i].calls, 0);
		enable_kprobe(&events[i].probe);
	}
}

void events_stop(char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		if (!events[i].there)
			continue;
		disable_kprobe(&events[i].probe);
		at += scnprintf(text + at, size - at, " %s=%ld", events[i].name,
				atomic_long_read(&events[i].calls));
	}
}
