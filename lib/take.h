/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/* A populate under way: what gather.c finds and take.c prepares. */

#include "internal.h"

/**
 * struct take - one populate
 * @pool: of this pool
 * @req: what is needed; its num_pages counts what is still to be found
 * @max_order: the largest order that may be used
 * @map: whether the chunks must be mapped
 * @fresh: ask the system alone, not the bins
 * @clock: the pool's, when it began
 * @remapped: pooled chunks that had lost their mapping
 * @got: what was found, by falling order
 */
struct take {
	struct ttmpool_pool *pool;
	struct ttmpool_request req;
	unsigned int max_order;
	bool map;
	bool fresh;
	uint32_t clock;
	size_t remapped;
	struct ttmpool_list got;
};

/* Find all pages, zeroed. What was found before an error stays in take->got. */
int take_find(struct take *take);

/* refill.c: spare chunks that are converted along with those of a populate. */
void refill_make(struct take *take, struct ttmpool_list *spare);
void refill_park(struct take *take, struct ttmpool_list *spare);
