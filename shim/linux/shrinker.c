// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The shrinker: what the kernel asks, in the library's words.
 *
 * The library answers in any allocation context, so sc->gfp_mask is not looked
 * at. Two of the kernel's numbers are no counts: SHRINK_EMPTY says that there
 * is nothing to be had, SHRINK_STOP that there is no progress.
 *
 * How a shrinker is registered depends on the kernel: compat_shrinker_*.c.
 */

#include "ttmpool_shrinker.h"
#include "ttmpool_system.h"
#include "ttmpool_trace.h"

unsigned long ttmpool_shrinker_count(struct tpos_shrinker *shrinker)
{
	return shrinker->count(shrinker) ?: SHRINK_EMPTY;
}

unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc)
{
	unsigned long pages = shrinker->scan(shrinker, sc->nr_to_scan);

	trace_ttmpool_shrink(sc->nr_to_scan, pages);
	return pages ?: SHRINK_STOP;
}
