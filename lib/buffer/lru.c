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

#include "buffer_internal.h"

/* So many locks are tried before the list's own is let go for others. */
#define TRY_RUN 64

void ttmpool_lru_touch(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->swappable)
		return;
	tpos_spin_lock(&mgr->lock);
	ttmpool_list_del(&be->lru);
	ttmpool_list_add(&be->lru, &mgr->lru.buffers);
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
	busy = mgr->lru.victim == be;
	tpos_spin_unlock(&mgr->lock);
	if (busy) {
		tpos_mutex_lock(&mgr->lru.mutex);
		tpos_mutex_unlock(&mgr->lru.mutex);
	}
	be->swappable = false;
	ttmpool_backend_count_swappable(be);
}

/*
 * Look at some buffers, oldest first, until one can be locked. Returns whether
 * the round is not over yet; mgr->lru.victim is what was locked, or NULL.
 */
static bool lru_try(struct ttmpool_manager *mgr)
{
	bool more = true;

	tpos_spin_lock(&mgr->lock);
	for (int i = 0; i < TRY_RUN && !mgr->lru.victim; i++) {
		struct ttmpool_backend *be = ttmpool_list_entry(
			mgr->lru.buffers.prev, struct ttmpool_backend, lru);

		more = !ttmpool_list_empty(&mgr->lru.buffers) &&
		       be->lru_round != mgr->lru.round;
		if (!more)
			break;
		be->lru_round = mgr->lru.round;
		ttmpool_list_del(&be->lru);
		ttmpool_list_add(&be->lru, &mgr->lru.buffers);
		if (be->funcs->trylock(be))
			mgr->lru.victim = be;
	}
	tpos_spin_unlock(&mgr->lock);
	return more;
}

/* Swap out the buffer that was locked; return how many pages left. */
static unsigned long lru_swapout(struct ttmpool_manager *mgr,
				 unsigned long pages)
{
	struct ttmpool_backend *be = mgr->lru.victim;
	size_t had = be->pages_stored;
	size_t got;

	ttmpool_swapout(be, pages);
	got = be->pages_stored - had;
	be->funcs->unlock(be);
	tpos_spin_lock(&mgr->lock);
	mgr->lru.victim = NULL;
	tpos_spin_unlock(&mgr->lock);
	return (unsigned long)got;
}

/* One round. The swap mutex is held. */
static unsigned long lru_round(struct ttmpool_manager *mgr, unsigned long pages)
{
	unsigned long got = 0;

	tpos_mutex_assert_held(&mgr->lru.mutex);
	tpos_spin_lock(&mgr->lock);
	mgr->lru.round++;
	tpos_spin_unlock(&mgr->lock);
	while (got < pages && lru_try(mgr)) {
		if (mgr->lru.victim)
			got += lru_swapout(mgr, pages - got);
		tpos_cond_resched();
	}
	return got;
}

/* @wait: until another swap-out has ended; the shrinker does not. */
static unsigned long lru_ask(struct ttmpool_manager *mgr, unsigned long pages,
			     bool wait)
{
	unsigned long got;

	if (wait)
		tpos_mutex_lock(&mgr->lru.mutex);
	else if (!tpos_mutex_trylock(&mgr->lru.mutex))
		return 0;
	got = lru_round(mgr, pages);
	tpos_mutex_unlock(&mgr->lru.mutex);
	return got;
}

unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages)
{
	return lru_ask(mgr, pages, true);
}

static unsigned long lru_count(struct ttmpool_manager *mgr)
{
	return pages_of(&mgr->lru.pages);
}

/* Has the list as many pages as are counted? */
static bool lru_is_valid(struct ttmpool_manager *mgr)
{
	struct ttmpool_list *link;
	unsigned long pages = 0;

	tpos_spin_lock(&mgr->lock);
	ttmpool_list_for_each(link, &mgr->lru.buffers)
		pages += ttmpool_list_entry(link, struct ttmpool_backend, lru)
				 ->lru_pages;
	tpos_spin_unlock(&mgr->lock);
	return pages == lru_count(mgr);
}

static const struct ttmpool_swapper lru_swapper = {
	.count = lru_count,
	.swapout = lru_ask,
	.is_valid = lru_is_valid,
};

int ttmpool_lru_add(struct ttmpool_backend *be)
{
	struct ttmpool_manager *mgr = be->pool->mgr;

	if (!be->funcs->movable || !be->funcs->trylock)
		return -EOPNOTSUPP;
	if (be->swappable)
		return -EBUSY;
	be->swappable = true;
	tpos_spin_lock(&mgr->lock);
	mgr->swapper = &lru_swapper;
	be->lru_round = mgr->lru.round;
	ttmpool_list_add(&be->lru, &mgr->lru.buffers);
	tpos_spin_unlock(&mgr->lock);
	ttmpool_backend_count_swappable(be);
	return 0;
}
