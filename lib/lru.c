// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The swapper: which buffer goes when others need its pages.
 *
 * The manager has a list of the buffers that may be swapped out, newest first.
 * A round begins at the oldest. Whoever is looked at becomes the newest: if its
 * lock cannot be had it is in use, if it is bound it is in use, and if it has
 * been swapped out the next round need not look at it before all others. So a
 * round is one walk, and never looks twice.
 *
 *     newest  f e d c b a  oldest
 *             a f e d c b          a is busy
 *             b a f e d c          b went; enough
 *
 * The lock of a buffer is the driver's, and only ever tried: a thread that
 * waits for memory may hold it. The swap mutex is held while a buffer is moved,
 * and is what a driver waits for that wants to destroy the very buffer
 * (ttmpool_lru_remove()); the shrinker does not wait for it.
 */

#include "internal.h"

/* So many locks are tried before the list's own is let go for others. */
#define TRY_RUN 64

int ttmpool_lru_add(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->funcs->movable || !be->funcs->trylock)
		return -EOPNOTSUPP;
	if (be->swappable)
		return -EBUSY;
	be->swappable = true;
	tpos_spin_lock(&mgr->lock);
	be->lru_round = mgr->lru_round;
	ttmpool_list_add(&be->lru, &mgr->lru);
	tpos_spin_unlock(&mgr->lock);
	backend_count_swappable(be);
	return 0;
}

void ttmpool_lru_touch(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->swappable)
		return;
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &mgr->lru);
	tpos_spin_unlock(&mgr->lock);
}

void ttmpool_lru_remove(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;
	bool busy;

	if (!be->swappable)
		return;
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&be->lru);
	busy = mgr->victim == be;
	tpos_spin_unlock(&mgr->lock);
	if (busy) {
		tpos_mutex_lock(&mgr->swap);
		tpos_mutex_unlock(&mgr->swap);
	}
	be->swappable = false;
	backend_count_swappable(be);
}

/*
 * Look at some buffers, oldest first, until one can be locked. Returns whether
 * the round is not over yet; mgr->victim is what was locked, or NULL.
 */
static bool lru_try(struct ttmpool_manager *mgr)
{
	bool more = true;

	tpos_spin_lock(&mgr->lock);
	for (int i = 0; i < TRY_RUN && !mgr->victim; i++) {
		struct ttmpool_backend *be = ttmpool_list_entry(
			mgr->lru.prev, struct ttmpool_backend, lru);

		more = !ttmpool_list_empty(&mgr->lru) &&
		       be->lru_round != mgr->lru_round;
		if (!more)
			break;
		be->lru_round = mgr->lru_round;
		ttmpool_list_del(&be->lru);
		ttmpool_list_add(&be->lru, &mgr->lru);
		if (be->funcs->trylock(be))
			mgr->victim = be;
	}
	tpos_spin_unlock(&mgr->lock);
	return more;
}

/* Swap out the buffer that was locked; return how many pages left. */
static unsigned long lru_swapout(struct ttmpool_manager *mgr,
				 unsigned long pages)
{
	struct ttmpool_backend *be = mgr->victim;
	size_t had = be->pages_stored;
	size_t got;

	ttmpool_swapout(be, pages);
	got = be->pages_stored - had;
	be->funcs->unlock(be);
	tpos_spin_lock(&mgr->lock);
	mgr->victim = NULL;
	tpos_spin_unlock(&mgr->lock);
	return (unsigned long)got;
}

/* One round. The swap mutex is held. */
static unsigned long lru_round(struct ttmpool_manager *mgr, unsigned long pages)
{
	unsigned long got = 0;

	tpos_mutex_assert_held(&mgr->swap);
	tpos_spin_lock(&mgr->lock);
	mgr->lru_round++;
	tpos_spin_unlock(&mgr->lock);
	while (got < pages && lru_try(mgr)) {
		if (mgr->victim)
			got += lru_swapout(mgr, pages - got);
		tpos_cond_resched();
	}
	return got;
}

unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	unsigned long got;

	tpos_mutex_lock(&mgr->swap);
	got = lru_round(mgr, pages);
	tpos_mutex_unlock(&mgr->swap);
	return got;
}

/* For the shrinker: it does not wait. */
unsigned long manager_try_swapout(struct ttmpool_manager *mgr,
				  unsigned long pages)
{
	unsigned long got;

	if (!tpos_mutex_trylock(&mgr->swap))
		return 0;
	got = lru_round(mgr, pages);
	tpos_mutex_unlock(&mgr->swap);
	return got;
}
