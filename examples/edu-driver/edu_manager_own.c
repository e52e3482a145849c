// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A manager of the driver's own, for a build that embeds the library. */

#include <linux/mm.h>

#include "edu.h"

#include <ttmpool_system.h>

static struct ttmpool_system edu_system = { .name = "edu" };
static struct ttmpool_manager own;

int edu_manager_start(void)
{
	struct ttmpool_manager_config config = {
		.system = &edu_system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = totalram_pages() / 2,
	};

	return ttmpool_manager_init(&own, &config);
}

struct ttmpool_manager *edu_manager(void)
{
	return &own;
}

void edu_manager_end(void)
{
	WARN_ON(ttmpool_manager_fini(&own));
}
