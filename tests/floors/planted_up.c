// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Planted: a file of the pool floor that calls up. */
#include <ttmpool/backend.h>

int ttmpool_planted_up(struct ttmpool_backend *be);

int ttmpool_planted_up(struct ttmpool_backend *be)
{
	return ttmpool_populate(be);
}
