/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RACE_H
#define RACE_H

#include <linux/device.h>

#include <ttmpool/caching.h>

/**
 * struct buffer - what is populated
 * @pages, @caching: as many, and such
 * @arm: what an arm keeps of it
 */
struct buffer {
	size_t pages;
	enum ttmpool_caching caching;
	void *arm;
};

/**
 * struct arm - one of the pools, or what comes without any
 * @name: of it
 * @open: start the pool, empty; 0 or an error
 * @close: tear it down, with all that is pooled
 * @order: make a buffer, which has no pages yet; 0 or an error
 * @populate: get its pages, cleared and mapped; 0 or an error
 * @unpopulate: give them back
 * @work: what a worker would do now, or NULL; how many pages it cleared
 * @pages: the buffer's, while it has them, or NULL
 * @dispose: the buffer goes
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

/** race_run() - all workloads, on the arms in turn. */
int race_run(struct device *dev);

/** race_run_few() - those whose counts are compared with limits. */
int race_run_few(struct device *dev);

/** race_run_pressed() - W6. */
int race_run_pressed(struct device *dev);

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

/** race_pressure() - W6, by one arm. */
int race_pressure(const struct arm *arm, struct device *dev);

/** race_threads() - W5, by one arm. */
int race_threads(const struct arm *arm, struct device *dev);

/** race_swap() - W8: of 64 MiB, what is copied when they are swapped out and in,
 * and what that takes; by ttmpool, and as TTM does it. */
int race_swap(struct device *dev);

/** race_backup() - W10, where TTM has it: 64 MiB are backed up, and restored. */
int race_backup(struct device *dev);

/** fragment() - from now on only single pages are free, until defragment(). */
int fragment(void);
void fragment_again(void);
void defragment(void);

/** events_open() - count calls of some of the kernel's functions, when asked; 0,
 * or an error if a lock would not be noticed */
int events_open(void);
void events_close(void);

/** events_enable(), events_disable() - what is between the two can be counted. */
void events_enable(void);
void events_disable(void);

/** events_start() - from 0. */
void events_start(void);

/** events_stop() - and say how many there were since, as " name=n ...". */
void events_stop(char *text, size_t size);

/** events_freed() - pages that a pool gave to the system between the two. */
long events_freed(void);

/** RACE_THREADS - so many can count their locks at a time. */
#define RACE_THREADS 2

/** locks_open() - be ready to count locks; 0 or an error */
int locks_open(void);
void locks_close(void);

/** locks_start(), locks_stop() - those that the caller takes between the two, and
 * how many there were; each thread that counts has a number of its own. */
void locks_start(int thread);
long locks_stop(int thread);

#endif
