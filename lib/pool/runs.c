// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs: a buffer's pages without an entry for each.
 *
 *     1 GiB, as arrays   pages[262144], dma[262144]     4 MiB to write
 *            as runs     512 chunks on a list           nothing to write
 *
 * What is handed out is the list of chunks itself. So no page has to be looked up when it
 * comes back, and none can be wrong: the whole list is given back, or nothing. A chunk says
 * that it is on such a list (TTMPOOL_CHUNK_HELD), for a thread that finds one of its pages
 * in an array.
 */

#include <ttmpool/runs.h>

#include "take.h"

static void runs_init(struct ttmpool_runs *runs)
{
	*runs = (struct ttmpool_runs){ .pool = NULL };
	ttmpool_list_init(&runs->link);
	ttmpool_list_init(&runs->chunks);
}

int ttmpool_runs_take(struct ttmpool_pool *pool,
		      const struct ttmpool_request *req, bool mapped,
		      struct ttmpool_runs *runs)
{
	struct take take = { .pool = pool,
			     .req = *req,
			     .map = mapped,
			     .until = ttmpool_deadline(pool, req->wait_ms) };
	int err;

	runs_init(runs);
	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_take_issue(&take);
	runs->pool = pool;
	runs->owner = req->owner;
	runs->num_pages = req->num_pages;
	ttmpool_take_hand_out_held(&take, &runs->chunks);
	tpos_spin_lock(&pool->lock);
	ttmpool_list_add_tail(&runs->link, &pool->runs);
	tpos_spin_unlock(&pool->lock);
	return 0;
}

/* Marks up to TTMPOOL_HOLD_CHUNKS chunks, from @link on, as leaving and no longer held.
 * Returns the link after them. @differs: becomes nonzero if one of them is not of this
 * kind. */
static struct ttmpool_list *runs_let_go(struct ttmpool_list *link,
					const struct ttmpool_list *chunks,
					uint32_t kind, uint32_t *differs)
{
	for (int i = 0; i < TTMPOOL_HOLD_CHUNKS && link != chunks; i++) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		assert_deep(chunk->flags & TTMPOOL_CHUNK_HELD);
		*differs |= chunk->kind ^ kind;
		chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
		chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_HELD;
		link = ttmpool_list_next(link);
	}
	return link;
}

/* The chunks leave under the lock, because another thread may find one of them by an array. */
int ttmpool_runs_give(struct ttmpool_runs *runs)
{
	struct ttmpool_pool *pool = runs->pool;
	struct ttmpool_list chunks, *link;
	size_t pages = runs->num_pages;
	uint32_t differs = 0;
	uint32_t kind;

	if (!pool)
		return -EINVAL;
	tpos_assert(pages);
	tpos_assert(!ttmpool_list_empty(&runs->chunks));
	assert_deep(ttmpool_chunks_count_pages(&runs->chunks) == pages);
	ttmpool_list_init(&chunks);
	tpos_spin_lock(&pool->lock);
	ttmpool_list_del(&runs->link);
	ttmpool_list_splice(&runs->chunks, &chunks);
	runs_init(runs);
	kind = ttmpool_chunk_of(chunks.next)->kind;
	link = runs_let_go(chunks.next, &chunks, kind, &differs);
	tpos_spin_unlock(&pool->lock);
	while (link != &chunks) {
		tpos_spin_lock(&pool->lock);
		link = runs_let_go(link, &chunks, kind, &differs);
		tpos_spin_unlock(&pool->lock);
	}
	if (differs)
		ttmpool_chunks_give(pool, &chunks, pages);
	else
		ttmpool_run_give(pool, &chunks, pages);
	return 0;
}

/* Returns whether the chunk begins where the run ends. */
static bool run_goes_on(const struct ttmpool_run *run,
			const struct ttmpool_run *next,
			const struct ttmpool_pool *pool)
{
	return next->page == tpos_page_nth(run->page, run->num_pages) &&
	       (!next->dma_addr ||
		next->dma_addr ==
			run->dma_addr + pool_bytes(pool, run->num_pages));
}

size_t ttmpool_runs_fill(const struct ttmpool_runs *runs,
			 struct ttmpool_run *to, size_t room)
{
	struct ttmpool_run run = { .num_pages = 0 };
	struct ttmpool_chunk *chunk;
	size_t n = 0;

	ttmpool_for_each_chunk(chunk, &runs->chunks) {
		struct ttmpool_run next = { .page = chunk->page,
					    .num_pages = ttmpool_chunk_pages(
						    chunk) };

		if (chunk->flags & TTMPOOL_CHUNK_MAPPED)
			next.dma_addr = tpos_dma_address(&chunk->dma);
		if (n && run_goes_on(&run, &next, runs->pool)) {
			run.num_pages += next.num_pages;
		} else {
			run = next;
			n++;
		}
		if (n <= room)
			to[n - 1] = run;
	}
	return n;
}
