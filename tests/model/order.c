// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The oldest leave first: of the pages that one pool had when something was to go, none
 * has gone that was pooled later than one that is still there.
 *
 * When a page was pooled is the model's own account, in steps. It cannot have been before
 * the last step in which somebody had the page; and not after the step in which it was
 * first seen pooled, if it has been there ever since. (The library's own age of a chunk
 * says whether it has, and nothing else is believed of it, but that a request which fails
 * does not change it.)
 */

#include "world.h"

/* The chunk that begins with this page, if it is pooled. */
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

/* It is pooled: since when, at the latest? */
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

void order_after(struct world *w)
{
	uint32_t gone[NR_POOLS] = { 0 }, here[NR_POOLS];

	memset(here, 0xff, sizeof(here));
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);
		int pool = w->order.of[i] - 1;

		if (!chunk) {
			w->order.seen[i] = 0;
			if (pool >= 0 && w->owner_seen[i] > gone[pool])
				gone[pool] = w->owner_seen[i];
		} else {
			uint32_t since = seen_since(w, i, chunk);

			if (pool >= 0 && since < here[pool])
				here[pool] = since;
		}
	}
	for (int i = 0; i < NR_POOLS; i++)
		if (!w->reserve[i] && gone[i] > here[i])
			w->wrong = "a page left before an older one";
}

/* Of a request that is about to be made: how old is what is pooled? */
void order_note(struct world *w)
{
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);

		w->order.was[i] = chunk ? chunk->age : 0;
	}
}

/* It failed: what was pooled, and is, is as old as it was. */
void order_kept(struct world *w)
{
	for (size_t i = 0; i < w->config.ram_pages; i++) {
		const struct ttmpool_chunk *chunk = pooled_at(w, i);

		if (chunk && w->order.was[i] && chunk->age != w->order.was[i])
			w->wrong = "a request that failed made a page younger";
	}
}
