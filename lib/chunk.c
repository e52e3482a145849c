// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Chunks: what is done to pages, always in batches.
 *
 *                          take                     give
 *     (system) -> FRESH ----------> IN_USE -----------------> LEAVING ->
 * (system) |                  ^                       |  ^ | prime            |
 * take            keep  |  | reclaim v                  | v  | POOLED -------->
 * MOVING                      POOLED
 *
 * Only chunks that nobody else can see are worked on: FRESH, MOVING and LEAVING
 * ones, which are on a list of the function that took them out. So mapping,
 * conversion, clearing and freeing need no lock, and hold none.
 *
 * Each function below leaves in the chunk what is true of its pages: whether
 * they are mapped, clean, and of which caching. What an error leaves to be
 * undone is then read from the chunks, by chunks_release().
 */

#include "internal.h"

#define MAY(state) (1u << TTMPOOL_CHUNK_##state)

/* From each state, the states that may follow. */
static const uint8_t chunk_next[TTMPOOL_CHUNK_STATE_COUNT] = {
	[TTMPOOL_CHUNK_FRESH] = MAY(IN_USE) | MAY(POOLED) | MAY(QUARANTINED),
	[TTMPOOL_CHUNK_POOLED] = MAY(MOVING) | MAY(LEAVING),
	[TTMPOOL_CHUNK_MOVING] = MAY(IN_USE) | MAY(POOLED),
	[TTMPOOL_CHUNK_IN_USE] = MAY(LEAVING),
	[TTMPOOL_CHUNK_LEAVING] = MAY(POOLED) | MAY(IN_USE) | MAY(QUARANTINED),
	[TTMPOOL_CHUNK_QUARANTINED] = 0,
};

bool ttmpool_chunk_may_become(enum ttmpool_chunk_state from,
			      enum ttmpool_chunk_state to)
{
	if ((unsigned int)from >= TTMPOOL_CHUNK_STATE_COUNT ||
	    (unsigned int)to >= TTMPOOL_CHUNK_STATE_COUNT)
		return false;
	return chunk_next[from] & (1u << to);
}

void chunk_set_state(struct ttmpool_chunk *chunk,
		     enum ttmpool_chunk_state state)
{
	tpos_assert(ttmpool_chunk_may_become(
		(enum ttmpool_chunk_state)chunk->state, state));
	chunk->state = (uint8_t)state;
}

/* Has it a mapping that can be ended while it lives? */
bool chunk_is_streaming(const struct ttmpool_chunk *chunk)
{
	return (chunk->flags & TTMPOOL_CHUNK_MAPPED) &&
	       chunk_source(chunk) == TTMPOOL_PLAIN;
}

bool chunk_is_not_cached(const struct ttmpool_chunk *chunk)
{
	return chunk->caching != TTMPOOL_CACHED;
}

size_t chunks_count_pages(const struct ttmpool_list *chunks)
{
	const struct ttmpool_list *link;
	size_t pages = 0;

	ttmpool_list_for_each(link, chunks)
		pages += ttmpool_chunk_pages(
			ttmpool_list_entry(link, struct ttmpool_chunk, link));
	return pages;
}

static size_t chunks_count(const struct ttmpool_list *chunks)
{
	const struct ttmpool_list *link;
	size_t n = 0;

	ttmpool_list_for_each(link, chunks)
		n++;
	return n;
}

/*
 * Move the chunks that pass the test to @to, which is initialised; both lists
 * keep their order. Returns whether there was any.
 */
bool chunks_extract(struct ttmpool_list *from, chunk_test test,
		    struct ttmpool_list *to)
{
	struct ttmpool_chunk *chunk, *after;

	ttmpool_list_init(to);
	chunk_list_for_each_safe(chunk, after, from) {
		if (test(chunk))
			ttmpool_list_move_tail(&chunk->link, to);
	}
	return !ttmpool_list_empty(to);
}

/*
 * Merge @from into @into. Both are sorted by falling order, and so is the
 * result: it is what keeps the chunks of a buffer aligned within it.
 */
void chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from)
{
	struct ttmpool_list *at = into->next;

	while (!ttmpool_list_empty(from) && at != into) {
		struct ttmpool_list *first = from->next;

		if (ttmpool_chunk_of(at)->order >=
		    ttmpool_chunk_of(first)->order) {
			at = at->next;
			continue;
		}
		ttmpool_list_move_tail(first, at);
	}
	ttmpool_list_splice_tail(from, into);
}

/* Does the device reach it, as the port says that it does? */
static bool chunk_address_is_good(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk)
{
	uint64_t addr = tpos_dma_address(&chunk->dma);
	uint64_t last = pool_bytes(pool, ttmpool_chunk_pages(chunk)) - 1;

	if (addr & (pool_bytes(pool, 1) - 1))
		return false;
	return last <= pool->info.dma_mask &&
	       addr <= pool->info.dma_mask - last;
}

/* Report the first chunk of a batch whose address the device cannot use. */
static int chunks_check_addresses(struct ttmpool_pool *pool,
				  const struct ttmpool_list *chunks)
{
	struct ttmpool_list *link;

	ttmpool_list_for_each(link, chunks) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (chunk_address_is_good(pool, chunk))
			continue;
		pool_report(pool, TTMPOOL_REPORT_BAD_ADDRESS, chunk, NULL);
		return -EIO;
	}
	return 0;
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
	if (pool->node != TTMPOOL_NODE_ANY &&
	    tpos_page_node(pool->dev, chunk->page) != pool->node)
		chunk->flags |= TTMPOOL_CHUNK_FAR;
	tpos_page_set_chunk(chunk->page, chunk);
}

/*
 * Make one chunk of fresh pages, and put it at the end of @made. A coherent one
 * is mapped from birth, so it needs room in the mapped limit, too.
 */
int chunk_create(struct ttmpool_pool *pool, const struct tpos_alloc *req,
		 struct ttmpool_list *made)
{
	bool coherent = req->source == TTMPOOL_COHERENT;
	size_t pages = (size_t)1 << req->order;
	uint64_t bytes = coherent ? pool_bytes(pool, pages) : 0;
	struct ttmpool_chunk *chunk;
	struct ttmpool_list alone;
	int err;

	err = budget_take_pages(pool->mgr, pages);
	if (err)
		return err;
	err = budget_take_mapped(pool, bytes);
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
	ttmpool_list_init(&alone);
	ttmpool_list_add(&chunk->link, &alone);
	if (coherent)
		err = chunks_check_addresses(pool, &alone);
	if (err)
		chunks_release(pool, &alone);
	ttmpool_list_splice_tail(&alone, made);
	return err;

free_chunk:
	tpos_free(pool->mgr->system, chunk);
return_mapped:
	budget_return_mapped(pool, bytes);
return_pages:
	budget_return_pages(pool->mgr, pages);
	return err;
}

/*
 * Map a batch of plain chunks. Where address space is short, mappings that are
 * only kept are given up for it. After an error, none of them is mapped.
 * -EDQUOT: the pool's own limit stands in the way, not the machine.
 */
int chunks_map(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	uint64_t bytes = pool_bytes(pool, chunks_count_pages(chunks));
	struct ttmpool_list *link;
	int err;

	err = budget_take_mapped(pool, bytes);
	if (err)
		return err;
	do {
		err = tpos_dma_map(pool->dev, chunks);
	} while (err == -ENOSPC && budget_give_up_mappings(pool, bytes));
	if (err) {
		budget_return_mapped(pool, bytes);
		return err;
	}
	ttmpool_list_for_each(link, chunks)
		ttmpool_chunk_of(link)->flags |= TTMPOOL_CHUNK_MAPPED;
	tpos_spin_lock(&pool->lock);
	pool->stats.map_batches++;
	pool->stats.maps += chunks_count(chunks);
	tpos_spin_unlock(&pool->lock);
	err = chunks_check_addresses(pool, chunks);
	if (err)
		chunks_unmap(pool, chunks, false);
	return err;
}

/* End the mappings of a batch of plain chunks that are mapped. */
void chunks_unmap(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		  bool lazy)
{
	struct ttmpool_list *link;

	tpos_dma_unmap(pool->dev, chunks, lazy);
	ttmpool_list_for_each(link, chunks)
		ttmpool_chunk_of(link)->flags &= (uint8_t)~TTMPOOL_CHUNK_MAPPED;
	budget_return_mapped(pool,
			     pool_bytes(pool, chunks_count_pages(chunks)));
	tpos_spin_lock(&pool->lock);
	pool->stats.unmap_batches++;
	pool->stats.unmaps += chunks_count(chunks);
	tpos_spin_unlock(&pool->lock);
}

int chunks_set_caching(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       enum ttmpool_caching caching)
{
	int err = tpos_caching_set(pool->dev, chunks, caching);

	tpos_spin_lock(&pool->lock);
	pool->stats.caching_batches++;
	pool->stats.caching_pages += chunks_count_pages(chunks);
	tpos_spin_unlock(&pool->lock);
	return err;
}

void chunks_clear(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	struct ttmpool_list *link;

	tpos_pages_clear(pool->dev, chunks);
	ttmpool_list_for_each(link, chunks)
		ttmpool_chunk_of(link)->flags |= TTMPOOL_CHUNK_CLEAN;
	pool_tally(pool, &pool->stats.bytes_cleared,
		   pool_bytes(pool, chunks_count_pages(chunks)));
}
