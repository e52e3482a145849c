// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Address spaces: all pools of a manager for one device share one.
 *
 *     mgr->spaces   [device A: 2 pools]  [device B: 1 pool]
 *
 * The addresses are the device's, whichever pool has mapped something. So mappings that one
 * of its pools only keeps end when another one needs addresses, and addresses that one pool
 * gives back wake those that wait in another. Such a space has no limit: a driver that
 * wants one has a struct ttmpool_iova of its own, and its pools share that instead.
 */

#include "pool_internal.h"

/**
 * struct space - the addresses of one device
 * @link: in the manager's list of spaces; under its reclaim mutex
 * @dev: the device
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

/* Adds a new pool to the space of its device; the first pool of a device makes the space.
 * Returns 0; or -ENOMEM, and then nothing has changed. */
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

/* Removes a pool, of which nothing is mapped any more, from the space that it has joined. */
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
