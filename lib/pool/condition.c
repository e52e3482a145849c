// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Conditions: what is true of a chunk and of its pages, and what they can be used for.
 *
 *     mapped, of which caching      what the chunk itself says
 *     poisoned                      what the hardware says of each page
 *     near or far, within reach     what the pool and the device need
 *
 * The functions here change nothing but the flag FAR (ttmpool_chunk_note_node()); what is
 * done to chunks is in chunk.c.
 */

#include "pool_internal.h"

/* This many pages are examined before the code branches on the result. */
#define LOOK_BLOCK 32

bool ttmpool_chunk_is_mapped(const struct ttmpool_chunk *chunk)
{
	return chunk->flags & TTMPOOL_CHUNK_MAPPED;
}

/* Returns whether the chunk has a mapping that can be ended, and made again. */
bool ttmpool_chunk_is_streaming(const struct ttmpool_chunk *chunk)
{
	return (chunk->flags & TTMPOOL_CHUNK_MAPPED) &&
	       chunk_source(chunk) == TTMPOOL_PLAIN;
}

bool ttmpool_chunk_is_not_cached(const struct ttmpool_chunk *chunk)
{
	return chunk->caching != TTMPOOL_CACHED;
}

/* Returns whether the chunk has write-back pages of the page allocator that no device
 * reaches. */
bool ttmpool_chunk_is_ordinary(const struct ttmpool_chunk *chunk)
{
	return chunk->caching == TTMPOOL_CACHED &&
	       !ttmpool_chunk_is_coherent(chunk) &&
	       !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}

/* Returns whether a batch has anything but ordinary pages. */
bool ttmpool_chunks_have_other(const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		if (!ttmpool_chunk_is_ordinary(chunk))
			return true;
	}
	return false;
}

/* Examines pages in blocks, without a branch for each page. */
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

/* Returns whether the hardware has reported an error in one of the chunk's pages. */
bool ttmpool_chunk_is_poisoned(const struct ttmpool_chunk *chunk)
{
	return pages_are_poisoned(chunk->page, ttmpool_chunk_pages(chunk));
}

/* As ttmpool_chunk_is_poisoned(), for a batch. This check is made for each page that is
 * handed out. */
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

/* Records in the chunk whether it is on another node than its pool wants. */
void ttmpool_chunk_note_node(const struct ttmpool_pool *pool,
			     struct ttmpool_chunk *chunk)
{
	chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_FAR;
	if (pool->node != TTMPOOL_NODE_ANY &&
	    tpos_page_node(pool->dev, chunk->page) != pool->node)
		chunk->flags |= TTMPOOL_CHUNK_FAR;
}

/* Returns whether the device can emit all addresses of a mapped chunk, as its mask is now. */
bool ttmpool_chunk_is_within_mask(const struct ttmpool_chunk *chunk)
{
	const struct ttmpool_pool *pool = chunk->pool;
	uint64_t mask =
		tpos_device_mask(pool->dev, ttmpool_chunk_is_coherent(chunk));
	uint64_t last = pool_bytes(pool, ttmpool_chunk_pages(chunk)) - 1;
	uint64_t addr = tpos_dma_address(&chunk->dma);

	return addr <= mask && last <= mask - addr;
}

/* Returns whether the chunk was pooled while the mask was wider, and the device cannot use
 * it now. */
bool ttmpool_chunk_is_out_of_reach(const struct ttmpool_chunk *chunk)
{
	if (chunk->state != TTMPOOL_CHUNK_POOLED)
		return false;
	if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
		return !ttmpool_chunk_is_within_mask(chunk);
	return !tpos_device_reaches(chunk->pool->dev, chunk->page,
				    ttmpool_chunk_pages(chunk));
}

/* Returns whether @pool may use plain pages that another pool made, as they are. */
bool ttmpool_chunk_can_be_used(const struct ttmpool_chunk *chunk,
			       const struct ttmpool_pool *pool)
{
	if (pool->policy.dma32 && !(chunk->flags & TTMPOOL_CHUNK_DMA32))
		return false;
	return chunk->order <= pool->max_order[TTMPOOL_PLAIN] &&
	       tpos_device_reaches(pool->dev, chunk->page,
				   ttmpool_chunk_pages(chunk));
}
