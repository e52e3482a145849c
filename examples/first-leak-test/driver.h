/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef DRIVER_H
#define DRIVER_H

#include <ttmpool/ttmpool.h>

/** driver_draw() - draw a frame for @client, in a buffer of 64 pages. */
int driver_draw(struct ttmpool_pool *pool, struct ttmpool_owner *client);

/** driver_copy() - copy a frame, from one buffer of 64 pages to another. */
int driver_copy(struct ttmpool_pool *pool, struct ttmpool_owner *client);

#endif
