// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A program with a bug: it writes to a page after it was given back. It is no test, but
 * its object: a tool that watches memory must report this line. Without a tool it exits
 * with 0, so that a blind tool is noticed.
 *
 *     touch_pooled pooled   the page is in the pool
 *     touch_pooled free     it went back to the system
 *     touch_pooled in-use   no bug: the page is the buffer's
 */

#include <stdio.h>
#include <string.h>

#include <ttmpool/pool.h>

#include "tpsim.h"

static void touch(struct tpsim_machine *machine, tpos_page_t *page)
{
	memset(tpsim_page_address(machine, page), 0xbb, 64);
}

static int play(struct tpsim_machine *machine, struct ttmpool_manager *mgr,
		const char *when)
{
	struct ttmpool_pool_config config = { .name = "touched",
					      .node = TTMPOOL_NODE_ANY };
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	struct ttmpool_pool pool;
	tpos_page_t *page;

	config.dev = tpsim_device_create(
		machine,
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY });
	if (!config.dev || ttmpool_pool_init(&pool, mgr, &config) ||
	    ttmpool_pool_take(&pool, &req, &page, NULL))
		return 1;
	if (!strcmp(when, "in-use"))
		touch(machine, page);
	if (ttmpool_pool_give(&pool, &page, 1, TTMPOOL_WRITE_COMBINED))
		return 1;
	if (!strcmp(when, "pooled"))
		touch(machine, page);
	ttmpool_pool_drain(&pool);
	if (!strcmp(when, "free"))
		touch(machine, page);
	return ttmpool_pool_fini(&pool) != 0;
}

int main(int argc, char **argv)
{
	struct tpsim_machine *machine =
		tpsim_machine_create(&(struct tpsim_config){ 0 });
	struct ttmpool_manager_config config = { .system = machine,
						 .page_budget = 1024,
						 .pool_limit = 1024 };
	struct ttmpool_manager mgr;
	int failed;

	if (argc != 2) {
		fputs("usage: touch_pooled pooled|free|in-use\n", stderr);
		return 2;
	}
	if (!machine || ttmpool_manager_init(&mgr, &config))
		return 1;
	failed = play(machine, &mgr, argv[1]);
	failed |= ttmpool_manager_fini(&mgr) != 0;
	tpsim_machine_destroy(machine);
	return failed;
}
