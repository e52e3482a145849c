// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The port that ./dev bench times is a port like any other: its buffers have zeroed pages
 * and addresses, and all pages come back. Compiled against that port.
 */

#include <stdio.h>

#include "native.h"

#define PAGES 600

static tpos_page_t *pages[PAGES];
static tpos_dma_addr_t addresses[PAGES];

/* Are all pages there, zero, and at different addresses? */
static bool is_good(struct native_system *system)
{
	for (size_t i = 0; i < PAGES; i++) {
		const char *bytes = native_bytes(system, pages[i]);

		for (size_t j = 0; j < 1u << NATIVE_PAGE_SHIFT; j++)
			if (bytes[j])
				return false;
		if (i && addresses[i] == addresses[i - 1])
			return false;
	}
	return true;
}

int main(void)
{
	struct native_system *system = native_open(4 * PAGES);
	struct ttmpool_manager_config mgr_config = { system, TTMPOOL_NO_LIMIT,
						     PAGES };
	struct ttmpool_pool_config config = { .name = "native",
					      .node = TTMPOOL_NODE_ANY };
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = PAGES };
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	bool good = true;

	if (!system || ttmpool_manager_init(&mgr, &mgr_config))
		return 1;
	config.dev = native_device(system);
	if (ttmpool_pool_init(&pool, &mgr, &config))
		return 1;
	for (int i = 0; i < 2; i++) {
		if (ttmpool_pool_take(&pool, &req, pages, addresses))
			return 1;
		good &= is_good(system);
		native_bytes(system, pages[7])[11] = 13;
		good &= !ttmpool_pool_give(&pool, pages, PAGES, req.caching);
	}
	good &= !ttmpool_pool_fini(&pool);
	good &= !ttmpool_manager_fini(&mgr);
	native_close(system);
	puts(good ? "native: good" : "native: BAD");
	return !good;
}
