/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_SWAP_H
#define TTMPOOL_SWAP_H

#include <ttmpool/backend.h>

TPOS_API_BEGIN

/*
 * These functions move the contents of a buffer: to the store and back, and between pages
 * of a device and ordinary ones. Each of them may sleep and takes time. The driver holds
 * its lock of the buffer during the call, as for every other function, and the device does
 * not use the buffer.
 *
 * Whatever fails, and whenever a signal comes, no byte is lost: the state says where the
 * contents are, and each function continues where the last one was interrupted. They need
 * backend funcs with @movable, and return -EOPNOTSUPP for others.
 */

/** TTMPOOL_ALL_PAGES - for a number of pages: the whole buffer. */
#define TTMPOOL_ALL_PAGES ((size_t)-1)

/**
 * ttmpool_swapout() - move contents to the store, and pages to the system
 * @be: a backend in state POPULATED, ANONYMOUS or PARTIAL
 * @pages: at least so many shall leave, if it has them; whole chunks do
 *
 * First the function writes one page to the store, before it changes the buffer, to see
 * whether there is any room. Then it unmaps the chunks that shall leave, and no others, in
 * one batch, and makes them write-back in one batch; if they have more than 16 MiB, it does
 * so for 16 MiB at a time. It stores and frees chunk by chunk, from the first on, so that
 * the system gets memory back while this runs. It splits a chunk only if the store has no
 * room for the rest of it before some of it is freed, or none at all. The work grows with the number of
 * pages that leave, not with the size of the buffer.
 *
 * Return: 0, and the state is SWAPPED, or PARTIAL if pages are left; -EINVAL in
 * any other state, for no page, or if the arrays are not what the library left
 * there, and nothing has changed; -EINTR for a signal; -EFAULT if the next page has
 * been poisoned by the hardware, and nobody has read it; what tpos_store_create()
 * and tpos_store_write() return. After these errors, what has left is in the store, the
 * rest is in pages, and the state is PARTIAL; call this function again, or
 * ttmpool_swapin(). If nothing of the buffer is in the store, its state, mappings and
 * caching are what they were; if mappings and caching could not be restored at once, the
 * state is PARTIAL. The function checks the arrays only as far as pages leave.
 */
int TPOS_MUST_CHECK ttmpool_swapout(struct ttmpool_backend *be, size_t pages);

/**
 * ttmpool_swapin() - bring contents back from the store
 * @be: a backend in state SWAPPED or PARTIAL
 * @pages: at least so many shall come, if they are in the store
 *
 * The function takes pages from the pool for all that is wanted at once. If there is no
 * memory for that, it works in parts, because each part that has been read frees room in
 * the store; the next part begins with as many pages as the last one got. The whole call
 * sleeps no longer than be->wait_ms: for addresses, and for a single page of the budget. If
 * the buffer would be complete, and can never be mapped as a whole, the function refuses
 * (-ENOSPC). If the buffer is larger than the page budget, as much comes as fits, and the
 * function does not wait for the rest.
 *
 * Return: 0, and the state is POPULATED, with the caching, addresses and
 * contents that it had, or PARTIAL if some are still in the store; -EINVAL in
 * any other state, or for no page, and nothing has changed; -EINTR; what
 * ttmpool_pool_take(), ttmpool_to_device() and tpos_store_read() return; with
 * policy.checksum, -EBADMSG if the store returned other bytes than it was given, which is
 * reported (TTMPOOL_REPORT_CORRUPTED). After these, the state is as before or PARTIAL, and
 * the pages that had come back are there. A corrupted page never comes back: as long as the
 * store returns such bytes, the buffer is lost, and ttmpool_drop() ends it.
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
 * Works in place, without a copy, for pages of which ttmpool_page_insertable() is true.
 * For others it gets fresh pages, and copies the contents. Zeroes dma_addr[]. Sleeps no
 * longer than be->wait_ms, for room in the page budget.
 *
 * Return: 0, and the state is ANONYMOUS; -EINVAL in any other state, or if the
 * arrays are not what the library left there; -EFAULT if pages have to be copied and
 * the hardware has poisoned one of them, and nobody has read it; what ttmpool_pool_take() returns,
 * where pages have to be copied; what tpos_caching_set() returns, or -EIO, if
 * pages could not be made write-back. After an error the state is POPULATED, and nothing
 * has changed; or it is PARTIAL, if that state could not be restored: then all contents are
 * in pages, and ttmpool_swapin() leads back.
 */
int TPOS_MUST_CHECK ttmpool_to_anonymous(struct ttmpool_backend *be);

/**
 * ttmpool_to_device() - from ordinary pages to the device's
 * @be: a backend in state ANONYMOUS
 *
 * Works in place if the device reaches a page and a mapping may be as large as its chunk;
 * otherwise, and for a coherent backend, it copies the contents. It copies a chunk of
 * another node than the pool wants if pages of the right node are free, and the hardware
 * has poisoned none of it; otherwise the chunk stays where it is. The whole call sleeps no
 * longer than be->wait_ms. A buffer that can never be mapped is refused at once (-ENOSPC).
 *
 * Return: 0, and the state is POPULATED, with the caching and addresses wanted;
 * -EINVAL in any other state, or if the arrays are not what the library left
 * there; -EFAULT if pages have to be copied and the hardware has poisoned one of them, and
 * nobody has read it; what ttmpool_pool_take() returns. After an error the state is
 * ANONYMOUS, and no content has changed.
 */
int TPOS_MUST_CHECK ttmpool_to_device(struct ttmpool_backend *be);

/**
 * ttmpool_handover() - give contents to another backend, pages and all
 * @from: a backend in state ANONYMOUS
 * @to: a backend in state EMPTY, of as many pages, whose pool has the same
 *	manager; its device, source and caching may be others
 *
 * Copies nothing. From then on the pages belong to the pool and the owner of @to.
 *
 * Return: 0, and @from is EMPTY, and @to ANONYMOUS; -EINVAL if not as above,
 * and nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_handover(struct ttmpool_backend *from,
				     struct ttmpool_backend *to);

/*
 * The swapper keeps a list of buffers that may be swapped out for others, oldest first. It
 * swaps buffers out when the page budget is exhausted, or the system's shrinker asks, and
 * no pooled pages are left. It passes over a buffer whose lock it cannot take at once
 * (backend_funcs.trylock). It does not look at buffers that have no pages to give (bound,
 * empty, or swapped out); a buffer that has pages again becomes the newest of the list.
 *
 * The swapper touches no more buffers than it needs for the wanted pages: a buffer of which
 * a part has left stays the oldest until all of it has left. Up to 16 small buffers of one
 * pool leave together, with one batch of unmaps and one of caching changes. An error ends
 * the swap-out (a signal, or a store that is full, broken or without memory). Then the
 * buffer at which it happened becomes the newest, and is unchanged if nothing of it had
 * left.
 */

/**
 * ttmpool_lru_add() - let a buffer be swapped out under pressure
 * @be: a backend whose funcs have @trylock; it is the newest of the list
 *
 * Return: 0; -EOPNOTSUPP if its funcs have no trylock, or are not movable;
 * -EBUSY if it is on the list.
 */
int ttmpool_lru_add(struct ttmpool_backend *be);

/** ttmpool_lru_touch() - make a buffer that was used the newest of the list. */
void ttmpool_lru_touch(struct ttmpool_backend *be);

/**
 * ttmpool_lru_remove() - take a buffer off the list
 * @be: a backend; if it is not on the list, nothing is done
 *
 * When this returns, the swapper does not use the buffer and will not use it any more. Call
 * it before the buffer ends. May sleep. The caller may hold the lock of the buffer.
 */
void ttmpool_lru_remove(struct ttmpool_backend *be);

/**
 * ttmpool_manager_swapout() - swap out buffers of the list, oldest first
 * @mgr: the manager
 * @pages: until so many pages have left
 *
 * For a driver that will need pages soon, as before hibernation. The caller holds no lock
 * that a trylock of its backends would have to wait for. A signal ends the call. May sleep.
 *
 * Return: how many pages went to the system; what had to be quarantined is not among them.
 */
unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages);

TPOS_API_END

#endif
