/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_BACKEND_H
#define TTMPOOL_BACKEND_H

#include <ttmpool/pool.h>
#include <ttmpool/tt.h>

TPOS_API_BEGIN

struct ttmpool_backend;

/**
 * struct ttmpool_backend_funcs - how one kind of backend gets its pages
 * @name: for messages
 * @populate: fill backend->tt.pages[0, num_pages) and, where the backend has
 *	the array, backend->dma_addr. On an error both are as they were. May
 *	sleep.
 * @unpopulate: give those pages up. Returns -EINVAL, having changed nothing,
 *	if they are not what populate handed out. May sleep.
 * @bind: point the device's page tables at the pages; NULL if there is nothing
 *	to do. May sleep.
 * @unbind: the reverse; NULL together with @bind. When it returns, the device
 *	does not use the pages any more. Cannot fail.
 * @movable: the pages are chunks of be->pool of source @source, and nothing
 *	else, so the library may move what is in them (ttmpool/swap.h)
 * @source: which source, if @movable
 * @trylock: take the driver's lock of the buffer, if that can be done at once
 *	and the device does not use the buffer; return whether it was. Called
 *	with a spinlock held, from anywhere where memory is allocated. NULL: no
 *	such buffer can be on the swapper's list.
 * @unlock: the reverse; NULL together with @trylock
 * @vacate: end what else points at the pages, as a mapping of a process does. The
 *	swapper calls it after @trylock, and only then moves the contents. NULL: nothing
 *	points at them. May sleep, in reclaim, too, and so does not allocate.
 *
 * The only table of functions in the library: each buffer names the functions that it
 * uses. The library has two such tables. A driver can write its own, with
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
 * ttmpool_backend_choose() - which of the two does this device need?
 * @pool: the pool of the device
 *
 * A device whose streaming mappings may bounce, as it reported when the pool began (it does
 * not reach all memory and has no IOMMU, or SWIOTLB is forced), needs coherent pages: a buffer that
 * lives long would hold bounce slots for as long, and its users would see stale bytes
 * without a sync on each access. All other devices use plain pages.
 */
const struct ttmpool_backend_funcs *
ttmpool_backend_choose(const struct ttmpool_pool *pool);

/**
 * struct ttmpool_backend_config - one buffer
 * @pool: the pool that its pages come from; must outlive the backend
 * @funcs: how it gets them; NULL for ttmpool_backend_choose()
 * @owner: who is charged, or NULL
 * @pages: an array of @num_pages, the caller's, that outlives the backend
 * @dma_addr: likewise, or NULL if the device needs no addresses
 * @num_pages: how many; at least one
 * @caching: what the pages shall be
 * @wait_ms: how long a call may sleep: see struct ttmpool_request
 * @killable: only a fatal signal interrupts the work of a call; see struct
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
 * struct ttmpool_backend - what a driver embeds around a buffer
 * @tt: the buffer
 * @funcs: how it gets its pages
 * @pool: from where
 * @owner: on whose account
 * @dma_addr: one address a page while the buffer has pages, else 0; the
 *	caller's array, or NULL. In state PARTIAL they are not to be used.
 * @wait_ms: how long each call waits for pages or address space: see struct
 *	ttmpool_request
 * @killable: only a fatal signal interrupts the work of a call; see struct
 *	ttmpool_request
 * @until: when the wait of the call that is under way is over
 * @store: where its contents go when they are moved out, or NULL
 * @sums: with policy.checksum, one for each page that is there
 * @pages_stored: so many of its pages are there
 * @swappable: it is on the manager's list of buffers that may be swapped out
 * @lru: in that list
 * @lru_pages: what it adds to the manager's count of such pages
 * @lru_round: of the swapper, the round in which it was last looked at
 * @lru_victim: it is being swapped out for others
 * @edge: so many of its pages, from the first on, are known to be alike: all of them
 *	are here, or none is
 * @ticket_flags: of its tickets. Where funcs->unpopulate is the driver's own, it need
 *	not show them: it may give @tt.pages by ttmpool_pool_give().
 * @ticket: what its pages were last taken with, and what is shown when they go. A
 *	driver's own populate may set it, and take its pages with it; else it is 0 after
 *	that.
 *
 * The members may be read. The library does not lock it: all calls on one
 * backend are made under a lock of the driver's (in DRM: the buffer's
 * reservation lock).
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
	uint32_t lru_round;
	bool lru_victim;
	size_t edge;
	uint32_t ticket_flags;
	uint32_t ticket;
};

/**
 * ttmpool_backend_init() - start a buffer, without pages
 * @be: uninitialised memory
 * @config: what it is; read during the call
 *
 * Zeroes the arrays.
 *
 * Return: 0; -EINVAL if @config names no pool, no array, no page, an unknown
 * caching, or funcs of which a needed one is missing; -E2BIG if @num_pages
 * pages are more bytes than an address can count.
 */
int TPOS_MUST_CHECK
ttmpool_backend_init(struct ttmpool_backend *be,
		     const struct ttmpool_backend_config *config);

/**
 * ttmpool_backend_fini() - end a buffer
 * @be: the backend
 *
 * Return: 0; -EBUSY if it has contents, in pages or in a store, or is on the
 * list of buffers that may be swapped out; then nothing has changed.
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
 * ttmpool_unpopulate() - take a buffer's pages back; their contents are lost
 * @be: a backend in state POPULATED
 *
 * The caller has waited until the device is done with them. Zeroes the arrays.
 * May sleep.
 *
 * Return: 0, and the state is EMPTY; -EINVAL in any other state, or if the
 * arrays or tt.caching are not what populate left there, and then nothing has
 * changed. The pool also refuses arrays that name pages from before the last populate of
 * this buffer, which another buffer may have by now.
 */
int TPOS_MUST_CHECK ttmpool_unpopulate(struct ttmpool_backend *be);

/**
 * ttmpool_bind() - let the device's page tables point at the pages
 * @be: a backend in state POPULATED
 *
 * Return: 0, and the state is BOUND; -EINVAL in any other state; what
 * funcs->bind returned. After an error nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_bind(struct ttmpool_backend *be);

/**
 * ttmpool_unbind() - the reverse of ttmpool_bind()
 * @be: a backend in state BOUND
 *
 * Return: 0, and the state is POPULATED; -EINVAL in any other state.
 */
int ttmpool_unbind(struct ttmpool_backend *be);

/** ttmpool_backend_is_valid() - do state, arrays, pages and store agree? */
bool ttmpool_backend_is_valid(struct ttmpool_backend *be);

TPOS_API_END

#endif
