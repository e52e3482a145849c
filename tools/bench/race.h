/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RACE_H
#define RACE_H

#include <linux/device.h>

#include <ttmpool/caching.h>

/**
 * struct buffer - what is populated
 * @pages, @caching: its size and caching
 * @arm: the arm's own data for it
 */
struct buffer {
	size_t pages;
	enum ttmpool_caching caching;
	void *arm;
};

/**
 * struct arm - one of the pools, or an allocator without a pool
 * @name: of it
 * @open: start the pool, empty; 0 or an error
 * @close: tear it down, with all that is pooled
 * @order: make a buffer, which has no pages yet; 0 or an error
 * @populate: get its pages, cleared and mapped; 0 or an error
 * @unpopulate: give them back
 * @work: do what a worker would do now, or NULL; returns how many pages it cleared
 * @pages: the buffer's, while it has them, or NULL
 * @dispose: end the buffer
 */
struct arm {
	const char *name;
	int (*open)(struct device *dev);
	void (*close)(void);
	int (*order)(struct buffer *buffer);
	int (*populate)(struct buffer *buffer);
	void (*unpopulate)(struct buffer *buffer);
	size_t (*work)(void);
	struct page **(*pages)(struct buffer *buffer);
	void (*dispose)(struct buffer *buffer);
};

extern const struct arm arm_ttm;
extern const struct arm arm_dropin;
extern const struct arm arm_ttmpool;
extern const struct arm arm_prepared;
extern const struct arm arm_runs;
extern const struct arm arm_magazine;
extern const struct arm arm_floor;

/** race_run() - run all workloads, on the arms in turn. */
int race_run(struct device *dev);

/** race_run_few() - run those whose counts are compared with limits. */
int race_run_few(struct device *dev);

/** race_run_pressed() - run W6. */
int race_run_pressed(struct device *dev);

/**
 * struct turn - one run of a workload on one arm
 * @workload: its name
 * @arm: which pool
 * @pages, @caching: of the buffer
 * @warm: fill the pool before
 * @events: count these instead of measuring the time
 */
struct turn {
	const char *workload;
	const struct arm *arm;
	size_t pages;
	enum ttmpool_caching caching;
	bool warm;
	bool events;
};

/** turn_take() - run it once, on an empty pool. */
int turn_take(const struct turn *turn, struct device *dev);

/** race_pressure() - W6, on one arm. */
int race_pressure(const struct arm *arm, struct device *dev);

/** race_threads() - W5, on one arm. */
int race_threads(const struct arm *arm, struct device *dev);

/** race_swap() - W8: swap 64 MiB out and in; how much is copied, and how long that takes;
 * by ttmpool, and as TTM does it. */
int race_swap(struct device *dev);

/** race_backup() - W10, if TTM has it: back up 64 MiB, and restore them. */
int race_backup(struct device *dev);

/** fragment() - make only single pages free, until defragment(). */
int fragment(void);
void fragment_again(void);
void defragment(void);

/** events_open() - prepare to count calls of some of the kernel's functions; 0, or an
 * error if a lock would not be noticed */
int events_open(void);
void events_close(void);

/** events_enable(), events_disable() - calls between the two can be counted. */
void events_enable(void);
void events_disable(void);

/** events_start() - count from 0. */
void events_start(void);

/** events_stop() - write the counts since events_start() as " name=n ...". */
void events_stop(char *text, size_t size);

/** events_freed() - pages that a pool gave to the system between the two. */
long events_freed(void);

/** RACE_THREADS - how many threads can count their locks at the same time. */
#define RACE_THREADS 2

/** locks_open() - prepare to count locks; 0 or an error */
int locks_open(void);
void locks_close(void);

/** locks_start(), locks_stop() - count the locks that the caller takes between the two;
 * each counting thread has a number of its own. */
void locks_start(int thread);
long locks_stop(int thread);

#endif
