/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_MAGAZINE_H
#define TTMPOOL_MAGAZINE_H

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_magazine_config - the settings of a new magazine
 * @pool: the pool that fills the magazine; it must outlive the magazine
 * @source: the source of the chunks
 * @caching: the caching of the chunks
 * @order: the order of the chunks; every chunk has 1 << @order pages
 * @mapped: the chunks shall be mapped for the device
 * @owner: the account that the chunks are charged to; not NULL
 * @chunks: an array of @room pointers, which belongs to the caller; it must outlive the
 *	magazine
 * @room: the most chunks that the magazine may hold; at least 2
 */
struct ttmpool_magazine_config {
	struct ttmpool_pool *pool;
	enum ttmpool_source source;
	enum ttmpool_caching caching;
	unsigned int order;
	bool mapped;
	struct ttmpool_owner *owner;
	struct ttmpool_chunk **chunks;
	size_t room;
};

/**
 * struct ttmpool_magazine - a stock of chunks of one kind, for one owner
 * @config: the settings of the magazine
 * @recall: the manager's count of recalls at the last check of this magazine
 * @n: the number of chunks that the magazine holds now, in config.chunks
 *
 * A magazine is for a thread, a ring or a CPU that gets and puts chunks so often that the
 * lock of a pool costs too much. It has no lock: the caller ensures that no other thread
 * uses it at the same time. A chunk from one magazine may be put into another one of the
 * same pool, kind and owner.
 *
 * A chunk that is put back is not cleared for the next get, because it stays with the same
 * owner. Chunks that come from the pool are zeroed, and the pool clears chunks that return
 * to it before another owner gets them. An owner that serves more than one client clears
 * chunks itself, or has a magazine for each client.
 *
 * All members are private.
 */
struct ttmpool_magazine {
	struct ttmpool_magazine_config config;
	long recall;
	size_t n;
};

/**
 * ttmpool_magazine_init() - initialise a magazine, without chunks
 * @mag: uninitialised memory
 * @config: the settings of the magazine, which are copied
 *
 * Return: 0, or -EINVAL if the pool does not have such a source, caching or order, if there
 * is no owner, or if @room is too small.
 */
int TPOS_MUST_CHECK
ttmpool_magazine_init(struct ttmpool_magazine *mag,
		      const struct ttmpool_magazine_config *config);

/**
 * ttmpool_magazine_fini() - end a magazine; its chunks go back to the pool
 * @mag: the magazine
 *
 * Chunks that were not put back are still in use, and the pool reports them when it is torn
 * down. May sleep.
 */
void ttmpool_magazine_fini(struct ttmpool_magazine *mag);

/**
 * ttmpool_magazine_get() - get chunks from a magazine
 * @mag: the magazine
 * @to: an array of @n pointers, which belongs to the caller; written on success only
 * @n: the number of chunks; at most half of the room
 *
 * If the magazine holds enough chunks, the function takes no lock. Otherwise it fills the
 * magazine to half of its room, if that costs nobody any pages (TTMPOOL_NO_WAIT). If that
 * fails, for whatever reason, it gets only @n chunks, with TTMPOOL_RETRY_MAYFAIL. This may
 * sleep. If the system's shrinker has asked for pages since the last call, all chunks go
 * back to the pool first, and the function gets only @n. The description of struct
 * ttmpool_magazine says what the chunks contain.
 *
 * Return: 0; -EINVAL for more than half of the room; -ENOMEM, also if there is memory, but
 * not in chunks of that order; otherwise what ttmpool_pool_take() returns.
 */
int TPOS_MUST_CHECK ttmpool_magazine_get(struct ttmpool_magazine *mag,
					 struct ttmpool_chunk **to, size_t n);

/**
 * ttmpool_magazine_put() - put chunks back into a magazine
 * @mag: the magazine
 * @from: an array of @n chunks from magazines of the same pool, kind and owner
 * @n: the number of chunks; at most half of the room
 *
 * If there is room, the function takes no lock. Otherwise it gives the older half of the
 * chunks to the pool, which may sleep. If the system's shrinker has asked for pages since
 * the last call, all chunks go back to the pool.
 *
 * Return: 0, or -EINVAL for more than half of the room, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_magazine_put(struct ttmpool_magazine *mag,
					 struct ttmpool_chunk *const *from,
					 size_t n);

/**
 * ttmpool_magazine_takes() - check whether a chunk may be put into a magazine
 * @mag: the magazine
 * @chunk: a chunk
 *
 * ttmpool_magazine_put() checks this only in builds with assertions.
 */
bool ttmpool_magazine_takes(const struct ttmpool_magazine *mag,
			    const struct ttmpool_chunk *chunk);

/** ttmpool_magazine_drain() - give all chunks of a magazine back to the pool. May sleep. */
void ttmpool_magazine_drain(struct ttmpool_magazine *mag);

TPOS_API_END

#endif
