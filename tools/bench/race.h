/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RACE_H
#define RACE_H

#include <linux/device.h>

#include <ttmpool/caching.h>

/**
 * struct arm - one of the two pools
 * @name: of it
 * @open: start the pool, empty; 0 or an error
 * @close: tear it down, with all that is pooled
 * @order: make a buffer for so many pages, which it does not have yet
 * @populate: get its pages, cleared and mapped
 * @unpopulate: give them back
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
	void (*dispose)(void);
};

extern const struct arm arm_ttm;
extern const struct arm arm_ttmpool;

/** race_run() - all workloads, on both arms in turn. */
int race_run(struct device *dev);

/** events_open() - count calls of some of the kernel's functions, when asked.
 */
void events_open(void);
void events_close(void);

/** events_start() - from 0. */
void events_start(void);

/** events_stop() - and say how many there were since, as " name=n ...". */
void events_stop(char *text, size_t size);

#endif
