// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Kernels in which TTM itself does not move contents of buffers, except by
 * ttm_tt_swapout().
 */

#include <linux/bug.h>

#include <drm/ttm/ttm_tt.h>

#include <ttmpool/pool.h>

#include "ttm_drop_in.h"

bool ttmpool_ttm_is_backed_up(const struct ttm_tt *tt)
{
	return false;
}

void ttmpool_ttm_give(struct ttmpool_pool *ours, struct ttm_tt *tt, u32 ticket)
{
	WARN_ON(ttmpool_pool_give_ticket(ours, tt->pages, tt->num_pages,
					 (int)tt->caching, ticket));
}

void ttmpool_ttm_backup_init(void)
{
}
