/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/* Taking pages: what pick.c picks, gather.c finds and take.c prepares. */

#include "pool_internal.h"

/**
 * struct take - one populate
 * @pool: the pool that it takes from
 * @req: what is needed; its num_pages counts the pages that are still to be found
 * @wanted: how many pages were needed at first
 * @max_order: the largest order that may be used
 * @order: the order of all chunks, if @one_order
 * @one_order: chunks of other orders do not serve
 * @map: whether the chunks must be mapped
 * @whole: the pool does not have all that is needed, so something is made anyway: a pooled
 *	chunk is taken only in a place where a fresh one would be no larger
 * @hole: if @whole: of the pages still to be found, those that will be fresh
 * @renewed: small pieces were replaced by a large chunk
 * @near: only pages on the node that the pool wants, and only those that cost no effort
 * @primed: how many pages will be pooled, and must all come from the system; or 0
 * @dirty, @unmapped, @cached: some of the found chunks may be dirty, not mapped, or cached,
 *	and must be cleared, mapped, or converted; if not set, none is
 * @narrowed: some of the found chunks may be beyond the device's mask
 * @prepared: whether the pool was prepared when its bins were last looked at
 * @lacks: how many of the needed pages were not pooled then
 * @looks: if @lacks is not 0, take nothing out of a bin yet
 * @pages_hit, @chunks_hit: what came from the bins
 * @bare: of the found pages, those that are not mapped
 * @room: what has been taken from the budgets for pages and mappings that are still missing
 * @until: how long the request may sleep for what others have
 * @asked: pages that were got since the request last checked for a signal
 * @remapped: pooled chunks that had lost their mapping, and were mapped again
 * @got: the found chunks, by falling order
 * @extra: a turn, which lasts while the request holds more pages than were asked for
 */
struct take {
	struct ttmpool_pool *pool;
	struct ttmpool_request req;
	size_t wanted;
	unsigned int max_order;
	unsigned int order;
	bool one_order;
	bool map;
	bool whole;
	bool renewed;
	bool near;
	size_t hole;
	size_t primed;
	bool dirty;
	bool unmapped;
	bool cached;
	bool narrowed;
	bool prepared;
	size_t lacks;
	bool looks;
	size_t pages_hit;
	size_t chunks_hit;
	size_t bare;
	size_t remapped;
	struct room room;
	struct ttmpool_deadline until;
	size_t asked;
	struct ttmpool_list got;
	struct turn extra;
};

/* pick.c: takes chunks out of the bins, and adds them to take->got. */
void ttmpool_take_pooled(struct take *take, unsigned int far);
void ttmpool_take_pieces(struct take *take);
bool ttmpool_take_parts(struct take *take);

/* Finds all pages. After an error, what was found before it stays in take->got. */
int ttmpool_take_find(struct take *take);
void ttmpool_take_weed(struct take *take);
void ttmpool_take_miss(struct take *take, const struct ttmpool_list *chunks);

/*
 * take.c, fill.c. ttmpool_take_chunks() finds and prepares all that is asked for; after an
 * error, nothing of it is left. Then the caller either drops the chunks by
 * ttmpool_take_drop(), or issues them and hands them out, which writes the arrays.
 */
static inline bool chunk_is_dirty(const struct ttmpool_chunk *chunk)
{
	return !(chunk->flags & TTMPOOL_CHUNK_CLEAN);
}

static inline bool chunk_is_fresh(const struct ttmpool_chunk *chunk)
{
	return chunk->state == TTMPOOL_CHUNK_FRESH;
}

static inline void chunk_hand_out(struct ttmpool_chunk *chunk,
				  struct ttmpool_owner *owner, uint32_t ticket)
{
	assert_deep(chunk->flags & TTMPOOL_CHUNK_CLEAN);
	assert_deep(chunk->caching != TTMPOOL_CACHING_UNKNOWN);
	chunk_set_state(chunk, TTMPOOL_CHUNK_IN_USE);
	chunk->flags &=
		(uint16_t) ~(TTMPOOL_CHUNK_CLEAN | TTMPOOL_CHUNK_REMEMBERS);
	chunk->owner = owner;
	chunk->ticket = ticket;
}

/* Returns whether the pool keeps a stock of such pages, if it does not recycle them. */
static inline bool pool_has_stock(const struct ttmpool_pool *pool,
				  enum ttmpool_source source,
				  enum ttmpool_caching caching)
{
	return pool->policy.stock && source == TTMPOOL_PLAIN &&
	       caching == TTMPOOL_CACHED;
}

/* Returns the largest order, at most @order, whose chunks have no more than so many pages. */
static inline unsigned int order_at_most(unsigned int order, size_t pages)
{
	unsigned int fits = 0;

	while (fits < order && pages >> (fits + 1))
		fits++;
	return fits;
}

/* Returns whether a signal interrupts the request. */
static inline bool request_is_interrupted(const struct ttmpool_request *req)
{
	return req->killable ? tpos_fatal_signal_pending()
			     : tpos_signal_pending();
}

/* Returns the flags of a struct tpos_alloc that say how hard the system tries for pages and
 * descriptors. */
static inline unsigned int request_flags(const struct ttmpool_request *req)
{
	static const uint8_t flags[TTMPOOL_EFFORT_COUNT] = {
		[TTMPOOL_NO_WAIT] = TPOS_ALLOC_NO_WAIT,
		[TTMPOOL_OOM_KILL] = TPOS_ALLOC_OOM_KILL,
	};

	return flags[req->effort];
}

/* Checks that a request names things that exist, and a size whose bytes can be counted. */
static inline int request_check(const struct ttmpool_pool *pool,
				const struct ttmpool_request *req)
{
	if ((unsigned int)req->source >= TTMPOOL_SOURCE_COUNT ||
	    (unsigned int)req->caching >= TTMPOOL_CACHING_COUNT ||
	    (unsigned int)req->effort >= TTMPOOL_EFFORT_COUNT ||
	    !req->num_pages)
		return -EINVAL;
	if (req->num_pages > (size_t)LONG_MAX >> pool->info.page_shift)
		return -E2BIG;
	return 0;
}

int ttmpool_take_can_be(struct ttmpool_pool *pool,
			const struct ttmpool_request *req, bool map);
int ttmpool_take_chunks(struct take *take);
void ttmpool_take_drop(struct take *take, struct ttmpool_list *chunks);
void ttmpool_take_issue(struct take *take);
void ttmpool_take_hand_out(struct take *take, tpos_page_t **pages,
			   tpos_dma_addr_t *dma_addr);
void ttmpool_take_hand_out_held(struct take *take, struct ttmpool_list *list);

/*
 * From now until @extra ends, the request holds more pages than were asked for. Under a
 * page budget, another request may lack just these pages, and waits for them. So a thread
 * that holds extra pages must not wait for pages itself.
 */
static inline void take_hold_extra(struct take *take)
{
	if (pages_of(&take->pool->mgr->page_budget) != TTMPOOL_NO_LIMIT)
		ttmpool_turn_hold(&take->extra, take->pool);
}

/* renew.c: a buffer that is in small pieces gets a large chunk for some of them. */
void ttmpool_take_renew(struct take *take);

/* refill.c: makes spare chunks, which are converted along with those of a populate. */
void ttmpool_refill_make(struct take *take, struct ttmpool_list *spare);
void ttmpool_refill_park(struct take *take, struct ttmpool_list *spare);
