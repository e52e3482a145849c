// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces: all pools of a manager for one device share one.
 *
 *     mgr->spaces   [device A: 2 pools]  [device B: 1 pool]
 *
 * The addresses are the device's, whichever pool has mapped something. So what one of
 * its pools only keeps mapped goes for what another one wants, and what one brings
 * back wakes those who wait in another. This one has no limit: a driver that wants one
 * has a struct ttmpool_iova of its own, and its pools share that instead.
 */

#include "pool_internal.h"

/**
 * struct space - the addresses of one device
 * @link: among those of the manager; under its reclaim mutex
 * @dev: whose they are
 * @iova: what is mapped of them
 */
struct space {
	struct ttmpool_list link;
	tpos_device_t *dev;
	struct ttmpool_iova iova;
};

static struct space *space_of(struct ttmpool_iova *iova)
{
	return ttmpool_list_entry(iova, struct space, iova);
}

static struct space *space_find(struct ttmpool_manager *mgr, tpos_device_t *dev)
{
	struct ttmpool_list *link;

	tpos_assert_held(&mgr->reclaim);
	ttmpool_list_for_each(link, &mgr->spaces) {
		struct space *space =
			ttmpool_list_entry(link, struct space, link);

		if (space->dev == dev)
			return space;
	}
	return NULL;
}

static void space_end(struct ttmpool_manager *mgr, struct space *space)
{
	ttmpool_iova_fini(&space->iova);
	tpos_free(mgr->system, space);
}

/* A pool comes: it shares what its device has, or is the first. -ENOMEM, and nothing
 * has changed. */
int ttmpool_space_join(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;
	struct space *space, *fresh;

	tpos_assert(!pool->iova);
	fresh = tpos_zalloc(mgr->system, sizeof(*fresh));
	if (!fresh)
		return -ENOMEM;
	fresh->dev = pool->dev;
	ttmpool_iova_init(&fresh->iova, 0, 0);
	tpos_mutex_lock(&mgr->reclaim);
	space = space_find(mgr, pool->dev);
	if (!space) {
		space = fresh;
		ttmpool_list_add_tail(&space->link, &mgr->spaces);
	}
	tpos_atomic_add_return(1, &space->iova.pools);
	tpos_mutex_unlock(&mgr->reclaim);
	if (space != fresh)
		space_end(mgr, fresh);
	pool->iova = &space->iova;
	return 0;
}

/* A pool that has joined goes, and has nothing mapped any more. */
void ttmpool_space_leave(struct ttmpool_pool *pool)
{
	struct ttmpool_manager *mgr = pool->mgr;
	struct space *space = space_of(pool->iova);
	long left;

	tpos_assert(space->dev == pool->dev);
	tpos_mutex_lock(&mgr->reclaim);
	left = tpos_atomic_add_return(-1, &space->iova.pools);
	if (!left)
		ttmpool_list_del(&space->link);
	tpos_mutex_unlock(&mgr->reclaim);
	tpos_assert(left >= 0);
	if (!left)
		space_end(mgr, space);
}
