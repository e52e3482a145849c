// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Conditions: what is true of a chunk and of its pages, and what they can be used for.
 *
 *     mapped, of which caching      what its flags say
 *     poisoned                      what the hardware says of each page
 *     of the node, within reach     what its device and its pool want
 *
 * They only look; what is done to chunks is in chunk.c.
 */

#include "pool_internal.h"

/* So many pages are looked at before one branches on what was seen. */
#define LOOK_BLOCK 32

bool ttmpool_chunk_is_mapped(const struct ttmpool_chunk *chunk)
{
	return chunk->flags & TTMPOOL_CHUNK_MAPPED;
}

/* Has it a mapping that can be ended, and made again? */
bool ttmpool_chunk_is_streaming(const struct ttmpool_chunk *chunk)
{
	return (chunk->flags & TTMPOOL_CHUNK_MAPPED) &&
	       chunk_source(chunk) == TTMPOOL_PLAIN;
}

bool ttmpool_chunk_is_not_cached(const struct ttmpool_chunk *chunk)
{
	return chunk->caching != TTMPOOL_CACHED;
}

/* Write-back pages of the page allocator that no device reaches? */
bool ttmpool_chunk_is_ordinary(const struct ttmpool_chunk *chunk)
{
	return chunk->caching == TTMPOOL_CACHED &&
	       !ttmpool_chunk_is_coherent(chunk) &&
	       !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}

/* Is there anything in a batch but ordinary pages? */
bool ttmpool_chunks_have_other(const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (!ttmpool_chunk_is_ordinary(chunk))
			return true;
	}
	return false;
}

/* Of a block of pages, without a branch for each. */
static bool pages_are_poisoned(tpos_page_t *page, size_t n)
{
	bool poisoned = false;
	size_t i = 0;

	for (; n - i >= LOOK_BLOCK; i += LOOK_BLOCK)
#pragma GCC unroll 32
		for (size_t j = 0; j < LOOK_BLOCK; j++)
			poisoned |= tpos_page_is_poisoned(
				tpos_page_nth(page, i + j));
	for (; i < n; i++)
		poisoned |= tpos_page_is_poisoned(tpos_page_nth(page, i));
	return poisoned;
}

/* Has the hardware told of an error in one of its pages? */
bool ttmpool_chunk_is_poisoned(const struct ttmpool_chunk *chunk)
{
	return pages_are_poisoned(chunk->page, ttmpool_chunk_pages(chunk));
}

/* Or in one of a page of a batch? That is asked of each page that is handed out. */
bool ttmpool_chunks_are_poisoned(const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (chunk->order ? ttmpool_chunk_is_poisoned(chunk)
				 : tpos_page_is_poisoned(chunk->page))
			return true;
	}
	return false;
}

/* Is it of the node that its pool wants? */
void ttmpool_chunk_note_node(const struct ttmpool_pool *pool,
			     struct ttmpool_chunk *chunk)
{
	chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_FAR;
	if (pool->node != TTMPOOL_NODE_ANY &&
	    tpos_page_node(pool->dev, chunk->page) != pool->node)
		chunk->flags |= TTMPOOL_CHUNK_FAR;
}

/* Can the device emit all addresses of a mapped chunk, as its mask is now? */
bool ttmpool_chunk_is_within_mask(const struct ttmpool_chunk *chunk)
{
	const struct ttmpool_pool *pool = chunk->pool;
	uint64_t mask =
		tpos_device_mask(pool->dev, ttmpool_chunk_is_coherent(chunk));
	uint64_t last = pool_bytes(pool, ttmpool_chunk_pages(chunk)) - 1;
	uint64_t addr = tpos_dma_address(&chunk->dma);

	return addr <= mask && last <= mask - addr;
}

/* Was it pooled while the mask was wider, and is of no use now? */
bool ttmpool_chunk_is_out_of_reach(const struct ttmpool_chunk *chunk)
{
	if (chunk->state != TTMPOOL_CHUNK_POOLED)
		return false;
	if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
		return !ttmpool_chunk_is_within_mask(chunk);
	return !tpos_device_reaches(chunk->pool->dev, chunk->page,
				    ttmpool_chunk_pages(chunk));
}

/* Plain pages that another pool made: may they be this one's as they are? */
bool ttmpool_chunk_can_be_used(const struct ttmpool_chunk *chunk,
			       const struct ttmpool_pool *pool)
{
	if (pool->policy.dma32 && !(chunk->flags & TTMPOOL_CHUNK_DMA32))
		return false;
	return chunk->order <= pool->max_order[TTMPOOL_PLAIN] &&
	       tpos_device_reaches(pool->dev, chunk->page,
				   ttmpool_chunk_pages(chunk));
}
