/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#pragma once

/*
 * What the files of lib/buffer/ say to each other, from the bottom up:
 *
 *   tt.c         which state may follow which
 *   buffer_valid.c   what must be true of a buffer
 *   stored.c     its store
 *   resident.c   the chunks that it has
 *   swapout.c    how they leave; lru.c: which buffer's do
 *   ready.c      its chunks become the device's
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
int ttmpool_backend_claim(struct ttmpool_backend *be,
			  struct ttmpool_list *chunks);
void ttmpool_chunks_mark_anonymous(struct ttmpool_list *chunks, bool anonymous);
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

/* relocate.c */
int ttmpool_backend_relocate(struct ttmpool_backend *be, size_t first, size_t n,
			     const struct ttmpool_request *req, bool map);
int ttmpool_backend_return(struct ttmpool_backend *be);

/* tt.c */
void ttmpool_tt_set_state(struct ttmpool_tt *tt, enum ttmpool_tt_state state);
