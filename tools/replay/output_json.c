// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The output for programs: one JSON object per trace, on one line, so that the output for
 * several traces can be read line by line. The names of members do not change between
 * releases; new ones may be added.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "output.h"

#define NUMBER(name, member)                                 \
	{                                                    \
		name, offsetof(struct replay_result, member) \
	}

/* All of them uint64_t. */
static const struct {
	const char *name;
	size_t offset;
} numbers[] = {
	NUMBER("events", events),
	NUMBER("populates", populates),
	NUMBER("populates_failed", populates_failed),
	NUMBER("unpopulates", unpopulates),
	NUMBER("freed_at_end", freed_at_end),
	NUMBER("swapouts", swapouts),
	NUMBER("swapins", swapins),
	NUMBER("pages", pages),
	NUMBER("pages_from_pool", pool.pages_hit),
	NUMBER("pages_from_system", pool.pages_fresh),
	NUMBER("pages_idle_elsewhere", pages_idle_elsewhere),
	NUMBER("fallbacks", pool.fallbacks),
	NUMBER("caching_batches", machine.caching_batches),
	NUMBER("caching_pages", machine.caching_pages),
	NUMBER("tlb_flushes", machine.tlb_flushes),
	NUMBER("cache_flush_pages", machine.cache_flush_pages),
	NUMBER("iotlb_invalidations", machine.iotlb_invalidations),
	NUMBER("dma_maps", machine.dma_maps),
	NUMBER("dma_unmaps", machine.dma_unmaps),
	NUMBER("dma_maps_kept", pool.maps_kept),
	NUMBER("bytes_cleared", machine.bytes_cleared),
	NUMBER("bytes_cleared_by_system", machine.bytes_cleared_alloc),
	NUMBER("bytes_bounced", machine.bounced_bytes),
	NUMBER("peak_pages_in_use", pool.pages_in_use_peak),
	NUMBER("peak_pages_pooled", pool.pages_pooled_peak),
	NUMBER("peak_bytes_mapped", pool.bytes_mapped_peak),
	NUMBER("pressures", pressures),
	NUMBER("pages_shrunk", pages_shrunk),
	NUMBER("brought_back", brought_back),
	NUMBER("bytes_stored", pool.bytes_stored),
	NUMBER("bytes_restored", pool.bytes_restored),
	NUMBER("chunks_split", pool.splits),
	NUMBER("locks_taken", machine.locks_taken),
	NUMBER("simulated_ns", machine.ns),
	NUMBER("pages_leaked", pages_leaked),
	NUMBER("faults", faults),
};

/* Well-formed UTF-8: table 3-7 of the Unicode standard. */
static const struct form {
	unsigned char first_min;
	unsigned char first_max;
	unsigned char second_min;
	unsigned char second_max;
	size_t length;
} forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
	{ 0xe1, 0xec, 0x80, 0xbf, 3 }, { 0xed, 0xed, 0x80, 0x9f, 3 },
	{ 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

static bool in_range(char c, unsigned char min, unsigned char max)
{
	return (unsigned char)c >= min && (unsigned char)c <= max;
}

static bool has_form(const char *text, const struct form *form)
{
	size_t i;

	if (!in_range(text[0], form->first_min, form->first_max) ||
	    !in_range(text[1], form->second_min, form->second_max))
		return false;
	for (i = 2; i < form->length; i++)
		if (!in_range(text[i], 0x80, 0xbf))
			return false;
	return true;
}

/* Length of the well-formed sequence at @text, or 0. */
static size_t sequence_length(const char *text)
{
	size_t i;

	if (in_range(text[0], 0, 0x7f))
		return 1;
	for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (has_form(text, &forms[i]))
			return forms[i].length;
	return 0;
}

/* A file name may contain any bytes, and a JSON string may not. */
static void print_string(const char *text)
{
	putchar('"');
	while (*text) {
		size_t len = sequence_length(text);

		if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else if (len == 1 && (unsigned char)*text < 0x20)
			printf("\\u%04x", (unsigned int)*text);
		else if (len == 0)
			fputs("\\ufffd", stdout);
		else
			fwrite(text, 1, len, stdout);
		text += len ? len : 1;
	}
	putchar('"');
}

static void print_options(const struct options *options)
{
	printf("\"options\": {\"caching\": \"%s\", \"recycle\": \"%s\", "
	       "\"source\": \"%s\", \"iommu\": \"%s\", \"ram_mib\": %" PRIu64,
	       options_caching_word(options->caching),
	       options_recycle_word(options->recycle),
	       options_source_word(options->source),
	       options_iommu_word(options->iommu), options->ram_mib);
	if (options->pool_limit == OPTIONS_HALF_OF_RAM)
		printf(", \"pool_limit\": %" PRIu64, options->ram_mib * 128);
	else
		printf(", \"pool_limit\": %lu", options->pool_limit);
	printf(", \"mapped_limit_mib\": %" PRIu64
	       ", \"swap\": %s, \"store_mib\": %" PRIu64
	       ", \"pressure_pages\": %lu, \"pressure_every\": %lu",
	       options->mapped_limit_mib, options->swap ? "true" : "false",
	       options->store_mib, options->pressure_pages,
	       options->pressure_every);
	printf(", \"devices\": %" PRIu64 ", \"turn\": %" PRIu64,
	       options->devices, options->turn);
	if (options->page_budget != TTMPOOL_NO_LIMIT)
		printf(", \"page_budget\": %lu", options->page_budget);
	putchar('}');
}

static void print_numbers(const struct replay_result *result)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		memcpy(&n, (const char *)result + numbers[i].offset, sizeof(n));
		printf("\"%s\": %" PRIu64 ", ", numbers[i].name, n);
	}
	printf("\"hit_rate\": %.6f, \"mean_pages_in_use\": %.3f, "
	       "\"mean_pages_pooled\": %.3f",
	       replay_result_hit_rate(result), result->mean_in_use,
	       result->mean_pooled);
}

static void print_latency(const struct latency *latency)
{
	const char *comma = "";
	size_t class;

	fputs(", \"populate_latency\": [", stdout);
	for (class = 0; class < LATENCY_CLASSES; class ++) {
		if (!latency->samples[class])
			continue;
		printf("%s{\"pages_from\": %" PRIu64 ", \"populates\": %" PRIu64
		       ", \"p50_ns\": %" PRIu64 ", \"p90_ns\": %" PRIu64
		       ", \"p99_ns\": %" PRIu64 ", \"max_ns\": %" PRIu64 "}",
		       comma, latency_class_min(class), latency->samples[class],
		       latency_percentile(latency, class, 50),
		       latency_percentile(latency, class, 90),
		       latency_percentile(latency, class, 99),
		       latency->max_ns[class]);
		comma = ", ";
	}
	putchar(']');
}

void output_json(const struct outcome *outcome)
{
	fputs("{\"trace\": ", stdout);
	print_string(outcome->with->trace);
	printf(", \"backend\": \"%s\", ", outcome->with->backend);
	print_options(outcome->options);
	fputs(", ", stdout);
	print_numbers(outcome->with);
	print_latency(&outcome->with->latency);
	if (outcome->without) {
		fputs(", \"without_pool\": {", stdout);
		print_numbers(outcome->without);
		print_latency(&outcome->without->latency);
		putchar('}');
	}
	puts("}");
}
