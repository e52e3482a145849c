/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_LINUX_SHRINKER_H
#define TTMPOOL_LINUX_SHRINKER_H

/* The two answers that the kernel's shrinkers give, whatever its version. */

#include <ttmpool/os.h>

#include <linux/shrinker.h>

unsigned long ttmpool_shrinker_count(struct tpos_shrinker *shrinker,
				     struct shrink_control *sc);
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc);

#endif
