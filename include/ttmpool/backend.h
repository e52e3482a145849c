/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_BACKEND_H
#define TTMPOOL_BACKEND_H

#include <ttmpool/pool.h>
#include <ttmpool/tt.h>

TPOS_API_BEGIN

struct ttmpool_backend;

/**
 * struct ttmpool_backend_funcs - the functions of one kind of backend
 * @name: name of the kind, for messages
 * @populate: fills backend->tt.pages[0, num_pages) and, if the backend has that array,
 *	backend->dma_addr. After an error both arrays are as they were. May sleep.
 * @unpopulate: gives these pages up. Returns -EINVAL, and changes nothing, if the arrays
 *	are not what @populate left there. May sleep.
 * @bind: points the page tables of the device at the pages; NULL if there is nothing to do.
 *	May sleep.
 * @unbind: undoes @bind; NULL together with @bind. When it returns, the device does not use
 *	the pages any more. Cannot fail.
 * @movable: the pages are chunks of be->pool of source @source, and nothing else, so the
 *	library may move their contents (ttmpool/swap.h)
 * @source: the source of the pages, if @movable
 * @trylock: takes the driver's lock of the buffer if that is possible at once, and if the
 *	device does not use the buffer; returns whether it has taken the lock. Called with a
 *	spinlock held, from any place where memory is allocated. If it is NULL, no buffer of
 *	this kind can be on the swapper's list.
 * @unlock: releases that lock; NULL together with @trylock
 * @vacate: removes everything else that refers to the pages, for example the mapping of a
 *	process. The swapper calls it after @trylock, and moves the contents only after
 *	that. NULL if nothing else refers to the pages. May sleep, but does not allocate,
 *	because it is also called in reclaim.
 *
 * This is the only table of functions in the library. Each buffer names the functions that
 * it uses. The library has two such tables. A driver can write its own table, with
 * ttmpool_pool_take() and ttmpool_pool_give(), or with any other source of pages.
 */
struct ttmpool_backend_funcs {
	const char *name;
	int (*populate)(struct ttmpool_backend *be);
	int (*unpopulate)(struct ttmpool_backend *be);
	int (*bind)(struct ttmpool_backend *be);
	void (*unbind)(struct ttmpool_backend *be);
	bool movable;
	enum ttmpool_source source;
	bool (*trylock)(struct ttmpool_backend *be);
	void (*unlock)(struct ttmpool_backend *be);
	void (*vacate)(struct ttmpool_backend *be);
};

/** ttmpool_backend_plain - ordinary pages with streaming mappings. */
extern const struct ttmpool_backend_funcs ttmpool_backend_plain;

/** ttmpool_backend_coherent - pages of the DMA API's coherent allocator. */
extern const struct ttmpool_backend_funcs ttmpool_backend_coherent;

/**
 * ttmpool_backend_choose() - choose the kind of backend that a device needs
 * @pool: the pool of the device
 *
 * A device needs coherent pages if its streaming mappings could bounce when the pool began,
 * because it does not reach all memory and has no IOMMU, or because SWIOTLB is forced. With
 * streaming mappings, a buffer that lives long would hold bounce slots all that time, and
 * the CPU and the device would see stale bytes without a sync on each access. All other
 * devices use plain pages.
 */
const struct ttmpool_backend_funcs *
ttmpool_backend_choose(const struct ttmpool_pool *pool);

/**
 * struct ttmpool_backend_config - the settings of one buffer
 * @pool: the pool that the pages come from; it must outlive the backend
 * @funcs: how the buffer gets its pages; NULL for ttmpool_backend_choose()
 * @owner: the account that the pages are charged to, or NULL
 * @pages: an array of @num_pages entries that belongs to the caller and outlives the
 *	backend
 * @dma_addr: a second such array, for addresses; NULL if the device needs none
 * @num_pages: the number of pages; at least one
 * @caching: the caching that the pages shall have
 * @wait_ms: how long a call may sleep; see struct ttmpool_request
 * @killable: only a signal that kills the thread interrupts a call; see struct
 *	ttmpool_request
 */
struct ttmpool_backend_config {
	struct ttmpool_pool *pool;
	const struct ttmpool_backend_funcs *funcs;
	struct ttmpool_owner *owner;
	tpos_page_t **pages;
	tpos_dma_addr_t *dma_addr;
	size_t num_pages;
	enum ttmpool_caching caching;
	unsigned int wait_ms;
	bool killable;
};

/**
 * struct ttmpool_backend - one buffer; a driver embeds this structure in its own
 * @tt: the buffer
 * @funcs: how the buffer gets its pages
 * @pool: the pool that the pages come from
 * @owner: the account that the pages are charged to, or NULL
 * @dma_addr: the address of each page while the buffer has pages, otherwise 0; the caller's
 *	array, or NULL. In state PARTIAL the addresses are not to be used.
 * @wait_ms: how long each call may sleep for pages or addresses; see struct ttmpool_request
 * @killable: only a signal that kills the thread interrupts a call; see struct
 *	ttmpool_request
 * @until: the time at which the call in progress stops waiting
 * @store: where the contents are when they have been moved out, or NULL
 * @sums: with policy.checksum, one checksum for each page in the store
 * @pages_stored: number of pages in the store
 * @swappable: the buffer is on the manager's list of buffers that may be swapped out
 * @lru: link in that list
 * @lru_pages: what this buffer adds to the manager's count of pages that may be swapped out
 * @lru_time: when the buffer became the newest of that list, in steps of the manager's clock
 * @lru_victim: the buffer is being swapped out for others
 * @edge: this many pages, from the first on, are known to be alike: either all of them are
 *	in memory, or none is
 * @ticket_flags: how the tickets of this buffer are made. If funcs->unpopulate is the
 *	driver's own, it need not show a ticket, and may give @tt.pages back by
 *	ttmpool_pool_give().
 * @ticket: the ticket that the pages were last taken with, which is shown when they go. A
 *	driver's own populate may set it, and take its pages with it; otherwise it is 0
 *	after that.
 *
 * The driver may read the members. The library has no lock for the structure: the driver
 * makes all calls on one backend under a lock of its own (in DRM: the buffer's reservation
 * lock).
 */
struct ttmpool_backend {
	struct ttmpool_tt tt;
	const struct ttmpool_backend_funcs *funcs;
	struct ttmpool_pool *pool;
	struct ttmpool_owner *owner;
	tpos_dma_addr_t *dma_addr;
	unsigned int wait_ms;
	bool killable;
	struct ttmpool_deadline until;
	tpos_store_t *store;
	uint32_t *sums;
	size_t pages_stored;
	bool swappable;
	struct ttmpool_list lru;
	size_t lru_pages;
	uint64_t lru_time;
	bool lru_victim;
	size_t edge;
	uint32_t ticket_flags;
	uint32_t ticket;
};

/**
 * ttmpool_backend_init() - initialise a buffer, without pages
 * @be: uninitialised memory
 * @config: the settings of the buffer; read during the call only
 *
 * Zeroes both arrays.
 *
 * Return: 0; -EINVAL if @config names no pool, no array, no page, or an unknown caching, or
 * if a function that funcs needs is missing; -E2BIG if @num_pages pages have more than
 * LONG_MAX bytes.
 */
int TPOS_MUST_CHECK
ttmpool_backend_init(struct ttmpool_backend *be,
		     const struct ttmpool_backend_config *config);

/**
 * ttmpool_backend_fini() - end a buffer that has no contents
 * @be: the backend
 *
 * Return: 0; -EBUSY if the buffer has contents, in pages or in a store, or is on the list
 * of buffers that may be swapped out; then nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_backend_fini(struct ttmpool_backend *be);

/**
 * ttmpool_populate() - give a buffer its pages
 * @be: a backend in state EMPTY
 *
 * May sleep.
 *
 * Return: 0, and the state is POPULATED; -EINVAL in any other state; what
 * ttmpool_pool_take() returns. After an error nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_populate(struct ttmpool_backend *be);

/**
 * ttmpool_unpopulate() - give a buffer's pages back to the pool; their contents are lost
 * @be: a backend in state POPULATED
 *
 * Before the call, the caller has waited until the device no longer uses the pages. Zeroes
 * both arrays. May sleep.
 *
 * Return: 0, and the state is EMPTY; -EINVAL in any other state, or if the arrays or
 * tt.caching are not what populate left there, and then nothing has changed. The pool also
 * refuses arrays that name pages from before the last populate of this buffer, because
 * another buffer may have these pages by now.
 */
int TPOS_MUST_CHECK ttmpool_unpopulate(struct ttmpool_backend *be);

/**
 * ttmpool_bind() - point the page tables of the device at the pages
 * @be: a backend in state POPULATED
 *
 * Return: 0, and the state is BOUND; -EINVAL in any other state; what funcs->bind returns.
 * After an error nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_bind(struct ttmpool_backend *be);

/**
 * ttmpool_unbind() - undo ttmpool_bind()
 * @be: a backend in state BOUND
 *
 * Return: 0, and the state is POPULATED; -EINVAL in any other state.
 */
int ttmpool_unbind(struct ttmpool_backend *be);

/** ttmpool_backend_is_valid() - check that state, arrays, pages and store agree */
bool ttmpool_backend_is_valid(struct ttmpool_backend *be);

TPOS_API_END

#endif
