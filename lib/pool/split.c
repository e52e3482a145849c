// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Splitting: a chunk becomes two. Each half needs a descriptor, so splitting asks the
 * system for memory, and is done when there is little. A pool that is prepared for
 * that (prime.c) keeps as many descriptors as its pooled chunks may need.
 */

#include "pool_internal.h"

/* One that is kept, if there is one of that kind. */
static struct ttmpool_chunk *spare_get(struct ttmpool_pool *pool,
				       unsigned int named)
{
	struct ttmpool_chunk *spare = NULL;

	tpos_spin_lock(&pool->lock);
	if (!ttmpool_list_empty(&pool->spares))
		spare = ttmpool_chunk_of(pool->spares.next);
	if (spare && (spare->flags & TTMPOOL_CHUNK_NAMED) != named)
		spare = NULL;
	if (spare) {
		ttmpool_list_del(&spare->link);
		pool->nr_spares--;
	}
	tpos_spin_unlock(&pool->lock);
	return spare;
}

/*
 * Halve a chunk that is nobody else's: it keeps the first half, and the other
 * follows it on its list. Returns whether there was memory for a descriptor.
 */
bool ttmpool_chunk_split(struct ttmpool_pool *pool, struct ttmpool_chunk *chunk)
{
	unsigned int named = chunk->flags & TTMPOOL_CHUNK_NAMED;
	struct ttmpool_chunk *upper;

	upper = spare_get(pool, named);
	if (!upper)
		upper = ttmpool_chunk_new(pool, named);
	if (!upper)
		return false;
	*upper = *chunk;
	upper->order--;
	tpos_pages_split(pool->dev, chunk, upper);
	tpos_page_set_chunk(upper->page, upper);
	ttmpool_list_add(&upper->link, &chunk->link);
	pool_tally(pool, &pool->stats.splits, 1);
	return true;
}

static void descriptors_free(struct ttmpool_pool *pool,
			     struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk, *after;

	ttmpool_for_each_chunk_safe(chunk, after, chunks)
		tpos_free(pool->mgr->system, chunk);
	ttmpool_list_init(chunks);
}

/* Keep @n descriptors at least: 0, or -ENOMEM, and then as many as before. */
int ttmpool_spares_keep(struct ttmpool_pool *pool, size_t n)
{
	struct ttmpool_list made;
	size_t missing;
	size_t i;

	ttmpool_list_init(&made);
	tpos_spin_lock(&pool->lock);
	missing = n > pool->nr_spares ? n - pool->nr_spares : 0;
	tpos_spin_unlock(&pool->lock);
	for (i = 0; i < missing; i++) {
		struct ttmpool_chunk *spare =
			ttmpool_chunk_new(pool, pool->policy.verify);

		if (!spare) {
			descriptors_free(pool, &made);
			return -ENOMEM;
		}
		ttmpool_list_add(&spare->link, &made);
		tpos_cond_resched();
	}
	tpos_spin_lock(&pool->lock);
	ttmpool_list_splice(&made, &pool->spares);
	pool->nr_spares += missing;
	tpos_spin_unlock(&pool->lock);
	return 0;
}

/* None is kept any more. */
void ttmpool_spares_free(struct ttmpool_pool *pool)
{
	struct ttmpool_list spares;

	ttmpool_list_init(&spares);
	tpos_spin_lock(&pool->lock);
	ttmpool_list_splice(&pool->spares, &spares);
	pool->nr_spares = 0;
	tpos_spin_unlock(&pool->lock);
	descriptors_free(pool, &spares);
}
