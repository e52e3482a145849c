// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks: slab caches of their own, so that what they take can be seen
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
 * The caches are there while a manager is, whose shrinker is its first call to this
 * port and its last.
 */

#include <linux/mutex.h>
#include <linux/slab.h>

#include "ttmpool_system.h"

static DEFINE_MUTEX(lock);
static struct kmem_cache *caches[2]; /* of those without a name, and with one */
static unsigned int users;
static atomic_long_t out = ATOMIC_LONG_INIT(0);

static bool caches_create(void)
{
	if (!caches[0])
		caches[0] = kmem_cache_create(KBUILD_MODNAME "_chunk",
					      sizeof(struct ttmpool_chunk), 0,
					      SLAB_TYPESAFE_BY_RCU, NULL);
	if (!caches[1])
		caches[1] =
			kmem_cache_create(KBUILD_MODNAME "_named_chunk",
					  sizeof(struct ttmpool_named_chunk), 0,
					  SLAB_TYPESAFE_BY_RCU, NULL);
	return caches[0] && caches[1];
}

static void caches_destroy(void)
{
	for (int i = 0; i < ARRAY_SIZE(caches); i++) {
		kmem_cache_destroy(caches[i]);
		caches[i] = NULL;
	}
}

int ttmpool_descriptors_get(void)
{
	int err = 0;

	mutex_lock(&lock);
	if (caches_create())
		users++;
	else
		err = -ENOMEM;
	if (!users)
		caches_destroy();
	mutex_unlock(&lock);
	return err;
}

/* A cache that is not empty cannot go: pages are lost, and told of, then. */
void ttmpool_descriptors_put(void)
{
	mutex_lock(&lock);
	if (!--users && !atomic_long_read(&out)) {
		ttmpool_index_end();
		caches_destroy();
	}
	mutex_unlock(&lock);
}

struct ttmpool_chunk *tpos_chunk_alloc(struct ttmpool_system *system,
				       bool named, unsigned int flags)
{
	struct ttmpool_chunk *chunk =
		kmem_cache_alloc(caches[named], ttmpool_small_gfp(flags));

	if (chunk)
		atomic_long_inc(&out);
	return chunk;
}

void tpos_chunk_free(struct ttmpool_system *system, struct ttmpool_chunk *chunk)
{
	kmem_cache_free(caches[!!(chunk->flags & TTMPOOL_CHUNK_NAMED)], chunk);
	atomic_long_dec(&out);
}
