// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Accesses by the CPU to some pages of a chunk.
 *
 * As everywhere in this port, they go through the mapping that the driver uses. For a
 * coherent chunk that dma_alloc_attrs() returned, this is the mapping that it made. For all
 * others it is the linear map, which has the caching of the chunk, or is flushed (flush.c).
 *
 * A streaming mapping may put something between the device and the page: a cache that the
 * device does not see, or a bounce slot. So the pages are synced for the CPU before they
 * are read, and for the device after they were written.
 */

#include <linux/crc32.h>
#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/mm.h>

#include <ttmpool/pool.h>

#include "ttmpool_system.h"

/*
 * Returns the address at which the DMA API has mapped a coherent chunk for the CPU,
 * or NULL.
 */
static void *span_coherent(const struct tpos_span *span)
{
	return ttmpool_chunk_is_coherent(span->chunk)
		       ? ttmpool_coherent_bytes(span->chunk)
		       : NULL;
}

static void *span_map(const struct tpos_span *span, size_t i)
{
	void *coherent = span_coherent(span);
	size_t n = span->first + i;

	if (coherent)
		return coherent + (n << PAGE_SHIFT);
	return kmap_local_page(tpos_page_nth(span->chunk->page, n));
}

static void span_unmap(const struct tpos_span *span, void *bytes)
{
	if (!span_coherent(span))
		kunmap_local(bytes);
}

void ttmpool_span_read(const struct tpos_span *span, size_t i, void *to)
{
	void *from = span_map(span, i);

	copy_page(to, from);
	span_unmap(span, from);
}

void ttmpool_span_write(const struct tpos_span *span, size_t i, void *from)
{
	void *to = span_map(span, i);

	copy_page(to, from);
	span_unmap(span, to);
}

/*
 * Returns the device of a chunk with a streaming mapping, or NULL for any other
 * chunk.
 */
static struct device *span_streams_to(const struct tpos_span *span)
{
	const struct ttmpool_chunk *chunk = span->chunk;

	if (ttmpool_chunk_is_coherent(chunk) ||
	    !(chunk->flags & TTMPOOL_CHUNK_MAPPED))
		return NULL;
	return chunk->pool->dev;
}

static void span_flush(const struct tpos_span *span)
{
	if (TTMPOOL_SYNCS_CACHES &&
	    ttmpool_is_looked_past(span->chunk, span->chunk->pool->dev))
		ttmpool_flush_pages(
			tpos_page_nth(span->chunk->page, span->first),
			span->pages);
}

void ttmpool_span_for_cpu(const struct tpos_span *span)
{
	struct device *dev = span_streams_to(span);

	if (dev)
		dma_sync_single_range_for_cpu(
			dev, span->chunk->dma.addr, span->first << PAGE_SHIFT,
			span->pages << PAGE_SHIFT, DMA_BIDIRECTIONAL);
	span_flush(span); /* a slot was copied to the page by the linear map */
}

void ttmpool_span_for_device(const struct tpos_span *span)
{
	struct device *dev = span_streams_to(span);

	if (dev)
		dma_sync_single_range_for_device(
			dev, span->chunk->dma.addr, span->first << PAGE_SHIFT,
			span->pages << PAGE_SHIFT, DMA_BIDIRECTIONAL);
	span_flush(span);
	wmb(); /* write-combined stores leave the CPU's buffers */
}

void tpos_pages_copy(const struct tpos_span *to, const struct tpos_span *from)
{
	ttmpool_span_for_cpu(from);
	for (size_t i = 0; i < to->pages; i++) {
		void *bytes = span_map(from, i);

		ttmpool_span_write(to, i, bytes);
		span_unmap(from, bytes);
		cond_resched();
	}
	ttmpool_span_for_device(to);
}

uint32_t tpos_page_sum(const struct tpos_span *page)
{
	void *bytes;
	u32 sum;

	ttmpool_span_for_cpu(page);
	bytes = span_map(page, 0);
	sum = crc32_le(0, bytes, PAGE_SIZE);
	span_unmap(page, bytes);
	return sum;
}
