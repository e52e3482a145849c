// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Handing out: the last step of a populate, which cannot fail.
 *
 * If all pages were pooled, and ready as they are, this is nearly all that a populate does.
 * So each chunk is visited once, and everything that must be written for it is written
 * then. For a chunk of many pages, the arrays are written a block at a time, by unrolled
 * code: only two stores for each page remain, and the additions for them.
 *
 *     chunk    [ order 4, at page p, at address a                ]
 *     pages[]    p   p+1    p+2    ...
 *     dma[]      a   a+4096 a+8192 ...
 */

#include "take.h"

#define BLOCK 32

/* Where to write next; NULL for an array that is not wanted. @end: of @pages. @flags: if
 * there are no arrays, the flags that all chunks get. */
struct arrays {
	tpos_page_t **pages, **end;
	tpos_dma_addr_t *dma_addr;
	uint16_t flags;
};

static tpos_page_t **fill_pages(tpos_page_t **to, tpos_page_t *first, size_t n)
{
	size_t i = 0;

	for (; n - i >= BLOCK; i += BLOCK)
#pragma GCC unroll 32
		for (size_t j = 0; j < BLOCK; j++)
			to[i + j] = tpos_page_nth(first, i + j);
	for (; i < n; i++)
		to[i] = tpos_page_nth(first, i);
	return to + n;
}

static void fill_addresses(tpos_dma_addr_t *to, tpos_dma_addr_t addr, size_t n,
			   tpos_dma_addr_t page_size)
{
	for (; n >= BLOCK; n -= BLOCK)
#pragma GCC unroll 32
		for (size_t j = 0; j < BLOCK; j++, addr += page_size)
			*to++ = addr;
	for (; n; n--, addr += page_size)
		*to++ = addr;
}

/* Writes one address for each page of a mapped chunk. */
void ttmpool_chunk_fill_addresses(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk,
				  tpos_dma_addr_t *dma_addr)
{
	assert_deep(chunk->flags & TTMPOOL_CHUNK_MAPPED);
	fill_addresses(dma_addr, tpos_dma_address(&chunk->dma),
		       ttmpool_chunk_pages(chunk),
		       (tpos_dma_addr_t)1 << pool->info.page_shift);
}

/* Writes the arrays for one chunk. */
void ttmpool_chunk_fill(const struct ttmpool_pool *pool,
			const struct ttmpool_chunk *chunk, tpos_page_t **pages,
			tpos_dma_addr_t *dma_addr)
{
	fill_pages(pages, chunk->page, ttmpool_chunk_pages(chunk));
	if (dma_addr)
		ttmpool_chunk_fill_addresses(pool, chunk, dma_addr);
}

/* Writes the arrays for chunks of several pages. They come first on the list, and this is
 * done before a lock is taken. */
static void take_fill_large(const struct take *take, struct arrays *to)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, &take->got) {
		size_t n = ttmpool_chunk_pages(chunk);

		if (n == 1)
			break;
		to->pages = fill_pages(to->pages, chunk->page, n);
		if (to->dma_addr) {
			ttmpool_chunk_fill_addresses(take->pool, chunk,
						     to->dma_addr);
			to->dma_addr += n;
		}
	}
}

/* Returns what the pages are counted as. If all are mapped, and none bounces, the chunks
 * need not be examined. */
static struct account take_account(const struct take *take)
{
	struct account sums = { { 0 } };
	long pages = (long)take->wanted;

	if (!take->map || pool_may_bounce(take->pool)) {
		ttmpool_account_add(take->pool, &take->got, &sums);
		return sums;
	}
	sums.pages[TTMPOOL_IN_USE] = pages;
	sums.pages[TTMPOOL_MAPPED] = pages;
	return sums;
}

/* Charges the pool. The caller holds its lock. */
static void take_book(const struct take *take, const struct account *sums)
{
	struct ttmpool_pool_stats *stats = &take->pool->stats;

	tpos_assert_held(&take->pool->lock);
	ttmpool_account_book(take->pool, sums);
	stats->takes++;
	stats->pages_hit += take->pages_hit;
	if (take->map)
		stats->maps_kept += take->chunks_hit - take->remapped;
}

/* Asserts that the chunk is what was asked for. */
static inline void take_check(const struct take *take,
			      const struct ttmpool_chunk *chunk)
{
	assert_deep(chunk->caching == take->req.caching);
	assert_deep(chunk_source(chunk) == take->req.source);
}

/* Marks up to TTMPOOL_HOLD_CHUNKS chunks as in use, and writes the single pages among them
 * to the arrays, if there are any. Returns the last of these chunks. */
static struct ttmpool_list *take_enter_run(const struct take *take,
					   struct arrays *arrays)
{
	const struct ttmpool_list *end = &take->got;
	struct ttmpool_owner *owner = take->req.owner;
	const uint32_t ticket = take->req.ticket;
	struct ttmpool_list *link = end->next;
	struct arrays to = *arrays;
	tpos_page_t **stop;
	long left = TTMPOOL_HOLD_CHUNKS;

	for (; left && link != end; left--, link = ttmpool_list_next(link)) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (to.pages && !chunk->order)
			break;
		take_check(take, chunk);
		chunk_hand_out(chunk, owner, ticket);
		chunk->flags |= to.flags;
	}
	stop = to.end - to.pages <= left ? to.end : to.pages + left;
	for (; to.pages != stop; link = ttmpool_list_next(link)) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		take_check(take, chunk);
		chunk_hand_out(chunk, owner, ticket);
		*to.pages++ = chunk->page;
		if (to.dma_addr)
			*to.dma_addr++ = tpos_dma_address(&chunk->dma);
	}
	*arrays = to;
	return link->prev;
}

/*
 * Counts the chunks, marks them as in use, and moves them to @list, all under the lock: a
 * thread that finds one of them by an outdated array may rely on it to be on the list. The
 * lock is released for others every TTMPOOL_HOLD_CHUNKS chunks.
 */
static void take_enter(struct take *take, struct arrays *to,
		       struct ttmpool_list *list)
{
	struct ttmpool_pool *pool = take->pool;
	struct account sums = take_account(take);

	tpos_assert(!take->req.num_pages);
	tpos_assert(!ttmpool_list_empty(&take->got));
	tpos_assert(take->remapped <= take->chunks_hit);
	tpos_assert(take->pages_hit <= take->wanted);
	assert_deep(ttmpool_chunks_count_pages(&take->got) == take->wanted);
	ttmpool_account_charge(take->req.owner, &sums);
	tpos_spin_lock(&pool->lock);
	take_book(take, &sums);
	for (;;) {
		ttmpool_list_cut_through(&take->got, take_enter_run(take, to),
					 list);
		if (ttmpool_list_empty(&take->got))
			break;
		tpos_spin_unlock(&pool->lock);
		tpos_cond_resched();
		tpos_spin_lock(&pool->lock);
	}
	tpos_spin_unlock(&pool->lock);
}

/* Hands the chunks to the owner, and puts them on the pool's in-use list. */
void ttmpool_take_hand_out(struct take *take, tpos_page_t **pages,
			   tpos_dma_addr_t *dma_addr)
{
	struct arrays to = { .pages = pages,
			     .end = pages + take->wanted,
			     .dma_addr = dma_addr };

	take_fill_large(take, &to);
	take_enter(take, &to, &take->pool->in_use);
}

/* Hands the chunks to the owner as chunks, and puts them at the end of @list, which is one
 * of the pool's, or one that no other thread knows. */
void ttmpool_take_hand_out_held(struct take *take, struct ttmpool_list *list)
{
	struct arrays none = { .flags = TTMPOOL_CHUNK_HELD };

	take_enter(take, &none, list);
}
