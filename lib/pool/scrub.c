// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Scrubbing: pooled pages are cleared before they are wanted.
 *
 * A chunk that comes back is dirty. It could be cleared at once, but then the thread that
 * gives it back would wait, and in vain if the pages leave for the system. It could be
 * cleared when it is handed out, but then the thread that takes it would wait. With
 * policy.scrub a worker clears it in between, the oldest chunks first: the newest are the
 * likeliest to leave again at once, and the thread that takes them clears them while they
 * are warm in its cache.
 *
 *     bins  --- oldest dirty ones --->  batch, cleared under pool->scrub
 *           <------- clean -----------
 *
 * A batch that is being cleared is in no bin, but counts as pooled, so the limits and the
 * shrinker know of it. A thread that reclaims, and finds too little in the bins, waits for
 * it.
 */

#include "pool_internal.h"

/* One batch, cleared with one fence. */
#define SCRUB_BYTES ((uint64_t)2 << 20)

/* Clears chunks that are out of the bins, and puts them back. Chunks that the hardware has
 * poisoned go to @poisoned instead, because writing to them may do harm. Returns whether
 * there were any of these. The caller holds pool->scrub. */
static bool scrub_picked(struct ttmpool_pool *pool, struct ttmpool_list *picked,
			 struct ttmpool_list *poisoned)
{
	bool any = chunks_extract_poisoned(pool, picked, poisoned);

	tpos_mutex_assert_held(&pool->scrub);
	if (!ttmpool_list_empty(picked))
		ttmpool_chunks_clear(pool, picked);
	if (any) {
		tpos_spin_lock(&pool->lock);
		ttmpool_bins_count(pool,
				   -(long)ttmpool_chunks_count_pages(poisoned));
		tpos_spin_unlock(&pool->lock);
	}
	ttmpool_bins_return(pool, picked, PARK_SCRUBBED);
	return any;
}

/* Takes about @pages dirty pages, at most one batch, and clears them, except those of
 * poisoned chunks. Adds how many it cleared to @cleared, and returns how many it took. */
static size_t scrub_batch(struct ttmpool_pool *pool, size_t pages,
			  size_t *cleared)
{
	struct bins_want want = { .mask = TTMPOOL_CHUNK_CLEAN,
				  .pages = pages,
				  .least = (size_t)-1,
				  .room = TTMPOOL_NO_BOUND };
	const size_t most = pool_pages_of(pool, SCRUB_BYTES);
	struct ttmpool_list picked, poisoned;
	bool any = false;
	size_t got;

	if (want.pages > most)
		want.pages = most;
	ttmpool_list_init(&picked);
	tpos_mutex_lock(&pool->scrub);
	do {
		tpos_spin_lock(&pool->lock);
		got = ttmpool_bins_pick_oldest(pool, &want, &picked);
		pool->scrubbing = want.got;
		tpos_spin_unlock(&pool->lock);
	} while (got && want.got < want.pages);
	assert_deep(ttmpool_chunks_count_pages(&picked) == want.got);
	if (want.got)
		any = scrub_picked(pool, &picked, &poisoned);
	tpos_mutex_unlock(&pool->scrub);
	*cleared += want.got;
	if (any) {
		*cleared -= ttmpool_chunks_count_pages(&poisoned);
		ttmpool_chunks_release(pool, &poisoned);
	}
	return want.got;
}

/* Waits until chunks that are being cleared or divided are back in their bins. */
void ttmpool_pool_await_scrub(struct ttmpool_pool *pool)
{
	tpos_mutex_lock(&pool->scrub);
	tpos_mutex_unlock(&pool->scrub);
}

size_t ttmpool_pool_scrub(struct ttmpool_pool *pool, size_t pages)
{
	size_t got, done = 0;

	do {
		got = scrub_batch(pool, pages - done, &done);
		tpos_cond_resched();
	} while (got && done < pages);
	return done;
}

/* The worker. Chunks that are pooled after it has begun queue it again. */
void ttmpool_pool_scrub_work(struct tpos_work *work)
{
	struct ttmpool_pool *pool =
		ttmpool_list_entry(work, struct ttmpool_pool, scrub_work);

	tpos_spin_lock(&pool->lock);
	pool->scrub_asked = false;
	tpos_spin_unlock(&pool->lock);
	ttmpool_pool_scrub(pool, (size_t)-1);
}
