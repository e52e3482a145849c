// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Making: fresh chunks, and mappings, for which room has been taken (room.c).
 *
 * When the device's own IOVA space is exhausted, kept mappings of this device's pools end,
 * as many as the request lacks, once. The addresses that come back may be in pieces. So if
 * they are not enough, the caller gets an error and tries smaller orders, and only if there
 * are none smaller, more mappings end.
 *
 * What the port says of an address is checked before anybody uses it: it must be aligned,
 * within the device's reach to its last byte, and, if the policy says so, not that of
 * another chunk.
 */

#include "pool_internal.h"

/* Returns whether the address is aligned, and the device reaches it, as the port says. */
static bool chunk_address_is_good(const struct ttmpool_pool *pool,
				  const struct ttmpool_chunk *chunk)
{
	uint64_t addr = tpos_dma_address(&chunk->dma);

	return !(addr & (pool_bytes(pool, 1) - 1)) &&
	       ttmpool_chunk_is_within_mask(chunk);
}

/* Records that a mapping bounces. None did when the pool began, but since then the mask may
 * have become narrower, or memory may have been added. */
static void chunk_note_bounce(struct ttmpool_pool *pool,
			      const struct ttmpool_chunk *chunk)
{
	if (!pool->info.has_iommu && !pool_may_bounce(pool) &&
	    tpos_dma_bounces(pool->dev, chunk))
		tpos_atomic_set(&pool->bounces, 1);
}

/* Checks the address of a chunk of a list. If the device cannot use it, reports it and
 * returns -EIO. */
static int chunk_check_address(struct ttmpool_pool *pool,
			       const struct ttmpool_list *chunks,
			       const struct ttmpool_chunk *chunk,
			       unsigned int *looks)
{
	if (chunk_address_is_good(pool, chunk) &&
	    !(*looks &&
	      ttmpool_chunk_address_is_taken(pool, chunks, chunk, looks)))
		return 0;
	ttmpool_pool_report(pool, TTMPOOL_REPORT_BAD_ADDRESS, chunk, NULL);
	return -EIO;
}

static int chunks_check_addresses(struct ttmpool_pool *pool,
				  const struct ttmpool_list *chunks)
{
	unsigned int looks = ttmpool_verify_looks(pool);
	struct ttmpool_chunk *chunk;
	int err = 0;

	ttmpool_for_each_chunk(chunk, chunks) {
		err = chunk_check_address(pool, chunks, chunk, &looks);
		if (err)
			break;
		chunk_note_bounce(pool, chunk);
	}
	return err;
}

/* Fills in the descriptor of a chunk whose pages have just come from the system. */
static void chunk_init(struct ttmpool_chunk *chunk, struct ttmpool_pool *pool,
		       const struct tpos_alloc *req)
{
	assert_deep(chunk->page);
	chunk->owner = NULL;
	chunk->ticket = 0;
	chunk->order = (uint8_t)req->order;
	chunk->caching = TTMPOOL_CACHED;
	chunk->flags |= TTMPOOL_CHUNK_CLEAN;
	if (req->source == TTMPOOL_COHERENT)
		chunk->flags |= TTMPOOL_CHUNK_FROM_COHERENT |
				TTMPOOL_CHUNK_MAPPED;
	if (req->flags & TPOS_ALLOC_DMA32)
		chunk->flags |= TTMPOOL_CHUNK_DMA32;
	ttmpool_chunk_note_node(pool, chunk);
	chunk_publish(chunk, pool, TTMPOOL_CHUNK_FRESH);
	tpos_page_set_chunk(chunk->page, chunk);
}

/* The device has no addresses for a chunk of this order: ends kept mappings. Returns
 * whether there may be more addresses now. */
static bool addresses_are_made(struct ttmpool_pool *pool, struct room *room,
			       unsigned int order)
{
	size_t pages = room->mapped << room->give_ups;
	unsigned int most = room->one_order || !order ? ROOM_MOST_GIVE_UPS : 1;

	tpos_assert(room->mapped);
	if (room->give_ups >= most)
		return false;
	room->give_ups++;
	return ttmpool_device_give_up_mappings(pool, pool_bytes(pool, pages));
}

/* Gets pages from the system. Coherent ones need addresses, too: if the device has none,
 * kept mappings end for them. */
static int chunk_get_pages(struct ttmpool_pool *pool,
			   const struct tpos_alloc *req, struct room *room,
			   struct ttmpool_chunk *chunk)
{
	int err;

	do {
		err = tpos_pages_alloc(pool->dev, req, chunk);
	} while (err == -ENOSPC && addresses_are_made(pool, room, req->order));
	if (err == -ENOSPC)
		room->below = pages_of(&pool->iova->pages);
	return err;
}

/*
 * Makes one chunk of fresh pages, and puts it at the end of @made. Room for it was taken
 * before; it is taken here only if a chunk that was refused has used that up. A coherent
 * chunk is mapped from birth, so it also needs room for its mapping.
 */
int ttmpool_chunk_create(struct ttmpool_pool *pool,
			 const struct tpos_alloc *req, struct room *room,
			 struct ttmpool_list *made)
{
	bool coherent = req->source == TTMPOOL_COHERENT;
	size_t pages = (size_t)1 << req->order;
	unsigned int looks = ttmpool_verify_looks(pool);
	struct ttmpool_chunk *chunk;
	struct ttmpool_list alone;
	int err;

	tpos_assert(req->order <= pool->max_order[req->source]);
	err = ttmpool_room_make(pool, room, pages, coherent ? pages : 0);
	if (err)
		return err;
	chunk = ttmpool_chunk_new(pool, req->flags);
	if (!chunk)
		return -ENOMEM;
	err = chunk_get_pages(pool, req, room, chunk);
	if (err) {
		tpos_chunk_free(pool->mgr->system, chunk);
		return err;
	}
	tpos_assert(room->pages >= pages);
	tpos_assert(chunk->page);
	room->pages -= pages;
	room->mapped -= coherent ? pages : 0;
	chunk_init(chunk, pool, req);
	ttmpool_list_add_tail(&chunk->link, made);
	if (coherent)
		err = chunk_check_address(pool, made, chunk, &looks);
	if (!err)
		return 0;
	pool_tally(pool, &pool->stats.pages_fresh, pages);
	ttmpool_list_init(&alone);
	ttmpool_list_move_tail(&chunk->link, &alone);
	ttmpool_chunks_release(pool, &alone);
	return err;
}

/* Notes that a batch was mapped, for which there was room, and checks its addresses. After
 * an error the batch is not mapped. */
static int chunks_note_mapped(struct ttmpool_pool *pool, struct room *room,
			      struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	int err;

	tpos_assert(!ttmpool_list_empty(chunks));
	room->mapped -= ttmpool_chunks_count_pages(chunks);
	ttmpool_for_each_chunk(chunk, chunks)
		chunk->flags |= TTMPOOL_CHUNK_MAPPED;
	pool_tally_batch(pool, &pool->stats.map_batches, &pool->stats.maps,
			 ttmpool_chunks_count(chunks));
	err = chunks_check_addresses(pool, chunks);
	if (err)
		ttmpool_chunks_unmap(pool, chunks, false);
	return err;
}

/*
 * Maps a batch of plain chunks, the first of which is as large as any, and for which there
 * is room. If the device has no addresses, kept mappings end for it. After an error, none
 * of the chunks is mapped; and if there were no addresses, room->below records how many
 * pages of the device had some.
 */
int ttmpool_chunks_map(struct ttmpool_pool *pool, struct room *room,
		       struct ttmpool_list *chunks)
{
	unsigned int order = ttmpool_chunk_of(chunks->next)->order;
	int err;

	tpos_assert(!ttmpool_list_empty(chunks));
	tpos_assert(room->mapped >= ttmpool_chunks_count_pages(chunks));
	do {
		err = tpos_dma_map(pool->dev, chunks);
	} while (err == -ENOSPC && addresses_are_made(pool, room, order));
	if (err == -ENOSPC)
		room->below = pages_of(&pool->iova->pages);
	return err ? err : chunks_note_mapped(pool, room, chunks);
}

/* As ttmpool_chunks_map(), but nobody gives up anything for it: then it returns -ENOSPC. */
int ttmpool_chunks_map_if_free(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks)
{
	struct room room = { 0 };
	int err;

	if (!ttmpool_room_try(pool, &room, 0,
			      ttmpool_chunks_count_pages(chunks)))
		return -ENOSPC;
	err = tpos_dma_map(pool->dev, chunks);
	if (!err)
		err = chunks_note_mapped(pool, &room, chunks);
	ttmpool_room_return(pool, &room);
	return err;
}

/*
 * Returns whether the machine has an address for a single page of that source, which costs
 * one free page for a moment. Nobody gives up anything for it. If there is no page or no
 * room for the question, returns true, because nothing is known then.
 */
bool ttmpool_has_addresses(struct ttmpool_pool *pool,
			   enum ttmpool_source source)
{
	const struct tpos_alloc alloc = {
		.source = source,
		.node = TTMPOOL_NODE_ANY,
		.flags = TPOS_ALLOC_LIGHT | TPOS_ALLOC_NO_RECLAIM |
			 pool_zone(pool, source),
	};
	struct room room = { .give_ups = ROOM_MOST_GIVE_UPS };
	struct ttmpool_list made;
	int err = -ENOMEM;

	ttmpool_list_init(&made);
	if (ttmpool_room_try(pool, &room, 1, 1))
		err = ttmpool_chunk_create(pool, &alloc, &room, &made);
	if (!err && source == TTMPOOL_PLAIN)
		err = ttmpool_chunks_map(pool, &room, &made);
	ttmpool_room_return(pool, &room);
	if (!ttmpool_list_empty(&made)) {
		pool_tally(pool, &pool->stats.pages_fresh, 1);
		ttmpool_chunks_release(pool, &made);
	}
	return err != -ENOSPC;
}
