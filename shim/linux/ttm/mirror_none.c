// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Only TTM's own tests read its lists, and this kernel is built without them. */

#include "ttm_drop_in.h"

void ttmpool_ttm_mirror_init(struct ttm_pool *pool)
{
}

void ttmpool_ttm_mirror(struct ttm_pool *pool)
{
}
