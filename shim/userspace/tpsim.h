/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TPSIM_H
#define TPSIM_H

/*
 * The simulated machine, for tests and tools. The library uses it only through
 * ttmpool/os.h.
 *
 * A machine has RAM with nodes, zones and a buddy allocator; a CPU whose page table gives
 * each page a caching attribute; devices that do DMA, behind an IOMMU, behind SWIOTLB, or
 * directly; shrinkers; one work queue; and a swap file. It counts all operations that have
 * a cost, and keeps a ledger of everything that is allocated, mapped or queued. All data is
 * in the machine's handle: two machines in one process know nothing of each other.
 *
 * The simulation must not be kinder than the hardware: each rule in shim/userspace names
 * the place in Linux, or in a manual, that it stands for.
 */

#include <ttmpool/os.h>

TPOS_API_BEGIN

#define TPSIM_MAX_NODES 4

enum tpsim_iommu {
	TPSIM_IOMMU_OFF,    /* DMA address == physical address */
	TPSIM_IOMMU_LAZY,   /* queues up to 256 invalidations (dma-iommu.c) */
	TPSIM_IOMMU_STRICT, /* each unmap call invalidates before it returns */
};

/**
 * struct tpsim_config - the settings of a machine; zero-initialise them and set those that
 * matter
 * @page_shift: 12, 14 or 16; 0 means 12
 * @nr_nodes: number of NUMA nodes, all of the same size; 0 means 1
 * @ram_pages: pages of RAM of all nodes; 0 means 16384
 * @max_order: the largest order of the buddy allocator; 0 means 10
 * @iommu: the address translation, which is the same for every device
 * @iova_bytes: size of the IOVA space of each device; 0 means everything below its mask
 * @shared_iova: behind a strict IOMMU, small chunks that are mapped in one call share their
 *	addresses, which become free with the last of these chunks (Linux 6.16,
 *	dma_iova_link(): iova_shared.c)
 * @swiotlb_slots: number of bounce slots of 2 KiB; 0 means 32768 (64 MiB, Linux's default)
 * @swiotlb_force: every streaming mapping bounces (swiotlb=force)
 * @store_pages: room in all stores together, in pages; 0 means that only the host limits it
 * @store_adopts: stores can adopt ordinary pages (tpos_store_adopt()). Stores refuse a
 *	large chunk if most free memory of its zone is in smaller blocks
 * @no_caching: the linear map cannot be changed (as on most architectures except x86)
 * @caches: the CPU's cache and RAM have separate copies of each page, and only cache
 *	maintenance or tpsim_cache_evict() makes the copies equal. If false, there is one
 *	copy of each page
 * @threads: work runs in a thread of its own. If false, work runs when tpsim_work_run() is
 *	called, and a thread that waits is the only thread
 */
struct tpsim_config {
	unsigned int page_shift;
	unsigned int nr_nodes;
	size_t ram_pages;
	unsigned int max_order;
	enum tpsim_iommu iommu;
	uint64_t iova_bytes;
	bool shared_iova;
	size_t swiotlb_slots;
	size_t store_pages;
	bool swiotlb_force;
	bool store_adopts;
	bool no_caching;
	bool caches;
	bool threads;
};

/**
 * tpsim_machine_create() - build a machine
 *
 * Return: the machine, or NULL if the process has no memory or @config is impossible
 * (page_shift, nr_nodes or max_order out of range).
 */
struct tpsim_machine *tpsim_machine_create(const struct tpsim_config *config);

/**
 * tpsim_machine_destroy() - end a machine and its devices
 *
 * Prints the ledger on stderr and aborts if anything is still outstanding: pages, mappings,
 * descriptors, stores, shrinkers, queued work, devices that are held, pages that are not
 * write-back.
 */
void tpsim_machine_destroy(struct tpsim_machine *machine);

/**
 * struct tpsim_device_config - the settings of a device
 * @dma_mask: the highest DMA address; 0 means all 64 bits
 * @max_mapping: the largest mapping in bytes; 0 means that the device has no limit of
 *	its own
 * @node: the node that the device is attached to; TTMPOOL_NODE_ANY is allowed
 * @incoherent: on a machine with @caches, the device does not see what is in the CPU's
 *	cache
 * @untrusted, @coherent_single: see struct tpos_device_info
 */
struct tpsim_device_config {
	uint64_t dma_mask;
	uint64_t max_mapping;
	int node;
	bool incoherent;
	bool untrusted;
	bool coherent_single;
};

/** tpsim_device_create() - attach a device; NULL if there is no memory. */
struct tpsim_device *tpsim_device_create(struct tpsim_machine *machine,
					 const struct tpsim_device_config *cfg);

/**
 * tpsim_device_destroy() - detach a device, and free its address space
 *
 * Aborts if a mapping for the device is live (as DMA_API_DEBUG reports: "device driver has
 * pending DMA allocations"). From then on, any use of the device ends the program. The
 * exceptions are tpos_caching_set(), tpos_pages_free() and tpos_device_put(), if the caller
 * holds the device (tpos_device_get()).
 */
void tpsim_device_destroy(struct tpsim_device *dev);

/**
 * tpsim_device_set_mask() - change a device's DMA mask, as its driver does
 * @dev: the device
 * @mask: the new mask, wider or narrower; 0 means all 64 bits
 *
 * No other call for the device may be in progress. Existing mappings stay, but an access of
 * the device to an address that it cannot emit faults.
 */
void tpsim_device_set_mask(struct tpsim_device *dev, uint64_t mask);

/*
 * Accesses by the device. They return 0; or -EFAULT, and count a DMA fault, if the address
 * is not mapped for this device, is beyond its mask, or is stale. In lazy mode, a stale
 * translation that is still in the IOTLB works, as on hardware. Without an IOMMU every
 * address of RAM works, stale or not, as on hardware; an access to a page that is not
 * mapped for the device is counted in counters.stray_dma.
 */
int tpsim_device_read(struct tpsim_device *dev, tpos_dma_addr_t addr, void *buf,
		      size_t len);
int tpsim_device_write(struct tpsim_device *dev, tpos_dma_addr_t addr,
		       const void *buf, size_t len);

/*
 * Accesses by the CPU through a mapping with the given caching, such as a driver's kmap or
 * mmap. They return -EINVAL, and count an alias, if the page has another caching attribute
 * (Intel SDM vol. 3, 12.12.4: aliases of different memory types are undefined). Bounced
 * mappings are synced only if the caller asks for it with tpsim_dma_sync(), as a driver
 * does with dma_sync_single_for_*().
 */
int tpsim_cpu_read(struct tpsim_machine *machine, tpos_page_t *page,
		   size_t offset, void *buf, size_t len,
		   enum ttmpool_caching caching);
int tpsim_cpu_write(struct tpsim_machine *machine, tpos_page_t *page,
		    size_t offset, const void *buf, size_t len,
		    enum ttmpool_caching caching);

/** struct tpsim_access - an access to the same bytes of several pages
 * @pages: the pages
 * @num_pages: number of pages
 * @offset: offset of the bytes in each page
 * @len: number of bytes in each page
 * @caching: the caching of the mapping that the CPU uses
 */
struct tpsim_access {
	tpos_page_t *const *pages;
	size_t num_pages;
	size_t offset;
	size_t len;
	enum ttmpool_caching caching;
};

/*
 * The same as tpsim_cpu_read() and tpsim_cpu_write() for one page after another, but faster
 * than a call for each page. @buf has @len bytes for each page. They return the number of
 * pages that were read or written: if that is less than num_pages, the next page was
 * refused.
 */
size_t tpsim_cpu_read_each(struct tpsim_machine *machine,
			   const struct tpsim_access *access, void *buf);
size_t tpsim_cpu_write_each(struct tpsim_machine *machine,
			    const struct tpsim_access *access, const void *buf);

/**
 * tpsim_dma_sync() - do what dma_sync_single_for_device() or dma_sync_single_for_cpu() does
 * @dev: the device
 * @page: the first page of a chunk that is mapped for it
 * @for_device: true: copies what the CPU wrote to the bounce slots or, for an incoherent
 *	device, from the CPU's cache to RAM. False: copies what the device wrote from the
 *	slots or, for an incoherent device, invalidates the cache. Does nothing if the
 *	device and the CPU see the same bytes anyway.
 */
void tpsim_dma_sync(struct tpsim_device *dev, tpos_page_t *page,
		    bool for_device);

/**
 * tpsim_cache_evict() - evict everything from the CPU's cache, as a CPU may do at any
 * moment: dirty data overwrites RAM, and all other data is read again
 *
 * No call may be in progress. Does nothing on a machine without @caches.
 */
void tpsim_cache_evict(struct tpsim_machine *machine);

/**
 * tpsim_page_address() - return a pointer to the bytes of a page; on a machine with @caches
 * it is a write-back mapping. While the page is pooled, its bytes are closed, and a memory
 * checker reports an access
 */
void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_size() - return the number of bytes in a page. */
size_t tpsim_page_size(const struct tpsim_machine *machine);

/** tpsim_page_caching() - return the caching of a page in the CPU's page table. */
enum ttmpool_caching tpsim_page_caching(struct tpsim_machine *machine,
					const tpos_page_t *page);

/** tpsim_page_physical() - return the physical address of a page. */
uint64_t tpsim_page_physical(const struct tpsim_machine *machine,
			     const tpos_page_t *page);

/**
 * tpsim_page_poison() - report a hardware error in a page that is allocated
 *
 * If the page is freed as a single page, nobody gets it any more (free_pages_prepare() in
 * mm/page_alloc.c). If it is freed as a part of a block of a higher order, the allocator
 * skips the check, and somebody gets the page: counters.poison_freed.
 */
void tpsim_page_poison(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_of_system() - return a page of RAM that was not allocated by a function of
 * the port. */
tpos_page_t *tpsim_page_of_system(struct tpsim_machine *machine);

/**
 * enum tpsim_call - the calls that can fail
 */
enum tpsim_call {
	TPSIM_CALL_PAGES_ALLOC,
	TPSIM_CALL_COHERENT_ALLOC,
	TPSIM_CALL_CACHING_SET,   /* away from write-back */
	TPSIM_CALL_CACHING_RESET, /* to write-back, and roll-backs */
	TPSIM_CALL_DMA_MAP,
	TPSIM_CALL_ZALLOC,
	TPSIM_CALL_SHRINKER_REGISTER,
	TPSIM_CALL_STORE_CREATE,
	TPSIM_CALL_STORE_WRITE,
	TPSIM_CALL_STORE_READ,
	TPSIM_CALL_WAIT, /* a wait that would sleep */
	TPSIM_CALL_COUNT,
};

const char *tpsim_call_name(enum tpsim_call call);

/**
 * struct tpsim_fault - one planned failure
 * @call: which call fails
 * @nth: the first call that fails, counted from now: 1 is the next call
 * @times: how many calls fail from there on; 0 means one, UINT_MAX means all
 * @after: a batch fails after this many of its chunks are done (half way), and a store
 *	after this many pages; the machine then does what the contract says for an error
 * @error: the error that the call returns; 0 means its usual error (-ENOMEM; for DMA
 *	mapping and for writing to a store -ENOSPC, for reading from a store -EIO, for a
 *	wait -EINTR)
 */
struct tpsim_fault {
	enum tpsim_call call;
	unsigned long nth;
	unsigned int times;
	size_t after;
	int error;
};

/** tpsim_fault_plan() - add a failure to the plan; at most 8 are planned at a time. */
void tpsim_fault_plan(struct tpsim_machine *machine,
		      const struct tpsim_fault *fault);

/** tpsim_fault_clear() - clear the plan; returns how many failures it has caused. */
unsigned long tpsim_fault_clear(struct tpsim_machine *machine);

/** tpsim_fault_calls() - return how often @call was made since the machine was built. */
unsigned long tpsim_fault_calls(struct tpsim_machine *machine,
				enum tpsim_call call);

/** tpsim_fault_hit() - called at every planned failure, as a place for a breakpoint. */
void tpsim_fault_hit(enum tpsim_call call);

/**
 * struct tpsim_counters - operations that had a cost since the machine was built
 * @ns: the simulated time, by the cost table in cost.c
 */
struct tpsim_counters {
	uint64_t caching_batches;   /* tpos_caching_set() calls with a change */
	uint64_t caching_pages;     /* pages whose attribute changed */
	uint64_t tlb_flushes;       /* broadcasts to all CPUs */
	uint64_t cache_flush_pages; /* pages written back by clflush */
	uint64_t iotlb_invalidations;
	uint64_t iova_waits; /* sleeps until addresses were free */
	uint64_t dma_maps;   /* chunks */
	uint64_t dma_unmaps;
	uint64_t iova_allocs;
	uint64_t pages_allocated; /* from the buddy allocator */
	uint64_t pages_freed;
	uint64_t bytes_cleared;       /* by tpos_pages_clear() */
	uint64_t bytes_cleared_alloc; /* by the allocator, for fresh pages */
	uint64_t bytes_copied;        /* by tpos_pages_copy() */
	uint64_t bounced_bytes;
	uint64_t splits;
	uint64_t poison_freed; /* poisoned pages that somebody gets again */
	uint64_t store_writes; /* pages */
	uint64_t store_reads;
	uint64_t locks_taken;
	uint64_t list_steps;   /* tpos_list_step() under spinlocks */
	uint64_t longest_hold; /* the most steps under one spinlock */
	uint64_t oom_kills;    /* each frees the pages of tpsim_ram_hold() */
	uint64_t shrinks;      /* times that a shortage called the shrinkers */
	uint64_t dma_faults;
	uint64_t stray_dma;
	uint64_t freed_in_reach; /* pages that a device might still write to */
	uint64_t aliases;
	uint64_t ns;
};

void tpsim_counters(struct tpsim_machine *machine,
		    struct tpsim_counters *counters);

/**
 * struct tpsim_ledger - what is outstanding now
 */
struct tpsim_ledger {
	size_t pages_plain;
	size_t pages_coherent;
	size_t pages_not_write_back; /* of all RAM */
	size_t pages_parked;         /* noted as pooled */
	size_t pages_spare;          /* noted as pooled, and free to go */
	size_t mappings;             /* mapped chunks, coherent ones included */
	uint64_t mapped_bytes;
	uint64_t held_bytes; /* addresses of unmapped chunks, not free yet */
	size_t bounce_slots;
	size_t descriptors; /* tpos_zalloc() */
	size_t stores;
	size_t store_pages; /* kept in them */
	size_t shrinkers;
	size_t work_queued;
	size_t pages_lost;   /* poisoned, and withheld from everybody */
	size_t device_holds; /* tpos_device_get() without tpos_device_put() */
	size_t free_pages;   /* in the buddy allocator */
};

void tpsim_ledger(struct tpsim_machine *machine, struct tpsim_ledger *ledger);

/** tpsim_ledger_is_empty() - check that nothing is outstanding, and that every page is
 * write-back. */
bool tpsim_ledger_is_empty(struct tpsim_machine *machine);

/*
 * Memory pressure. The machine itself can use memory: it takes pages from the buddy
 * allocator, and holds them until it gives them back.
 */

/** tpsim_ram_hold() - hold pages until only @leave pages are free on @node (or
 * TTMPOOL_NODE_ANY); returns how many pages are held now in all. */
size_t tpsim_ram_hold(struct tpsim_machine *machine, int node, size_t leave);

/** tpsim_ram_fragment() - divide all free blocks above @order into pieces of 1 << @order
 * pages, and hold every second piece, so that no larger block is free. */
void tpsim_ram_fragment(struct tpsim_machine *machine, unsigned int order);

/** tpsim_ram_release() - free all pages that are held. */
void tpsim_ram_release(struct tpsim_machine *machine);

/**
 * tpsim_shrink() - ask all shrinkers for @pages, for a caller that may not wait for a store
 * (GFP_NOFS)
 */
unsigned long tpsim_shrink(struct tpsim_machine *machine, unsigned long pages);

/** tpsim_shrink_node() - like tpsim_shrink(), for a caller that needs pages of one node */
unsigned long tpsim_shrink_node(struct tpsim_machine *machine, int node,
				unsigned long pages);

/**
 * tpsim_shrink_swap() - ask all shrinkers for @pages in the way that kswapd does, and an
 * allocation that lacks pages: they may swap, if the stores have room
 */
unsigned long tpsim_shrink_swap(struct tpsim_machine *machine,
				unsigned long pages);

/** tpsim_work_run() - run the queued work; returns how many items ran. */
size_t tpsim_work_run(struct tpsim_machine *machine);

/*
 * Waiting, and what ends a wait. A thread works on the machine for which it last made a
 * call, or of which it last took or tried a lock. The functions tpos_signal_pending() and
 * tpos_wait() use that machine.
 *
 * On a machine without threads, a wait takes no real time. First, tpos_wait() lets the
 * other side run once: the function that tpsim_while_waiting() has set, and the queued
 * work. If nothing has woken the caller by then, the clock advances by the time-out. On
 * such a machine, a wait without a time-out is a deadlock, and ends the program.
 */

/**
 * tpsim_signal_after() - make the @n-th check for a pending signal from now, and all later
 * ones, find a signal
 * @machine: the machine; applies to all threads that work on it
 * @n: from 1 on; 1 also wakes the threads that sleep on the machine at once. A tpos_wait()
 *	that would sleep checks once
 */
void tpsim_signal_after(struct tpsim_machine *machine, unsigned long n);

/**
 * tpsim_kill_after() - like tpsim_signal_after(), but with a signal that kills the threads:
 * only with such a signal does tpos_fatal_signal_pending() return true, too
 */
void tpsim_kill_after(struct tpsim_machine *machine, unsigned long n);

/** tpsim_signal_clear() - clear all signals that are pending or planned. */
void tpsim_signal_clear(struct tpsim_machine *machine);

/**
 * tpsim_while_waiting() - set what other threads do while one waits
 * @machine: the machine; applies to every tpos_wait() on it that would sleep
 * @fn: called in the waiting thread, as if that thread held no locks; NULL for nothing
 * @arg: passed to @fn
 */
void tpsim_while_waiting(struct tpsim_machine *machine, void (*fn)(void *arg),
			 void *arg);

/**
 * tpsim_pass_time() - advance the clock of a machine without threads; a machine with
 * threads uses the clock of the host
 */
void tpsim_pass_time(struct tpsim_machine *machine, unsigned int ms);

/** tpsim_iotlb_expire() - make the timer of the IOMMU's lazy mode (10 ms) fire. */
void tpsim_iotlb_expire(struct tpsim_machine *machine);

/** tpsim_reports() - return how many reports of @kind tpos_report() got. */
size_t tpsim_reports(struct tpsim_machine *machine,
		     enum ttmpool_report_kind kind);

/** tpsim_report_last() - return the last line that tpos_report() wrote, or "". */
const char *tpsim_report_last(struct tpsim_machine *machine);

/**
 * struct tpsim_watch - functions that follow pages from owner to owner
 * @handed_out: a block of 1 << @order pages now belongs to a driver, and comes from the
 *	page allocator or from a bin. A block may be handed out twice in a row.
 * @halved: the block that begins at @page, which is handed out, was halved; @upper is the
 *	first page of its upper half
 * @came_back: the block that begins at @page is in a bin again, or with the page allocator
 * @reported: tpos_report() got this report
 * @arg: passed to each of these functions
 *
 * The functions are called in the thread that made the call, with the machine locked, so
 * they must not call the machine. None may be NULL.
 */
struct tpsim_watch {
	void (*handed_out)(void *arg, const tpos_page_t *page,
			   unsigned int order);
	void (*halved)(void *arg, const tpos_page_t *page,
		       const tpos_page_t *upper);
	void (*came_back)(void *arg, const tpos_page_t *page);
	void (*reported)(void *arg, const struct ttmpool_report *report);
	void *arg;
};

/**
 * tpsim_watch() - set the functions that follow pages
 * @machine: the machine; no other call for it may be in progress
 * @watch: the functions, in memory that outlives the machine; NULL for none
 */
void tpsim_watch(struct tpsim_machine *machine,
		 const struct tpsim_watch *watch);

TPOS_API_END

#endif
