/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RACE_H
#define RACE_H

#include <linux/device.h>

#include <ttmpool/caching.h>

/**
 * struct arm - one of the pools, or what comes without any
 * @name: of it
 * @open: start the pool, empty; 0 or an error
 * @close: tear it down, with all that is pooled
 * @order: make a buffer for so many pages, which it does not have yet
 * @populate: get its pages, cleared and mapped
 * @unpopulate: give them back
 * @work: what a worker would do now, or NULL; how many pages it cleared
 * @pages: the buffer's, while it has them, or NULL
 * @dispose: the buffer goes
 *
 * One buffer at a time.
 */
struct arm {
	const char *name;
	int (*open)(struct device *dev);
	void (*close)(void);
	int (*order)(size_t pages, enum ttmpool_caching caching);
	int (*populate)(void);
	void (*unpopulate)(void);
	size_t (*work)(void);
	struct page **(*pages)(void);
	void (*dispose)(void);
};

extern const struct arm arm_ttm;
extern const struct arm arm_ttmpool;
extern const struct arm arm_runs;
extern const struct arm arm_floor;

/** arm_ttmpool_swapout() - what of 4096 write-combined pages is copied when they
 * are swapped out; and how large is what is kept for a chunk? */
int arm_ttmpool_swapout(struct device *dev);

/** race_run() - all workloads, on the arms in turn. */
int race_run(struct device *dev);

/**
 * struct turn - what is done, by whom
 * @workload: its name
 * @arm: which pool
 * @pages, @caching: the buffer
 * @warm: pooled pages are there before
 * @events: count these, not the time
 */
struct turn {
	const char *workload;
	const struct arm *arm;
	size_t pages;
	enum ttmpool_caching caching;
	bool warm;
	bool events;
};

/** turn_take() - do it once, on an empty pool. */
int turn_take(const struct turn *turn, struct device *dev);

/** fragment() - from now on only single pages are free, until defragment(). */
int fragment(void);
void fragment_again(void);
void defragment(void);

/** events_open() - count calls of some of the kernel's functions, when asked.
 */
void events_open(void);
void events_close(void);

/** events_start() - from 0. */
void events_start(void);

/** events_stop() - and say how many there were since, as " name=n ...". */
void events_stop(char *text, size_t size);

#endif
