// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Magazines: chunks at hand, without a lock.
 *
 *     thread A        thread B              an array of pointers each
 *     [c c c c . .]   [c c . . . .]
 *          |  half its room, when empty or full
 *          v
 *     pool: lists, lock, accounts           clears, maps, converts
 *
 * The idea is Bonwick's (USENIX 2001), with one array instead of two. A magazine is filled
 * to half and emptied to half, so that a thread that gets and puts in turn does not go to
 * the pool each time when the magazine is nearly empty or full.
 *
 * To the pool, all chunks in a magazine, or got from one, are the owner's, and in use. So
 * nothing has to be counted or cleared when a chunk is got or put, and a magazine that is
 * lost is found at teardown. The price is that the shrinker cannot have what magazines
 * hold. It recalls these chunks by a counter that each magazine checks, and each magazine
 * gives them back when it is used the next time.
 */

#include <ttmpool/magazine.h>

#include "take.h"

static size_t half(const struct ttmpool_magazine *mag)
{
	return mag->config.room / 2;
}

int ttmpool_magazine_init(struct ttmpool_magazine *mag,
			  const struct ttmpool_magazine_config *config)
{
	const struct ttmpool_pool *pool = config->pool;

	if ((unsigned int)config->source >= TTMPOOL_SOURCE_COUNT ||
	    (unsigned int)config->caching >= TTMPOOL_CACHING_COUNT ||
	    config->order > pool->max_order[config->source] || !config->owner ||
	    config->room < 2)
		return -EINVAL;
	mag->config = *config;
	mag->recall = tpos_atomic_read(&pool->mgr->recalls);
	mag->n = 0;
	return 0;
}

/* Gives back the @n chunks that have been in the magazine longest. */
static void magazine_flush(struct ttmpool_magazine *mag, size_t n)
{
	struct ttmpool_pool *pool = mag->config.pool;
	struct ttmpool_chunk **chunks = mag->config.chunks;
	struct ttmpool_list batch;

	tpos_assert(n <= mag->n);
	if (!n)
		return;
	ttmpool_list_init(&batch);
	tpos_spin_lock(&pool->lock);
	for (size_t i = 0; i < n; i++) {
		if (i && !(i % TTMPOOL_HOLD_CHUNKS)) {
			tpos_spin_unlock(&pool->lock);
			tpos_spin_lock(&pool->lock);
		}
		assert_deep(ttmpool_magazine_takes(mag, chunks[i]));
		chunk_set_state(chunks[i], TTMPOOL_CHUNK_LEAVING);
		chunks[i]->flags &= (uint16_t)~TTMPOOL_CHUNK_HELD;
		ttmpool_list_move_tail(&chunks[i]->link, &batch);
	}
	tpos_spin_unlock(&pool->lock);
	mag->n -= n;
	for (size_t i = 0; i < mag->n; i++)
		chunks[i] = chunks[i + n];
	ttmpool_chunks_give(pool, &batch, n << mag->config.order);
}

/* Gets @n more chunks from the pool. */
static int magazine_fill(struct ttmpool_magazine *mag, size_t n,
			 enum ttmpool_effort effort)
{
	const struct ttmpool_magazine_config *config = &mag->config;
	struct ttmpool_request req = { .source = config->source,
				       .caching = config->caching,
				       .num_pages = n << config->order,
				       .owner = config->owner,
				       .effort = effort };
	struct take take = { .pool = config->pool,
			     .req = req,
			     .map = config->mapped,
			     .order = config->order,
			     .one_order = true };
	struct ttmpool_chunk *chunk;
	int err;

	tpos_assert(n);
	tpos_assert(n <= config->room - mag->n);
	err = ttmpool_take_chunks(&take);
	if (err)
		return err;
	ttmpool_take_issue(&take);
	ttmpool_for_each_chunk(chunk, &take.got)
		config->chunks[mag->n++] = chunk;
	tpos_assert(mag->n <= config->room);
	ttmpool_take_hand_out_held(&take, &config->pool->held);
	return 0;
}

/* Gives back all chunks, if the system has recalled what magazines hold since the last
 * check. Returns whether it has. */
static bool magazine_answer_recall(struct ttmpool_magazine *mag)
{
	long recall = tpos_atomic_read(&mag->config.pool->mgr->recalls);

	if (recall == mag->recall)
		return false;
	mag->recall = recall;
	magazine_flush(mag, mag->n);
	return true;
}

/* Fills the magazine with at least @n chunks: with half of what it has room for, if so many
 * are pooled or free, and otherwise with exactly @n. Nobody has asked for the others, so no
 * effort is made for them. If chunks were @recalled just now, these are for others, and @n
 * must do. */
static int magazine_refill(struct ttmpool_magazine *mag, size_t n,
			   bool recalled)
{
	size_t most = half(mag) - mag->n, least = n - mag->n;

	if (least < most && !recalled &&
	    !magazine_fill(mag, most, TTMPOOL_NO_WAIT))
		return 0;
	return magazine_fill(mag, least, TTMPOOL_RETRY_MAYFAIL);
}

int ttmpool_magazine_get(struct ttmpool_magazine *mag,
			 struct ttmpool_chunk **to, size_t n)
{
	bool recalled;
	int err;

	if (n > half(mag))
		return -EINVAL;
	recalled = magazine_answer_recall(mag);
	if (mag->n < n) {
		err = magazine_refill(mag, n, recalled);
		if (err)
			return err;
	}
	tpos_assert(n <= mag->n);
	mag->n -= n;
	memcpy(to, mag->config.chunks + mag->n, n * sizeof(*to));
	return 0;
}

bool ttmpool_magazine_takes(const struct ttmpool_magazine *mag,
			    const struct ttmpool_chunk *chunk)
{
	return chunk->state == TTMPOOL_CHUNK_IN_USE &&
	       chunk->flags & TTMPOOL_CHUNK_HELD &&
	       chunk->pool == mag->config.pool &&
	       chunk->order == mag->config.order &&
	       chunk->caching == mag->config.caching &&
	       chunk->owner == mag->config.owner;
}

int ttmpool_magazine_put(struct ttmpool_magazine *mag,
			 struct ttmpool_chunk *const *from, size_t n)
{
	if (n > half(mag))
		return -EINVAL;
	for (size_t i = 0; TPOS_CHECK_LEVEL > 0 && i < n; i++)
		tpos_assert(ttmpool_magazine_takes(mag, from[i]));
	if (n > mag->config.room - mag->n)
		magazine_flush(mag, half(mag));
	memcpy(mag->config.chunks + mag->n, from, n * sizeof(*from));
	mag->n += n;
	tpos_assert(mag->n <= mag->config.room);
	magazine_answer_recall(mag);
	return 0;
}

void ttmpool_magazine_drain(struct ttmpool_magazine *mag)
{
	magazine_flush(mag, mag->n);
}

void ttmpool_magazine_fini(struct ttmpool_magazine *mag)
{
	ttmpool_magazine_drain(mag);
	tpos_assert(!mag->n);
}
