// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Chunks: what is done to pages, always in batches.
 *
 *                        take             give
 *     (system) -> FRESH -------> IN_USE -------> LEAVING -> (system)
 *                   |               ^             |   ^
 *                   | prime         | take   keep |   | reclaim
 *                   |               |             v   |
 *                   `-------------> `--------- POOLED
 *
 * The functions here work only on chunks that no other thread can see: FRESH and LEAVING
 * ones, and POOLED ones that are out of their bin, on a list of the function that took them
 * out. So mapping, conversion, clearing and freeing need no lock, and hold none.
 *
 * Each function below leaves in the chunk what is true of its pages: whether they are
 * mapped, clean, and of which caching. After an error, ttmpool_chunks_release() reads from
 * the chunks what has to be undone.
 */

#include "pool_internal.h"

_Static_assert(sizeof(void *) > 8 || sizeof(struct ttmpool_chunk) <= 64 ||
		       sizeof(struct tpos_dma) > 16,
	       "a descriptor is to be 64 bytes");

/* This much is copied before a signal can end the copying. */
#define COPY_BYTES ((uint64_t)16 << 20)

#define MAY(state) (1u << TTMPOOL_CHUNK_##state)

/* The states that may follow each state. */
static const uint8_t chunk_next[TTMPOOL_CHUNK_STATE_COUNT] = {
	[TTMPOOL_CHUNK_FRESH] = MAY(IN_USE) | MAY(POOLED) | MAY(QUARANTINED),
	[TTMPOOL_CHUNK_POOLED] = MAY(IN_USE) | MAY(POOLED) | MAY(LEAVING) |
				 MAY(QUARANTINED),
	[TTMPOOL_CHUNK_IN_USE] = MAY(LEAVING),
	[TTMPOOL_CHUNK_LEAVING] = MAY(POOLED) | MAY(IN_USE) | MAY(QUARANTINED),
	[TTMPOOL_CHUNK_QUARANTINED] = 0,
};

_Static_assert(TTMPOOL_CHUNK_STATE_COUNT <= 8, "a set of states is a byte");
_Static_assert(TTMPOOL_NR_ORDERS <= 16, "an order has four bits in a chunk");
_Static_assert(TTMPOOL_CACHING_UNKNOWN < 16, "so has a caching");
_Static_assert(offsetof(struct ttmpool_chunk, kind) ==
		       offsetof(struct ttmpool_chunk, state) - 1,
	       "kind is order, caching, state and flags");

bool ttmpool_chunk_may_become(enum ttmpool_chunk_state from,
			      enum ttmpool_chunk_state to)
{
	if ((unsigned int)from >= TTMPOOL_CHUNK_STATE_COUNT ||
	    (unsigned int)to >= TTMPOOL_CHUNK_STATE_COUNT)
		return false;
	return chunk_next[from] & (1u << to);
}

/* Asserts that the change is legal, and that the pool's lock is held if the chunk comes
 * into use or goes out of use: see chunk_publish(). */
void ttmpool_chunk_check_change(const struct ttmpool_chunk *chunk,
				enum ttmpool_chunk_state state)
{
	tpos_assert(ttmpool_chunk_may_become(
		(enum ttmpool_chunk_state)chunk->state, state));
	if (chunk->state == TTMPOOL_CHUNK_IN_USE ||
	    state == TTMPOOL_CHUNK_IN_USE)
		tpos_assert_held(&chunk->pool->lock);
}

size_t ttmpool_chunks_count_pages(const struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	size_t pages = 0;

	ttmpool_for_each_chunk(chunk, chunks)
		pages += ttmpool_chunk_pages(chunk);
	return pages;
}

size_t ttmpool_chunks_count(const struct ttmpool_list *chunks)
{
	const struct ttmpool_list *link;
	size_t n = 0;

	ttmpool_list_for_each(link, chunks)
		n++;
	return n;
}

/*
 * Moves the first chunk, and those after it that are of its kind and owner, to @run, which
 * need not be initialised. What is true of one of them is true of all. Returns how many
 * pages they have.
 */
size_t ttmpool_chunks_cut_run(struct ttmpool_list *chunks,
			      struct ttmpool_list *run)
{
	const struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);
	struct ttmpool_list *last = chunks->next;
	size_t n = 1;

	tpos_assert(!ttmpool_list_empty(chunks));

	for (; last->next != chunks; last = ttmpool_list_next(last), n++) {
		const struct ttmpool_chunk *next = ttmpool_chunk_of(last->next);

		if (next->kind != first->kind || next->owner != first->owner)
			break;
	}
	ttmpool_list_init(run);
	ttmpool_list_move_range(chunks->next, last, run);
	return n << first->order;
}

/*
 * Moves the chunks that pass the test to @to, which need not be initialised. Both lists
 * keep their order. Returns whether there were any.
 */
bool ttmpool_chunks_extract(struct ttmpool_list *from, chunk_test test,
			    struct ttmpool_list *to)
{
	struct ttmpool_chunk *chunk, *after;

	ttmpool_list_init(to);
	ttmpool_for_each_chunk_safe(chunk, after, from) {
		if (test(chunk))
			ttmpool_list_move_tail(&chunk->link, to);
	}
	return !ttmpool_list_empty(to);
}

/*
 * Merges @from into @into. Both are sorted by falling order, and so is the result. That
 * keeps the chunks of a buffer aligned within it.
 */
void ttmpool_chunks_merge(struct ttmpool_list *into, struct ttmpool_list *from)
{
	struct ttmpool_list *at = into->next;

	while (!ttmpool_list_empty(from) && at != into) {
		struct ttmpool_list *first = from->next;

		if (ttmpool_chunk_of(at)->order >=
		    ttmpool_chunk_of(first)->order) {
			at = ttmpool_list_next(at);
			continue;
		}
		ttmpool_list_move_tail(first, at);
	}
	ttmpool_list_splice_tail(from, into);
}

/* Ends the mappings of a batch of chunks, all of which are mapped. */
void ttmpool_chunks_unmap(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks, bool lazy)
{
	struct ttmpool_chunk *chunk;
	size_t back;

	tpos_assert(!ttmpool_list_empty(chunks));
	back = tpos_dma_unmap(pool->dev, chunks, lazy);
	ttmpool_for_each_chunk(chunk, chunks) {
		assert_deep(ttmpool_chunk_is_mapped(chunk));
		chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_MAPPED;
	}
	ttmpool_budget_return_mapped(pool, ttmpool_chunks_count_pages(chunks),
				     back);
	pool_tally_batch(pool, &pool->stats.unmap_batches, &pool->stats.unmaps,
			 ttmpool_chunks_count(chunks));
}

/* Ends the mappings of chunks that are about to be pooled, if their pool keeps none. The
 * chunks stay in falling order. */
void ttmpool_chunks_unkeep(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks)
{
	struct ttmpool_list mapped;

	if (pool_keeps_mapped(pool) ||
	    !ttmpool_chunks_extract(chunks, ttmpool_chunk_is_streaming,
				    &mapped))
		return;
	ttmpool_chunks_unmap(pool, &mapped, false);
	ttmpool_chunks_merge(chunks, &mapped);
}

/*
 * Cuts the device off from all chunks of a batch, of either source, for chunks that leave
 * the device for good. The list comes back in another order.
 */
void ttmpool_chunks_cut_off(struct ttmpool_pool *pool,
			    struct ttmpool_list *chunks, bool lazy)
{
	struct ttmpool_list mapped;

	if (!ttmpool_chunks_extract(chunks, ttmpool_chunk_is_mapped, &mapped))
		return;
	ttmpool_chunks_unmap(pool, &mapped, lazy);
	ttmpool_list_splice(&mapped, chunks);
}

/* Makes a batch write-back. The list comes back in another order. After an error, some
 * chunks are still of another caching. */
int ttmpool_chunks_make_cached(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks)
{
	struct ttmpool_list undo;
	int err;

	if (!ttmpool_chunks_extract(chunks, ttmpool_chunk_is_not_cached, &undo))
		return 0;
	err = ttmpool_chunks_set_caching(pool, &undo, TTMPOOL_CACHED);
	ttmpool_list_splice(&undo, chunks);
	return err;
}

/*
 * Makes ordinary pages of the plain chunks of a batch: unmaps them, and makes them
 * write-back, in one batch each. Coherent chunks stay mapped, and become write-back, too.
 * Otherwise as ttmpool_chunks_make_cached().
 */
int ttmpool_chunks_strip(struct ttmpool_pool *pool, struct ttmpool_list *chunks)
{
	struct ttmpool_list mapped;

	if (ttmpool_chunks_extract(chunks, ttmpool_chunk_is_streaming,
				   &mapped)) {
		ttmpool_chunks_unmap(pool, &mapped, false);
		ttmpool_list_splice(&mapped, chunks);
	}
	return ttmpool_chunks_make_cached(pool, chunks);
}

/* Changes the caching of a batch. Success of the port counts only if its chunks say the
 * same. */
int ttmpool_chunks_set_caching(struct ttmpool_pool *pool,
			       struct ttmpool_list *chunks,
			       enum ttmpool_caching caching)
{
	int err = tpos_caching_set(pool->dev, chunks, caching);
	struct ttmpool_chunk *chunk;

	tpos_assert(caching < TTMPOOL_CACHING_COUNT);
	tpos_assert(!ttmpool_list_empty(chunks));
	ttmpool_for_each_chunk(chunk, chunks) {
		if (!err && chunk->caching != caching)
			err = -EIO;
	}

	pool_tally_batch(pool, &pool->stats.caching_batches,
			 &pool->stats.caching_pages,
			 ttmpool_chunks_count_pages(chunks));
	return err;
}

/* Clears a batch, for a caller that takes the pool's lock next, and counts the bytes then. */
void ttmpool_chunks_clear_uncounted(struct ttmpool_pool *pool,
				    struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	tpos_assert(!ttmpool_list_empty(chunks));
	tpos_pages_clear(pool->dev, chunks);
	ttmpool_for_each_chunk(chunk, chunks)
		chunk->flags |= TTMPOOL_CHUNK_CLEAN;
}

void ttmpool_chunks_clear(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks)
{
	ttmpool_chunks_clear_uncounted(pool, chunks);
	pool_tally(pool, &pool->stats.bytes_cleared,
		   pool_bytes(pool, ttmpool_chunks_count_pages(chunks)));
}

/* Returns a new descriptor, or NULL. If the pool verifies, it has room for the name of the
 * last owner. @flags: TPOS_ALLOC_*, how hard to try. */
struct ttmpool_chunk *ttmpool_chunk_new(struct ttmpool_pool *pool,
					unsigned int flags)
{
	const bool named = pool->policy.verify;
	struct ttmpool_chunk *chunk;

	chunk = tpos_chunk_alloc(pool->mgr->system, named, flags);
	if (!chunk)
		return NULL;
	chunk->flags = 0;
	if (named) {
		chunk->flags = TTMPOOL_CHUNK_NAMED;
		chunk_named(chunk)->last_owner = NULL;
	}
	return chunk;
}

/* Marks the chunks of a batch, which are on no list of the pool any more, as no longer in
 * use. */
void ttmpool_chunks_leave(struct ttmpool_pool *pool,
			  struct ttmpool_list *chunks)
{
	struct ttmpool_list *link = chunks->next;

	while (link != chunks) {
		tpos_spin_lock(&pool->lock);
		for (int i = 0; i < TTMPOOL_HOLD_CHUNKS && link != chunks;
		     i++) {
			struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

			assert_deep(chunk->pool == pool);
			chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
			chunk->flags &= (uint16_t)~TTMPOOL_CHUNK_HELD;
			link = ttmpool_list_next(link);
		}
		tpos_spin_unlock(&pool->lock);
	}
}

/* Makes @to the pool of a batch's chunks, instead of @from; NULL: they belong to no pool. */
void ttmpool_chunks_set_pool(struct ttmpool_list *chunks,
			     struct ttmpool_pool *from, struct ttmpool_pool *to)
{
	struct ttmpool_list *link = chunks->next;

	while (link != chunks) {
		tpos_spin_lock(&from->lock);
		for (int i = 0; i < TTMPOOL_HOLD_CHUNKS && link != chunks;
		     i++) {
			struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

			assert_deep(chunk->state != TTMPOOL_CHUNK_IN_USE);
			tpos_store_release(&chunk->pool, to);
			link = ttmpool_list_next(link);
		}
		tpos_spin_unlock(&from->lock);
	}
}

/* Copies one chunk to the place @into, and moves that behind the copy. */
static void chunk_copy(struct tpos_span *into, struct ttmpool_chunk *chunk)
{
	struct tpos_span out = { .chunk = chunk };
	size_t n = ttmpool_chunk_pages(chunk);

	while (out.first < n) {
		size_t room = ttmpool_chunk_pages(into->chunk);

		if (into->first == room) {
			into->chunk = ttmpool_chunk_of(into->chunk->link.next);
			into->first = 0;
			continue;
		}
		out.pages = n - out.first;
		if (out.pages > room - into->first)
			out.pages = room - into->first;
		into->pages = out.pages;
		tpos_pages_copy(into, &out);
		into->first += out.pages;
		out.first += out.pages;
	}
}

/*
 * Copies one batch to another that has as many pages, in the order of both lists. If @ask is
 * not NULL, checks after each COPY_BYTES whether it still holds; if not, copies no more, and
 * returns the error of ttmpool_ask_check().
 */
int ttmpool_chunks_copy(struct ttmpool_pool *pool,
			const struct ttmpool_list *to,
			const struct ttmpool_list *from,
			const struct ttmpool_ask *ask)
{
	struct tpos_span into = { .chunk = ttmpool_chunk_of(to->next) };
	struct ttmpool_chunk *chunk;
	size_t pages = 0, asked = 0;
	int err = 0;

	assert_deep(ttmpool_chunks_count_pages(to) ==
		    ttmpool_chunks_count_pages(from));
	ttmpool_for_each_chunk(chunk, from) {
		if (ask && pool_bytes(pool, pages - asked) >= COPY_BYTES) {
			asked = pages;
			err = ttmpool_ask_check(pool->mgr, ask);
		}
		if (err)
			break;
		chunk_copy(&into, chunk);
		pages += ttmpool_chunk_pages(chunk);
	}
	pool_tally(pool, &pool->stats.bytes_copied, pool_bytes(pool, pages));
	return err;
}
