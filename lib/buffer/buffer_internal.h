/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * The internal interface between the files of lib/buffer/, from the bottom up:
 *
 *   tt.c         which state may follow which
 *   buffer_valid.c   the invariants of a buffer
 *   stored.c     the store of a buffer
 *   resident.c   the chunks that a buffer has
 *   ready.c      makes the chunks of a buffer usable for the device
 *   swapout.c    moves chunks to the store
 *   lru.c        the list of the buffers that may be swapped out for others
 *   round.c      chooses among them
 *   relocate.c   moves contents to pages that suit the device
 *   swapin.c, anonymous.c   bring contents back, and hand them over
 *   backend.c    the operations on a buffer
 *
 * All of them use lib/pool/, whose header this one includes. lib/pool/ knows
 * nothing about them except struct ttmpool_swapper.
 */

#include <ttmpool/swap.h>

#include "../pool/pool_internal.h"

/* Returns how many pages are stripped together at most, apart from the rest of a chunk: 16
 * MiB. */
static inline size_t window_pages(const struct ttmpool_pool *pool)
{
	return pool_pages_of(pool, (uint64_t)16 << 20);
}

/*
 * Returns a new ticket for pages that a buffer gets. No other buffer has this
 * ticket, and this buffer has not had it before.
 */
static inline uint32_t backend_new_ticket(const struct ttmpool_backend *be)
{
	return pool_issue_ticket(be->pool, be->ticket_flags);
}

/*
 * Adds a buffer that has pages to those that may be swapped out, as the newest. If the
 * swapper still has it, although its lock may be free, the swapper does that when it lets
 * the buffer go. The manager's lock is held.
 */
static inline void lru_add_newest(struct ttmpool_backend *be)
{
	struct ttmpool_lru *lru = &be->pool->mgr->lru;

	tpos_assert(ttmpool_list_empty(&be->lru));
	be->lru_time = ++lru->clock;
	if (be->lru_victim)
		ttmpool_list_add_tail(&be->lru, &lru->victims);
	else
		ttmpool_list_add(&be->lru, &lru->buffers);
}

/* resident.c */
size_t ttmpool_backend_first_page(const struct ttmpool_backend *be);
size_t ttmpool_backend_first_hole(const struct ttmpool_backend *be);
int ttmpool_backend_claim(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks);
int ttmpool_backend_claim_some(struct ttmpool_backend *be, size_t pages,
			       struct ttmpool_list *chunks, size_t *end);
void ttmpool_backend_forget_addresses(struct ttmpool_backend *be, size_t first,
				      size_t n);
int ttmpool_backend_strip(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks);
size_t ttmpool_backend_count_swappable(struct ttmpool_backend *be);
void ttmpool_backend_count_none(struct ttmpool_backend *be);
void ttmpool_backend_set_state(struct ttmpool_backend *be,
			       enum ttmpool_tt_state state);

/* stored.c */
int ttmpool_backend_open_store(struct ttmpool_backend *be);
void ttmpool_backend_close_store(struct ttmpool_backend *be);
void ttmpool_backend_note_sums(struct ttmpool_backend *be, size_t index,
			       const struct tpos_span *from);
int ttmpool_backend_check_sum(struct ttmpool_backend *be, size_t index,
			      const struct tpos_span *page);

/* ready.c */
int ttmpool_backend_make_ready(struct ttmpool_backend *be);
int ttmpool_backend_restore(struct ttmpool_backend *be,
			    struct ttmpool_list *chunks);

/**
 * struct party - buffers that are swapped out together
 * @be: the buffers, all of one pool; each has pages, and its lock is held
 * @end: for each buffer, the index up to which its array has been claimed
 * @time: for each buffer of a round, its time when it was taken
 * @n: number of buffers; at least one
 * @pages: number of pages to swap out; no more than the buffers have
 * @ask: the request for which they leave
 * @gained: number of pages that have left
 * @freed: of these, the number that went to the system; the others are quarantined
 * @failed: the buffer that met an error, or NULL; a signal and a deadline are no such errors
 *
 * Lockdep counts each of the buffers' locks, and it can track 48 at a time
 * (include/linux/sched.h, MAX_LOCK_DEPTH). A thread may have two parties: if the store of the
 * first needs memory, the system may ask the shrinker, which makes the second.
 */
#define PARTY_MOST 16
struct party {
	struct ttmpool_backend *be[PARTY_MOST];
	size_t end[PARTY_MOST];
	uint64_t time[PARTY_MOST];
	size_t n;
	size_t pages;
	const struct ttmpool_ask *ask;
	size_t gained;
	size_t freed;
	struct ttmpool_backend *failed;
};

/* swapout.c */
int ttmpool_party_swapout(struct party *party);

/* lru.c: all but the last under the manager's lock */
void ttmpool_lru_renew(struct ttmpool_backend *be);
struct ttmpool_backend *ttmpool_lru_oldest(struct ttmpool_manager *mgr);
void ttmpool_lru_take(struct ttmpool_backend *be);
bool ttmpool_lru_return(struct ttmpool_backend *be, uint64_t time);
bool ttmpool_lru_has_victim(struct ttmpool_manager *mgr, uint64_t since);
bool ttmpool_lru_is_valid(struct ttmpool_manager *mgr);

/* relocate.c */
int ttmpool_backend_copy_to_plain(struct ttmpool_backend *be);
int ttmpool_backend_admits(struct ttmpool_backend *be, size_t pages);
int ttmpool_backend_return(struct ttmpool_backend *be);

/* tt.c */
void ttmpool_tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state);
