/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TPSIM_H
#define TPSIM_H

/*
 * The simulated machine, as tests and tools see it. The library sees it only
 * through ttmpool/os.h.
 *
 * A machine has RAM with nodes, zones and a buddy allocator; a CPU whose page
 * table gives each page a caching attribute; devices that do DMA, behind an
 * IOMMU, behind SWIOTLB, or directly; shrinkers; one work queue; and a swap
 * file. It counts all operations that have a cost, and keeps a ledger of what is
 * allocated, mapped or queued. Everything lives in the machine's handle: two
 * machines in one process know nothing of each other.
 *
 * A mock may not be kinder than the hardware: each rule in shim/userspace
 * names the place in Linux, or in a manual, that it stands for.
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
 * struct tpsim_config - a machine; zero-initialise and set what matters
 * @page_shift: 12, 14 or 16; 0 means 12
 * @nr_nodes: NUMA nodes of equal size; 0 means 1
 * @ram_pages: pages of RAM in all; 0 means 16384
 * @max_order: of the buddy allocator; 0 means 10
 * @iommu: address translation, the same for every device
 * @iova_bytes: size of each device's IOVA space; 0 means all below its mask
 * @shared_iova: behind a strict IOMMU, small chunks that are mapped in one call share
 *	their addresses, which become free with the last of them (Linux 6.16,
 *	dma_iova_link(): iova_shared.c)
 * @swiotlb_slots: bounce slots of 2 KiB; 0 means 32768 (64 MiB, Linux's
 *	default)
 * @swiotlb_force: every streaming mapping bounces (swiotlb=force)
 * @store_pages: room in all stores together, in pages; 0 means no limit but the
 *	host's
 * @store_adopts: stores can adopt ordinary pages (tpos_store_adopt()). They
 *	refuse a large chunk if most free memory of its zone is in smaller blocks
 * @no_caching: the linear map cannot be changed (most architectures but x86)
 * @caches: the CPU's cache and RAM each have a copy of a page, and only cache
 *	maintenance or tpsim_cache_evict() makes the copies equal; otherwise there is
 *	one view of each page
 * @threads: work runs in a thread of its own; otherwise it runs when
 *	tpsim_work_run() is called, and a thread that waits is the only one
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
 * Return: the machine, or NULL if the process has no memory or @config is
 * impossible (page_shift, nr_nodes or max_order out of range).
 */
struct tpsim_machine *tpsim_machine_create(const struct tpsim_config *config);

/**
 * tpsim_machine_destroy() - end a machine and its devices
 *
 * Aborts with the ledger on stderr if anything is still out: pages, mappings,
 * descriptors, stores, shrinkers, queued work, devices that are held, pages other
 * than write-back.
 */
void tpsim_machine_destroy(struct tpsim_machine *machine);

/**
 * struct tpsim_device_config - a device
 * @dma_mask: highest DMA address; 0 means all 64 bits
 * @max_mapping: the largest mapping in bytes; 0 means that the device has no limit of
 *	its own
 * @node: where it is attached; TTMPOOL_NODE_ANY is allowed
 * @incoherent: it does not see what is in the CPU's cache, on a machine with @caches
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
 * Aborts if a mapping of its is live (as DMA_API_DEBUG reports: "device driver has
 * pending DMA allocations"). From now on, any use of the device ends the program. The
 * exceptions are tpos_caching_set(), tpos_pages_free() and tpos_device_put(), if the
 * caller holds the device (tpos_device_get()).
 */
void tpsim_device_destroy(struct tpsim_device *dev);

/**
 * tpsim_device_set_mask() - change a device's DMA mask, as its driver does
 * @dev: the device
 * @mask: wider or narrower; 0 means all 64 bits
 *
 * No other call for the device may be in progress. Mappings that there are stay; but the
 * device faults where it is given an address that it cannot emit.
 */
void tpsim_device_set_mask(struct tpsim_device *dev, uint64_t mask);

/*
 * Accesses by the device.
 * 0, or -EFAULT and a DMA fault is counted, if the address
 * is not mapped for this device, is beyond its mask, or is stale. In lazy mode, a stale
 * translation that is still in the IOTLB works, as on hardware. Without
 * an IOMMU every address of RAM works, stale or not, as on hardware; such an
 * access to a page that is not mapped for the device counts as
 * counters.stray_dma.
 */
int tpsim_device_read(struct tpsim_device *dev, tpos_dma_addr_t addr, void *buf,
		      size_t len);
int tpsim_device_write(struct tpsim_device *dev, tpos_dma_addr_t addr,
		       const void *buf, size_t len);

/*
 * Accesses by the CPU, through a mapping of that caching, as a driver's own kmap or mmap
 * would be.
 * -EINVAL, and counted as an alias, if the page's attribute is
 * another (Intel SDM vol. 3, 12.12.4: aliases of different memory types are
 * undefined). Bounced mappings are synced, as dma_sync_single_for_*() would, only
 * if the caller asks for it with tpsim_dma_sync().
 */
int tpsim_cpu_read(struct tpsim_machine *machine, tpos_page_t *page,
		   size_t offset, void *buf, size_t len,
		   enum ttmpool_caching caching);
int tpsim_cpu_write(struct tpsim_machine *machine, tpos_page_t *page,
		    size_t offset, const void *buf, size_t len,
		    enum ttmpool_caching caching);

/** struct tpsim_access - the same bytes of each of several pages
 * @pages: the pages
 * @num_pages: number of pages
 * @offset: of the bytes in each page
 * @len: number of bytes of each page
 * @caching: of the mapping through which the CPU reaches them
 */
struct tpsim_access {
	tpos_page_t *const *pages;
	size_t num_pages;
	size_t offset;
	size_t len;
	enum ttmpool_caching caching;
};

/*
 * tpsim_cpu_read() and tpsim_cpu_write() for one page after another, which is faster
 * than a call for each. @buf has @len bytes for each page. They return how many pages
 * were read or written: if that is less than num_pages, the next page was refused.
 */
size_t tpsim_cpu_read_each(struct tpsim_machine *machine,
			   const struct tpsim_access *access, void *buf);
size_t tpsim_cpu_write_each(struct tpsim_machine *machine,
			    const struct tpsim_access *access, const void *buf);

/**
 * tpsim_dma_sync() - dma_sync_single_for_device(), or ..._for_cpu()
 * @dev: the device
 * @page: the first page of a chunk that is mapped for it
 * @for_device: copies what the CPU wrote to the bounce slots or, for an incoherent
 *	device, from the CPU's cache to RAM; otherwise copies what the device wrote back
 *	from the slots, or invalidates the cache. Does nothing if the device sees
 *	the CPU's view.
 */
void tpsim_dma_sync(struct tpsim_device *dev, tpos_page_t *page,
		    bool for_device);

/**
 * tpsim_cache_evict() - evict everything from the CPU's cache, as the CPU may at any
 * moment: dirty data overwrites RAM, and all other data is read again
 *
 * No call may be in progress. Does nothing on a machine without @caches.
 */
void tpsim_cache_evict(struct tpsim_machine *machine);

/**
 * tpsim_page_address() - returns a pointer to the bytes of a page, through a write-back
 * mapping if it has two views; closed while the page is pooled
 */
void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_size() - returns the number of bytes in a page. */
size_t tpsim_page_size(const struct tpsim_machine *machine);

/** tpsim_page_caching() - returns the caching of a page in the CPU's page table. */
enum ttmpool_caching tpsim_page_caching(struct tpsim_machine *machine,
					const tpos_page_t *page);

/** tpsim_page_physical() - returns the physical address of a page. */
uint64_t tpsim_page_physical(const struct tpsim_machine *machine,
			     const tpos_page_t *page);

/**
 * tpsim_page_poison() - report a hardware error in a page that is allocated
 *
 * If the page is freed by itself, nobody gets it any more (free_pages_prepare() in
 * mm/page_alloc.c). If it is freed as a part of a block of a higher order, nobody checks,
 * and somebody gets it: counters.poison_freed.
 */
void tpsim_page_poison(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_of_system() - returns a page of RAM that nobody got from tpos_*. */
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
 * @nth: the first one to fail, counted from now: 1 is the next
 * @times: how many fail from there on; 0 means one, UINT_MAX all
 * @after: a batch fails after this many of its chunks were done (half way), and a store
 *	after this many pages; the machine then does what the contract says for an
 *	error
 * @error: what is returned; 0 means the call's usual one (-ENOMEM; for DMA
 *	mapping and for writing to a store -ENOSPC, for reading from one -EIO,
 *	for a wait -EINTR)
 */
struct tpsim_fault {
	enum tpsim_call call;
	unsigned long nth;
	unsigned int times;
	size_t after;
	int error;
};

/** tpsim_fault_plan() - add a failure to the plan; at most 8 at a time. */
void tpsim_fault_plan(struct tpsim_machine *machine,
		      const struct tpsim_fault *fault);

/** tpsim_fault_clear() - forget the plan; returns how many failures it caused. */
unsigned long tpsim_fault_clear(struct tpsim_machine *machine);

/** tpsim_fault_calls() - returns how often @call was made since the machine began. */
unsigned long tpsim_fault_calls(struct tpsim_machine *machine,
				enum tpsim_call call);

/** tpsim_fault_hit() - called at every planned failure: a place for a breakpoint. */
void tpsim_fault_hit(enum tpsim_call call);

/**
 * struct tpsim_counters - what has caused cost since the machine began
 * @ns: simulated time, by the cost table in cost.c
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
	uint64_t list_steps;   /* along lists, under spinlocks, if reported */
	uint64_t longest_hold; /* the most of them under one spinlock */
	uint64_t oom_kills;    /* tpsim_ram_hold()'s pages were freed for one */
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
	uint64_t held_bytes; /* of unmapped chunks, shared with mapped ones */
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

/** tpsim_ledger_is_empty() - is nothing out, and everything write-back? */
bool tpsim_ledger_is_empty(struct tpsim_machine *machine);

/*
 * Pressure. The machine's own use of memory: pages that are taken from the
 * buddy allocator and held until given back.
 */

/** tpsim_ram_hold() - hold pages until only @leave are free on @node (or
 * TTMPOOL_NODE_ANY); returns how many are held now in all. */
size_t tpsim_ram_hold(struct tpsim_machine *machine, int node, size_t leave);

/** tpsim_ram_fragment() - hold every second block of 1 << (@order + 1) pages'
 * half, so that nothing above @order is free. */
void tpsim_ram_fragment(struct tpsim_machine *machine, unsigned int order);

/** tpsim_ram_release() - free all pages that are held. */
void tpsim_ram_release(struct tpsim_machine *machine);

/**
 * tpsim_shrink() - ask all shrinkers for @pages, for a caller who may not wait
 * for a store (GFP_NOFS)
 */
unsigned long tpsim_shrink(struct tpsim_machine *machine, unsigned long pages);

/** tpsim_shrink_node() - the same, for a caller that needs pages of one node */
unsigned long tpsim_shrink_node(struct tpsim_machine *machine, int node,
				unsigned long pages);

/**
 * tpsim_shrink_swap() - ask them as kswapd would, and as an allocation that lacks
 * pages does: they may swap, if the stores have room
 */
unsigned long tpsim_shrink_swap(struct tpsim_machine *machine,
				unsigned long pages);

/** tpsim_work_run() - run the queued work; returns how many items ran. */
size_t tpsim_work_run(struct tpsim_machine *machine);

/*
 * Waiting, and what ends it. A thread works on the machine for which it last made a call or
 * of which it last took a lock. tpos_signal_pending() and tpos_wait() use that machine.
 *
 * On a machine without threads no time is spent: tpos_wait() lets the others
 * have one go, which are what tpsim_while_waiting() has set and the queued
 * work; if then it is not woken, the clock moves on by the time-out. A wait without a
 * time-out is a deadlock there, and ends the program.
 */

/**
 * tpsim_signal_after() - let the @n-th question from now whether a signal is
 * pending, and all later ones, be answered by yes
 * @machine: for all threads that work on it
 * @n: from 1 on; 1 also wakes the threads that sleep there at once; a tpos_wait() that
 *	would sleep asks once
 */
void tpsim_signal_after(struct tpsim_machine *machine, unsigned long n);

/**
 * tpsim_kill_after() - like tpsim_signal_after(), with a signal that ends the threads, so
 * that tpos_fatal_signal_pending() returns true, too, as for no other signal
 */
void tpsim_kill_after(struct tpsim_machine *machine, unsigned long n);

/** tpsim_signal_clear() - no signal is pending, and none is planned. */
void tpsim_signal_clear(struct tpsim_machine *machine);

/**
 * tpsim_while_waiting() - set what another thread does while one waits
 * @machine: in every tpos_wait() that would sleep there
 * @fn: called in the waiting thread, which seems to hold no locks then; NULL
 *	for nothing
 * @arg: for @fn
 */
void tpsim_while_waiting(struct tpsim_machine *machine, void (*fn)(void *arg),
			 void *arg);

/**
 * tpsim_pass_time() - advance the clock of a machine without threads; other machines use
 * the host's
 */
void tpsim_pass_time(struct tpsim_machine *machine, unsigned int ms);

/** tpsim_iotlb_expire() - let the lazy mode's timer (10 ms) fire. */
void tpsim_iotlb_expire(struct tpsim_machine *machine);

/** tpsim_reports() - returns how many reports of @kind tpos_report() got. */
size_t tpsim_reports(struct tpsim_machine *machine,
		     enum ttmpool_report_kind kind);

/** tpsim_report_last() - returns the last line that tpos_report() wrote, or "". */
const char *tpsim_report_last(struct tpsim_machine *machine);

/**
 * struct tpsim_watch - functions that follow pages from owner to owner
 * @handed_out: a block of 1 << @order pages belongs to a driver from now on: it comes from
 *	the page allocator or from a bin. A block may be handed out twice in a row.
 * @halved: the block of @page, which is handed out, was halved; @upper is the first
 *	page of its upper half
 * @came_back: the block of @page is in a bin, or with the page allocator
 * @reported: tpos_report() got this report
 * @arg: passed to each of them
 *
 * All are called in the thread that made the call, with the machine locked: they must
 * not call the machine. None may be NULL.
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
