// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Planted, and built as two objects that need each other: THIS calls OTHER. */
#include <ttmpool/pool.h>

int THIS(struct ttmpool_pool *pool);
int OTHER(struct ttmpool_pool *pool);

int THIS(struct ttmpool_pool *pool)
{
	return OTHER(pool);
}
