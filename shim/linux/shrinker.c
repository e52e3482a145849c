// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The shrinker: what the kernel asks, in the library's words.
 *
 * The library answers in any allocation context. Only to swap out, it has to
 * allocate pages of a file and maybe to write some (__GFP_FS), and there must
 * be a swap device with room: else the file's pages stay where they are, and
 * nothing is won by filling them.
 *
 * The kernel asks node by node, and a pool that wants pages of another node is left
 * alone. It is told how much was scanned; and what came free, since these pages are on no
 * list of its own, and it would go on as if there were none (compat_reclaimed*.c). What
 * a buffer swapped out does not count for that: a page of shmem has the contents now, and
 * that is on a list of the kernel's, which counts it when it goes.
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

/* Pooled pages first; a call without swap touches nothing else. */
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

/* A chunk is given up whole, which may be more than was asked for: the kernel takes
 * nr_scanned off what it wants still. */
unsigned long ttmpool_shrinker_scan(struct tpos_shrinker *shrinker,
				    struct shrink_control *sc)
{
	unsigned long pages = scan(shrinker, sc);

	trace_ttmpool_shrink(sc->nr_to_scan, pages);
	sc->nr_scanned = max(sc->nr_to_scan, pages);
	return pages ?: SHRINK_STOP;
}

/* A manager's first call to this port: what all of them share is there from here on. */
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

/* And its last. */
void tpos_shrinker_unregister(struct ttmpool_system *system,
			      struct tpos_shrinker *shrinker)
{
	ttmpool_shrinker_unregister(shrinker);
	ttmpool_work_put();
	ttmpool_descriptors_put();
}
