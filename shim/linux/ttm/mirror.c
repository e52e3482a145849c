// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For TTM's own tests: whether there are free pages of a kind they read from
 * the list of that kind in struct ttm_pool. It has no pages here, but an entry
 * exactly if there are any; it is brought up to date whenever a buffer came or
 * went, and that is when the tests look.
 *
 *     caching[c].orders[o].pages <---> shrinker_list    some are pooled
 *     caching[c].orders[o].pages                        none is
 *
 * TTM leaves the lists of a pool alone whose pages it keeps in lists for all
 * devices, and a test looks whether it did. So do we.
 *
 * The last shrinker_list of all has another use (pool.c). Of orders that we have not there
 * are no pages.
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
