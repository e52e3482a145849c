// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For TTM's own tests, where TTM keeps its pages in a list for each node. The tests ask for
 * the length of the list of a kind in struct ttm_pool. That list has no pages here, but its
 * length is 1 if there are any of that kind, and 0 if there are none. It is updated whenever
 * a buffer came or went, which is when the tests look at it.
 *
 *     caching[c].orders[o].pages ---> some     for each node, one entry or
 *                                ---> none     none; nobody looks for the entry
 *
 * TTM has such lists only for pages of the DMA API. There are no pages of orders that the
 * library does not have.
 */

#include <linux/list_lru.h>
#include <linux/nodemask.h>

#include <ttmpool/pool.h>

#include "ttm_drop_in.h"

#define KINDS (TTM_NUM_CACHING_TYPES * TTM_NR_ORDERS)

/* An entry on one node is enough. */
static struct list_lru_node some[MAX_NUMNODES] = {
	[0].nr_items = ATOMIC_LONG_INIT(1)
};
static struct list_lru_node none[MAX_NUMNODES];

static struct ttm_pool_type *kind_of(struct ttm_pool *pool, int kind)
{
	return &pool->caching[kind / TTM_NR_ORDERS]
			.orders[kind % TTM_NR_ORDERS];
}

void ttmpool_ttm_mirror_init(struct ttm_pool *pool)
{
	for (int kind = 0; kind < KINDS; kind++) {
		struct ttm_pool_type *pt = kind_of(pool, kind);

		pt->pool = pool;
		pt->caching = kind / TTM_NR_ORDERS;
		pt->order = kind % TTM_NR_ORDERS;
		pt->pages = (struct list_lru){ .node = none };
	}
}

void ttmpool_ttm_mirror(struct ttm_pool *pool)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);

	if (!ttm_pool_uses_dma_alloc(pool))
		return;
	for (int kind = 0; kind < KINDS; kind++)
		kind_of(pool, kind)->pages.node =
			ttmpool_pool_count(ours, TTMPOOL_COHERENT,
					   kind / TTM_NR_ORDERS,
					   kind % TTM_NR_ORDERS)
				? some
				: none;
}
