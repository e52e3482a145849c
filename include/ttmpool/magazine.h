/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_MAGAZINE_H
#define TTMPOOL_MAGAZINE_H

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * struct ttmpool_magazine_config - what a magazine is for
 * @pool: the pool that it is filled from; must outlive it
 * @source: of the chunks
 * @caching: likewise
 * @order: likewise; every chunk has 1 << @order pages
 * @mapped: they shall be mapped for the device
 * @owner: whose they are; not NULL
 * @chunks: room for @room pointers, the caller's; must outlive the magazine
 * @room: how many chunks it may hold; at least 2
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
 * struct ttmpool_magazine - chunks of one kind, at hand for one owner
 * @config: what it is for
 * @recall: the manager's count of recalls, when this one looked last
 * @n: chunks that it holds now, in config.chunks
 *
 * For a thread, a ring or a CPU that gets and puts chunks so often that a pool's lock costs
 * too much. A magazine has no lock: the caller ensures that no other thread uses it at the
 * same time. Chunks may be got from one magazine and put into another of the same
 * pool, kind and owner.
 *
 * A chunk that is put back is not cleared for the next get, because it stays with the same
 * owner. Chunks that come from the pool are zero, and the pool clears chunks that return to
 * it before another owner gets them. An owner that serves more than one client clears
 * chunks itself, or has a magazine for each client.
 *
 * Members are private.
 */
struct ttmpool_magazine {
	struct ttmpool_magazine_config config;
	long recall;
	size_t n;
};

/**
 * ttmpool_magazine_init() - start one, empty
 * @mag: uninitialised memory
 * @config: what it is for; copied
 *
 * Return: 0, or -EINVAL for a source, caching or order that the pool does not
 * have, no owner, or too little room.
 */
int TPOS_MUST_CHECK
ttmpool_magazine_init(struct ttmpool_magazine *mag,
		      const struct ttmpool_magazine_config *config);

/**
 * ttmpool_magazine_fini() - the end; what it holds goes back to the pool
 * @mag: the magazine
 *
 * Chunks that were not put back are still in use: the pool reports them when it is
 * torn down. May sleep.
 */
void ttmpool_magazine_fini(struct ttmpool_magazine *mag);

/**
 * ttmpool_magazine_get() - have chunks
 * @mag: the magazine
 * @to: an array of @n, the caller's; written on success only
 * @n: how many; half of the room at most
 *
 * Takes no lock while the magazine holds enough chunks. Otherwise it fills the magazine to
 * half its room, or gets @n chunks if there are no more; this may sleep. struct ttmpool_magazine says what the chunks contain.
 *
 * Return: 0; -EINVAL for more than half the room; -ENOMEM, also where the memory
 * is there, but not in chunks of that order; else as ttmpool_pool_take().
 */
int TPOS_MUST_CHECK ttmpool_magazine_get(struct ttmpool_magazine *mag,
					 struct ttmpool_chunk **to, size_t n);

/**
 * ttmpool_magazine_put() - give chunks back
 * @mag: the magazine
 * @from: an array of @n, got from a magazine of this pool, kind and owner
 * @n: how many; half of the room at most
 *
 * Takes no lock while there is room. Otherwise it gives the older half to the pool, which
 * may sleep. It gives all chunks to the pool when the system is short of memory.
 *
 * Return: 0, or -EINVAL for more than half the room, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_magazine_put(struct ttmpool_magazine *mag,
					 struct ttmpool_chunk *const *from,
					 size_t n);

/**
 * ttmpool_magazine_takes() - does a chunk belong into it?
 * @mag: the magazine
 * @chunk: a chunk
 *
 * ttmpool_magazine_put() checks this only in builds with assertions.
 */
bool ttmpool_magazine_takes(const struct ttmpool_magazine *mag,
			    const struct ttmpool_chunk *chunk);

/** ttmpool_magazine_drain() - what it holds goes back to the pool. May sleep. */
void ttmpool_magazine_drain(struct ttmpool_magazine *mag);

TPOS_API_END

#endif
