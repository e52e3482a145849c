// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scrubbing: pooled pages are cleared before they are wanted.
 *
 * A chunk that comes back is dirty. It could be cleared then, which makes the
 * giver wait and is wasted if the pages leave for the system; or when it is
 * handed out, which makes the taker wait. With policy.scrub a worker does it in
 * between. Oldest first: the newest are the likeliest to leave again at once,
 * and they are cleared by whoever takes them, still warm in its cache.
 *
 *     bins  --- oldest dirty ones --->  batch, cleared under pool->scrub
 *           <------- clean -----------
 *
 * A batch is in no bin, but it counts as pooled: limits and the shrinker know
 * of it. Who reclaims and finds too little in the bins waits for it.
 */

#include "pool_internal.h"

/* One batch: 2 MiB of small pages, cleared with one fence. */
#define SCRUB_PAGES 512

/* Clear about so many pages, or one batch; how many were dirty? */
static size_t scrub_batch(struct ttmpool_pool *pool, size_t pages)
{
	struct ttmpool_list picked;
	size_t got;

	if (pages > SCRUB_PAGES)
		pages = SCRUB_PAGES;
	ttmpool_list_init(&picked);
	tpos_mutex_lock(&pool->scrub);
	tpos_spin_lock(&pool->lock);
	got = ttmpool_bins_pick_oldest(pool, TTMPOOL_CHUNK_CLEAN, 0, pages,
				       &picked);
	pool->scrubbing = got;
	tpos_spin_unlock(&pool->lock);
	if (got) {
		ttmpool_chunks_clear(pool, &picked);
		tpos_spin_lock(&pool->lock);
		pool->scrubbing = false;
		ttmpool_bins_place(pool, &picked, PARK_SCRUBBED);
		tpos_spin_unlock(&pool->lock);
	}
	tpos_mutex_unlock(&pool->scrub);
	return got;
}

/* Wait until what is being cleared is back in its bins. */
void ttmpool_pool_await_scrub(struct ttmpool_pool *pool)
{
	tpos_mutex_lock(&pool->scrub);
	tpos_mutex_unlock(&pool->scrub);
}

size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages)
{
	size_t got, done = 0;

	do {
		got = scrub_batch(pool, pages - done);
		done += got;
		tpos_cond_resched();
	} while (got && done < pages);
	return done;
}

void ttmpool_pool_scrub_work(struct tpos_work *work)
{
	ttmpool_pool_scrub(
		ttmpool_list_entry(work, struct ttmpool_pool, scrub_work),
		(size_t)-1);
}
