/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RACES_H
#define RACES_H

#include <linux/device.h>
#include <linux/mutex.h>

#include <ttmpool/ttmpool.h>

#define RACE_POOLS 2

/**
 * struct race - what all threads share
 * @mgr: the manager
 * @pools: two, of one device, with one budget of its address space
 * @iova: that budget
 * @owner: the owner of all buffers
 */
struct race {
	struct ttmpool_manager mgr;
	struct ttmpool_pool pools[RACE_POOLS];
	struct ttmpool_iova iova;
	struct ttmpool_owner owner;
};

/** race_wrong() - report something that must not happen, and count it. */
void race_wrong(const char *what, long value);

/** race_part_t - what one thread does repeatedly until it is stopped. @nr is its number
 * among the threads with the same part. */
typedef int race_part_t(struct race *race, unsigned int nr);

race_part_t race_work; /* worker.c */
race_part_t race_runs;
race_part_t race_magazine;
race_part_t race_disturb;
race_part_t race_watch;

#endif
