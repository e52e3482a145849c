// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A program that ignores whether its manager has ended: the compiler warns. */

#include <ttmpool/ttmpool.h>

void ignores(struct ttmpool_manager *mgr);

void ignores(struct ttmpool_manager *mgr)
{
	ttmpool_manager_fini(mgr);
}
