/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_SWAP_H
#define TTMPOOL_SWAP_H

#include <ttmpool/backend.h>

TPOS_API_BEGIN

/*
 * Moving what is in a buffer: to the store and back, and between pages of a
 * device and ordinary ones. Each of these may sleep and takes time; the driver
 * holds its lock of the buffer meanwhile, as for every other verb, and the
 * device does not use the buffer.
 *
 * Whatever fails, and whenever a signal comes, no byte is lost: the state says
 * where the contents are, and each verb goes on from where the last one was
 * interrupted. They need backend funcs with @movable, and return -EOPNOTSUPP
 * for others.
 */

/** TTMPOOL_ALL_PAGES - for a number of pages: the whole buffer. */
#define TTMPOOL_ALL_PAGES ((size_t)-1)

/**
 * ttmpool_swapout() - move contents to the store, and pages to the system
 * @be: a backend in state POPULATED, ANONYMOUS or PARTIAL
 * @pages: at least so many shall leave, if it has them; whole chunks do
 *
 * One page is written to the store first, before anything is done to the buffer, to
 * see whether there is any room. Then the chunks that shall leave, and no others, are
 * unmapped in one batch and made write-back in one batch, before they are copied; 16
 * MiB of them at a time, if it is more. Chunk by chunk is stored and freed, from the
 * first on, so that memory comes back while this runs. A chunk is split only if
 * the store has no room for the rest of it before some of it is freed. The work grows
 * with the pages that leave, not with those that the buffer has.
 *
 * Return: 0, and the state is SWAPPED, or PARTIAL if pages are left; -EINVAL in
 * any other state, for no page, or if the arrays are not what the library left
 * there, and nothing has changed; -EINTR for a signal; -EFAULT if the next page has
 * been poisoned by the hardware, and nobody has read it; what tpos_store_create()
 * and tpos_store_write() return. After these, what has left is in the store, the
 * rest is in pages, and the state is PARTIAL; call again, or ttmpool_swapin(). If
 * nothing of the buffer is in the store, its state, mappings and caching are what
 * they were, or, if these could not be had again for the asking, the state is
 * PARTIAL. The arrays are looked at as far as pages leave.
 */
int TPOS_MUST_CHECK ttmpool_swapout(struct ttmpool_backend *be, size_t pages);

/**
 * ttmpool_swapin() - bring contents back from the store
 * @be: a backend in state SWAPPED or PARTIAL
 * @pages: at least so many shall come, if they are in the store
 *
 * Pages are taken from the pool for all that is wanted at once; where there is
 * no memory for that, for less, and again, since what has been read needs no
 * room in the store any more. As many as could be had then are what the next part
 * begins with. All of it sleeps no longer than be->wait_ms: for addresses, and for a
 * single page of the budget. What can never be mapped as a whole is refused, if it
 * would be whole (-ENOSPC); of a buffer larger than the page budget what fits comes,
 * and nobody waits for the rest.
 *
 * Return: 0, and the state is POPULATED, with the caching, addresses and
 * contents that it had, or PARTIAL if some are still in the store; -EINVAL in
 * any other state, or for no page, and nothing has changed; -EINTR; what ttmpool_pool_take() and tpos_store_read()
 * return; with policy.checksum, -EBADMSG if the store returned other bytes than
 * it was given, which is reported (TTMPOOL_REPORT_CORRUPTED). After these, the
 * state is as before or PARTIAL, and what had come is there. A page that is
 * corrupted never comes: as long as the store returns such bytes, the buffer is
 * lost, and ttmpool_drop() ends it.
 */
int TPOS_MUST_CHECK ttmpool_swapin(struct ttmpool_backend *be, size_t pages);

/**
 * ttmpool_drop() - end the contents, wherever they are
 * @be: a backend in any state but EMPTY and BOUND
 *
 * Return: 0, and the state is EMPTY; -EINVAL in those states, or if the arrays
 * are not what the library left there, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_drop(struct ttmpool_backend *be);

/**
 * ttmpool_to_anonymous() - from the device's pages to ordinary ones
 * @be: a backend in state POPULATED
 *
 * In place, without a copy, where ttmpool_page_insertable(). Otherwise fresh
 * pages are got, and the contents copied. Zeroes dma_addr[]. Sleeps no longer than
 * be->wait_ms, for room in the page budget.
 *
 * Return: 0, and the state is ANONYMOUS; -EINVAL in any other state, or if the
 * arrays are not what the library left there; -EFAULT if pages have to be copied and
 * the hardware has poisoned one of them, and nobody has read it; what ttmpool_pool_take() returns,
 * where pages have to be copied; what tpos_caching_set() returns, or -EIO, if
 * pages could not be made write-back. After an error the state is POPULATED, and nothing has changed, or PARTIAL if even that could not be
 * restored: all of it is in pages then, and ttmpool_swapin() is the way back.
 */
int TPOS_MUST_CHECK ttmpool_to_anonymous(struct ttmpool_backend *be);

/**
 * ttmpool_to_device() - from ordinary pages to the device's
 * @be: a backend in state ANONYMOUS
 *
 * In place where the device reaches a page and a mapping may be as large as its
 * chunk; else, and for a coherent backend, the contents are copied. A chunk of
 * another node than the pool wants is copied if there are pages of that node that
 * nobody has to give up, and else stays where it is. All of it sleeps no longer than
 * be->wait_ms. A buffer that can never be mapped is refused at once (-ENOSPC).
 *
 * Return: 0, and the state is POPULATED, with the caching and addresses wanted;
 * -EINVAL in any other state, or if the arrays are not what the library left
 * there; what ttmpool_pool_take() returns. After an error
 * the state is ANONYMOUS, and no content has changed.
 */
int TPOS_MUST_CHECK ttmpool_to_device(struct ttmpool_backend *be);

/**
 * ttmpool_handover() - give contents to another backend, pages and all
 * @from: a backend in state ANONYMOUS
 * @to: a backend in state EMPTY, of as many pages, whose pool has the same
 *	manager; its device, source and caching may be others
 *
 * Copies nothing. The pages are @to's pool's, and @to's owner's, from here on.
 *
 * Return: 0, and @from is EMPTY, and @to ANONYMOUS; -EINVAL if not as above,
 * and nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_handover(struct ttmpool_backend *from,
				     struct ttmpool_backend *to);

/*
 * The swapper: a list of buffers, oldest first, that may be swapped out for
 * others' sake, when the page budget is exhausted or the system's shrinker asks
 * and there are no pooled pages left. One that is bound is passed over, and so
 * is one whose lock cannot be had at once (backend_funcs.trylock). One that has no
 * pages to give (bound, empty, or swapped out) is not looked at at all; when it has
 * some again, it is the newest.
 *
 * No more buffers are touched than have the pages that are wanted: one of which a
 * part has left stays the oldest until it is gone. Small buffers of one pool, up to
 * 16, leave together, with one batch of unmaps and one of caching changes. An error
 * ends it (a signal, a store that is full, broken or without memory), and the buffer
 * that it came to is what it was, if nothing of it had left, and is the newest.
 */

/**
 * ttmpool_lru_add() - let a buffer be swapped out under pressure
 * @be: a backend whose funcs have @trylock; it is the newest of the list
 *
 * Return: 0; -EOPNOTSUPP if its funcs have no trylock, or are not movable;
 * -EBUSY if it is on the list.
 */
int ttmpool_lru_add(struct ttmpool_backend *be);

/** ttmpool_lru_touch() - it has been used: it is the newest of the list. */
void ttmpool_lru_touch(struct ttmpool_backend *be);

/**
 * ttmpool_lru_remove() - let it be
 * @be: a backend; if it is not on the list, nothing is done
 *
 * When it returns, the swapper does not look at it, nor will; so it is to be
 * called before the buffer goes. May sleep. The caller may hold the lock of the
 * buffer.
 */
void ttmpool_lru_remove(struct ttmpool_backend *be);

/**
 * ttmpool_manager_swapout() - swap out buffers of the list, oldest first
 * @mgr: the manager
 * @pages: until so many pages have left
 *
 * For a driver that knows of a need ahead, as before hibernation. The caller
 * holds no lock that a trylock of its backends would have to wait for. A signal
 * ends it. May sleep.
 *
 * Return: how many pages left.
 */
unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages);

TPOS_API_END

#endif
