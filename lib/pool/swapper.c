// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The way up: how the pools reach the buffers that could be swapped out.
 *
 *     lib/buffer   round.c: chooses the buffer      sets mgr->swapper once
 *         ^
 *         |  count, swapout
 *         |
 *     lib/pool     room.c, manager.c: a budget or the system is short of pages
 *
 * If there are no buffers, there is no swapper, and it gives no pages.
 */

#include "pool_internal.h"

static const struct ttmpool_swapper *swapper_of(struct ttmpool_manager *mgr)
{
	const struct ttmpool_swapper *swapper;

	tpos_spin_lock(&mgr->lock);
	swapper = mgr->swapper;
	tpos_spin_unlock(&mgr->lock);
	return swapper;
}

unsigned long ttmpool_swapper_count(struct ttmpool_manager *mgr)
{
	const struct ttmpool_swapper *swapper = swapper_of(mgr);

	return swapper ? swapper->count(mgr) : 0;
}

unsigned long ttmpool_swapper_count_idle(struct ttmpool_manager *mgr)
{
	const struct ttmpool_swapper *swapper = swapper_of(mgr);

	return swapper ? swapper->count_idle(mgr) : 0;
}

unsigned long ttmpool_swapper_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages,
				      struct ttmpool_ask *ask)
{
	const struct ttmpool_swapper *swapper = swapper_of(mgr);

	tpos_assert(pages);
	return swapper ? swapper->swapout(mgr, pages, ask) : 0;
}

bool ttmpool_swapper_is_valid(struct ttmpool_manager *mgr)
{
	const struct ttmpool_swapper *swapper = swapper_of(mgr);

	return swapper ? swapper->is_valid(mgr) : !pages_of(&mgr->lru.pages);
}
