// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The end of ttm.ko, which has no other entry or exit: see manager.c. If TTM is a part of the
 * kernel, it never ends.
 */

#include <linux/module.h>

#include "ttm_drop_in.h"

static void __exit ttmpool_ttm_unload(void)
{
	ttmpool_ttm_end_manager();
}
module_exit(ttmpool_ttm_unload);
