/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TPSIM_H
#define TPSIM_H

/*
 * The simulated machine: what tests and tools see of it. The library sees it
 * only through ttmpool/os.h.
 *
 * A machine is RAM with nodes, zones and a buddy allocator; a CPU whose page
 * table gives each page a caching attribute; devices that do DMA, behind an
 * IOMMU, behind SWIOTLB, or directly; shrinkers; one work queue; a file to swap
 * to. It counts what costs something, and keeps a ledger of what is out.
 * Everything lives in the machine's handle: two machines in one process know
 * nothing of each other.
 *
 * A mock may not be kinder than the hardware: each rule in shim/userspace
 * names the place in Linux, or in a manual, that it stands for.
 */

#include <ttmpool/os.h>

TPOS_API_BEGIN

#define TPSIM_MAX_NODES 4

enum tpsim_iommu {
	TPSIM_IOMMU_OFF,  /* DMA address == physical address */
	TPSIM_IOMMU_LAZY, /* invalidations are queued, 256 at most (dma-iommu.c)
			   */
	TPSIM_IOMMU_STRICT, /* each unmap call invalidates before it returns */
};

/**
 * struct tpsim_config - a machine; zero-initialise and set what matters
 * @page_shift: 12, 14 or 16; 0 means 12
 * @nr_nodes: NUMA nodes of equal size; 0 means 1
 * @ram_pages: pages of RAM in all; 0 means 16384
 * @max_order: of the buddy allocator; 0 means 10
 * @iommu: translation, for every device
 * @iova_bytes: size of each device's IOVA space; 0 means all below its mask
 * @shared_iova: behind a strict IOMMU small chunks that are mapped in one call share their
 *	addresses, which come back with the last of them (Linux 6.16, dma_iova_link():
 *	iova_shared.c)
 * @swiotlb_slots: bounce slots of 2 KiB; 0 means 32768 (64 MiB, Linux's
 *	default)
 * @swiotlb_force: every streaming mapping bounces (swiotlb=force)
 * @store_pages: room in all stores together, in pages; 0 means no bound but the
 *	host's
 * @store_adopts: stores take ordinary pages as their own (tpos_store_adopt()). They
 *	refuse a large chunk if most free memory of its zone is in smaller blocks
 * @no_caching: the linear map cannot be changed (most architectures but x86)
 * @caches: what the CPU's cache holds of a page, and what is in RAM, are two things,
 *	and one becomes the other only by what maintains caches, or by
 *	tpsim_cache_evict(); otherwise there is one view of each page
 * @threads: work runs in a thread of its own; otherwise when
 *	tpsim_work_run() is called, and whoever waits is its only thread
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
 * tpsim_machine_destroy() - take a machine apart, devices included
 *
 * Aborts with the ledger on stderr if anything is still out: pages, mappings,
 * descriptors, stores, shrinkers, queued work, devices that are held, pages other
 * than write-back.
 */
void tpsim_machine_destroy(struct tpsim_machine *machine);

/**
 * struct tpsim_device_config - a device
 * @dma_mask: highest DMA address; 0 means all 64 bits
 * @max_mapping: most bytes in a mapping, 0 for no bound of its own
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
 * tpsim_device_destroy() - detach it, with its address space
 *
 * Aborts if a mapping of its is live (as DMA_API_DEBUG reports: "device driver has
 * pending DMA allocations"). From now on any use of it ends the program, but for
 * tpos_caching_set(), tpos_pages_free() and tpos_device_put() of those who hold it
 * (tpos_device_get()).
 */
void tpsim_device_destroy(struct tpsim_device *dev);

/**
 * tpsim_device_set_mask() - its driver changes its DMA mask
 * @dev: the device
 * @mask: wider or narrower; 0 means all 64 bits
 *
 * While no call for the device is under way. Mappings that there are stay; but the
 * device faults where it is given an address that it cannot emit.
 */
void tpsim_device_set_mask(struct tpsim_device *dev, uint64_t mask);

/*
 * The device's side. 0, or -EFAULT and a DMA fault is counted, if the address
 * is not mapped for this device, is beyond its mask, or is stale. In lazy mode
 * a stale translation that is still in the IOTLB works, as on hardware. Without
 * an IOMMU every address of RAM works, stale or not, as on hardware; such an
 * access to a page that is not mapped for the device counts as
 * counters.stray_dma.
 */
int tpsim_device_read(struct tpsim_device *dev, tpos_dma_addr_t addr, void *buf,
		      size_t len);
int tpsim_device_write(struct tpsim_device *dev, tpos_dma_addr_t addr,
		       const void *buf, size_t len);

/*
 * The CPU's side: through a mapping of that caching, as a driver's own kmap or
 * mmap would be. -EINVAL, and counted as an alias, if the page's attribute is
 * another (Intel SDM vol. 3, 12.12.4: aliases of different memory types are
 * undefined). Bounced mappings are synced as dma_sync_single_for_*() would only
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
 * @num_pages: how many
 * @offset: of the bytes in each page
 * @len: how many bytes of each page
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
 * @for_device: what the CPU wrote is copied to the bounce slots, or leaves its cache for
 *	a device that is incoherent; otherwise what the device wrote is copied back from
 *	there, or what is in the cache is forgotten. Does nothing if the device sees
 *	the CPU's view.
 */
void tpsim_dma_sync(struct tpsim_device *dev, tpos_page_t *page,
		    bool for_device);

/**
 * tpsim_cache_evict() - the CPU's cache lets go of all that it holds, as it may at any
 * moment: what is dirty overwrites what RAM has, and all else is read again
 *
 * While no call is under way. Does nothing on a machine without @caches.
 */
void tpsim_cache_evict(struct tpsim_machine *machine);

/** tpsim_page_address() - the bytes of a page, by a write-back mapping if it has two
 * views; closed while it is pooled. */
void *tpsim_page_address(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_size() - bytes in a page. */
size_t tpsim_page_size(const struct tpsim_machine *machine);

/** tpsim_page_caching() - what the CPU's page table says of a page. */
enum ttmpool_caching tpsim_page_caching(struct tpsim_machine *machine,
					const tpos_page_t *page);

/** tpsim_page_physical() - the physical address of a page. */
uint64_t tpsim_page_physical(const struct tpsim_machine *machine,
			     const tpos_page_t *page);

/**
 * tpsim_page_poison() - the hardware tells of an error in a page that is out
 *
 * When it is freed by itself, nobody gets it any more (free_pages_prepare() in
 * mm/page_alloc.c). When it is freed as a part of a block of a higher order, nobody
 * looks, and somebody does: counters.poison_freed.
 */
void tpsim_page_poison(struct tpsim_machine *machine, tpos_page_t *page);

/** tpsim_page_of_system() - a page of RAM that nobody got from tpos_*. */
tpos_page_t *tpsim_page_of_system(struct tpsim_machine *machine);

/**
 * enum tpsim_call - the calls that can fail
 */
enum tpsim_call {
	TPSIM_CALL_PAGES_ALLOC,
	TPSIM_CALL_COHERENT_ALLOC,
	TPSIM_CALL_CACHING_SET,   /* away from write-back */
	TPSIM_CALL_CACHING_RESET, /* towards write-back, and roll-backs */
	TPSIM_CALL_DMA_MAP,
	TPSIM_CALL_ZALLOC,
	TPSIM_CALL_SHRINKER_REGISTER,
	TPSIM_CALL_STORE_CREATE,
	TPSIM_CALL_STORE_WRITE,
	TPSIM_CALL_STORE_READ,
	TPSIM_CALL_WAIT, /* one that would sleep */
	TPSIM_CALL_COUNT,
};

const char *tpsim_call_name(enum tpsim_call call);

/**
 * struct tpsim_fault - one planned failure
 * @call: which call fails
 * @nth: the first one to fail, counted from now: 1 is the next
 * @times: how many fail from there on; 0 means one, UINT_MAX all
 * @after: batches fail after so many chunks of them were done (half way), and
 *	stores after so many pages; the machine then does what the contract says
 *	of an error
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

/** tpsim_fault_clear() - forget the plan; returns how many failures it made. */
unsigned long tpsim_fault_clear(struct tpsim_machine *machine);

/** tpsim_fault_calls() - how often @call was made since the machine began. */
unsigned long tpsim_fault_calls(struct tpsim_machine *machine,
				enum tpsim_call call);

/** tpsim_fault_hit() - called at every planned failure: set a breakpoint. */
void tpsim_fault_hit(enum tpsim_call call);

/**
 * struct tpsim_counters - what has cost something since the machine began
 * @ns: simulated time, by the cost table in cost.c
 */
struct tpsim_counters {
	uint64_t caching_batches;   /* tpos_caching_set() calls that changed */
	uint64_t caching_pages;     /* pages whose attribute changed */
	uint64_t tlb_flushes;       /* broadcasts to all CPUs */
	uint64_t cache_flush_pages; /* pages written back by clflush */
	uint64_t iotlb_invalidations;
	uint64_t iova_waits; /* sleeps until addresses came back */
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
	uint64_t
		poison_freed; /* pages, as a part of a block: somebody gets them */
	uint64_t store_writes; /* pages */
	uint64_t store_reads;
	uint64_t locks_taken;
	uint64_t
		list_steps; /* along lists, under spinlocks: if they are told of */
	uint64_t longest_hold; /* the most of them under one spinlock */
	uint64_t
		oom_kills; /* what tpsim_ram_hold() held was let go for a page */
	uint64_t shrinks;  /* times that a tpsim_shortage asked the shrinkers */
	uint64_t dma_faults;
	uint64_t stray_dma;
	uint64_t freed_in_reach; /* pages that a device might still write to */
	uint64_t aliases;
	uint64_t ns;
};

void tpsim_counters(struct tpsim_machine *machine,
		    struct tpsim_counters *counters);

/**
 * struct tpsim_ledger - what is out now
 */
struct tpsim_ledger {
	size_t pages_plain;
	size_t pages_coherent;
	size_t pages_not_write_back; /* of all RAM */
	size_t pages_parked;         /* noted as pooled */
	size_t pages_spare;          /* noted as pooled, and to be had */
	size_t mappings;             /* chunks mapped, coherent ones included */
	uint64_t mapped_bytes;
	uint64_t
		held_bytes; /* addresses of what is not mapped any more, shared with
			      * what is */
	size_t bounce_slots;
	size_t descriptors; /* tpos_zalloc() */
	size_t stores;
	size_t store_pages; /* kept in them */
	size_t shrinkers;
	size_t work_queued;
	size_t pages_lost;   /* poisoned, and kept from everybody */
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

/** tpsim_ram_release() - let go of all that is held. */
void tpsim_ram_release(struct tpsim_machine *machine);

/**
 * tpsim_shrink() - ask all shrinkers for @pages, for a caller who may not wait
 * for a store (GFP_NOFS)
 */
unsigned long tpsim_shrink(struct tpsim_machine *machine, unsigned long pages);

/** tpsim_shrink_node() - the same, for a caller who needs pages of one node */
unsigned long tpsim_shrink_node(struct tpsim_machine *machine, int node,
				unsigned long pages);

/**
 * tpsim_shrink_swap() - ask them as kswapd would, and as an allocation that is
 * short of pages does: they may swap, if there is room in the stores
 */
unsigned long tpsim_shrink_swap(struct tpsim_machine *machine,
				unsigned long pages);

/** tpsim_work_run() - run what is queued; returns how many ran. */
size_t tpsim_work_run(struct tpsim_machine *machine);

/*
 * Waiting, and what ends it. A thread works on the machine that it last made a
 * call for or took a lock of: that is where tpos_signal_pending() and
 * tpos_wait() look.
 *
 * On a machine without threads no time is spent: tpos_wait() lets the others
 * have one go, which are what tpsim_while_waiting() has set and the queued
 * work; if then it is not woken, the clock moves on by the time-out. To wait
 * for ever there is a deadlock, and ends the program.
 */

/**
 * tpsim_signal_after() - the @n-th question from now whether a signal is
 * pending, and all after it, are answered by yes
 * @machine: for all threads that work on it
 * @n: from 1 on, which wakes those who sleep there at once; a tpos_wait() that
 *	would sleep asks once
 */
void tpsim_signal_after(struct tpsim_machine *machine, unsigned long n);

/**
 * tpsim_kill_after() - as tpsim_signal_after(), a signal that ends the threads: it
 * is the answer to tpos_fatal_signal_pending(), too, which no other signal is
 */
void tpsim_kill_after(struct tpsim_machine *machine, unsigned long n);

/** tpsim_signal_clear() - no signal is pending, and none to come. */
void tpsim_signal_clear(struct tpsim_machine *machine);

/**
 * tpsim_while_waiting() - what another thread does while one waits
 * @machine: in every tpos_wait() that would sleep there
 * @fn: called in the waiting thread, which seems to hold no locks then; NULL
 *	for nothing
 * @arg: for @fn
 */
void tpsim_while_waiting(struct tpsim_machine *machine, void (*fn)(void *arg),
			 void *arg);

/**
 * tpsim_pass_time() - let the clock move on, on a machine without threads; others
 * have the host's
 */
void tpsim_pass_time(struct tpsim_machine *machine, unsigned int ms);

/** tpsim_iotlb_expire() - let the lazy mode's timer (10 ms) fire. */
void tpsim_iotlb_expire(struct tpsim_machine *machine);

/** tpsim_reports() - how many reports of @kind tpos_report() got. */
size_t tpsim_reports(struct tpsim_machine *machine,
		     enum ttmpool_report_kind kind);

/** tpsim_report_last() - the last line that tpos_report() wrote, or "". */
const char *tpsim_report_last(struct tpsim_machine *machine);

/**
 * struct tpsim_watch - functions that follow pages from owner to owner
 * @handed_out: a block of 1 << @order pages is a driver's from now on: it comes from
 *	the page allocator or from a bin. A block may be handed out twice in a row.
 * @halved: the block of @page, which is handed out, was halved; @upper is the first
 *	page of its upper half
 * @came_back: the block of @page is in a bin, or with the page allocator
 * @reported: tpos_report() got this
 * @arg: handed to each of them
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
 * @machine: the machine, while no other call for it is under way
 * @watch: the functions, in memory that outlives the machine; NULL for none
 */
void tpsim_watch(struct tpsim_machine *machine,
		 const struct tpsim_watch *watch);

TPOS_API_END

#endif
