/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SHRINKER_H
#define TTMPOOL_LINUX_SHRINKER_H

/* The two answers that the kernel's shrinkers give, whatever its version; and
 * compat_shrinker_*.c: to register one, as its version would have it. */

#include <ttmpool/os.h>

#include <linux/shrinker.h>
#include <linux/sizes.h>

/* What is asked for at once: 2 MiB, which is one caching change and one invalidation. */
#define TTMPOOL_SHRINK_BATCH (SZ_2M >> PAGE_SHIFT)

/* compat_reclaimed*.c: tell the reclaim that this thread is in, if it is in one, of
 * pages that it does not see. */
void ttmpool_account_reclaimed(unsigned long pages);

unsigned long ttmpool_shrinker_count(struct tpos_shrinker *shrinker,
				     struct shrink_control *sc);
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc);
int ttmpool_shrinker_register(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker);
void ttmpool_shrinker_unregister(struct tpos_shrinker *shrinker);

#endif
