/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef CHURN_H
#define CHURN_H

#include <linux/device.h>

#include <ttmpool/ttmpool.h>

/** churn_wrong() - report something that no failure excuses, and count it. */
void churn_wrong(const char *what, long value);

/** churn_excuses() - may a call return @err while calls fail? Counts such errors; any
 * other error is reported as wrong. */
void churn_excuses(const char *what, int err);

/** churn_traffic() - populate and unpopulate buffers of every source and caching, and of
 * several sizes, on @pool. */
void churn_traffic(struct ttmpool_pool *pool);

int churn_traffic_init(void);
void churn_traffic_fini(void);

/** churn_reclaim() - release pages of every caching but cached, in a context that lockdep
 * takes for reclaim. */
void churn_reclaim(struct ttmpool_pool *pool);

/** churn_split() - fail each allocation of a caching change, and count the failures in
 * @failures; -EOPNOTSUPP if the linear map has no entry to split. */
int churn_split(struct device *dev, unsigned int *failures);

/** linear_map_special() - how many bytes of the linear map are not write-back. */
unsigned long linear_map_special(void);

/** linear_map_repair() - make the whole linear map write-back. */
void linear_map_repair(void);

/** churn_sweep() - sweep our pool and the kernel's (sweep.c); -errno if the sweep could
 * not be made. */
int churn_sweep(struct device *dev);

#endif
