/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_SWAP_H
#define TTMPOOL_SWAP_H

#include <ttmpool/backend.h>

TPOS_API_BEGIN

/*
 * These functions move the contents of a buffer: to the store and back, and between pages
 * of the device and ordinary pages. Each of them may sleep and may take long. During the
 * call the driver holds its lock of the buffer, as for every other function, and the device
 * does not use the buffer.
 *
 * No byte is lost, whatever fails, and whenever a signal comes: the state of the buffer
 * says where the contents are, and each function continues where the last one was
 * interrupted. The functions need a backend whose funcs have @movable, and return
 * -EOPNOTSUPP for any other.
 */

/** TTMPOOL_ALL_PAGES - as a number of pages: the whole buffer. */
#define TTMPOOL_ALL_PAGES ((size_t)-1)

/**
 * ttmpool_swapout() - move contents to the store and pages to the system
 * @be: a backend in state POPULATED, ANONYMOUS or PARTIAL
 * @pages: at least this many pages leave, if the buffer has them; only whole chunks leave
 *
 * Before the function changes the buffer, it writes one page to the store, to find out
 * whether the store has any room. Then it unmaps the chunks that shall leave, and no
 * others, in one batch, and makes them write-back in one batch. If they have more than
 * 16 MiB, it does this for 16 MiB at a time. It stores and frees the chunks one by one,
 * from the first on, so that the system gets memory back while the function runs. It splits
 * a chunk only if the store has no room for the rest of the chunk until a part of the chunk
 * is freed, or no room for it at all. The cost grows with the number of pages that leave,
 * not with the size of the buffer.
 *
 * Return: 0, and the state is SWAPPED, or PARTIAL if some pages have not left; -EINVAL in
 * any other state, for no page, or if the arrays are not as the library left them, and then
 * nothing has changed; -EINTR for a signal; -EFAULT if the hardware has poisoned the next
 * page, which the function has not read; what tpos_store_create() and tpos_store_write()
 * return. After these errors, the contents that have left are in the store, the rest is in
 * pages, and the state is PARTIAL; call this function again to continue, or
 * ttmpool_swapin() to go back. If nothing of the buffer is in the store, its state,
 * mappings and caching are as before; if the mappings and the caching could not be restored
 * at once, the state is PARTIAL. The function checks only the part of the arrays whose
 * pages leave.
 */
int TPOS_MUST_CHECK ttmpool_swapout(struct ttmpool_backend *be, size_t pages);

/**
 * ttmpool_swapin() - bring contents back from the store
 * @be: a backend in state SWAPPED or PARTIAL
 * @pages: at least this many pages come back, if they are in the store
 *
 * The function takes all wanted pages from the pool at once. If there is no memory for
 * that, it works in parts, because each part that it has read back frees room in the store.
 * The next part begins with as many pages as the last one got. The whole call sleeps no
 * longer than be->wait_ms, and only for addresses and for single pages of the budget. If
 * the call would make the buffer complete, and the buffer can never be mapped as a whole,
 * the function refuses with -ENOSPC. If the buffer is larger than the page budget, as many
 * pages come back as fit, and the function does not wait for the rest.
 *
 * Return: 0, and the state is POPULATED, with the caching, addresses and contents that the
 * buffer had, or PARTIAL if some contents are still in the store; -EINVAL in any other
 * state, or for no page, and then nothing has changed; -EINTR; what ttmpool_pool_take(),
 * ttmpool_to_device() and tpos_store_read() return; with policy.checksum, -EBADMSG if the
 * store returned other bytes than it was given; the pool reports this
 * (TTMPOOL_REPORT_CORRUPTED). After these errors, the state is as before or PARTIAL, and
 * the pages that have come back stay. A corrupted page never comes back: as long as the
 * store returns wrong bytes, the contents are lost, and only ttmpool_drop() ends the
 * buffer.
 */
int TPOS_MUST_CHECK ttmpool_swapin(struct ttmpool_backend *be, size_t pages);

/**
 * ttmpool_drop() - discard the contents, wherever they are
 * @be: a backend in any state but EMPTY and BOUND
 *
 * Return: 0, and the state is EMPTY; -EINVAL in the state EMPTY or BOUND, or if the arrays
 * are not as the library left them, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_drop(struct ttmpool_backend *be);

/**
 * ttmpool_to_anonymous() - move contents from pages of the device to ordinary pages
 * @be: a backend in state POPULATED
 *
 * The function works in place, without a copy, for pages of which ttmpool_page_insertable()
 * is true. For other pages it gets fresh ones and copies the contents. It zeroes
 * dma_addr[]. It sleeps no longer than be->wait_ms, for room in the page budget.
 *
 * Return: 0, and the state is ANONYMOUS; -EINVAL in any other state, or if the arrays are
 * not as the library left them; -EFAULT if pages have to be copied and the hardware has
 * poisoned one of them, which the function has not read; what ttmpool_pool_take() returns,
 * if pages have to be copied; what tpos_caching_set() returns, or -EIO, if pages could not
 * be made write-back. After an error the state is POPULATED, and nothing has changed; or,
 * if that state could not be restored, it is PARTIAL: then all contents are in pages, and
 * ttmpool_swapin() leads back to POPULATED.
 */
int TPOS_MUST_CHECK ttmpool_to_anonymous(struct ttmpool_backend *be);

/**
 * ttmpool_to_device() - move contents from ordinary pages back to the device
 * @be: a backend in state ANONYMOUS
 *
 * The function works in place if the device reaches the pages of a chunk and one mapping
 * may be as large as the chunk. Otherwise, and for a coherent backend, it copies the
 * contents. If a chunk is on another node than the pool wants, the function copies it to
 * pages of the right node if some are free and the hardware has poisoned none of the chunk;
 * otherwise the chunk stays where it is. The whole call sleeps no longer than be->wait_ms.
 * A buffer that can never be mapped is refused at once with -ENOSPC.
 *
 * Return: 0, and the state is POPULATED, with the wanted caching and addresses; -EINVAL in
 * any other state, or if the arrays are not as the library left them; -EFAULT if pages have
 * to be copied and the hardware has poisoned one of them; what ttmpool_pool_take() returns.
 * After an error the state is ANONYMOUS, the contents have not changed, and nobody has read
 * a poisoned page.
 */
int TPOS_MUST_CHECK ttmpool_to_device(struct ttmpool_backend *be);

/**
 * ttmpool_handover() - give contents to another backend, together with their pages
 * @from: a backend in state ANONYMOUS
 * @to: a backend in state EMPTY, with the same number of pages, whose pool has the same
 *	manager; its device, source and caching may differ
 *
 * Copies nothing. From then on the pages belong to the pool and the owner of @to.
 *
 * Return: 0, and @from is EMPTY, and @to ANONYMOUS; -EINVAL if @from and @to are not as
 * described, and then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_handover(struct ttmpool_backend *from,
				     struct ttmpool_backend *to);

/*
 * The swapper keeps a list of the buffers that may be swapped out for others. It swaps out
 * buffers, oldest first, when no pooled pages are left, and either the page budget is
 * exhausted or the system's shrinker asks for pages. It passes over a buffer whose lock it
 * cannot take at once (backend_funcs.trylock). It does not look at buffers that have no
 * pages to give (bound, empty, or swapped out). A buffer that gets pages again becomes the
 * newest of the list.
 *
 * The swapper touches no more buffers than it needs for the wanted pages. A buffer of which
 * only a part has left stays the oldest until all of it has left, or some of it has come
 * back. Up to 16 small buffers of one pool leave together, with one batch of unmaps and one
 * of caching changes. A signal ends the swap-out, and so does a store that is full, broken or
 * without memory. The buffer that the store failed becomes the newest of the list, and it is
 * unchanged if nothing of it had left. After a failure the swapper tries one buffer at a time,
 * until the store has room again.
 *
 * The shrinker swaps out for each thread that calls it, beside other swap-outs, and waits for
 * none. It gains nothing only if each buffer is locked, or is being swapped out by another
 * thread, or the store has failed.
 */

/**
 * ttmpool_lru_add() - allow the swapper to swap a buffer out
 * @be: a backend whose funcs have @trylock; it becomes the newest of the list
 *
 * Return: 0; -EOPNOTSUPP if the funcs of @be have no trylock, or are not movable; -EBUSY if
 * @be is already on the list.
 */
int ttmpool_lru_add(struct ttmpool_backend *be);

/** ttmpool_lru_touch() - make a buffer the newest of the list, because it was used. */
void ttmpool_lru_touch(struct ttmpool_backend *be);

/**
 * ttmpool_lru_remove() - take a buffer off the list
 * @be: a backend; if it is not on the list, the function does nothing
 *
 * When this function returns, the swapper does not use the buffer, and will not use it any
 * more. Call it before the buffer ends. May sleep. The caller may hold the lock of the
 * buffer.
 *
 * It must be called neither in the system's reclaim, as from a shrinker, nor from a function
 * of the backend's funcs. The call waits while the buffer is being swapped out, and the thread
 * at work may be the caller itself, whose store has asked for memory. Let another thread end
 * the buffer there.
 */
void ttmpool_lru_remove(struct ttmpool_backend *be);

/**
 * ttmpool_manager_swapout() - swap out buffers of the list, oldest first
 * @mgr: the manager
 * @pages: how many pages shall leave; the function stops when so many have left, or no more
 *	can leave. It waits for buffers that other threads are swapping out. Pages that
 *	come back to a buffer meanwhile need not leave again
 *
 * For a driver that will need pages soon, as before hibernation. The caller holds no lock
 * for which a trylock of its backends would have to wait. A signal ends the call, also
 * while that waits for other threads. May sleep.
 *
 * Return: the number of pages that went to the system, without those that had to be
 * quarantined.
 */
unsigned long ttmpool_manager_swapout(struct ttmpool_manager *mgr,
				      unsigned long pages);

TPOS_API_END

#endif
