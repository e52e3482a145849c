// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What may become of buffers that the swapper examines, in whatever step:
 *
 *     gain    a buffer that was the device's still is, or something of it is in its
 * store.
 *             (If mapping it again may fail, because a failure was planned or bounce
 * slots
 *             are few, all of it may be in ordinary pages.)
 *     look    if the store is full, no page's caching changes, and no mapping ends
 *     spread  one round leaves at most one buffer half way
 *     order   and no other buffer has lost a page before the older ones are gone; the one
 *             that is half way continues in the next round. (If the store asked the machine
 *             for memory, the shrinker did another round in the middle of this one.)
 *     vain    buffers that have no pages to give are not even examined (world.c)
 */

#include "world.h"

/* The number of changes to pages so far. */
static uint64_t touches(struct world *w)
{
	struct tpsim_counters counters;

	tpsim_counters(w->machine, &counters);
	return counters.caching_pages + counters.dma_unmaps;
}

/* How often the machine has asked the shrinkers for memory. */
static uint64_t shrinks(struct world *w)
{
	struct tpsim_counters counters;

	tpsim_counters(w->machine, &counters);
	return counters.shrinks;
}

/* Is the store full, and is nothing else to be repaired or given up? */
static bool is_full(struct world *w)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;

	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_ledger(w->machine, &ledger);
	return ledger.store_pages >= w->config.store_pages &&
	       !stats.pages_pooled && !stats.pages_quarantined;
}

void watch_swapper(struct world *w)
{
	const struct ttmpool_list *buffers = &w->mgr.lru.buffers;
	struct watch *watch = &w->watch;

	watch->one_round = false;
	asked_in_vain = false;
	watch->touches = touches(w);
	watch->shrinks = shrinks(w);
	watch->full = is_full(w);
	watch->nr_listed = 0;
	for (const struct ttmpool_list *link = buffers->prev; link != buffers;
	     link = link->prev)
		watch->listed[watch->nr_listed++] =
			(int)(ttmpool_list_entry(link, struct item, be.lru) -
			      w->items);
	for (int i = 0; i < NR_BUFFERS; i++) {
		watch->was[i] = w->items[i].be.tt.state;
		watch->stored[i] = w->items[i].be.pages_stored;
	}
}

/* A buffer that was stripped in vain is mapped again, unless other chunks of its batch
 * hold its addresses, and no others are left. */
static void check_gain(struct world *w, int i)
{
	const struct ttmpool_backend *be = &w->items[i].be;
	bool back = !w->config.swiotlb_force &&
		    !(w->config.iova_bytes && holds_addresses(w));

	if (!w->disturbed && back && w->watch.was[i] == TTMPOOL_TT_POPULATED &&
	    be->tt.state == TTMPOOL_TT_PARTIAL && !be->pages_stored)
		w->wrong = "a buffer was stripped for nothing";
}

static void check_look(struct world *w)
{
	if (!w->disturbed && w->watch.full && touches(w) != w->watch.touches)
		w->wrong = "a round in vain has touched pages";
}

/* Is it the oldest buffer now? */
static bool is_oldest(struct world *w, const struct ttmpool_backend *be)
{
	return w->mgr.lru.buffers.prev == &be->lru;
}

/* Is a buffer of which a part went where it belongs? It is the next, or, if the store failed it,
 * the newest. */
static bool half_is_in_place(struct world *w, const struct ttmpool_backend *be)
{
	return is_oldest(w, be) || w->mgr.lru.buffers.next == &be->lru;
}

static void check_order(struct world *w)
{
	const struct watch *watch = &w->watch;
	bool here = false; /* an older buffer still has pages */
	int halves = 0;

	for (int i = 0; i < watch->nr_listed; i++) {
		int n = watch->listed[i];
		const struct ttmpool_backend *be = &w->items[n].be;
		bool went = be->pages_stored > watch->stored[n];

		/* A buffer that cannot be stored is passed over, and so is one for which
		 * no store could be made, because the error may be its own. */
		if (has_poison(w, &w->items[n]) || (w->disturbed && !be->store))
			continue;
		if (went && here)
			w->wrong = "a buffer went before an older one";
		if (went && be->tt.state == TTMPOOL_TT_PARTIAL) {
			halves++;
			if (!half_is_in_place(w, be))
				w->wrong = "half a buffer is not the next";
		}
		here |= be->tt.state != TTMPOOL_TT_SWAPPED;
	}
	if (halves > 1)
		w->wrong = "one round left two buffers half way";
}

void check_swapper(struct world *w)
{
	for (int i = 0; i < NR_BUFFERS; i++)
		check_gain(w, i);
	if (w->watch.one_round)
		check_look(w);
	if (w->watch.one_round && shrinks(w) == w->watch.shrinks)
		check_order(w);
	if (asked_in_vain)
		w->wrong = "who has no pages was asked for some";
}
