/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_OS_H
#define TTMPOOL_OS_H

/*
 * Everything that the library needs of an operating system.
 *
 * To port the library, write one header, ttmpool_port.h, which the compiler finds by its
 * include path, and the functions declared here. docs/porting.md is the guide.
 *
 * The port header contains everything that is called often: the types, locks, atomics and
 * page accessors listed next. They may be inline. The functions that are called once for a
 * batch of pages are declared here, and linked.
 *
 * The port header declares
 *
 *   types     tpos_system_t    the machine that allocations, the shrinker and work
 *                              belong to; one per manager
 *             tpos_device_t    a device that does DMA
 *             tpos_page_t      a page frame's descriptor (Linux: struct page)
 *             tpos_dma_addr_t  an address as a device sees it
 *             tpos_store_t     a place for the contents of one buffer
 *             struct tpos_dma  what the port must keep of one mapping, by value
 *             struct tpos_shrinker, struct tpos_work, struct tpos_wait, by
 *             value
 *             tpos_spinlock_t, tpos_mutex_t, tpos_atomic_t (a long)
 *             bool, size_t, int32_t, uint8_t to uint64_t, LONG_MAX, ULONG_MAX,
 *             NULL, UINT_MAX, offsetof, E* errno values, memset()
 *   locks     tpos_spin_init(lock, system, rank), tpos_spin_fini(lock),
 *             tpos_spin_lock(lock), tpos_spin_unlock(lock),
 *             tpos_assert_held(lock), and the same for tpos_mutex_*, with
 *             tpos_mutex_trylock(mutex). Init is a macro, because lockdep derives a lock's
 *             class from the place of the call. Locks are only taken in ascending order of
 *             rank (enum ttmpool_lock_rank).
 *   atomics   tpos_atomic_read(a), tpos_atomic_set(a, n),
 *             tpos_atomic_add_return(n, a): a full barrier
 *             tpos_atomic_add_unless_above(n, a, limit)  add n, unless the sum would be
 *             above limit; returns whether it did, and is a full barrier then. All three
 *             operate on unsigned values. No thread ever reads a value above limit because
 *             of this call.
 *   races     tpos_read_once(p), tpos_write_once(p, value)  for a word that other threads
 *             access without a lock: the access is never torn, invented or left out
 *             tpos_load_acquire(p), tpos_store_release(p, value)  the same; a thread that
 *             loads the stored value also sees everything that was written before the store
 *             tpos_read_lock(), tpos_read_unlock()  until it unlocks, this thread may read
 *             a descriptor that it finds by tpos_page_chunk(), even if the descriptor has
 *             been freed: see tpos_chunk_free(). Calls may be nested, and order no memory
 *             accesses; the thread does not sleep in between. (Linux: RCU)
 *   pages     tpos_page_nth(page, n)  the n-th page after one of a chunk
 *             tpos_page_node(device, page)
 *             tpos_node_has_pages(device, node)  returns whether this node has any memory.
 *                              If it has none, the system is never short of pages of this
 *                              node, and asks no shrinker for any. False for
 *                              TTMPOOL_NODE_ANY.
 *             tpos_page_chunk(device, page)  the chunk that was set on a page; NULL for any
 *                              other page of the system, and for a pointer to anything
 *                              else. Never faults. An acquire, which pairs with the release
 *                              of tpos_page_set_chunk().
 *             tpos_page_set_chunk(page, chunk)  sets the chunk of any page that
 *                              tpos_pages_alloc() got, the first of its chunk or not.
 *                              Cannot fail.
 *             tpos_page_is_poisoned(page)  returns whether the hardware has reported an
 *                              error in this page (Linux: PageHWPoison). When such a page
 *                              is freed as a single page, the system never hands it out
 *                              again.
 *             tpos_may_be_poisoned(device)  returns whether the hardware has reported an
 *                              error in any page of the device's system. As long as it
 *                              returns false, the library checks no page. A port that
 *                              cannot know returns true.
 *             tpos_dma_address(dma)  the address in a valid struct tpos_dma
 *             tpos_device_mask(device, coherent)  the highest address that the
 *                              device can emit now, for pages of the coherent
 *                              allocator or for mappings; the driver may change
 *                              it
 *             tpos_dma_bounces(device, chunk)  true if a mapped chunk has bounce slots
 *             tpos_device_reaches(device, page, n)  returns whether these n pages are
 *                              within the device's mask, or are translated for it. Forced
 *                              bouncing does not count here, because other pages would
 *                              bounce, too.
 *             tpos_note_spare(device, node, pages)  tells the port, for its statistics,
 *                              that a pool that wants this node has so many more (or fewer)
 *                              pooled pages that could go to the system. By the end of the
 *                              pool, everything that was added for a node of a device is
 *                              subtracted again. Called with a pool's lock held.
 *   devices   tpos_device_get(device), tpos_device_put(device)  between these calls, the
 *                              library may name the device even after it has gone (Linux:
 *                              get_device(), put_device()). The device itself is not held:
 *                              it may go meanwhile, and its IOMMU domain with it. From then
 *                              on the library passes it only to
 *                              tpos_caching_set(), tpos_pages_free() and
 *                              tpos_device_put(), and only for chunks that are not mapped.
 *                              May sleep.
 *   notes     tpos_note_parked(device, chunk)  nobody may touch these pages now
 *             tpos_note_issued(device, chunk)  a buffer uses these pages again (for KASAN,
 *             Valgrind, ASan, or nothing). Both may be called with the pool's spinlock
 *             held. TPOS_WATCHED: false if nothing uses the notes, so that the library need
 *             not make them
 *   waiting   tpos_wait_init(wait), tpos_wait_fini(wait)
 *             tpos_wait_count(wait)  how often it was woken so far; a full
 *             barrier
 *             tpos_signal_pending()  returns whether this thread should stop its work
 *             (Linux: a signal is pending)
 *             tpos_fatal_signal_pending()  returns whether this thread is about to end
 *             (Linux: a signal that kills it). Then tpos_signal_pending() is true, too.
 *             tpos_now_ms(system)  milliseconds, as a uint64_t, of a clock that
 *             never goes back, and that runs while threads sleep
 *   checks    tpos_assert(cond), tpos_cond_resched(), and TPOS_CHECK_LEVEL:
 *             0 asserts nothing, 1 what is cheap, 2 walks whole objects
 *             tpos_list_step()  called for each element of a list that the library looks at
 *             or moves. A port may count the calls, to find spinlocks that are held for too
 *             many elements.
 *             tpos_long_hold(lock)  the count does not apply to this lock until it is
 *             released, because the library checks a whole pool under it
 *             tpos_assert_not_reclaiming()  asserts that the thread is not in the system's
 *             reclaim, where the functions of shrinkers run. The library is about to wait
 *             for another thread's swap-out; a thread in reclaim may be at that itself.
 *
 * The port header also defines three macros for the compiler, each of which may be empty.
 * TPOS_API_BEGIN and TPOS_API_END enclose the declarations of each public header: extern
 * "C" for C++, and default visibility for a shared library. TPOS_MUST_CHECK marks a
 * function whose callers lose pages, contents or an object if they ignore its result: the
 * compiler warns them.
 *
 * Conventions of all functions below: a function of type int returns 0 or a negative errno;
 * out-parameters come last and are never NULL; a batch is a list of chunks, linked by
 * chunk->link, never empty, in any mix of orders; after the call the list has the same
 * chunks in the same order. The library calls none of them with a spinlock held, and it
 * calls none of them for one chunk from two threads at once.
 *
 * Caches. Some accesses to memory bypass the CPU's caches: those of a device that is not
 * cache-coherent, and, where the linear map is always write-back, those through a mapping
 * of another caching. Only the port knows of them. So the port ensures the following,
 * whether the pages are mapped or not:
 *
 *	tpos_pages_alloc()   plain pages are zero for a write-back mapping, and the next two
 *	                     functions make them zero for others. Coherent pages are zero
 *	                     for both sides.
 *	tpos_dma_map()       the device sees what the CPU wrote
 *	tpos_caching_set()   no cache contains anything of the pages, neither before the
 *	                     change nor after it
 *	tpos_dma_unmap()     the CPU sees what the device wrote
 *	tpos_pages_clear(), tpos_pages_copy(), tpos_store_read()
 *	                     both sides see what was written, and nothing in a cache
 *	                     overwrites what either side writes later
 *	tpos_pages_copy(), tpos_store_write(), tpos_page_sum()
 *	                     they read what was written last, by either side
 *
 * There is one exception: a driver that maps write-back pages itself also syncs them
 * itself.
 */

#include <ttmpool/caching.h>
#include <ttmpool/chunk.h>
#include <ttmpool/report.h>
#include <ttmpool_port.h>

TPOS_API_BEGIN

/** TTMPOOL_NODE_ANY - no preference for a NUMA node (Linux: NUMA_NO_NODE). */
#define TTMPOOL_NODE_ANY (-1)

/** TTMPOOL_WAIT_FOREVER - as a time-out in milliseconds: no limit. */
#define TTMPOOL_WAIT_FOREVER UINT_MAX

/**
 * enum ttmpool_lock_rank - the order in which locks are taken
 * @TTMPOOL_RANK_SWAP: a mutex of the manager: the thread that holds it swaps out a
 *	buffer for others. Held across tpos_* calls.
 * @TTMPOOL_RANK_RECLAIM: a mutex of the manager: the thread that holds it computes how
 *	far a limit is exceeded, and takes that much out of the bins. No pool starts or
 *	ends meanwhile. Held across tpos_* calls only for the page budget.
 * @TTMPOOL_RANK_SCRUB: a pool's mutex: held while its pooled chunks are cleared, and
 *	while its lists are walked with pauses. Nothing is allocated under it, so a
 *	reclaim may wait for it.
 * @TTMPOOL_RANK_MANAGER: a spinlock of the manager: for the list of pools, the list of
 *	buffers, and the quarantine
 * @TTMPOOL_RANK_POOL: a pool's spinlock: for its bins, in-use list and counters
 */
enum ttmpool_lock_rank {
	TTMPOOL_RANK_SWAP = 1,
	TTMPOOL_RANK_RECLAIM,
	TTMPOOL_RANK_SCRUB,
	TTMPOOL_RANK_MANAGER,
	TTMPOOL_RANK_POOL,
};

/**
 * struct tpos_device_info - what a device reports about itself
 * @dma_mask: the highest DMA address that the device can emit
 * @max_mapping: the most bytes that one mapping may have, or 0 for no bound
 *	(Linux: dma_max_mapping_size(); 256 KiB under SWIOTLB)
 * @page_shift: of the system; PAGE_SIZE is 1 << @page_shift
 * @max_order: the largest order that tpos_pages_alloc() can ever serve
 * @node: the node that the device is attached to, or TTMPOOL_NODE_ANY
 * @bounces: a streaming mapping may get a bounce slot, because the device does not reach
 *	all memory and has no IOMMU, or because bouncing is forced
 * @has_iommu: the addresses of the device are translated: mappings use IOVA space, and
 *	unmapping costs an IOTLB invalidation
 * @untrusted: the device may write to pages that it was once given (Thunderbolt, eGPU), so
 *	no mapping is kept for a page that is not in use
 * @coherent_single: coherent pages are allocated with order 0 only, because the port can
 *	keep the promises of tpos_dma_unmap() only for single pages (Linux: for those that
 *	dma_alloc_attrs() made, see shim/linux/coherent.c)
 */
struct tpos_device_info {
	uint64_t dma_mask;
	uint64_t max_mapping;
	unsigned int page_shift;
	unsigned int max_order;
	int node;
	bool bounces;
	bool has_iommu;
	bool untrusted;
	bool coherent_single;
};

/*
 * TPOS_ALLOC_THIS_NODE: use that node, or fail; not used with TTMPOOL_NODE_ANY.
 * TPOS_ALLOC_LIGHT: do not work hard, because a smaller order will do, too: no direct
 *	compaction and no warning (Linux: __GFP_NORETRY | __GFP_NOWARN).
 * TPOS_ALLOC_DMA32: use plain pages below 4 GiB, or fail, whatever the device reaches
 *	(Linux: GFP_DMA32).
 * TPOS_ALLOC_NO_RECLAIM: use only pages that are free now. Nobody is asked to give up
 *	pages, now or later, and no shrinker is called (Linux: no __GFP_RECLAIM, so kswapd
 *	is not woken either).
 * TPOS_ALLOC_NO_WAIT: use only pages that are free now. No shrinker is called in this
 *	thread, but the system may begin to reclaim in another thread (Linux: no
 *	__GFP_DIRECT_RECLAIM).
 * TPOS_ALLOC_OOM_KILL: when reclaim gains nothing any more, kill a process and go on
 *	(Linux: no __GFP_RETRY_MAYFAIL). The flag has no effect together with any other flag
 *	except TPOS_ALLOC_DMA32, nor for an order above 0. Without it no process is killed.
 */
#define TPOS_ALLOC_THIS_NODE  0x1u
#define TPOS_ALLOC_LIGHT      0x2u
#define TPOS_ALLOC_DMA32      0x4u
#define TPOS_ALLOC_NO_RECLAIM 0x8u
#define TPOS_ALLOC_NO_WAIT    0x10u
#define TPOS_ALLOC_OOM_KILL   0x20u

/**
 * struct tpos_alloc - one request for fresh pages
 * @source: the allocator that the pages come from
 * @order: 1 << @order contiguous pages, aligned to their own size
 * @node: the wanted node, or TTMPOOL_NODE_ANY; a node that does not exist has no pages
 * @flags: TPOS_ALLOC_*
 */
struct tpos_alloc {
	enum ttmpool_source source;
	unsigned int order;
	int node;
	unsigned int flags;
};

/**
 * tpos_device_query() - get what a device reports about itself
 * @dev: the device
 * @info: filled in by the call
 *
 * May sleep. Cannot fail.
 */
void tpos_device_query(tpos_device_t *dev, struct tpos_device_info *info);

/**
 * tpos_pages_alloc() - allocate fresh pages for a device
 * @dev: the device that must be able to reach the pages
 * @req: the request
 * @chunk: the function sets its @page and, for TTMPOOL_COHERENT, its @dma
 *
 * The pages are zeroed and write-back, and nobody else uses them. For each of them
 * tpos_page_set_chunk() works without more memory, because the library may split the chunk
 * when there is none. Coherent pages are mapped until tpos_dma_unmap() or
 * tpos_pages_free(). Plain pages of a device without an IOMMU are below the device's mask,
 * or a later mapping of them bounces. May sleep, and, without TPOS_ALLOC_NO_RECLAIM and
 * TPOS_ALLOC_NO_WAIT, may call the registered shrinkers of the system.
 *
 * Return: 0; -ENOMEM; -ENOSPC if there are pages, but no addresses for coherent ones. After
 * an error @chunk is unchanged.
 */
int tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk);

/**
 * tpos_pages_free() - give pages back to the system
 * @dev: the device that the pages were allocated for; for plain pages, any device of its
 *	system
 * @chunks: chunks that are all write-back. Plain chunks are not mapped. A coherent chunk
 *	may still be mapped. Then its mapping ends here, in the same way as the system's
 *	IOMMU driver ends one: in the driver's lazy mode the device may reach the pages for
 *	a while, whoever uses them by then (Linux: iommu_dma_free() frees at once what it
 *	has unmapped through the flush queue). A batch may have chunks of both sources.
 *
 * The library unmaps all chunks before this call, unless policy.lazy_unmap is set, so the
 * library promises more than the port does. If the device has gone, the library holds it
 * (tpos_device_get()), and no chunk is mapped.
 *
 * The port forgets the chunk that was set on a page before anybody else gets the page. The
 * descriptors still belong to the caller. Does not clear the pages. Does not allocate. May
 * sleep.
 *
 * Nobody gets a page that the hardware has poisoned. The library quarantines a chunk with
 * such a page before this call, and the port gives back all other pages of a quarantined
 * chunk, one by one. (Linux: free_pages_prepare() in mm/page_alloc.c withholds a poisoned
 * page only when it is freed with order 0.)
 */
void tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

/**
 * tpos_pages_clear() - write zeroes to every byte
 * @dev: the device that the pages were allocated for
 * @chunks: of any caching, mapped or not
 *
 * When the function returns, a device that is not cache-coherent sees the zeroes, and so
 * does a mapping with the chunk's caching. Does not allocate. May sleep. Cannot fail.
 */
void tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);

/**
 * tpos_pages_split() - divide a chunk into two halves
 * @dev: the device that the pages were allocated for
 * @chunk: a plain chunk that is not mapped, of order 1 or more; it keeps its first half,
 *	and its order becomes one less
 * @upper: a descriptor of that smaller order, filled in except for its page; it gets the
 *	second half
 *
 * Sets TTMPOOL_CHUNK_SPLIT in both chunks: from then on each of them is freed separately.
 * Does not allocate. Cannot fail.
 *
 * On Linux, the first call uses split_page(), after which every page has a reference count
 * of its own.
 */
void tpos_pages_split(tpos_device_t *dev, struct ttmpool_chunk *chunk,
		      struct ttmpool_chunk *upper);

/**
 * struct tpos_span - some pages of a chunk
 * @chunk: the chunk
 * @first: the index in the chunk of the first of these pages, from 0
 * @pages: the number of pages; at least one
 */
struct tpos_span {
	const struct ttmpool_chunk *chunk;
	size_t first;
	size_t pages;
};

/**
 * tpos_pages_copy() - copy the contents of pages
 * @to: pages of any source and caching, mapped or not
 * @from: the same number of pages, of another chunk; write-back, or of caching UNKNOWN, and
 *	without a streaming mapping
 *
 * When the function returns, a device that is not cache-coherent sees the bytes, and so
 * does a mapping with @to's caching. Does not allocate. May sleep. Cannot fail.
 */
void tpos_pages_copy(const struct tpos_span *to, const struct tpos_span *from);

/**
 * tpos_page_sum() - compute a checksum of one page
 * @page: a span of one page, of any source and caching, mapped or not
 *
 * Different bytes have different sums, except in one of 2^32 cases (a CRC). Does not
 * allocate. May sleep. Cannot fail.
 *
 * Return: the sum; 0 for a page of zeroes.
 */
uint32_t tpos_page_sum(const struct tpos_span *page);

/**
 * tpos_store_create() - create a store for the contents of one buffer
 * @system: the machine
 * @pages: the most pages that the store may be asked to keep
 * @store: set to the new store, which keeps nothing yet
 *
 * On Linux the store is a shmem file, whose pages the system can move to a swap device; on
 * the simulated machine it is a file. May sleep, and may call the shrinkers.
 *
 * Return: 0, -ENOMEM, or the system's error if it cannot make a file.
 */
int tpos_store_create(tpos_system_t *system, size_t pages,
		      tpos_store_t **store);

/**
 * tpos_store_destroy() - free a store and everything that it keeps
 * @store: the store
 *
 * May sleep. Cannot fail.
 */
void tpos_store_destroy(tpos_store_t *store);

/**
 * tpos_store_write() - store the contents of some pages
 * @store: the store
 * @index: the contents are stored as the pages of the buffer from this index on
 * @from: pages of any source and caching, mapped or not
 *
 * The store keeps a copy. The copy includes what the device has written to the pages, if
 * the device has stopped. The call is slow if the pages are not write-back. May sleep, and
 * may call the shrinkers.
 *
 * Return: 0; -ENOMEM or -ENOSPC if there is no room; -EIO; -EINTR. After an error it is
 * undefined what the store keeps for these pages; all other pages in the store are
 * unchanged.
 */
int tpos_store_write(tpos_store_t *store, size_t index,
		     const struct tpos_span *from);

/**
 * tpos_store_adopt() - take pages over, instead of copying them
 * @store: the store
 * @index: the contents are stored as the pages of the buffer from this index on
 * @chunk: a plain chunk, write-back and not mapped
 *
 * After that the store owns the pages. The descriptor still belongs to the caller, but the
 * caller frees none of its pages. May sleep, and may call the shrinkers.
 *
 * Return: 0; -EOPNOTSUPP if the store cannot take over these pages, so that the caller has
 * to write and free them; -ENOMEM, -ENOSPC, -EIO or -EINTR, as for tpos_store_write().
 * After an error the chunk is unchanged, and the store keeps nothing for these pages.
 */
int tpos_store_adopt(tpos_store_t *store, size_t index,
		     struct ttmpool_chunk *chunk);

/**
 * tpos_store_read() - read contents back
 * @store: the store; it still keeps the contents afterwards
 * @index: the contents are those of the pages of the buffer from this index on; each of
 *	these has been written, and not dropped since
 * @to: pages of any source and caching, mapped or not, that get the contents
 *
 * When the function returns, a device that is not cache-coherent sees the bytes, and so
 * does a mapping with @to's caching. May sleep, and may call the shrinkers.
 *
 * Return: 0; -ENOMEM, -EIO or -EINTR, and then the contents of @to are undefined.
 */
int tpos_store_read(tpos_store_t *store, size_t index,
		    const struct tpos_span *to);

/**
 * tpos_store_drop() - drop contents that are not needed any more
 * @store: the store
 * @index: the pages of the buffer from this index on; the function skips those that the
 *	store does not keep
 * @pages: the number of pages
 *
 * May sleep. Cannot fail.
 */
void tpos_store_drop(tpos_store_t *store, size_t index, size_t pages);

/**
 * tpos_caching_set() - change the caching of a batch, with one flush
 * @dev: the device that the pages were allocated for
 * @chunks: the batch
 * @caching: the new caching
 *
 * Writes chunk->caching of every chunk, whatever happens, so that it always says which
 * caching the pages have. After an error all chunks are write-back again, or
 * TTMPOOL_CACHING_UNKNOWN if even that was not possible. A change to TTMPOOL_CACHED never
 * fails for lack of memory. May sleep.
 *
 * On an architecture whose linear map cannot be changed, the function only records the
 * caching, and flushes the pages from the CPU's caches. Before a mapping that bypasses the
 * caches is used, the flush lets this mapping see what was written through the linear map;
 * afterwards, the flush lets the linear map see what was written through such a mapping.
 *
 * On Linux, x86's set_pages_array_wc() leaves pages changed when it fails half way
 * (arch/x86/mm/pat/set_memory.c, _set_pages_array); a port repairs that.
 *
 * Return: 0, or a negative errno.
 */
int tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching);

/**
 * tpos_dma_map() - map a batch for the device, in both directions
 * @dev: the device
 * @chunks: plain chunks that are not mapped; the function sets their @dma
 *
 * Maps all chunks or none. If an error occurs after some chunks were mapped, the device
 * cannot reach them any more when this function returns, as after tpos_dma_unmap(dev,
 * chunks, false). May sleep. If there are no addresses, but mappings have ended whose
 * addresses are not free yet, the function sleeps until they are, and tries again, once
 * (Linux: the flush queue of the IOMMU's lazy mode, 10 ms). tpos_pages_alloc() does the
 * same for coherent chunks.
 *
 * Return: 0, or -ENOSPC if the address space or the bounce slots are exhausted, -ENOMEM, or
 * -EIO; after an error no chunk of the batch is mapped.
 */
int tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);

/**
 * tpos_dma_unmap() - end the mappings of a batch, with one invalidation
 * @dev: the device
 * @chunks: mapped chunks, of one source or of both. A coherent chunk cannot be mapped
 *	again, and only the library has its pages until tpos_pages_free().
 * @lazy: if true, the invalidation may complete later, at a time that the system's IOMMU
 *	driver chooses. If false, a device behind an IOMMU can no longer reach the pages
 *	when this function returns: an access to the old address faults
 *
 * The pages, of both sources, still belong to the library. The device still exists. Does
 * not allocate. May sleep. Cannot fail.
 *
 * Chunks that were mapped in one call may share their addresses, which are held until the
 * last of these chunks is unmapped (Linux: dma_iova_link(), see shim/linux/compat_iova_link.c).
 *
 * Return: the number of pages of addresses that are free again after this call. This is
 * less than the batch has, if some addresses are held; it is more, if held addresses of
 * other chunks become free, too.
 */
size_t tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
		      bool lazy);

/**
 * tpos_chunk_alloc() - allocate a descriptor
 * @system: the machine
 * @named: allocate a struct ttmpool_named_chunk
 * @flags: how hard to try: TPOS_ALLOC_NO_RECLAIM and TPOS_ALLOC_NO_WAIT mean the same as
 *	for pages, and the other flags have no effect
 *
 * The memory may contain what an earlier chunk left there, or anything else; the caller
 * writes all of it. May sleep, and, without TPOS_ALLOC_NO_RECLAIM and TPOS_ALLOC_NO_WAIT,
 * may call the registered shrinkers of the system.
 *
 * Return: the descriptor, or NULL.
 */
struct ttmpool_chunk *tpos_chunk_alloc(tpos_system_t *system, bool named,
				       unsigned int flags);

/**
 * tpos_chunk_free() - free a descriptor
 * @system: the machine
 * @chunk: what tpos_chunk_alloc() returned, with TTMPOOL_CHUNK_NAMED set if @named was; no
 *	page leads to it any more
 *
 * Another thread may have found the descriptor before, by tpos_page_chunk(), and may read
 * it until that thread calls tpos_read_unlock(). Until then the memory stays a descriptor,
 * and only the library writes to it. But it may become the descriptor of another chunk at
 * once. So a reader may rely on what it reads only if a lock guarantees it.
 *
 * On Linux this is a slab cache with SLAB_TYPESAFE_BY_RCU. Does not allocate. May sleep.
 */
void tpos_chunk_free(tpos_system_t *system, struct ttmpool_chunk *chunk);

/**
 * tpos_zalloc() - allocate zeroed memory for anything else
 * @system: the machine
 * @size: the number of bytes
 *
 * May sleep, and may call the registered shrinkers of the system.
 *
 * Return: zeroed memory, or NULL.
 */
void *tpos_zalloc(tpos_system_t *system, size_t size);

/**
 * tpos_free() - free memory that tpos_zalloc() returned
 * @system: the machine
 * @ptr: the memory; NULL is allowed
 */
void tpos_free(tpos_system_t *system, void *ptr);

/**
 * tpos_shrinker_register() - register a shrinker, which the system asks for pages when it
 * is short of them
 * @system: the machine
 * @shrinker: filled in by the caller. Its count(shrinker, swap) returns how many pages
 *	could be given up. Its scan(shrinker, pages, swap) gives up about so many pages and
 *	returns how many have gone; if these are more, the system asks for less afterwards
 *	(Linux: nr_scanned). Its count_node(shrinker, node, swap) and scan_node(shrinker,
 *	node, pages, swap) do the same for a system that is short of pages of one node; a
 *	port may call either pair. All of them may be called from any thread that allocates,
 *	under any lock that may be held across an allocation, and by several threads at
 *	once. The argument swap says that the caller may wait for a store, and that there is
 *	room in one (Linux: __GFP_FS, and swap space).
 *
 * Return: 0 or -ENOMEM.
 */
int tpos_shrinker_register(tpos_system_t *system,
			   struct tpos_shrinker *shrinker);

/**
 * tpos_shrinker_unregister() - unregister a shrinker
 * @system: the machine
 * @shrinker: a registered shrinker
 *
 * When this function returns, no callback runs, and none will run. May sleep.
 */
void tpos_shrinker_unregister(tpos_system_t *system,
			      struct tpos_shrinker *shrinker);

/**
 * tpos_work_queue() - let a worker run work->run(work) soon
 * @system: the machine
 * @work: initialised by tpos_work_init(work, run). Work that is already queued may be
 *	queued again, and work that is queued while it runs will run again
 *
 * May be called from anywhere, except with a spinlock held.
 */
void tpos_work_queue(tpos_system_t *system, struct tpos_work *work);

/**
 * tpos_work_cancel() - take work off the queue, and wait until it does not run
 * @system: the machine
 * @work: the work; it must not queue itself at the same time
 */
void tpos_work_cancel(tpos_system_t *system, struct tpos_work *work);

/**
 * tpos_wait() - sleep until woken
 * @wait: where to sleep
 * @seen: the value of tpos_wait_count() before the caller checked whether it must wait; if
 *	the count has changed since, the function returns at once
 * @timeout_ms: sleep at most this many milliseconds; TTMPOOL_WAIT_FOREVER for no limit. On
 *	return it is set to the time that is left, by the clock of tpos_now_ms(), so that
 *	many short sleeps together last as long as one long sleep. If it is NULL, the
 *	function sleeps until it is woken, whatever signals come; the thread that will wake
 *	it is at work and waits for nothing.
 *
 * The sleep may last 10 ms, or one tick of the system's timer, longer than that.
 *
 * Return: 0 if the thread was woken, and always if @timeout_ms is NULL; -ETIMEDOUT if the
 * time has ended; -EINTR for a signal.
 */
int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms);

/**
 * tpos_wait_killable() - sleep until woken, whatever signals come, except one that kills
 * @wait: where to sleep
 * @seen: as for tpos_wait()
 * @timeout_ms: as for tpos_wait(), but never NULL
 *
 * Return: as tpos_wait(), but -EINTR only for a signal that kills the thread.
 */
int tpos_wait_killable(struct tpos_wait *wait, long seen,
		       unsigned int *timeout_ms);

/**
 * tpos_wake() - wake all threads that sleep there
 * @wait: where they sleep
 *
 * May be called from anywhere, except with a spinlock held.
 */
void tpos_wake(struct tpos_wait *wait);

/**
 * tpos_report() - report a finding to the people who run the machine
 * @system: the machine
 * @report: what was found; valid during the call
 *
 * On Linux this is a rate-limited warning, on the simulated machine an entry in a log.
 */
void tpos_report(tpos_system_t *system, const struct ttmpool_report *report);

TPOS_API_END

#endif
