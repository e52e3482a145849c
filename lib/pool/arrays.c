// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Arrays: the way in and out for buffers whose pages are listed one by one.
 *
 * A buffer of one chunk goes the short way, if that is open to it (single.c). All others
 * are gathered, prepared and handed out (take.c), or claimed and given (claim.c, give.c).
 */

#include "take.h"

/* Takes one chunk that lacks nothing, if there is one. Returns whether there was. */
static inline bool take_at_once(struct ttmpool_pool *pool,
				const struct ttmpool_request *req,
				tpos_page_t **pages, tpos_dma_addr_t *dma_addr)
{
	struct ttmpool_chunk *chunk = ttmpool_single_take(pool, req, dma_addr);

	if (!chunk)
		return false;
	ttmpool_chunk_fill(pool, chunk, pages, dma_addr);
	return true;
}

/* As ttmpool_pool_take(), for a call that may sleep until the time @until. */
int ttmpool_pool_take_until(struct ttmpool_pool *pool,
			    const struct ttmpool_request *req,
			    const struct ttmpool_deadline *until,
			    tpos_page_t **pages, tpos_dma_addr_t *dma_addr)
{
	struct take take = {
		.pool = pool, .req = *req, .map = dma_addr, .until = *until
	};
	int err;

	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_take_issue(&take);
	ttmpool_take_hand_out(&take, pages, dma_addr);
	return 0;
}

int ttmpool_pool_take(struct ttmpool_pool *pool,
		      const struct ttmpool_request *req, tpos_page_t **pages,
		      tpos_dma_addr_t *dma_addr)
{
	struct ttmpool_deadline until;

	if (!pages)
		return -EINVAL;
	if (take_at_once(pool, req, pages, dma_addr))
		return 0;
	until = ttmpool_deadline(pool, req->wait_ms);
	return ttmpool_pool_take_until(pool, req, &until, pages, dma_addr);
}

int ttmpool_pool_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
		      size_t num_pages, enum ttmpool_caching caching)
{
	return ttmpool_pool_give_ticket(pool, pages, num_pages, caching, 0);
}

int ttmpool_pool_give_ticket(struct ttmpool_pool *pool,
			     tpos_page_t *const *pages, size_t num_pages,
			     enum ttmpool_caching caching, uint32_t ticket)
{
	struct claim claim;
	int err;

	if (!pages || !num_pages)
		return -EINVAL;
	if (ttmpool_single_give(pool, pages, num_pages, caching, ticket))
		return 0;
	ttmpool_claim_init(&claim, pool, pages, num_pages);
	claim.caching = caching;
	claim.ticket = ticket;
	err = ttmpool_claim_chunks(&claim);
	if (err)
		return err;
	ttmpool_claim_give(&claim);
	return 0;
}
