// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Functions of the pool floor with a trace event each. lib/ does not know about tracing. So
 * its own functions have other names here (ttmpool.mk passes them to the compiler, for
 * declaration and definition alike), and the functions below wrap them:
 *
 *     a driver --> ttmpool_populate()            traced_buffer.c: call, then event
 *                  `-> ttmpool_untraced_populate() lib/buffer/backend.c
 *                      `-> ttmpool_pool_take()   here: the same
 *                          `-> ttmpool_untraced_take()        lib/pool/arrays.c
 *
 * The event comes when the function has ended, with its return value. The events before it
 * show what the function cost.
 */

#include <ttmpool/pool.h>

#include "ttmpool_trace.h"

int ttmpool_untraced_take(struct ttmpool_pool *pool,
			  const struct ttmpool_request *req,
			  struct page **pages, dma_addr_t *dma_addr);
int ttmpool_untraced_give_ticket(struct ttmpool_pool *pool,
				 struct page *const *pages, size_t num_pages,
				 enum ttmpool_caching caching, u32 ticket);

int ttmpool_pool_take(struct ttmpool_pool *pool,
		      const struct ttmpool_request *req, struct page **pages,
		      dma_addr_t *dma_addr)
{
	int err = ttmpool_untraced_take(pool, req, pages, dma_addr);

	trace_ttmpool_take(pool->dev, req->num_pages, req->caching, err);
	return err;
}

int ttmpool_pool_give(struct ttmpool_pool *pool, struct page *const *pages,
		      size_t num_pages, enum ttmpool_caching caching)
{
	return ttmpool_pool_give_ticket(pool, pages, num_pages, caching, 0);
}

int ttmpool_pool_give_ticket(struct ttmpool_pool *pool,
			     struct page *const *pages, size_t num_pages,
			     enum ttmpool_caching caching, u32 ticket)
{
	int err = ttmpool_untraced_give_ticket(pool, pages, num_pages, caching,
					       ticket);

	trace_ttmpool_give(pool->dev, num_pages, caching, err);
	return err;
}
