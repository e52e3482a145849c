// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Claiming: from an array of pages back to their chunks.
 *
 * The pool that Linux had in 2011 knew its pages and refused others, at the price of a walk
 * along its in-use list; the one that it has now believes its caller. Here a page leads to
 * its chunk in one step, and the chunk says which pool it belongs to, of which order and
 * caching it is, and whether it is in use at all. (A chunk of another pool may end
 * meanwhile, so only two words of it are read: see chunk_publish().) A chunk that passes
 * the check is taken off the in-use list and marked as leaving. So a page that is named
 * twice in one array is found in the same way as one that was given back before.
 *
 *     pages[]   p0 p1 p2 p3 | q0 q1 | r0        in use: x, p, q, y, r
 *     claimed   p             q       r         in use: x, y
 *
 * Chunks that were handed out together are neighbours on the in-use list, in the order of
 * the array. So the list says which chunk to expect next. If the page of that chunk is the
 * next one of the array, it was found by a comparison, without a search; and all chunks
 * that are found in this way leave the list in one piece.
 *
 * If one element is wrong, all chunks that were claimed before it are in use again, and the
 * report says which element it was. The caller can work on claimed chunks without a lock,
 * and then gives them back, or puts them in use again.
 */

#include "pool_internal.h"

/* At most this many chunks are checked before the lock is released for others. */
#define CHECK_RUN TTMPOOL_HOLD_CHUNKS

#define BLOCK 32

#define ALL_RIGHT TTMPOOL_REPORT_KIND_COUNT

void ttmpool_claim_init(struct claim *claim, struct ttmpool_pool *pool,
			tpos_page_t *const *pages, size_t num_pages)
{
	tpos_assert(pages);
	tpos_assert(num_pages);
	*claim = (struct claim){ .pool = pool,
				 .pages = pages,
				 .num_pages = num_pages,
				 .caching = TTMPOOL_CACHING_UNKNOWN };
	ttmpool_list_init(&claim->chunks);
}

/* Returns whether these are the pages of the chunk that was found by the first of them.
 * Compares the last page; in checked builds all of them, in unrolled blocks as far as
 * possible, because for a buffer of large chunks this is the only work done for each page. */
static bool pages_are_of(tpos_page_t *const *pages,
			 const struct ttmpool_chunk *chunk, size_t n)
{
	size_t i = TPOS_CHECK_LEVEL > 0 ? 0 : n - 1;

	for (; n - i >= BLOCK; i += BLOCK)
#pragma GCC unroll 32
		for (size_t j = 0; j < BLOCK; j++)
			if (pages[i + j] != tpos_page_nth(chunk->page, i + j))
				return false;
	for (; i < n; i++)
		if (pages[i] != tpos_page_nth(chunk->page, i))
			return false;
	return true;
}

/* Returns whether the chunk is in use with another ticket. A caller that may not know of a
 * ticket need not show it. */
static bool ticket_is_wrong(const struct claim *claim,
			    const struct ttmpool_chunk *chunk)
{
	if (chunk->ticket == claim->ticket)
		return false;
	return claim->ticket || (chunk->ticket & TICKET_FLAGS) != TICKET_FLAGS;
}

/* Returns what is wrong with the chunk that was found by the next page of the array. */
static enum ttmpool_report_kind claim_check(const struct claim *claim,
					    const struct ttmpool_chunk *chunk)
{
	tpos_page_t *const *pages = claim->pages + claim->done;
	const struct ttmpool_pool *pool;
	size_t n;

	if (!chunk)
		return TTMPOOL_REPORT_FOREIGN;
	pool = tpos_load_acquire(&chunk->pool);
	if (tpos_read_once(&chunk->state) != TTMPOOL_CHUNK_IN_USE)
		return TTMPOOL_REPORT_DOUBLE;
	if (pool != claim->pool || chunk->flags & TTMPOOL_CHUNK_HELD)
		return TTMPOOL_REPORT_FOREIGN;
	if (ticket_is_wrong(claim, chunk))
		return TTMPOOL_REPORT_STALE;
	if (!claim->with_holes && chunk->caching != claim->caching)
		return TTMPOOL_REPORT_WRONG_CACHING;
	n = ttmpool_chunk_pages(chunk);
	if (n > claim->num_pages - claim->done ||
	    !pages_are_of(pages, chunk, n))
		return TTMPOOL_REPORT_WRONG_ORDER;
	return ALL_RIGHT;
}

/*
 * @first was right. If it is a single page, follows the in-use list from there on, as long
 * as the chunks are of the same kind, owner and ticket, and the array names their pages,
 * but over no more than @most chunks; larger chunks do not come in such numbers. Marks them
 * all as leaving. Returns how many they are, and the last of them.
 */
static size_t claim_follow(const struct claim *claim,
			   struct ttmpool_chunk *first, size_t most,
			   struct ttmpool_chunk **last)
{
	const struct ttmpool_list *head = &claim->pool->in_use;
	tpos_page_t *const *pages = claim->pages + claim->done;
	const struct ttmpool_owner *owner = first->owner;
	const uint64_t like = first->like;
	struct ttmpool_chunk *chunk = first;
	size_t n = 1;

	tpos_assert_held(&claim->pool->lock);
	tpos_assert(most);
	tpos_assert(claim->done < claim->num_pages);
	if (most > claim->num_pages - claim->done)
		most = claim->num_pages - claim->done;
	if (first->order)
		most = 1;
	chunk_set_state(first, TTMPOOL_CHUNK_LEAVING);
	for (; n < most; n++) {
		struct ttmpool_chunk *next =
			ttmpool_chunk_of(ttmpool_list_next(&chunk->link));

		if (&next->link == head || next->page != pages[n] ||
		    next->like != like || next->owner != owner)
			break;
		chunk_set_state(next, TTMPOOL_CHUNK_LEAVING);
		chunk = next;
	}
	*last = chunk;
	return n;
}

/* Moves the chunks from @first to @last to those that were claimed before. Sets @mixed if
 * their kind or owner differs. */
static void claim_move(struct claim *claim, struct ttmpool_chunk *first,
		       struct ttmpool_chunk *last)
{
	const struct ttmpool_chunk *before =
		ttmpool_chunk_of(claim->chunks.prev);

	if (!ttmpool_list_empty(&claim->chunks) &&
	    (before->kind != last->kind || before->owner != last->owner))
		claim->mixed = true;
	ttmpool_list_move_range(&first->link, &last->link, &claim->chunks);
}

/* Claims up to CHECK_RUN chunks. Returns ALL_RIGHT, or what was wrong with the next one. */
static enum ttmpool_report_kind claim_run(struct claim *claim)
{
	enum ttmpool_report_kind wrong = ALL_RIGHT;
	size_t n = 0;

	tpos_spin_lock(&claim->pool->lock);
	tpos_read_lock();
	for (size_t i = 0; i < CHECK_RUN && claim->done < claim->num_pages;
	     i += n) {
		tpos_page_t *page = claim->pages[claim->done];
		struct ttmpool_chunk *chunk, *last;

		n = 1;
		if (claim->with_holes && !page) {
			claim->done++;
			continue;
		}
		chunk = tpos_page_chunk(claim->pool->dev, page);
		wrong = claim_check(claim, chunk);
		if (wrong != ALL_RIGHT)
			break;
		n = claim_follow(claim, chunk, CHECK_RUN - i, &last);
		claim_move(claim, chunk, last);
		claim->done += n << last->order;
	}
	tpos_read_unlock();
	tpos_spin_unlock(&claim->pool->lock);
	return wrong;
}

/* Puts claimed chunks in use again, some hundred at a time. */
void ttmpool_chunks_unclaim(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks)
{
	while (!ttmpool_list_empty(chunks)) {
		struct ttmpool_list *last = chunks;

		tpos_spin_lock(&pool->lock);
		for (size_t i = 0; i < CHECK_RUN && last->next != chunks; i++) {
			last = ttmpool_list_next(last);
			chunk_set_state(ttmpool_chunk_of(last),
					TTMPOOL_CHUNK_IN_USE);
		}
		ttmpool_list_cut_through(chunks, last, &pool->in_use);
		tpos_spin_unlock(&pool->lock);
	}
}

/* Puts the claimed chunks in use again, and reports what was wrong. If the page belongs to
 * no chunk that this pool has in use, the report only says where in the array it was. */
static void claim_refuse(struct claim *claim, enum ttmpool_report_kind wrong)
{
	struct ttmpool_report where = { .kind = wrong,
					.order = -1,
					.caching = TTMPOOL_CACHING_UNKNOWN,
					.index = claim->done,
					.page = claim->pages[claim->done] };
	struct ttmpool_pool *pool = claim->pool;
	struct ttmpool_chunk *chunk;

	ttmpool_chunks_unclaim(pool, &claim->chunks);
	tpos_spin_lock(&pool->lock);
	tpos_read_lock();
	chunk = tpos_page_chunk(pool->dev, claim->pages[claim->done]);
	if (chunk && chunk_is_in_use_of(chunk, pool))
		ttmpool_report_describe(pool, chunk, &where);
	tpos_read_unlock();
	tpos_spin_unlock(&pool->lock);
	ttmpool_pool_report(pool, wrong, NULL, &where);
}

/* Claims all chunks of the array, in its order, or none. Returns 0 or -EINVAL. */
int ttmpool_claim_chunks(struct claim *claim)
{
	enum ttmpool_report_kind wrong = ALL_RIGHT;

	while (wrong == ALL_RIGHT && claim->done < claim->num_pages) {
		wrong = claim_run(claim);
		tpos_cond_resched();
	}
	tpos_assert(claim->done <= claim->num_pages);
	if (wrong == ALL_RIGHT)
		return 0;
	claim_refuse(claim, wrong);
	return -EINVAL;
}

/* Returns the chunk of @pool that is all of the array, or NULL: it must be in use in
 * arrays, of this order, caching and ticket, and not ordinary pages. The caller holds the
 * pool's lock. */
struct ttmpool_chunk *ttmpool_claim_single(struct ttmpool_pool *pool,
					   tpos_page_t *const *pages,
					   unsigned int order,
					   enum ttmpool_caching caching,
					   uint32_t ticket)
{
	const uint16_t others = TTMPOOL_CHUNK_HELD | TTMPOOL_CHUNK_ANONYMOUS;
	struct ttmpool_chunk *chunk;

	tpos_assert_held(&pool->lock);
	tpos_read_lock();
	chunk = tpos_page_chunk(pool->dev, pages[0]);
	if (!chunk || !chunk_is_in_use_of(chunk, pool) ||
	    ((chunk->flags & others) | (chunk->order ^ order) |
	     (chunk->caching ^ (unsigned int)caching) |
	     (chunk->ticket ^ ticket)) ||
	    !pages_are_of(pages, chunk, (size_t)1 << order))
		chunk = NULL;
	tpos_read_unlock();
	return chunk;
}

/* Puts claimed chunks into the order of the array again. The array has no holes. */
void ttmpool_claim_sort(struct claim *claim)
{
	size_t i = 0;

	while (i < claim->num_pages) {
		struct ttmpool_chunk *chunk;

		chunk = tpos_page_chunk(claim->pool->dev, claim->pages[i]);
		assert_deep(chunk->state == TTMPOOL_CHUNK_LEAVING);
		ttmpool_list_move_tail(&chunk->link, &claim->chunks);
		i += ttmpool_chunk_pages(chunk);
	}
}

bool ttmpool_pool_owns(struct ttmpool_pool *pool, tpos_page_t *page)
{
	struct ttmpool_chunk *chunk;
	bool owns;

	tpos_spin_lock(&pool->lock);
	tpos_read_lock();
	chunk = tpos_page_chunk(pool->dev, page);
	owns = chunk && chunk_is_in_use_of(chunk, pool);
	tpos_read_unlock();
	tpos_spin_unlock(&pool->lock);
	return owns;
}

bool ttmpool_page_insertable(struct ttmpool_pool *pool, tpos_page_t *page)
{
	struct ttmpool_chunk *chunk;
	bool insertable;

	tpos_spin_lock(&pool->lock);
	tpos_read_lock();
	chunk = tpos_page_chunk(pool->dev, page);
	insertable = chunk && chunk_is_in_use_of(chunk, pool) &&
		     chunk_source(chunk) == TTMPOOL_PLAIN &&
		     !(chunk->flags & TTMPOOL_CHUNK_HELD) &&
		     chunk->caching != TTMPOOL_CACHING_UNKNOWN;
	tpos_read_unlock();
	tpos_spin_unlock(&pool->lock);
	return insertable;
}
