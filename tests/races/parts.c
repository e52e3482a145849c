// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The other threads: they take pages as runs, and chunks from magazines; one shrinks,
 * scrubs, drains and changes every limit; one reads every counter.
 */

#include <linux/kthread.h>

#include "races.h"

int race_runs(struct race *race, unsigned int nr)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 13,
				       .owner = &race->owner };
	struct ttmpool_run list[13];
	struct ttmpool_runs runs;

	while (!kthread_should_stop()) {
		if (!ttmpool_runs_take(&race->pools[0], &req, true, &runs)) {
			ttmpool_runs_fill(&runs, list, ARRAY_SIZE(list));
			if (ttmpool_runs_give(&runs))
				race_wrong("runs_give", nr);
		}
		cond_resched();
	}
	return 0;
}

int race_magazine(struct race *race, unsigned int nr)
{
	struct ttmpool_chunk *room[8], *chunks[4];
	struct ttmpool_magazine_config config = {
		.pool = &race->pools[1],
		.caching = TTMPOOL_WRITE_COMBINED,
		.order = 2,
		.mapped = true,
		.owner = &race->owner,
		.chunks = room,
		.room = ARRAY_SIZE(room),
	};
	struct ttmpool_magazine mag;

	if (ttmpool_magazine_init(&mag, &config))
		return -EINVAL;
	for (unsigned int i = 0; !kthread_should_stop(); i++) {
		size_t n = 1 + i % ARRAY_SIZE(chunks);

		if (!ttmpool_magazine_get(&mag, chunks, n) &&
		    ttmpool_magazine_put(&mag, chunks, n))
			race_wrong("magazine_put", (long)n);
		cond_resched();
	}
	ttmpool_magazine_fini(&mag);
	return 0;
}

int race_disturb(struct race *race, unsigned int nr)
{
	struct ttmpool_manager *mgr = &race->mgr;

	for (unsigned int i = 0; !kthread_should_stop(); i++) {
		struct ttmpool_pool *pool = &race->pools[i % RACE_POOLS];

		if (ttmpool_manager_shrink_count(mgr, true))
			ttmpool_manager_shrink_scan(mgr, 16, i % 2);
		ttmpool_pool_scrub(pool, 8);
		ttmpool_manager_set_pool_limit(mgr, i % 5 ? 4096 : 8);
		ttmpool_manager_set_page_budget(mgr, i % 11 ? TTMPOOL_NO_LIMIT
							    : 256);
		ttmpool_pool_reserve(pool, i % 16);
		if (i % 17 == 0)
			ttmpool_pool_drain(pool);
		if (i % 13 == 0)
			ttmpool_manager_swapout(mgr, 32);
		ttmpool_manager_purge_quarantine(mgr);
		cond_resched();
	}
	ttmpool_pool_reserve(&race->pools[0], 0);
	ttmpool_pool_reserve(&race->pools[1], 0);
	ttmpool_manager_set_page_budget(mgr, TTMPOOL_NO_LIMIT);
	return 0;
}

int race_watch(struct race *race, unsigned int nr)
{
	struct ttmpool_manager_stats all;
	struct ttmpool_pool_stats stats;

	while (!kthread_should_stop()) {
		ttmpool_manager_stats(&race->mgr, &all);
		ttmpool_owner_pages(&race->owner, TTMPOOL_MAPPED);
		ttmpool_iova_pages(&race->iova);
		for (int i = 0; i < RACE_POOLS; i++) {
			ttmpool_pool_stats(&race->pools[i], &stats);
			ttmpool_pool_count(&race->pools[i], TTMPOOL_PLAIN,
					   TTMPOOL_WRITE_COMBINED, 2);
		}
		cond_resched();
	}
	return 0;
}
