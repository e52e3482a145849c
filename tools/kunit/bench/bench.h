/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BENCH_H
#define BENCH_H

#include <linux/device.h>

struct ttm_tt;

/**
 * struct arm - one of the pools, behind the interface that the rest of TTM calls
 * @name: of it
 * @open: start the pool, empty, of pages of the DMA API or of plain ones
 * @close: tear it down, with all that is pooled
 * @populate: give a buffer its pages
 * @unpopulate: take them back
 * @work: do what a worker would do now, or NULL
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

/** stock_clears() - whether TTM's pool clears pages that come back. TTM always clears;
 * without that, the cost of the rest can be seen. */
void stock_clears(bool clears);

/* tools/bench/fragment.c: make only single pages free, until defragment(). */
int fragment(void);
void fragment_again(void);
void defragment(void);

#endif
