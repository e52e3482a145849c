// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks: a slab cache of their own, so that what they take can be seen
 * (/proc/slabinfo), and with SLAB_TYPESAFE_BY_RCU, so that one that another pool has
 * just ended may still be read by who found it by its page:
 *
 *     pool A                          pool B, given a page of A's
 *                                     rcu_read_lock()
 *                                     chunk = xa_load(page)
 *     xa_erase(page)
 *     kmem_cache_free(chunk)          chunk->pool: A, or nobody's, or already
 *     kmem_cache_alloc() = chunk      another pool's; never B, whose lock is held
 *                                     rcu_read_unlock()
 *
 * The memory may be another chunk's at once, but nothing else's until all who read
 * are through. So it is not cleared either when it is had: the library writes all of
 * it, and in the order that it needs.
 *
 * The cache is there while a manager is, whose shrinker is its first call to this
 * port and its last.
 */

#include <linux/mutex.h>
#include <linux/slab.h>

#include "ttmpool_system.h"

static DEFINE_MUTEX(lock);
static struct kmem_cache *cache;
static unsigned int users;
static atomic_long_t out = ATOMIC_LONG_INIT(0);

int ttmpool_descriptors_get(void)
{
	int err = 0;

	mutex_lock(&lock);
	if (!cache)
		cache = kmem_cache_create(KBUILD_MODNAME "_chunk",
					  sizeof(struct ttmpool_chunk), 0,
					  SLAB_TYPESAFE_BY_RCU, NULL);
	if (cache)
		users++;
	else
		err = -ENOMEM;
	mutex_unlock(&lock);
	return err;
}

/* A cache that is not empty cannot go: pages are lost, and told of, then. */
void ttmpool_descriptors_put(void)
{
	mutex_lock(&lock);
	if (!--users && !atomic_long_read(&out)) {
		ttmpool_index_end();
		kmem_cache_destroy(cache);
		cache = NULL;
	}
	mutex_unlock(&lock);
}

struct ttmpool_chunk *tpos_chunk_alloc(struct ttmpool_system *system,
				       struct page *page)
{
	struct ttmpool_chunk *chunk = kmem_cache_alloc(cache, TTMPOOL_GFP);

	if (!chunk)
		return NULL;
	if (page && !ttmpool_index_reserve(page)) {
		kmem_cache_free(cache, chunk);
		return NULL;
	}
	atomic_long_inc(&out);
	return chunk;
}

void tpos_chunk_free(struct ttmpool_system *system, struct ttmpool_chunk *chunk)
{
	kmem_cache_free(cache, chunk);
	atomic_long_dec(&out);
}
