/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/buffer/ say to each other, from the bottom up:
 *
 *   tt.c         which state may follow which
 *   buffer_valid.c   what must be true of a buffer
 *   stored.c     its store
 *   resident.c   the chunks that it has
 *   ready.c      its chunks become the device's
 *   swapout.c    how they leave; lru.c: which buffer's do
 *   relocate.c   its contents move to pages that suit the device
 *   swapin.c, anonymous.c   contents come back, and are handed over
 *   backend.c    the verbs of a buffer
 *
 * All of them stand on lib/pool/, whose header this includes. lib/pool/ knows
 * nothing of them but struct ttmpool_swapper.
 */

#include <ttmpool/swap.h>

#include "../pool/pool_internal.h"

/* For pages that a buffer gets: a ticket that nobody else has, nor it had before. */
static inline uint32_t backend_new_ticket(const struct ttmpool_backend *be)
{
	return pool_issue_ticket(be->pool, be->ticket_flags);
}

/* resident.c */
size_t ttmpool_backend_first_page(const struct ttmpool_backend *be);
size_t ttmpool_backend_first_hole(const struct ttmpool_backend *be);
int ttmpool_backend_claim(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks);
int ttmpool_backend_claim_some(struct ttmpool_backend *be, size_t pages,
			       struct ttmpool_list *chunks);
void ttmpool_backend_forget_addresses(struct ttmpool_backend *be, size_t first,
				      size_t n);
int ttmpool_backend_strip(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks);
void ttmpool_backend_count_swappable(struct ttmpool_backend *be);
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
 * @be: these, of one pool; each has pages, and its lock is held
 * @n: so many; at least one
 * @pages: so many pages shall leave; no more than they have
 * @in_reclaim: see struct ttmpool_swapper
 * @gained: so many have left
 * @vain: of this one no page could leave, or NULL
 *
 * Each of these locks counts for lockdep, which knows 48 at a time
 * (include/linux/sched.h, MAX_LOCK_DEPTH).
 */
#define PARTY_MOST 16
struct party {
	struct ttmpool_backend *be[PARTY_MOST];
	size_t n;
	size_t pages;
	bool in_reclaim;
	size_t gained;
	struct ttmpool_backend *vain;
};

/* swapout.c */
int ttmpool_party_swapout(struct party *party);

/* relocate.c */
int ttmpool_backend_copy_to_plain(struct ttmpool_backend *be);
int ttmpool_backend_admits(struct ttmpool_backend *be, size_t pages);
int ttmpool_backend_return(struct ttmpool_backend *be);

/* tt.c */
void ttmpool_tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state);
