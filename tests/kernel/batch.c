// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Chunks that come straight from the port, for testing its functions. */

#include <linux/delay.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/string.h>

#include "batch.h"

/* The device has begun a transfer of 100 ms, and has not ended it yet. */
#define STALE_US 95000

struct batch *batch_open(struct check *t)
{
	struct batch *batch = check_zalloc(t, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->dev = check_device(t, 0, 64);
	batch->pool.dev = batch->dev;
	ttmpool_list_init(&batch->chunks);
	return batch;
}

bool batch_add(struct batch *batch, enum ttmpool_source source,
	       unsigned int order)
{
	struct tpos_alloc req = { .source = source,
				  .order = order,
				  .node = TTMPOOL_NODE_ANY };
	struct ttmpool_chunk *chunk = &batch->all[batch->n];

	if (batch->n == ARRAY_SIZE(batch->all) ||
	    tpos_pages_alloc(batch->dev, &req, chunk))
		return false;
	chunk->pool = &batch->pool;
	chunk->order = order;
	chunk->caching = TTMPOOL_CACHED;
	chunk->flags = source == TTMPOOL_COHERENT ? TTMPOOL_CHUNK_FROM_COHERENT
						  : 0;
	tpos_page_set_chunk(chunk->page, chunk);
	ttmpool_list_add_tail(&chunk->link, &batch->chunks);
	batch->n++;
	return true;
}

bool batch_has(struct batch *batch, enum ttmpool_source source,
	       unsigned int order)
{
	struct tpos_device_info info;

	tpos_device_query(batch->dev, &info);
	return !order || source == TTMPOOL_PLAIN || !info.coherent_single;
}

static bool chunk_is(const struct ttmpool_chunk *chunk,
		     enum ttmpool_caching caching)
{
	if (chunk->caching != caching)
		return false;
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		if (page_caching(tpos_page_nth(chunk->page, i)) != caching)
			return false;
	return true;
}

bool batch_is(struct batch *batch, enum ttmpool_caching caching)
{
	for (int i = 0; i < batch->n; i++)
		if (!chunk_is(&batch->all[i], caching))
			return false;
	return true;
}

void batch_free(struct batch *batch)
{
	tpos_pages_free(batch->dev, &batch->chunks);
	ttmpool_list_init(&batch->chunks);
	batch->n = 0;
}

/* The store takes the upper half, and then the chunk itself, which is the lower half. */
int batch_adopt(struct batch *batch, tpos_store_t *store, size_t index,
		struct ttmpool_chunk *chunk)
{
	struct ttmpool_chunk upper = *chunk;
	int err;

	if (!chunk->order)
		return tpos_store_adopt(store, index, chunk);
	upper.order--;
	tpos_pages_split(batch->dev, chunk, &upper);
	tpos_page_set_chunk(upper.page, &upper);
	err = batch_adopt(batch, store, index + ttmpool_chunk_pages(chunk),
			  &upper);
	return err ? err : batch_adopt(batch, store, index, chunk);
}

bool batch_stale_store_arrives(struct batch *batch, struct ttmpool_list *chunks,
			       bool lazy)
{
	struct ttmpool_chunk *chunk = ttmpool_chunk_of(chunks->next);
	struct edu *edu = edu_of(batch->dev);
	dma_addr_t addr = chunk->dma.addr;
	char *bytes = page_address(chunk->page);

	if (edu_fill(edu, 0x66) || edu_store(edu, addr))
		return false;
	memset(bytes, 0, PAGE_SIZE);
	edu_begin_store(edu, addr);
	usleep_range(STALE_US, STALE_US + 500);
	tpos_dma_unmap(batch->dev, chunks, lazy);
	if (edu_finish(edu))
		return false;
	return memchr_inv(bytes, 0, PAGE_SIZE);
}

void batch_squeeze(void)
{
	struct page *page, *after;
	LIST_HEAD(taken);

	do {
		page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
		if (page)
			list_add(&page->lru, &taken);
		cond_resched();
	} while (page);
	list_for_each_entry_safe(page, after, &taken, lru)
	{
		list_del(&page->lru);
		__free_page(page);
	}
}
