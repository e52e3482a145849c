// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The manager of ttmpool.ko, which all drivers share. */

#include "edu.h"

#include <ttmpool_module.h>

int edu_manager_start(void)
{
	return 0;
}

struct ttmpool_manager *edu_manager(void)
{
	return ttmpool_module_manager();
}

void edu_manager_end(void)
{
}
