/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef ARM_TT_H
#define ARM_TT_H

#include "race.h"

struct ttm_operation_ctx;
struct ttm_pool;
struct ttm_tt;

/* A buffer as a TTM driver has it: the same for both pools. */
int tt_order(struct buffer *buffer);
struct page **tt_pages(struct buffer *buffer);
void tt_dispose(struct buffer *buffer);

/* The pool of an arm that is open. */
struct ttm_pool *arm_ttm_pool(void);
struct ttm_pool *arm_dropin_pool(void);

#endif
