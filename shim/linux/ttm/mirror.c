// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For TTM's own tests. They find out whether there are free pages of a kind from the list of
 * that kind in struct ttm_pool. That list has no pages here, but it has an entry exactly if
 * there are such pages. It is updated whenever a buffer came or went, which is when the
 * tests look at it.
 *
 *     caching[c].orders[o].pages <---> shrinker_list    some are pooled
 *     caching[c].orders[o].pages                        none is
 *
 * If TTM keeps the pages of a pool in lists for all devices, it does not use the lists of
 * that pool, and a test checks this. So they are not used here either.
 *
 * The very last shrinker_list has another use (pool.c). There are no pages of orders that
 * the library does not have.
 */

#include <linux/list.h>
#include <linux/mm.h>

#include <ttmpool/pool.h>

#include "ttm_drop_in.h"

#define ALL_KINDS (TTM_NUM_CACHING_TYPES * TTM_NR_ORDERS)
#define KINDS     (ALL_KINDS - 1)

static bool has_lists(const struct ttm_pool *pool)
{
	return ttm_pool_uses_dma_alloc(pool) || pool->nid != NUMA_NO_NODE;
}

static struct ttm_pool_type *kind_of(struct ttm_pool *pool, int kind)
{
	return &pool->caching[kind / TTM_NR_ORDERS]
			.orders[kind % TTM_NR_ORDERS];
}

void ttmpool_ttm_mirror_init(struct ttm_pool *pool)
{
	if (!has_lists(pool))
		return;
	for (int kind = 0; kind < ALL_KINDS; kind++) {
		struct ttm_pool_type *pt = kind_of(pool, kind);

		pt->pool = pool;
		pt->caching = kind / TTM_NR_ORDERS;
		pt->order = kind % TTM_NR_ORDERS;
		INIT_LIST_HEAD(&pt->pages);
		if (kind < KINDS)
			INIT_LIST_HEAD(&pt->shrinker_list);
	}
}

void ttmpool_ttm_mirror(struct ttm_pool *pool)
{
	struct ttmpool_pool *ours = ttmpool_ttm_pool(pool);
	enum ttmpool_source source = ttm_pool_uses_dma_alloc(pool)
					     ? TTMPOOL_COHERENT
					     : TTMPOOL_PLAIN;

	if (!has_lists(pool))
		return;
	for (int kind = 0; kind < KINDS; kind++) {
		struct ttm_pool_type *pt = kind_of(pool, kind);

		list_del_init(&pt->shrinker_list);
		if (ttmpool_pool_count(ours, source, (int)pt->caching,
				       pt->order))
			list_add(&pt->shrinker_list, &pt->pages);
	}
}
