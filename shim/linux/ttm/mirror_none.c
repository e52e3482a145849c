// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Nobody reads TTM's lists but its own tests, and they are not here. */

#include "ttm_drop_in.h"

void ttmpool_ttm_mirror_init(struct ttm_pool *pool)
{
}

void ttmpool_ttm_mirror(struct ttm_pool *pool)
{
}
