// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Reports: counted, and the last one kept in words, as a kernel log would have
 * it.
 */

#include <inttypes.h>
#include <stdio.h>

#include "machine.h"

static const char *const cachings[] = {
	[TTMPOOL_UNCACHED] = "uncached",
	[TTMPOOL_WRITE_COMBINED] = "write-combined",
	[TTMPOOL_CACHED] = "cached",
	[TTMPOOL_CACHING_UNKNOWN] = "of unknown caching",
};

void tpos_report(tpos_system_t *system, const struct ttmpool_report *report)
{
	lock_assert_none_spins("tpos_report");
	machine_lock(system);
	system->reports[report->kind]++;
	snprintf(system->last_report, sizeof(system->last_report),
		 "%s: page %zu: %s (order %d, %s, owner %s, age %" PRIu32
		 ", dma 0x%" PRIx64 ")",
		 report->pool, report->index, ttmpool_report_name(report->kind),
		 report->order, cachings[report->caching],
		 report->owner ? report->owner : "none", report->age,
		 (uint64_t)report->dma_addr);
	machine_unlock(system);
}

size_t tpsim_reports(struct tpsim_machine *machine,
		     enum ttmpool_report_kind kind)
{
	size_t n;

	machine_lock(machine);
	n = machine->reports[kind];
	machine_unlock(machine);
	return n;
}

const char *tpsim_report_last(struct tpsim_machine *machine)
{
	return machine->last_report;
}
