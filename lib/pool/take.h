/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/* Pages that are being taken: what gather.c finds and take.c prepares. */

#include "pool_internal.h"

/**
 * struct take - one populate
 * @pool: of this pool
 * @req: what is needed; its num_pages counts what is still to be found
 * @wanted: how many pages were needed at first
 * @max_order: the largest order that may be used
 * @order: the order of all chunks, if @one_order
 * @one_order: no other will do
 * @map: whether the chunks must be mapped
 * @whole: what is pooled does not suffice, so something is made anyway: a pooled chunk is
 *	taken only in a place where a fresh one would be no larger
 * @hole: of what is still to be found then, pages that shall be fresh
 * @renewed: pieces were given up for a large chunk
 * @near: of the node that the pool wants, and had without effort, or none
 * @primed: so many will be pooled, and come from the system alone; or 0
 * @dirty, @unmapped, @cached: some of what was found may be so, and has to be
 *	cleared, mapped or converted; if not set, there is none
 * @narrowed: some of what was found may be beyond the device's mask
 * @prepared: the pool was, when its bins were last looked at
 * @lacks: so many pages of what was needed were not pooled then
 * @looks: if there are any, nothing is taken out of a bin yet
 * @pages_hit, @chunks_hit: what came from the bins
 * @bare: of what was found, pages that are not mapped
 * @room: what is taken of the budgets for what is missing yet
 * @until: how long it may sleep for what others have
 * @asked: pages got since one has asked for a signal
 * @remapped: pooled chunks that had lost their mapping
 * @got: what was found, by falling order
 * @extra: while more pages are in hand than were asked for
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

/* Find all pages. What was found before an error stays in take->got. */
int ttmpool_take_find(struct take *take);
void ttmpool_take_miss(struct take *take, const struct ttmpool_list *chunks);

/*
 * take.c, fill.c. ttmpool_take_chunks() finds and prepares all that is asked for; after an
 * error nothing is left. Then either ttmpool_take_drop(); or the chunks are issued, and
 * handed out, which writes the arrays.
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

/* Has the thread something better to do than this? */
static inline bool request_is_interrupted(const struct ttmpool_request *req)
{
	return req->killable ? tpos_fatal_signal_pending()
			     : tpos_signal_pending();
}

/* How hard the system is to try for pages and descriptors. */
static inline unsigned int request_flags(const struct ttmpool_request *req)
{
	static const uint8_t flags[TTMPOOL_EFFORT_COUNT] = {
		[TTMPOOL_NO_WAIT] = TPOS_ALLOC_NO_WAIT,
		[TTMPOOL_OOM_KILL] = TPOS_ALLOC_OOM_KILL,
	};

	return flags[req->effort];
}

/* Does a request name something that exists, of a size that can be counted? */
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
 * From now on more pages are in hand than were asked for, until @extra ends. Where there
 * is a page budget, who lacks as many may be within it, and waits for them. He who has them
 * must not wait for pages meanwhile.
 */
static inline void take_hold_extra(struct take *take)
{
	if (pages_of(&take->pool->mgr->page_budget) != TTMPOOL_NO_LIMIT)
		ttmpool_turn_hold(&take->extra, take->pool);
}

/* renew.c: a buffer that is in small pieces gets a large chunk for some of them. */
void ttmpool_take_renew(struct take *take);

/* refill.c: spare chunks that are converted along with those of a populate. */
void ttmpool_refill_make(struct take *take, struct ttmpool_list *spare);
void ttmpool_refill_park(struct take *take, struct ttmpool_list *spare);
