// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The output for people: a page about one trace, or a table with a line for each of
 * several. Both compare the pool with a replay of the same trace without it; the factor
 * says how much more the machine had to do then.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static double mib(uint64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* How many times more without the pool, in @width columns. */
static void print_factor(int width, uint64_t with, uint64_t without)
{
	if (with == 0)
		printf(" %*s", width, "-");
	else
		printf(" %*.1f", width, (double)without / (double)with);
}

static uint64_t bytes_cleared(const struct replay_result *result)
{
	return result->machine.bytes_cleared +
	       result->machine.bytes_cleared_alloc;
}

static void print_line(const char *what, uint64_t with, const uint64_t *without)
{
	printf("  %-24s %14" PRIu64, what, with);
	if (without) {
		printf(" %14" PRIu64, *without);
		print_factor(9, with, *without);
	}
	putchar('\n');
}

static void print_costs(const struct outcome *outcome)
{
	const struct replay_result *none = outcome->without;
	const struct tpsim_counters *with = &outcome->with->machine;
	const struct tpsim_counters *without = none ? &none->machine : NULL;
	uint64_t cleared = none ? bytes_cleared(none) : 0;

	if (none)
		printf("\n  %-24s %14s %14s %9s\n", "", "with the pool",
		       "without it", "factor");
	else
		putchar('\n');
	print_line("caching batches", with->caching_batches,
		   none ? &without->caching_batches : NULL);
	print_line("TLB flushes", with->tlb_flushes,
		   none ? &without->tlb_flushes : NULL);
	print_line("DMA maps", with->dma_maps,
		   none ? &without->dma_maps : NULL);
	print_line("DMA unmaps", with->dma_unmaps,
		   none ? &without->dma_unmaps : NULL);
	print_line("IOTLB invalidations", with->iotlb_invalidations,
		   none ? &without->iotlb_invalidations : NULL);
	print_line("bytes cleared", bytes_cleared(outcome->with),
		   none ? &cleared : NULL);
	print_line("simulated time, ns", with->ns, none ? &without->ns : NULL);
}

static void print_latency(const struct latency *latency)
{
	size_t class;
	char size[16];

	printf("\n  populate, simulated ns %12s %9s %9s %9s %9s\n", "populates",
	       "median", "p90", "p99", "longest");
	for (class = 0; class < LATENCY_CLASSES; class ++) {
		if (!latency->samples[class])
			continue;
		snprintf(size, sizeof(size), "from %" PRIu64,
			 latency_class_min(class));
		printf("  %-9s pages        %12" PRIu64 " %9" PRIu64
		       " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "\n",
		       size, latency->samples[class],
		       latency_percentile(latency, class, 50),
		       latency_percentile(latency, class, 90),
		       latency_percentile(latency, class, 99),
		       latency->max_ns[class]);
	}
}

static void print_setup(const struct outcome *outcome)
{
	const struct options *options = outcome->options;

	printf("%s: caching %s, recycling %s, %s pages, IOMMU %s, %" PRIu64
	       " MiB\n\n",
	       outcome->with->trace, options_caching_word(options->caching),
	       options_recycle_word(options->recycle), outcome->with->backend,
	       options_iommu_word(options->iommu), options->ram_mib);
}

static void print_traffic(const struct replay_result *result)
{
	printf("  %" PRIu64 " events: %" PRIu64 " populates, %" PRIu64
	       " failed, %" PRIu64 " swapouts, %" PRIu64 " swapins; %" PRIu64
	       " buffers live at the end\n",
	       result->events, result->populates, result->populates_failed,
	       result->swapouts, result->swapins, result->freed_at_end);
	printf("  %" PRIu64
	       " pages handed out, %.1f %% of them from the pool\n",
	       result->pages, 100 * replay_result_hit_rate(result));
	printf("  pages in use: peak %" PRIu64
	       ", mean %.0f; pooled: peak %" PRIu64 ", mean %.0f\n",
	       result->pool.pages_in_use_peak, result->mean_in_use,
	       result->pool.pages_pooled_peak, result->mean_pooled);
	printf("  mappings kept %" PRIu64 ", redone %" PRIu64 "\n",
	       result->pool.maps_kept, result->pool.maps);
	if (result->pool.bytes_stored)
		printf("  moved to the store %.1f MiB, back %.1f MiB; %" PRIu64
		       " buffers came back when they were wanted\n",
		       mib(result->pool.bytes_stored),
		       mib(result->pool.bytes_restored), result->brought_back);
	if (result->pressures)
		printf("  pressure: %" PRIu64 " times, %" PRIu64
		       " pages given up\n",
		       result->pressures, result->pages_shrunk);
}

void output_report(const struct outcome *outcome)
{
	print_setup(outcome);
	print_traffic(outcome->with);
	print_costs(outcome);
	print_latency(&outcome->with->latency);
	printf("\n  %" PRIu64 " pages leaked, %" PRIu64 " faults\n\n",
	       outcome->with->pages_leaked, outcome->with->faults);
}

void output_brief_head(void)
{
	printf("%-18s %9s %6s  %-24s  %-17s  %-13s  %s\n", "", "", "from",
	       "TLB flushes", "DMA maps", "MiB cleared", "simulated ms");
	printf("%-18s %9s %6s  %7s %8s %7s  %8s %8s  %6s %6s  %7s %8s\n",
	       "trace", "populates", "pool", "pool", "none", "factor", "pool",
	       "none", "pool", "none", "pool", "none");
}

void output_brief_row(const struct outcome *outcome)
{
	const struct replay_result *with = outcome->with;
	const struct replay_result *none = outcome->without;

	printf("%-18.18s %9" PRIu64 " %5.1f%%  %7" PRIu64,
	       base_name(with->trace), with->populates,
	       100 * replay_result_hit_rate(with), with->machine.tlb_flushes);
	if (!none) {
		printf(" %8s %7s  %8" PRIu64 " %8s  %6.0f %6s  %7.1f %8s\n", "",
		       "", with->machine.dma_maps, "", mib(bytes_cleared(with)),
		       "", (double)with->machine.ns / 1e6, "");
		return;
	}
	printf(" %8" PRIu64, none->machine.tlb_flushes);
	print_factor(7, with->machine.tlb_flushes, none->machine.tlb_flushes);
	printf("  %8" PRIu64 " %8" PRIu64 "  %6.0f %6.0f  %7.1f %8.1f\n",
	       with->machine.dma_maps, none->machine.dma_maps,
	       mib(bytes_cleared(with)), mib(bytes_cleared(none)),
	       (double)with->machine.ns / 1e6, (double)none->machine.ns / 1e6);
}
