// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Kernels in which TTM's own pool has one limit for the whole machine, as the
 * library does.
 */

#include "ttm_drop_in.h"

void ttmpool_ttm_trim_node(const struct ttm_pool *pool)
{
}
