// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The oldest pages leave first: if a pool had to give up pages, no page has gone that was
 * pooled later than one that is still there. And of two pools, the one with the oldest
 * page gives up pages first.
 *
 * The model itself notes, in steps, when a page was pooled. That was not before the last
 * step in which the page had an owner; and not after the step in which it was first seen
 * pooled, if it has been pooled ever since. (Whether it has is judged by the library's
 * own age of a chunk. Nothing else of that age is relied on, except that a request that
 * fails does not change it.)
 */

#include "world.h"

/* Returns the chunk that begins with this page, if it is pooled. */
static const struct ttmpool_chunk *pooled_at(struct world *w, size_t i)
{
	tpos_page_t *page = tpsim_page_of_system(w->machine) + i;
	const struct ttmpool_chunk *chunk = tpos_page_chunk(w->dev[0], page);

	return chunk && chunk->state == TTMPOOL_CHUNK_POOLED ? chunk : NULL;
}

void order_before(struct world *w)
{
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);

		w->order.of[i] = 0;
		if (chunk)
			w->order.of[i] =
				(uint8_t)(1 + (chunk->pool == &w->pool[1]));
	}
}

/* Since which step, at the latest, has this page been pooled? */
static uint32_t seen_since(struct world *w, size_t i,
			   const struct ttmpool_chunk *chunk)
{
	struct order *order = &w->order;

	if (!order->seen[i] || order->age[i] != chunk->age ||
	    order->by[i] != chunk->pool || w->owner_seen[i] >= order->seen[i]) {
		order->seen[i] = w->step + 1;
		order->age[i] = chunk->age;
		order->by[i] = chunk->pool;
	}
	return order->seen[i];
}

/* Note whether a page that was pooled before the step still is, and since when it was. */
static void order_of_page(struct world *w, size_t i)
{
	const struct ttmpool_chunk *chunk = pooled_at(w, i);
	int pool = w->order.of[i] - 1;
	uint32_t since = chunk ? seen_since(w, i, chunk) : w->owner_seen[i];

	if (!chunk)
		w->order.seen[i] = 0;
	if (pool < 0)
		return;
	if (chunk) {
		if (since < w->order.pools[pool].oldest)
			w->order.pools[pool].oldest = since;
		return;
	}
	if (since > w->order.pools[pool].last_gone)
		w->order.pools[pool].last_gone = since;
	if (since < w->order.pools[pool].first_gone)
		w->order.pools[pool].first_gone = since;
}

void order_after(struct world *w)
{
	for (int i = 0; i < NR_POOLS; i++) {
		w->order.pools[i].first_gone = UINT32_MAX;
		w->order.pools[i].last_gone = 0;
		w->order.pools[i].oldest = UINT32_MAX;
	}
	for (size_t i = 0; i < w->config.ram_pages; i++)
		order_of_page(w, i);
	for (int i = 0; i < NR_POOLS; i++)
		if (!w->reserve[i] &&
		    w->order.pools[i].last_gone > w->order.pools[i].oldest)
			w->wrong = "a page left before an older one";
}

/* Called after order_after(), if all pools could give up what they have: no pool gave up
 * pages while another one, which gave up none, had a page older than all of these. */
void order_across(struct world *w)
{
	for (int i = 0; i < NR_POOLS; i++)
		for (int other = 0; other < NR_POOLS; other++)
			if (w->order.pools[i].first_gone != UINT32_MAX &&
			    w->order.pools[other].first_gone == UINT32_MAX &&
			    !w->reserve[other] &&
			    w->order.pools[i].first_gone >
				    w->order.pools[other].oldest)
				w->wrong = "a pool gave before an older one";
}

/* Before a request: note the age of all pooled chunks. */
void order_note(struct world *w)
{
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);

		w->order.was[i] = chunk ? chunk->age : 0;
	}
}

/* The request failed: chunks that were pooled before, and are now, are as old as they
 * were. */
void order_kept(struct world *w)
{
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);

		if (chunk && w->order.was[i] && chunk->age != w->order.was[i])
			w->wrong = "a request that failed made a page younger";
	}
}
