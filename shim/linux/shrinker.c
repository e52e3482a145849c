// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The shrinker: translates the kernel's requests to the library's.
 *
 * The library answers in any allocation context. Only to swap out, it must allocate pages
 * of a file and maybe write some (__GFP_FS), and there must be a swap device with room:
 * otherwise the file's pages stay where they are, and filling them gains nothing.
 *
 * The kernel asks node by node, and a pool that wants pages of another node is skipped. The
 * kernel is told how much was scanned, and how many pages became free: these pages are on
 * none of its lists, and without this it would go on as if there were none
 * (compat_reclaimed*.c). Pages of buffers that were swapped out do not count: their
 * contents are in pages of shmem now, which are on a list of the kernel's, and the kernel
 * counts them when they go.
 *
 * Two return values are no counts: SHRINK_EMPTY says that there is nothing to free, and
 * SHRINK_STOP that there is no progress.
 *
 * How a shrinker is registered depends on the kernel version: compat_shrinker_*.c.
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

/* Frees pooled pages first; a call that may not swap frees nothing else. */
static unsigned long scan(struct tpos_shrinker *shrinker,
			  struct shrink_control *sc)
{
	unsigned long wanted = sc->nr_to_scan;
	unsigned long pages =
		shrinker->scan_node(shrinker, sc->nid, wanted, false);

	ttmpool_account_reclaimed(pages);
	if (pages < wanted && may_swap(sc))
		pages += shrinker->scan_node(shrinker, sc->nid, wanted - pages,
					     true);
	return pages;
}

/*
 * A chunk is given up as a whole, which may be more than was asked for. The kernel
 * subtracts nr_scanned from what it still wants.
 */
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc)
{
	unsigned long pages = scan(shrinker, sc);

	trace_ttmpool_shrink(sc->nr_to_scan, pages);
	sc->nr_scanned = max(sc->nr_to_scan, pages);
	return pages ?: SHRINK_STOP;
}

/*
 * A manager's first call to this port. From here on, what all managers share
 * exists.
 */
int tpos_shrinker_register(struct ttmpool_system *system,
			   struct tpos_shrinker *shrinker)
{
	int err = ttmpool_descriptors_get();

	if (err)
		return err;
	err = ttmpool_work_get();
	if (err)
		goto put_descriptors;
	err = ttmpool_shrinker_register(system, shrinker);
	if (err)
		goto put_work;
	return 0;

put_work:
	ttmpool_work_put();
put_descriptors:
	ttmpool_descriptors_put();
	return err;
}

/* A manager's last call to this port. */
void tpos_shrinker_unregister(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker)
{
	ttmpool_shrinker_unregister(shrinker);
	ttmpool_work_put();
	ttmpool_descriptors_put();
}
