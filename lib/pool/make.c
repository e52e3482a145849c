// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Making: fresh chunks, and mappings; what needs room in a budget.
 *
 * When a budget is exhausted, or the machine's own IOVA space, what is only
 * kept is given up for what is wanted: pooled pages of any pool for the page
 * budget, and then buffers that nobody needs now, which are swapped out; kept
 * mappings of this device's pools for their limits and for IOVA space.
 * Only if that is not enough does the caller hear of it, and may try smaller
 * orders.
 *
 * What the port says of an address is checked before anybody uses it: aligned,
 * and within the device's reach to its last byte; and, if the policy says so,
 * nobody else's.
 */

#include "pool_internal.h"

static int room_for_pages(struct ttmpool_manager *mgr, size_t pages)
{
	while (!ttmpool_budget_take_pages(mgr, pages))
		if (!ttmpool_manager_reclaim(mgr, pages) &&
		    !ttmpool_manager_retry_quarantine(mgr) &&
		    !ttmpool_swapper_swapout(mgr, pages, true))
			return -ENOMEM;
	return 0;
}

static int room_for_mapping(struct ttmpool_pool *pool, uint64_t bytes)
{
	while (!ttmpool_budget_take_mapped(pool, bytes))
		if (!ttmpool_device_give_up_mappings(
			    pool, ttmpool_budget_mapped_excess(pool, bytes)))
			return -EDQUOT;
	return 0;
}

/* Does the device reach it, as the port says that it does? */
static bool chunk_address_is_good(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk)
{
	uint64_t addr = tpos_dma_address(&chunk->dma);
	uint64_t last = pool_bytes(pool, ttmpool_chunk_pages(chunk)) - 1;

	if (addr & (pool_bytes(pool, 1) - 1))
		return false;
	return addr <= pool->info.dma_mask &&
	       last <= pool->info.dma_mask - addr;
}

/* Report a chunk of a list whose address the device cannot use. */
static int chunk_check_address(struct ttmpool_pool *pool,
			       const struct ttmpool_list *chunks,
			       const struct ttmpool_chunk *chunk,
			       unsigned int *looks)
{
	if (chunk_address_is_good(pool, chunk) &&
	    !(*looks &&
	      ttmpool_chunk_address_is_taken(pool, chunks, chunk, looks)))
		return 0;
	ttmpool_pool_report(pool, TTMPOOL_REPORT_BAD_ADDRESS, chunk, NULL);
	return -EIO;
}

static int chunks_check_addresses(struct ttmpool_pool *pool,
				  const struct ttmpool_list *chunks)
{
	unsigned int looks = ttmpool_verify_looks(pool);
	struct ttmpool_chunk *chunk;
	int err = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		err = chunk_check_address(pool, chunks, chunk, &looks);
		if (err)
			break;
	}
	return err;
}

/* What a chunk is whose pages have just come from the system. */
static void chunk_init(struct ttmpool_chunk *chunk, struct ttmpool_pool *pool,
		       const struct tpos_alloc *req)
{
	chunk->pool = pool;
	chunk->order = (uint8_t)req->order;
	chunk->caching = TTMPOOL_CACHED;
	chunk->state = TTMPOOL_CHUNK_FRESH;
	chunk->flags = TTMPOOL_CHUNK_CLEAN;
	if (req->source == TTMPOOL_COHERENT)
		chunk->flags |= TTMPOOL_CHUNK_FROM_COHERENT |
				TTMPOOL_CHUNK_MAPPED;
	if (req->flags & TPOS_ALLOC_DMA32)
		chunk->flags |= TTMPOOL_CHUNK_DMA32;
	ttmpool_chunk_note_node(pool, chunk);
	tpos_page_set_chunk(chunk->page, chunk);
}

/*
 * Make one chunk of fresh pages, and put it at the end of @made. A coherent one
 * is mapped from birth, so it needs room in the mapped limit, too.
 */
int ttmpool_chunk_create(struct ttmpool_pool *pool,
			 const struct tpos_alloc *req,
			 struct ttmpool_list *made)
{
	bool coherent = req->source == TTMPOOL_COHERENT;
	size_t pages = (size_t)1 << req->order;
	uint64_t bytes = coherent ? pool_bytes(pool, pages) : 0;
	unsigned int looks = ttmpool_verify_looks(pool);
	struct ttmpool_chunk *chunk;
	struct ttmpool_list alone;
	int err;

	err = room_for_pages(pool->mgr, pages);
	if (err)
		return err;
	err = room_for_mapping(pool, bytes);
	if (err)
		goto return_pages;
	chunk = tpos_zalloc(pool->mgr->system, sizeof(*chunk));
	if (!chunk) {
		err = -ENOMEM;
		goto return_mapped;
	}
	err = tpos_pages_alloc(pool->dev, req, chunk);
	if (err)
		goto free_chunk;
	chunk_init(chunk, pool, req);
	ttmpool_list_add_tail(&chunk->link, made);
	if (coherent)
		err = chunk_check_address(pool, made, chunk, &looks);
	if (!err)
		return 0;
	ttmpool_list_init(&alone);
	ttmpool_list_move_tail(&chunk->link, &alone);
	ttmpool_chunks_release(pool, &alone);
	return err;

free_chunk:
	tpos_free(pool->mgr->system, chunk);
return_mapped:
	ttmpool_budget_return_mapped(pool, bytes);
return_pages:
	ttmpool_budget_return_pages(pool->mgr, pages);
	return err;
}

/*
 * Map a batch of plain chunks. Where address space is short, mappings that are
 * only kept are given up for it. After an error, none of them is mapped.
 * -EDQUOT: the pool's own limit stands in the way, not the machine.
 */
int ttmpool_chunks_map(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	uint64_t bytes = pool_bytes(pool, ttmpool_chunks_count_pages(chunks));
	struct ttmpool_chunk *chunk;
	int err;

	err = room_for_mapping(pool, bytes);
	if (err)
		return err;
	do {
		err = tpos_dma_map(pool->dev, chunks);
	} while (err == -ENOSPC &&
		 ttmpool_device_give_up_mappings(pool, bytes));
	if (err) {
		ttmpool_budget_return_mapped(pool, bytes);
		return err;
	}
	ttmpool_for_each_chunk(chunk, chunks)
		chunk->flags |= TTMPOOL_CHUNK_MAPPED;
	pool_tally_batch(pool, &pool->stats.map_batches, &pool->stats.maps,
			 ttmpool_chunks_count(chunks));
	err = chunks_check_addresses(pool, chunks);
	if (err)
		ttmpool_chunks_unmap(pool, chunks, false);
	return err;
}
