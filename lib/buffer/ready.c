// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Makes the pages of a buffer usable for the device, in place.
 *
 * Whatever each chunk still lacks is done in one batch of each kind: first mapping,
 * then conversion of the caching, for the reason that take.c gives. Chunks that an
 * earlier failure or interruption left half way are completed.
 */

#include "buffer_internal.h"

static bool is_to_be_mapped(const struct ttmpool_chunk *chunk)
{
	return !(chunk->flags & TTMPOOL_CHUNK_MAPPED);
}

/* Maps a batch. Returns -ENOSPC if there are no addresses. */
static int backend_map_now(struct ttmpool_backend *be, struct room *room,
			   struct ttmpool_list *chunks)
{
	int err;

	pool_note_mask(be->pool, TTMPOOL_PLAIN);
	err = ttmpool_room_make(be->pool, room, 0,
				ttmpool_chunks_count_pages(chunks));
	if (!err)
		err = ttmpool_chunks_map(be->pool, room, chunks);
	ttmpool_room_return(be->pool, room);
	return err == NO_MAPPED ? -ENOSPC : err;
}

/*
 * Like backend_map_now(), but sleeps until there are addresses, or the deadline has
 * passed.
 */
static int backend_map_patiently(struct ttmpool_backend *be, struct room *room,
				 struct ttmpool_list *chunks)
{
	struct ttmpool_queue *queue = &be->pool->iova->queue;
	struct asking asking;
	int err;

	tpos_assert(be->until.wait_ms);
	ttmpool_asking_begin(&asking, be->pool);
	ttmpool_queue_enter(queue);
	for (;;) {
		long seen = tpos_wait_count(&queue->wait);

		err = backend_map_now(be, room, chunks);
		if (err != -ENOSPC)
			break;
		err = ttmpool_queue_wait(be->pool, queue, seen, &be->until);
		if (err)
			break;
		/* others than this device's pools may have freed addresses */
		if (ttmpool_asking_is_due(&asking, be->pool))
			room->below = 0;
	}
	ttmpool_queue_leave(queue);
	return err;
}

/* Maps the chunks that are not mapped. */
static int backend_map(struct ttmpool_backend *be, struct ttmpool_list *chunks)
{
	struct room room = { .one_order = true };
	struct ttmpool_list work;
	int err;

	if (!be->dma_addr ||
	    !ttmpool_chunks_extract(chunks, is_to_be_mapped, &work))
		return 0;
	err = backend_map_now(be, &room, &work);
	if (err == -ENOSPC && be->until.wait_ms)
		err = backend_map_patiently(be, &room, &work);
	ttmpool_list_splice(&work, chunks);
	return err;
}

/* Writes the DMA addresses of the first @n pages to the array. */
static void backend_fill(struct ttmpool_backend *be, size_t n)
{
	size_t i = 0;

	assert_deep(n <= be->tt.num_pages);
	while (be->dma_addr && i < n) {
		const struct ttmpool_chunk *chunk =
			tpos_page_chunk(be->pool->dev, be->tt.pages[i]);

		ttmpool_chunk_fill_addresses(be->pool, chunk, be->dma_addr + i);
		i += ttmpool_chunk_pages(chunk);
	}
}

/*
 * Makes device pages of the first chunks of a buffer, which are claimed. @map maps
 * them. After an error they are ordinary pages, and no byte has moved.
 */
static int backend_ready(struct ttmpool_backend *be,
			 struct ttmpool_list *chunks,
			 int (*map)(struct ttmpool_backend *be,
				    struct ttmpool_list *chunks))
{
	struct account before = { { 0 } }, after = { { 0 } };
	int err;

	tpos_assert(!ttmpool_list_empty(chunks));
	ttmpool_account_add(be->pool, chunks, &before);
	err = map(be, chunks);
	if (!err)
		err = ttmpool_chunks_convert(be->pool, chunks, be->tt.caching);
	if (err)
		ttmpool_chunks_strip(be->pool, chunks);
	else
		backend_fill(be, ttmpool_chunks_count_pages(chunks));
	ttmpool_chunks_mark_anonymous(chunks, err);
	ttmpool_account_add(be->pool, chunks, &after);
	ttmpool_account_change(be->pool, be->owner, &before, &after);
	return err;
}

/*
 * Makes device pages of all chunks of a buffer that has no holes. After an error they
 * are ordinary pages, and no byte has moved.
 */
int ttmpool_backend_make_ready(struct ttmpool_backend *be)
{
	struct ttmpool_list chunks;
	int err;

	tpos_assert(!be->pages_stored);
	err = ttmpool_backend_claim(be, &chunks);
	tpos_assert(!err); /* the callers have checked the arrays */
	err = backend_ready(be, &chunks, backend_map);
	ttmpool_chunks_unclaim(be->pool, &chunks);
	return err;
}

/* Maps again the chunks that were mapped before. */
static int backend_remap(struct ttmpool_backend *be,
			 struct ttmpool_list *chunks)
{
	return be->dma_addr ? ttmpool_chunks_remap(be->pool, chunks) : 0;
}

/*
 * Makes device pages again of the first chunks of a buffer, which are claimed. They were
 * made ordinary for a swapout that stored nothing. After an error they are ordinary.
 */
int ttmpool_backend_restore(struct ttmpool_backend *be,
			    struct ttmpool_list *chunks)
{
	return backend_ready(be, chunks, backend_remap);
}
