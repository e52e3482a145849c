// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The anonymous state: a buffer whose contents are in ordinary pages.
 *
 * These pages are write-back and not mapped, and they come from the page
 * allocator. They may be inserted in the swap cache, or be handed over to
 * another device. A buffer needs this state if devices share it, or if nobody
 * knows when it will be used again.
 *
 *     plain backend      moves in place, in both directions. A page is copied only
 *                        if the new device does not reach it, cannot map its chunk
 *                        in one piece, or wants a page of another node
 *     coherent backend   copies, in both directions: its pages belong to the DMA
 *                        API
 *
 *       device A                 device B
 *       POPULATED                POPULATED
 *           | to_anonymous           ^ to_device
 *           v                        |
 *       ANONYMOUS --- handover ---> ANONYMOUS       copies 0 bytes if both backends
 *                                                   are plain and B reaches the pages
 */

#include "buffer_internal.h"

/* Copies all pages of a coherent buffer to ordinary pages. */
static int coherent_to_anonymous(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	err = ttmpool_backend_copy_to_plain(be);
	if (err)
		return err;
	err = ttmpool_backend_claim(be, &chunks);
	tpos_assert(!err);
	ttmpool_backend_strip(be, &chunks);
	ttmpool_chunks_unclaim(be->pool, &chunks);
	return 0;
}

/*
 * Works in place. If that fails, the function makes the buffer ready again, as it
 * was before; if that fails, too, the buffer becomes PARTIAL.
 */
static int plain_to_anonymous(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	err = ttmpool_backend_claim(be, &chunks);
	if (err)
		return err;
	err = ttmpool_backend_strip(be, &chunks);
	ttmpool_chunks_unclaim(be->pool, &chunks);
	if (err && ttmpool_backend_make_ready(be))
		ttmpool_backend_set_state(be, TTMPOOL_TT_PARTIAL);
	return err;
}

int ttmpool_to_anonymous(struct ttmpool_backend *be)
{
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (be->tt.state != TTMPOOL_TT_POPULATED)
		return -EINVAL;
	tpos_assert(!be->pages_stored);
	be->until = ttmpool_deadline(be->pool, be->wait_ms);
	err = be->funcs->source == TTMPOOL_COHERENT ? coherent_to_anonymous(be)
						    : plain_to_anonymous(be);
	if (err)
		return err;
	ttmpool_backend_set_state(be, TTMPOOL_TT_ANONYMOUS);
	return 0;
}

int ttmpool_to_device(struct ttmpool_backend *be)
{
	int err;

	if (!be->funcs->movable)
		return -EOPNOTSUPP;
	if (be->tt.state != TTMPOOL_TT_ANONYMOUS)
		return -EINVAL;
	tpos_assert(!be->pages_stored);
	be->until = ttmpool_deadline(be->pool, be->wait_ms);
	err = ttmpool_backend_return(be);
	if (err)
		return err;
	ttmpool_backend_set_state(be, TTMPOOL_TT_POPULATED);
	return 0;
}

/* Moves claimed chunks to another pool and another owner. */
static void chunks_handover(struct ttmpool_list *chunks,
			    struct ttmpool_backend *from,
			    struct ttmpool_backend *to)
{
	struct account none = { { 0 } }, sums = { { 0 } };
	struct ttmpool_pool *pool = to->pool;
	struct ttmpool_chunk *chunk;

	to->ticket = backend_new_ticket(to);
	ttmpool_account_add(from->pool, chunks, &sums);
	ttmpool_account_change(from->pool, from->owner, &sums, &none);
	ttmpool_chunks_set_pool(chunks, from->pool, pool);
	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->owner = to->owner;
		chunk->ticket = to->ticket;
		ttmpool_chunk_note_node(pool, chunk);
	}
	ttmpool_account_change(pool, to->owner, &none, &sums);
	ttmpool_chunks_unclaim(pool, chunks);
}

int ttmpool_handover(struct ttmpool_backend *from, struct ttmpool_backend *to)
{
	size_t size = from->tt.num_pages * sizeof(*from->tt.pages);
	struct ttmpool_list chunks;
	int err;

	if (!to->funcs->movable)
		return -EOPNOTSUPP;
	if (from->tt.state != TTMPOOL_TT_ANONYMOUS ||
	    to->tt.state != TTMPOOL_TT_EMPTY ||
	    from->tt.num_pages != to->tt.num_pages ||
	    from->pool->mgr != to->pool->mgr)
		return -EINVAL;
	err = ttmpool_backend_claim(from, &chunks);
	if (err)
		return err;
	tpos_assert(!from->pages_stored);
	tpos_assert(!to->store);
	chunks_handover(&chunks, from, to);
	memcpy(to->tt.pages, from->tt.pages, size);
	memset(from->tt.pages, 0, size);
	ttmpool_backend_set_state(from, TTMPOOL_TT_EMPTY);
	ttmpool_backend_set_state(to, TTMPOOL_TT_ANONYMOUS);
	return 0;
}
