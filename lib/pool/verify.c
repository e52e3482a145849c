// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For policy.verify: nobody is believed.
 *
 * A pooled chunk that was cleared is read before it is handed out: if it is not all
 * zeroes, its last owner or his device has written to it meanwhile. The address of a
 * new mapping is compared with those of chunks in use: two that overlap would be two
 * buffers in one place.
 */

#include "pool_internal.h"

/* So many addresses are compared for one batch. */
#define OVERLAP_LOOKS 4096

unsigned int ttmpool_verify_looks(const struct ttmpool_pool *pool)
{
	return pool->policy.verify ? OVERLAP_LOOKS : 0;
}

static bool chunks_overlap(const struct ttmpool_pool *pool,
			   const struct ttmpool_chunk *a,
			   const struct ttmpool_chunk *b)
{
	uint64_t at = tpos_dma_address(&a->dma), to = tpos_dma_address(&b->dma);

	return at < to ? to - at < pool_bytes(pool, ttmpool_chunk_pages(a))
		       : at - to < pool_bytes(pool, ttmpool_chunk_pages(b));
}

/* Has a chunk that was handed out before @mark, which is on the in-use list, its
 * address? Looks at some, and moves the mark on to where others have to go on. */
static bool in_use_overlaps(struct ttmpool_pool *pool,
			    const struct ttmpool_chunk *chunk,
			    struct ttmpool_chunk *mark, unsigned int *looks)
{
	struct ttmpool_list *link = mark->link.prev;
	bool taken = false;

	tpos_assert_held(&pool->lock);
	for (int i = 0; i < TTMPOOL_HOLD_CHUNKS && *looks && !taken &&
			link != &pool->in_use;
	     i++, --*looks) {
		const struct ttmpool_chunk *other = ttmpool_chunk_of(link);

		taken = (other->flags & TTMPOOL_CHUNK_MAPPED) &&
			chunks_overlap(pool, chunk, other);
		link = ttmpool_list_prev(link);
	}
	ttmpool_list_del(&mark->link);
	ttmpool_list_add(&mark->link, link);
	return taken;
}

/* The same, some hundred at a time: @mark keeps the place while others have the lock.
 * Who looks whether the lists are valid waits for it. */
static bool address_is_in_use(struct ttmpool_pool *pool,
			      const struct ttmpool_chunk *chunk,
			      unsigned int *looks)
{
	struct ttmpool_chunk mark = { .state = TTMPOOL_CHUNK_LEAVING };
	bool taken, more;

	tpos_mutex_lock(&pool->scrub);
	tpos_spin_lock(&pool->lock);
	ttmpool_list_add_tail(&mark.link, &pool->in_use);
	tpos_spin_unlock(&pool->lock);
	do {
		tpos_spin_lock(&pool->lock);
		taken = in_use_overlaps(pool, chunk, &mark, looks);
		more = !taken && *looks && mark.link.prev != &pool->in_use;
		if (!more)
			ttmpool_list_del(&mark.link);
		tpos_spin_unlock(&pool->lock);
	} while (more);
	tpos_mutex_unlock(&pool->scrub);
	return taken;
}

/* Has a chunk before it in the list, or one that is in use, its address? So
 * many are looked at. */
bool ttmpool_chunk_address_is_taken(struct ttmpool_pool *pool,
				    const struct ttmpool_list *chunks,
				    const struct ttmpool_chunk *chunk,
				    unsigned int *looks)
{
	const struct ttmpool_list *link = chunk->link.prev;
	bool taken = false;

	for (; *looks && !taken && link != chunks; link = link->prev, --*looks)
		taken = chunks_overlap(
			pool, chunk,
			ttmpool_list_entry(link, struct ttmpool_chunk, link));
	if (*looks && !taken)
		taken = address_is_in_use(pool, chunk, looks);
	return taken;
}

/* Is it all zeroes, as it was when it was pooled? If not, tell. It is parked,
 * and may be looked at meanwhile. */
void ttmpool_chunk_verify(struct ttmpool_pool *pool,
			  struct ttmpool_chunk *chunk)
{
	struct tpos_span page = { .chunk = chunk, .pages = 1 };
	struct ttmpool_report where = { 0 };
	size_t n = ttmpool_chunk_pages(chunk);

	tpos_assert(pool->policy.verify);
	tpos_assert(chunk->pool == pool);
	tpos_assert(chunk->flags & TTMPOOL_CHUNK_CLEAN);
	tpos_note_issued(pool->dev, chunk);
	while (page.first < n && !tpos_page_sum(&page))
		page.first++;
	tpos_note_parked(pool->dev, chunk);
	if (page.first == n)
		return;
	where.index = page.first;
	ttmpool_pool_report(pool, TTMPOOL_REPORT_WRITTEN, chunk, &where);
	chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_CLEAN;
}
