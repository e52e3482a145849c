// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Backup: pages whose contents the caller has stored, or is about to store, and that must
 * go to the system instead of the pool.
 *
 *     chunk   [................]   16 pages, 5 of them are stored, and there is no
 *     halved  [....][.][.][..][........]         memory to store the others
 *     gone     4     1
 *     in use            1  2   8
 *
 * Each function claims the chunks that an array names, whatever their caching: the caller
 * has changed it before, and if that has failed, only the chunk says what it is.
 */

#include <ttmpool/backup.h>

#include "pool_internal.h"

/* Claims all chunks of the array, which may have holes, or none. */
static int backup_claim(struct claim *claim, struct ttmpool_pool *pool,
			tpos_page_t *const *pages, size_t num_pages,
			uint32_t ticket)
{
	if (!pages || !num_pages)
		return -EINVAL;
	ttmpool_claim_init(claim, pool, pages, num_pages);
	claim->ticket = ticket;
	claim->with_holes = true;
	return ttmpool_claim_chunks(claim);
}

int ttmpool_pool_strip(struct ttmpool_pool *pool, tpos_page_t *const *pages,
		       size_t num_pages, uint32_t ticket)
{
	struct claim claim;
	int err = backup_claim(&claim, pool, pages, num_pages, ticket);

	if (err)
		return err;
	err = ttmpool_chunks_make_ordinary(pool, &claim.chunks);
	ttmpool_chunks_unclaim(pool, &claim.chunks);
	return err;
}

/* Writes the addresses of claimed chunks. */
static void fill_addresses(const struct claim *claim, tpos_dma_addr_t *dma_addr)
{
	size_t i = 0;

	while (i < claim->num_pages) {
		const struct ttmpool_chunk *chunk;

		if (!claim->pages[i]) {
			i++;
			continue;
		}
		chunk = tpos_page_chunk(claim->pool->dev, claim->pages[i]);
		ttmpool_chunk_fill_addresses(claim->pool, chunk, dma_addr + i);
		i += ttmpool_chunk_pages(chunk);
	}
}

int ttmpool_pool_ready(struct ttmpool_pool *pool,
		       const struct ttmpool_request *req,
		       tpos_page_t *const *pages, tpos_dma_addr_t *dma_addr)
{
	struct claim claim;
	int err;

	if ((unsigned int)req->caching >= TTMPOOL_CACHING_COUNT)
		return -EINVAL;
	err = backup_claim(&claim, pool, pages, req->num_pages, req->ticket);
	if (err)
		return err;
	err = ttmpool_chunks_make_ready(pool, &claim.chunks, req->caching,
					dma_addr);
	if (!err && dma_addr)
		fill_addresses(&claim, dma_addr);
	ttmpool_chunks_unclaim(pool, &claim.chunks);
	return err;
}

int ttmpool_pool_give_up(struct ttmpool_pool *pool, tpos_page_t *const *pages,
			 size_t num_pages, uint32_t ticket)
{
	struct claim claim;
	int err = backup_claim(&claim, pool, pages, num_pages, ticket);

	if (err)
		return err;
	ttmpool_account_close(pool, &claim.chunks);
	ttmpool_chunks_release(pool, &claim.chunks);
	return 0;
}

/*
 * Moves the first @part pages of a batch of ordinary chunks to @gone, as chunks of their
 * own. The chunk in which they end is halved, as long as there is memory for it. Returns
 * how many pages were moved.
 */
static size_t part_cut(struct ttmpool_pool *pool, struct ttmpool_list *chunks,
		       size_t part, struct ttmpool_list *gone)
{
	size_t cut = 0;

	while (cut < part) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(chunks->next);
		size_t n = ttmpool_chunk_pages(chunk);

		tpos_assert(!ttmpool_list_empty(chunks));
		if (n <= part - cut) {
			ttmpool_list_move_tail(&chunk->link, gone);
			cut += n;
		} else if (!ttmpool_chunk_split(pool, chunk, 0)) {
			break;
		}
	}
	return cut;
}

/* Returns whether all of the array is one chunk of ordinary pages. It may have had holes. */
static bool is_one_ordinary(const struct claim *claim)
{
	const struct ttmpool_chunk *first;

	if (ttmpool_list_empty(&claim->chunks))
		return false;
	first = ttmpool_chunk_of(claim->chunks.next);
	return ttmpool_chunk_pages(first) == claim->num_pages &&
	       ttmpool_chunk_is_ordinary(first);
}

long ttmpool_pool_give_up_part(struct ttmpool_pool *pool,
			       tpos_page_t *const *pages, size_t num_pages,
			       size_t part, uint32_t ticket)
{
	struct ttmpool_list gone;
	struct claim claim;
	size_t cut;
	int err;

	if (!part || part >= num_pages)
		return -EINVAL;
	err = backup_claim(&claim, pool, pages, num_pages, ticket);
	if (err)
		return err;
	if (!is_one_ordinary(&claim)) {
		ttmpool_chunks_unclaim(pool, &claim.chunks);
		return -EINVAL;
	}
	ttmpool_list_init(&gone);
	cut = part_cut(pool, &claim.chunks, part, &gone);
	ttmpool_account_close(pool, &gone);
	ttmpool_chunks_release(pool, &gone);
	ttmpool_chunks_unclaim(pool, &claim.chunks);
	return cut ? (long)cut : -ENOMEM;
}
