// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Accounts: what the pages of a buffer are counted as, for its owner and for
 * its pool.
 *
 * Nothing is counted while it is done. What a chunk adds to each account is
 * read from the chunk, before and after something was done to it, and the
 * difference is booked. So the sums cannot drift from what the chunks are, and
 * an error path needs no thought of them.
 *
 *     before:  in use 8, mapped 8        after:  in use 8, anonymous 8
 *     booked:  mapped -8, anonymous +8
 */

#include "pool_internal.h"

/* Add what the chunks of a batch are to the sums. */
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

/* Charge an owner, if there is one. */
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

/* Charge a pool, whose lock is held. */
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

/* Charge both with what chunks are after something was done to them, less what
 * they were before. */
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

/* It is nobody's any more; where nobody is believed, who had it is kept. */
static void chunk_disown(struct ttmpool_chunk *chunk)
{
	const char *name = chunk->owner ? chunk->owner->name : NULL;

	chunk->owner = NULL;
	if (!name || !(chunk->flags & TTMPOOL_CHUNK_NAMED))
		return;
	chunk_named(chunk)->last_owner = name;
	chunk->flags |= TTMPOOL_CHUNK_REMEMBERS;
}

/* What a run of @pages is, as what there will be less of. */
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

/* A run of @pages is nobody's any more: its owner is charged, and what the pool
 * is to be charged is added to @sums. */
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

/* The chunks of a batch are nobody's any more. */
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

/* So many pages of a buffer are in its store now, more than before. */
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
