// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A driver that draws and copies frames. WITH_BUG: it forgets to give one back. */

#include "driver.h"

#define FRAME 64

struct frame {
	tpos_page_t *pages[FRAME];
	tpos_dma_addr_t addr[FRAME];
};

static int frame_take(struct ttmpool_pool *pool, struct ttmpool_owner *client,
		      struct frame *frame)
{
	const struct ttmpool_request req = {
		.caching = TTMPOOL_WRITE_COMBINED,
		.num_pages = FRAME,
		.owner = client,
	};

	return ttmpool_pool_take(pool, &req, frame->pages, frame->addr);
}

static int frame_give(struct ttmpool_pool *pool, struct frame *frame)
{
	return ttmpool_pool_give(pool, frame->pages, FRAME,
				 TTMPOOL_WRITE_COMBINED);
}

int driver_draw(struct ttmpool_pool *pool, struct ttmpool_owner *client)
{
	struct frame frame;
	int err = frame_take(pool, client, &frame);

	return err ? err : frame_give(pool, &frame);
}

int driver_copy(struct ttmpool_pool *pool, struct ttmpool_owner *client)
{
	struct frame from, to;
	int err = frame_take(pool, client, &from);

	if (err)
		return err;
	err = frame_take(pool, client, &to);
	if (err)
		goto give_from;
	err = frame_give(pool, &to);
#ifdef WITH_BUG
	return err;
#endif
give_from:
	frame_give(pool, &from);
	return err;
}
