// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The shrinker: what the kernel asks, in the library's words.
 *
 * The library answers in any allocation context. Only to swap out, it has to
 * allocate pages of a file and maybe to write some (__GFP_FS), and there must
 * be a swap device with room: else the file's pages stay where they are, and
 * nothing is won by filling them.
 *
 * It is told what was scanned and what came free: these pages are on no list of its
 * own, so it would go on as if there were none (compat_reclaimed*.c). It asks node by
 * node, and a pool that wants pages of another node is left alone.
 *
 * Two of the kernel's numbers are no counts: SHRINK_EMPTY says that there
 * is nothing to be had, SHRINK_STOP that there is no progress.
 *
 * How a shrinker is registered depends on the kernel: compat_shrinker_*.c.
 */

#include <linux/swap.h>

#include "ttmpool_shrinker.h"
#include "ttmpool_system.h"
#include "ttmpool_trace.h"

static bool may_swap(const struct shrink_control *sc)
{
	return (sc->gfp_mask & __GFP_FS) && get_nr_swap_pages() > 0;
}

unsigned long ttmpool_shrinker_count(struct tpos_shrinker *shrinker,
				     struct shrink_control *sc)
{
	return shrinker->count_node(shrinker, sc->nid, may_swap(sc))
		       ?: SHRINK_EMPTY;
}

/* A chunk is given up whole, which may be more than was asked for: the kernel takes
 * nr_scanned off what it wants still. */
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc)
{
	unsigned long pages = shrinker->scan_node(shrinker, sc->nid,
						  sc->nr_to_scan, may_swap(sc));

	trace_ttmpool_shrink(sc->nr_to_scan, pages);
	sc->nr_scanned = max(sc->nr_to_scan, pages);
	ttmpool_account_reclaimed(pages);
	return pages ?: SHRINK_STOP;
}
