// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scrubbing: pooled pages are cleared before they are wanted.
 *
 * A chunk that comes back is dirty. It could be cleared then, which makes the
 * giver wait and is wasted if the pages leave for the system; or when it is
 * handed out, which makes the taker wait. With policy.scrub a worker does it in
 * between. Oldest first: the newest are the likeliest to leave again at once,
 * and they are cleared by whoever takes them, still warm in its cache.
 */

#include "internal.h"

/* One batch of the worker: 2 MiB of small pages, cleared with one fence. */
#define SCRUB_PAGES 512

size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages)
{
	struct ttmpool_list picked;
	size_t got;

	ttmpool_list_init(&picked);
	tpos_spin_lock(&pool->lock);
	got = bins_pick_oldest(pool, TTMPOOL_CHUNK_CLEAN, 0, pages, &picked);
	tpos_spin_unlock(&pool->lock);
	if (got) {
		chunks_clear(pool, &picked);
		bins_park(pool, &picked, PARK_SCRUBBED);
	}
	return got;
}

void pool_scrub_work(struct tpos_work *work)
{
	struct ttmpool_pool *pool =
		ttmpool_list_entry(work, struct ttmpool_pool, scrub_work);

	while (ttmpool_pool_scrub(pool, SCRUB_PAGES))
		tpos_cond_resched();
}
