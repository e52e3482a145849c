// SPDX-License-Identifier: GPL-2.0 OR MIT
/* A driver's buffer: TTM's struct ttm_tt, with as much of a buffer object as its
 * initialisation reads. Its pages are cleared, as for userspace. */

#include <linux/slab.h>

#include <drm/ttm/ttm_tt.h>

#include "arm_tt.h"

int tt_order(struct buffer *buffer)
{
	struct ttm_buffer_object *bo = kzalloc(sizeof(*bo), GFP_KERNEL);
	struct ttm_tt *tt = kzalloc(sizeof(*tt), GFP_KERNEL);
	int err = -ENOMEM;

	if (bo && tt) {
		bo->base.size = buffer->pages << PAGE_SHIFT;
		err = ttm_sg_tt_init(tt, bo, TTM_TT_FLAG_ZERO_ALLOC,
				     (int)buffer->caching);
	}
	kfree(bo);
	if (err) {
		kfree(tt);
		return err;
	}
	buffer->arm = tt;
	return 0;
}

struct page **tt_pages(struct buffer *buffer)
{
	const struct ttm_tt *tt = buffer->arm;

	return tt->pages;
}

void tt_dispose(struct buffer *buffer)
{
	struct ttm_tt *tt = buffer->arm;

	ttm_tt_fini(tt);
	kfree(tt);
}
