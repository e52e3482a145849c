// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Accounts: what the pages of a buffer are counted as, for its owner and for its pool.
 *
 * No counter changes while chunks are worked on. What a chunk adds to each account is read
 * from the chunk, before and after the work, and the difference is booked. So the sums
 * cannot drift from what the chunks are, and error paths need no accounting of their own.
 *
 *     before:  in use 8, mapped 8        after:  in use 8, anonymous 8
 *     booked:  mapped -8, anonymous +8
 */

#include "pool_internal.h"

/* Adds to the sums what the chunks of a batch are counted as. */
void ttmpool_account_add(struct ttmpool_pool *pool,
			 const struct ttmpool_list *chunks,
			 struct account *sums)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks) {
		long n = (long)ttmpool_chunk_pages(chunk);

		sums->pages[TTMPOOL_IN_USE] += n;
		if (chunk->flags & TTMPOOL_CHUNK_ANONYMOUS)
			sums->pages[TTMPOOL_ANONYMOUS] += n;
		if (!(chunk->flags & TTMPOOL_CHUNK_MAPPED))
			continue;
		sums->pages[TTMPOOL_MAPPED] += n;
		if (pool_may_bounce(pool) && tpos_dma_bounces(pool->dev, chunk))
			sums->pages[TTMPOOL_BOUNCED] += n;
	}
}

/* Charges an owner, if there is one. */
void ttmpool_account_charge(struct ttmpool_owner *owner,
			    const struct account *more)
{
	for (int i = 0; owner && i < TTMPOOL_ACCOUNT_COUNT; i++) {
		long pages;

		if (!more->pages[i])
			continue;
		pages = tpos_atomic_add_return(more->pages[i],
					       &owner->pages[i]);
		tpos_assert(pages >= 0);
	}
}

/* Charges a pool. The caller holds its lock. */
void ttmpool_account_book(struct ttmpool_pool *pool, const struct account *more)
{
	struct ttmpool_pool_stats *stats = &pool->stats;

	tpos_assert_held(&pool->lock);
	stats->pages_in_use += (uint64_t)more->pages[TTMPOOL_IN_USE];
	stats->pages_bounced += (uint64_t)more->pages[TTMPOOL_BOUNCED];
	stats->pages_anonymous += (uint64_t)more->pages[TTMPOOL_ANONYMOUS];
	stats->pages_swapped += (uint64_t)more->pages[TTMPOOL_SWAPPED];
	assert_deep(stats->pages_in_use <= LONG_MAX);
	assert_deep(stats->pages_swapped <= LONG_MAX);
	assert_deep(stats->pages_bounced <= stats->pages_in_use);
	assert_deep(stats->pages_anonymous <= stats->pages_in_use);
	if (stats->pages_in_use > stats->pages_in_use_peak)
		stats->pages_in_use_peak = stats->pages_in_use;
}

static void account_book_alone(struct ttmpool_pool *pool,
			       const struct account *more)
{
	tpos_spin_lock(&pool->lock);
	ttmpool_account_book(pool, more);
	tpos_spin_unlock(&pool->lock);
}

/* Charges owner and pool with what chunks are counted as after a change, less what they
 * were counted as before it. */
void ttmpool_account_change(struct ttmpool_pool *pool,
			    struct ttmpool_owner *owner,
			    const struct account *before,
			    const struct account *after)
{
	struct account more;

	for (int i = 0; i < TTMPOOL_ACCOUNT_COUNT; i++)
		more.pages[i] = after->pages[i] - before->pages[i];
	ttmpool_account_charge(owner, &more);
	account_book_alone(pool, &more);
}

/* The chunk has no owner any more. If its descriptor has room for that (policy.verify), it
 * remembers the name of its last owner. */
static void chunk_disown(struct ttmpool_chunk *chunk)
{
	const char *name = chunk->owner ? chunk->owner->name : NULL;

	chunk->owner = NULL;
	if (!name || !(chunk->flags & TTMPOOL_CHUNK_NAMED))
		return;
	chunk_named(chunk)->last_owner = name;
	chunk->flags |= TTMPOOL_CHUNK_REMEMBERS;
}

/* Returns the negative of what a run of @pages is counted as. */
static struct account account_of_run(struct ttmpool_pool *pool,
				     const struct ttmpool_list *chunks,
				     long pages)
{
	const struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);
	struct account less = { { 0 } };

	if (pool_may_bounce(pool)) {
		ttmpool_account_add(pool, chunks, &less);
		for (int i = 0; i < TTMPOOL_ACCOUNT_COUNT; i++)
			less.pages[i] = -less.pages[i];
		return less;
	}
	less.pages[TTMPOOL_IN_USE] = -pages;
	if (first->flags & TTMPOOL_CHUNK_MAPPED)
		less.pages[TTMPOOL_MAPPED] = -pages;
	if (first->flags & TTMPOOL_CHUNK_ANONYMOUS)
		less.pages[TTMPOOL_ANONYMOUS] = -pages;
	return less;
}

/* A run of @pages has no owner any more. Takes it off the owner's account, and adds to
 * @sums what the caller must charge the pool with. */
void ttmpool_account_close_run(struct ttmpool_pool *pool,
			       const struct ttmpool_list *chunks, size_t pages,
			       struct account *sums)
{
	struct account less = account_of_run(pool, chunks, (long)pages);
	struct ttmpool_chunk *chunk = ttmpool_chunk_of(chunks->next);

	tpos_assert(!ttmpool_list_empty(chunks));
	assert_deep(ttmpool_chunks_count_pages(chunks) == pages);
	ttmpool_account_charge(chunk->owner, &less);
	for (int i = 0; i < TTMPOOL_ACCOUNT_COUNT; i++)
		sums->pages[i] += less.pages[i];
	if (!pool->policy.verify)
		return;
	ttmpool_for_each_chunk(chunk, chunks)
		chunk_disown(chunk);
}

/* The chunks of a batch have no owner any more. Takes them off the accounts of their owners
 * and of the pool. */
void ttmpool_account_close(struct ttmpool_pool *pool,
			   struct ttmpool_list *chunks)
{
	struct account sums = { { 0 } };
	struct ttmpool_list run, done;

	ttmpool_list_init(&done);
	while (!ttmpool_list_empty(chunks)) {
		size_t pages = ttmpool_chunks_cut_run(chunks, &run);

		ttmpool_account_close_run(pool, &run, pages, &sums);
		ttmpool_list_splice_tail(&run, &done);
	}
	ttmpool_list_splice(&done, chunks);
	account_book_alone(pool, &sums);
}

/* Counts @pages more pages of a buffer as being in its store; fewer if @pages is negative. */
void ttmpool_account_swapped(struct ttmpool_pool *pool,
			     struct ttmpool_owner *owner, long pages)
{
	struct account more = { { [TTMPOOL_SWAPPED] = pages } };
	long all;

	ttmpool_account_charge(owner, &more);
	account_book_alone(pool, &more);
	all = tpos_atomic_add_return(pages, &pool->mgr->pages_swapped);
	tpos_assert(all >= 0);
}

void ttmpool_owner_init(struct ttmpool_owner *owner, const char *name)
{
	owner->name = name;
	for (int i = 0; i < TTMPOOL_ACCOUNT_COUNT; i++)
		tpos_atomic_set(&owner->pages[i], 0);
}

int ttmpool_owner_fini(struct ttmpool_owner *owner)
{
	return ttmpool_owner_pages(owner, TTMPOOL_IN_USE) ||
			       ttmpool_owner_pages(owner, TTMPOOL_SWAPPED)
		       ? -EBUSY
		       : 0;
}

unsigned long ttmpool_owner_pages(struct ttmpool_owner *owner,
				  enum ttmpool_account account)
{
	if ((unsigned int)account >= TTMPOOL_ACCOUNT_COUNT)
		return 0;
	return pages_of(&owner->pages[account]);
}
