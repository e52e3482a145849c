// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Giving: pages come back, and are checked before anything is done.
 *
 * The pool that Linux had in 2011 knew its pages and refused others, at the
 * price of a walk along its in-use list; the one it has now believes its
 * caller. Here a page leads to its chunk in one step, and the chunk says whose
 * it is, of which order and caching, and whether it is in use at all. Checking
 * a chunk marks it as leaving, so that a page named twice in one array is found
 * out in the same way as one that was given back before.
 *
 * If one element is wrong, all that were marked before it are in use again, and
 * the caller is told which it was. Otherwise the whole buffer leaves in at most
 * one batch of each kind:
 *
 *     recycled?  into the bins, dirty: it is cleared when it is wanted again,
 *                by the worker before that, or, if it leaves for the system,
 *                never
 *     otherwise  released
 */

#include "internal.h"

/* So many chunks are checked before the lock is let go for others. */
#define CHECK_RUN 256

struct give {
	struct ttmpool_pool *pool;
	tpos_page_t *const *pages;
	size_t num_pages;
	enum ttmpool_caching caching;
	size_t done; /* pages checked */
	struct ttmpool_list leaving;
};

#define ALL_RIGHT TTMPOOL_REPORT_KIND_COUNT

/*
 * What is wrong with the chunk that @pages begin with? Its first and its last
 * page are looked at; in checked builds, all of them.
 */
static enum ttmpool_report_kind give_check(const struct give *give,
					   const struct ttmpool_chunk *chunk)
{
	tpos_page_t *const *pages = give->pages + give->done;
	size_t n;

	if (!chunk)
		return TTMPOOL_REPORT_FOREIGN;
	if (chunk->state != TTMPOOL_CHUNK_IN_USE)
		return TTMPOOL_REPORT_DOUBLE;
	if (chunk->pool != give->pool)
		return TTMPOOL_REPORT_FOREIGN;
	if (chunk->caching != give->caching)
		return TTMPOOL_REPORT_WRONG_CACHING;
	n = ttmpool_chunk_pages(chunk);
	if (n > give->num_pages - give->done ||
	    pages[n - 1] != tpos_page_nth(chunk->page, n - 1))
		return TTMPOOL_REPORT_WRONG_ORDER;
	for (size_t i = 1; TPOS_CHECK_LEVEL > 0 && i < n; i++)
		if (pages[i] != tpos_page_nth(chunk->page, i))
			return TTMPOOL_REPORT_WRONG_ORDER;
	return ALL_RIGHT;
}

/* Mark up to CHECK_RUN chunks as leaving; ALL_RIGHT, or what was wrong. */
static enum ttmpool_report_kind give_mark_run(struct give *give)
{
	enum ttmpool_report_kind wrong = ALL_RIGHT;

	tpos_spin_lock(&give->pool->lock);
	for (int i = 0; i < CHECK_RUN && give->done < give->num_pages; i++) {
		struct ttmpool_chunk *chunk = tpos_page_chunk(
			give->pool->dev, give->pages[give->done]);

		wrong = give_check(give, chunk);
		if (wrong != ALL_RIGHT)
			break;
		chunk_set_state(chunk, TTMPOOL_CHUNK_LEAVING);
		ttmpool_list_move_tail(&chunk->link, &give->leaving);
		give->done += ttmpool_chunk_pages(chunk);
	}
	tpos_spin_unlock(&give->pool->lock);
	return wrong;
}

/* The chunks that were marked are in use after all; tell why. */
static void give_refuse(struct give *give, enum ttmpool_report_kind wrong)
{
	tpos_page_t *page = give->pages[give->done];
	struct ttmpool_report where = { .order = -1,
					.caching = TTMPOOL_CACHING_UNKNOWN,
					.index = give->done,
					.page = page };
	struct ttmpool_chunk *chunk;
	bool known = wrong == TTMPOOL_REPORT_WRONG_CACHING ||
		     wrong == TTMPOOL_REPORT_WRONG_ORDER;

	tpos_spin_lock(&give->pool->lock);
	ttmpool_for_each_chunk(chunk, &give->leaving)
		chunk_set_state(chunk, TTMPOOL_CHUNK_IN_USE);
	ttmpool_list_splice_tail(&give->leaving, &give->pool->in_use);
	tpos_spin_unlock(&give->pool->lock);
	chunk = known ? tpos_page_chunk(give->pool->dev, page) : NULL;
	pool_report(give->pool, wrong, chunk, &where);
}

/* The chunks are nobody's any more: settle accounts and counters. */
static void give_settle(struct give *give)
{
	struct ttmpool_owner *owner = NULL;
	struct ttmpool_chunk *chunk;
	long pages = 0;

	ttmpool_for_each_chunk(chunk, &give->leaving) {
		if (chunk->owner != owner) {
			if (owner)
				tpos_atomic_add_return(-pages,
						       &owner->pages_in_use);
			owner = chunk->owner;
			pages = 0;
		}
		pages += (long)ttmpool_chunk_pages(chunk);
		chunk->owner = NULL;
	}
	if (owner)
		tpos_atomic_add_return(-pages, &owner->pages_in_use);
	tpos_spin_lock(&give->pool->lock);
	give->pool->stats.gives++;
	give->pool->stats.pages_in_use -= give->num_pages;
	tpos_spin_unlock(&give->pool->lock);
}

/* Does the policy want the chunk pooled? */
static bool is_recycled(const struct ttmpool_chunk *chunk)
{
	return chunk->pool->policy.recycle[chunk_source(chunk)][chunk->caching];
}

/* Pool a batch, without its mappings if the policy does not keep them. */
static void give_recycle(struct give *give, struct ttmpool_list *chunks)
{
	struct ttmpool_pool *pool = give->pool;
	struct ttmpool_chunk *chunk;
	struct ttmpool_list mapped;

	if (!pool->policy.keep_mapped &&
	    chunks_extract(chunks, chunk_is_streaming, &mapped)) {
		chunks_unmap(pool, &mapped, false);
		chunks_merge(chunks, &mapped);
	}
	ttmpool_for_each_chunk(chunk, chunks)
		tpos_note_parked(pool->dev, chunk);
	bins_park(pool, chunks, PARK_GIVEN);
	manager_trim(pool->mgr);
	if (pool->policy.scrub)
		tpos_work_queue(pool->mgr->system, &pool->scrub_work);
}

int ttmpool_pool_give(struct ttmpool_pool *pool, tpos_page_t *const *pages,
		      size_t num_pages, enum ttmpool_caching caching)
{
	struct give give = { .pool = pool,
			     .pages = pages,
			     .num_pages = num_pages,
			     .caching = caching };
	enum ttmpool_report_kind wrong = ALL_RIGHT;
	struct ttmpool_list recycled;

	if (!num_pages)
		return -EINVAL;
	ttmpool_list_init(&give.leaving);
	while (wrong == ALL_RIGHT && give.done < num_pages) {
		wrong = give_mark_run(&give);
		tpos_cond_resched();
	}
	if (wrong != ALL_RIGHT) {
		give_refuse(&give, wrong);
		return -EINVAL;
	}
	give_settle(&give);
	if (num_pages <=
		    (unsigned long)tpos_atomic_read(&pool->mgr->pool_limit) &&
	    chunks_extract(&give.leaving, is_recycled, &recycled))
		give_recycle(&give, &recycled);
	chunks_release(pool, &give.leaving);
	return 0;
}
