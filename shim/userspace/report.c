// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The log. Linux writes it as rate-limited warnings; here it is kept, so that tests can
 * read it.
 */

#include "machine.h"

/* Writes "pool-a: page 42 of the array: ... " and what is known about the chunk. */
static void write_line(char *line, size_t size,
		       const struct ttmpool_report *report)
{
	int n = snprintf(line, size, "%s: %s: page %p, index %zu", report->pool,
			 ttmpool_report_name(report->kind),
			 (const void *)report->page, report->index);

	if (n < 0 || (size_t)n >= size || report->order < 0)
		return;
	snprintf(line + n, size - (size_t)n,
		 ", order %d, caching %d, device address %#llx, owner %s, "
		 "%lu operations ago",
		 report->order, (int)report->caching,
		 (unsigned long long)report->dma_addr,
		 report->owner ? report->owner : "none",
		 (unsigned long)report->age);
}

void tpos_report(tpos_system_t *system, const struct ttmpool_report *report)
{
	tpsim_machine_enter(system, __func__);
	if ((unsigned int)report->kind >= TTMPOOL_REPORT_KIND_COUNT)
		tpsim_complain("bad report", "kind %d", (int)report->kind);
	system->reports[report->kind]++;
	write_line(system->report, sizeof(system->report), report);
	if (system->watch)
		system->watch->reported(system->watch->arg, report);
	tpsim_machine_unlock(system);
}

size_t tpsim_reports(struct tpsim_machine *machine,
		     enum ttmpool_report_kind kind)
{
	size_t reports;

	tpsim_machine_lock(machine);
	reports = machine->reports[kind];
	tpsim_machine_unlock(machine);
	return reports;
}

const char *tpsim_report_last(struct tpsim_machine *machine)
{
	return machine->report;
}
