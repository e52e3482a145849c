// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks. They have slab caches of their own, so that /proc/slabinfo shows
 * their memory. The caches have SLAB_TYPESAFE_BY_RCU, so that a thread that found a
 * descriptor by its page may still read it after another pool has freed it:
 *
 *     pool A                          pool B, given a page of A's
 *                                     rcu_read_lock()
 *                                     chunk = xa_load(page)
 *     xa_erase(page)
 *     kmem_cache_free(chunk)          chunk->pool: A, or none, or already another
 *     kmem_cache_alloc() = chunk      pool; never B, because B's lock is held
 *                                     rcu_read_unlock()
 *
 * The memory may be another chunk at once, but nothing else until all readers are done. So
 * a new descriptor is not cleared, either: the library writes all of it, in the order that
 * it needs.
 *
 * The caches exist while there is a manager, whose first and last calls to this port are
 * those for its shrinker.
 */

#include <linux/mutex.h>
#include <linux/slab.h>

#include "ttmpool_system.h"

static DEFINE_MUTEX(lock);
static struct kmem_cache *caches[2]; /* without a name, and with one */
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

/*
 * A cache that is not empty cannot be destroyed. In that case pages are lost, and
 * reported.
 */
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
