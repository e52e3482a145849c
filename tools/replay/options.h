/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "tpsim.h"

/** OPTIONS_RECORDED - for caching: that of each row of the trace */
#define OPTIONS_RECORDED (-1)

/**
 * enum options_recycle - which pages the pool keeps
 * @RECYCLE_OFF: none; every page comes from the system and goes back to it
 * @RECYCLE_ON: those of the library's default policy
 * @RECYCLE_ALL: cached plain pages, too, for the sake of their DMA mappings
 */
enum options_recycle {
	RECYCLE_OFF,
	RECYCLE_ON,
	RECYCLE_ALL,
};

/**
 * enum options_source - where the pages come from
 * @SOURCE_RECORDED: coherent if the header of the trace says so, else as auto
 * @SOURCE_AUTO: ttmpool_backend_choose() decides
 * @SOURCE_PLAIN: ordinary pages with streaming mappings
 * @SOURCE_COHERENT: pages of the coherent allocator
 */
enum options_source {
	SOURCE_RECORDED,
	SOURCE_AUTO,
	SOURCE_PLAIN,
	SOURCE_COHERENT,
};

enum options_format {
	FORMAT_REPORT, /* a page of text for each trace */
	FORMAT_BRIEF,  /* one table, a line for each trace */
	FORMAT_JSON,   /* one object for each trace */
};

/**
 * struct options - the command line
 * @caching: an enum ttmpool_caching, or OPTIONS_RECORDED
 * @recycle: which pages the pool keeps
 * @source: where the pages come from
 * @iommu: translation of the simulated machine
 * @ram_mib: RAM of the simulated machine
 * @pool_limit: the most pages that are pooled, or OPTIONS_HALF_OF_RAM
 * @mapped_limit_mib: the IOVA budget; 0 for none
 * @page_budget: the most pages that the pool takes from the system, in use and pooled;
 *	TTMPOOL_NO_LIMIT for any number
 * @devices: how many there are, each with a pool
 * @turn: after how many buffers it is the next device's turn
 * @swap: idle buffers may be swapped out
 * @store_mib: room in the store; 0 for any amount
 * @pressure_pages: how many pages the shrinkers are asked for
 * @pressure_every: after how many events; 0 for never
 * @format: how to print
 * @baseline: replay a second time without recycling, to compare
 * @plot: file to draw to, or NULL
 * @state: directory for the state of the pool while the replay runs, or NULL
 * @traces: file names
 * @nr_traces: how many
 */
struct options {
	int caching;
	enum options_recycle recycle;
	enum options_source source;
	enum tpsim_iommu iommu;
	uint64_t ram_mib;
	unsigned long pool_limit;
	uint64_t mapped_limit_mib;
	unsigned long page_budget;
	uint64_t devices;
	uint64_t turn;
	bool swap;
	uint64_t store_mib;
	unsigned long pressure_pages;
	unsigned long pressure_every;
	enum options_format format;
	bool baseline;
	const char *plot;
	const char *state;
	char *const *traces;
	size_t nr_traces;
};

/** OPTIONS_DEVICES_MAX - the most that --devices takes */
#define OPTIONS_DEVICES_MAX 8

/** OPTIONS_HALF_OF_RAM - for the pool limit: the default of Linux's TTM */
#define OPTIONS_HALF_OF_RAM ULONG_MAX

enum options_verdict {
	OPTIONS_RUN,  /* run the replay */
	OPTIONS_DONE, /* --help or --version was printed */
	OPTIONS_BAD,  /* one line on stderr says why */
};

/**
 * options_parse() - read a command line
 * @options: filled in
 * @argc: as main()'s
 * @argv: as main()'s; not copied
 */
enum options_verdict options_parse(struct options *options, int argc,
				   char *argv[]);

/* The words of the options, which the results use as well. */
const char *options_caching_word(int caching);
const char *options_recycle_word(enum options_recycle recycle);
const char *options_source_word(enum options_source source);
const char *options_iommu_word(enum tpsim_iommu iommu);

#endif
