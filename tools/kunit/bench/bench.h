/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BENCH_H
#define BENCH_H

#include <linux/device.h>

struct ttm_tt;

/**
 * struct arm - one of the pools, by the interface that the rest of TTM calls
 * @name: of it
 * @open: start the pool, empty, of pages of the DMA API or of plain ones
 * @close: tear it down, with all that is pooled
 * @populate: give a buffer its pages
 * @unpopulate: take them back
 * @work: what a worker would do now, or NULL
 */
struct arm {
	const char *name;
	int (*open)(struct device *dev, bool coherent);
	void (*close)(void);
	int (*populate)(struct ttm_tt *tt);
	void (*unpopulate)(struct ttm_tt *tt);
	void (*work)(void);
};

extern const struct arm arm_stock;
extern const struct arm arm_ours;

/** stock_clears() - whether TTM's pool clears what comes back. It always does; what
 * the rest of it costs is seen when it does not. */
void stock_clears(bool clears);

/* tools/bench/fragment.c: from now on only single pages are free, until
 * defragment(). */
int fragment(void);
void fragment_again(void);
void defragment(void);

#endif
