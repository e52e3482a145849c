// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * For policy.verify: the pool checks what it otherwise trusts.
 *
 * A pooled chunk that was cleared is read before it is handed out. If it is not all zeroes,
 * its last owner, or that owner's device, has written to it meanwhile. The address of a new
 * mapping is compared with those of chunks in use: if two overlapped, two buffers would be
 * in one place.
 */

#include "pool_internal.h"

/* At most this many addresses are compared for one batch. */
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

/* Returns whether a chunk before @mark on the in-use list, which was handed out earlier,
 * overlaps @chunk in the device's address space. Compares some chunks, and moves the mark
 * to where the next call goes on. */
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

/* Returns whether a chunk on the in-use list overlaps @chunk. Compares some hundred chunks
 * at a time: @mark keeps the place while other threads have the lock.
 * ttmpool_pool_is_valid() waits for pool->scrub, so it never sees the mark. */
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

/* Returns whether a chunk before @chunk in @chunks, or one on the in-use list, overlaps it.
 * @looks: how many more chunks may be compared for this batch. */
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

/* Checks that a chunk is still all zeroes, as it was when it was pooled. If not, reports it
 * and marks it as dirty. A parked chunk must not be touched, so it is noted as issued
 * during the check. */
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
