/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SHRINKER_H
#define TTMPOOL_LINUX_SHRINKER_H

/*
 * The two callbacks of the kernel's shrinkers, which do not depend on the kernel version;
 * and compat_shrinker_*.c, which registers a shrinker as the version requires.
 */

#include <ttmpool/os.h>

#include <linux/shrinker.h>
#include <linux/sizes.h>

/*
 * The kernel asks for this much at once: 2 MiB, which costs one caching change and
 * one invalidation.
 */
#define TTMPOOL_SHRINK_BATCH (SZ_2M >> PAGE_SHIFT)

/*
 * compat_reclaimed*.c: if this thread is in reclaim, reports pages to it that it
 * does not see.
 */
void ttmpool_account_reclaimed(unsigned long pages);

unsigned long ttmpool_shrinker_count(struct tpos_shrinker *shrinker,
				     struct shrink_control *sc);
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc);
int ttmpool_shrinker_register(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker);
void ttmpool_shrinker_unregister(struct tpos_shrinker *shrinker);

#endif
