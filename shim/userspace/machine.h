/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef MACHINE_H
#define MACHINE_H

/*
 * The internal interface between the files of the simulated machine.
 *
 * One mutex, the guard, protects all that a machine has. It is the innermost of all
 * locks. It is not held while shrinkers or work run, nor while the CPU copies or clears
 * bytes, so that it hides no race of the code that uses the machine. A function whose
 * comment says "guarded" must be called with the guard held.
 */

#include <stdatomic.h>
#include <stdio.h>

#include "tpsim.h"
#include "annotate.h"
#include "thread.h"

#define KIB            (1024ull)
#define MIB            (1024 * KIB)
#define GIB            (1024 * MIB)
#define ORDER_LIMIT    14 /* the largest max_order that is possible */
#define FAULT_LIMIT    8
#define SLOT_BYTES     2048u /* IO_TLB_SIZE (include/linux/swiotlb.h) */
#define SEGMENT_SLOTS  128u  /* IO_TLB_SEGSIZE (swiotlb.h) */
#define FLUSH_QUEUE    256u  /* IOVA_DEFAULT_FQ_SIZE (dma-iommu.c) */
#define FLUSH_QUEUE_MS 10    /* IOVA_DEFAULT_FQ_TIMEOUT (dma-iommu.c) */
#define IOVA_ORDERS    48u
#define IOVA_BITS      48 /* a VT-d second-level table with four levels */

enum page_use {
	PAGE_FREE, /* in a free block, or not the first page of a held one */
	PAGE_RESERVED,
	PAGE_HELD,
	PAGE_PLAIN,
	PAGE_COHERENT,
};

enum zone_kind {
	ZONE_DMA,    /* below 16 MiB */
	ZONE_DMA32,  /* below 4 GiB */
	ZONE_NORMAL, /* the rest */
	ZONE_COUNT,
};

/* A part of a node: page frames [first, end), by their index. */
struct zone {
	size_t first;
	size_t end;
	size_t free_pages;
	struct tpsim_page *free[ORDER_LIMIT + 1];
	size_t blocks[ORDER_LIMIT + 1]; /* on each of these lists */
};

/* What a request looks for in the free lists. */
struct where {
	unsigned int order;
	int node; /* where to begin, or TTMPOOL_NODE_ANY */
	bool this_node;
	enum zone_kind highest;
	uint64_t reach; /* the highest physical address that will do */
};

/*
 * One mapping: what CONFIG_DMA_API_DEBUG keeps of it, and what is needed to end it.
 */
struct tpsim_mapping {
	struct tpsim_device *dev;
	struct tpsim_page *page; /* the first of its block */
	uint64_t addr;           /* as the device sees it */
	struct iova_block *iova;
	struct tpsim_range *range;  /* whose addresses it has, or NULL */
	struct tpsim_mapping *next; /* in the flush queue */
	size_t slot;
	size_t slots; /* 0 if it does not bounce */
	unsigned int order;
	bool in_iotlb;
	bool stale;
	bool is_invalidated; /* but still in the queue */
};

/*
 * A range of addresses that chunks share. Addresses that are held lead to @nowhere.
 */
struct tpsim_range {
	struct tpsim_mapping nowhere;
	struct iova_block **blocks; /* of each chunk */
	size_t chunks;
	size_t given; /* number of chunks that are mapped already */
	size_t pages;
	size_t linked; /* number of pages that are, or will be, mapped */
};

/* A block of 1 << order pages of IOVA space, free or mapped. */
struct iova_block {
	struct iova_block *next_free;
	struct iova_block *prev_free;
	struct iova_block *chain;      /* in the hash table */
	struct tpsim_mapping *mapping; /* NULL: the block is free */
	uint64_t pfn;
	unsigned int order;
};

/* Free blocks below 4 GiB and above it are kept on separate lists. */
struct iova_space {
	struct iova_block *free[2][IOVA_ORDERS];
	struct iova_block **buckets;
	size_t bucket_mask;
	size_t blocks;
	uint64_t low_end; /* first pfn that is not below 4 GiB */
};

struct tpsim_device {
	struct tpsim_machine *machine;
	struct tpsim_device *next;
	struct tpsim_device_config config;
	struct iova_space iova;
	struct tpsim_mapping *queue; /* unmapped, but not free yet */
	struct tpsim_mapping **queue_end;
	size_t queued;
	size_t queued_in_reach; /* of these, those not invalidated yet */
	const struct tpsim_range
		*run;     /* of the chunk that this call unmapped last */
	uint64_t run_end; /* where that chunk ended */
	size_t mappings;
	size_t holds; /* by tpos_device_get() */
	bool gone;
};

/* Where stores keep their contents: swapfile.c. */
struct swapfile {
	FILE *file;     /* NULL until there is a store */
	uint32_t *next; /* of each free slot: 1 + the next one, or 0 */
	size_t room;    /* size of the array */
	uint32_t top;   /* number of slots that were ever used */
	uint32_t free;  /* 1 + the first free slot below @top, or 0 */
};

/* A planned failure, and the number of calls of its kind since it was planned. */
struct planned_fault {
	struct tpsim_fault fault;
	unsigned long calls;
};

struct tpsim_machine {
	pthread_mutex_t guard;
	pthread_cond_t changed; /* work or a shrinker has ended */
	struct tpsim_config config;
	size_t page_bytes;
	size_t node_pages;

	/* RAM */
	char *arena;
	struct tpsim_page *pages;
	struct zone zones[TPSIM_MAX_NODES][ZONE_COUNT];
	struct tpsim_page *held;
	size_t held_pages;
	uint64_t hole; /* physical bytes between ZONE_DMA and the rest */

	/* RAM's copy of each page, if the CPU's cache has its own; else NULL */
	char *memory;
	uint8_t *dirty; /* for each page: the cache's copy is newer */

	uint64_t *written; /* for each page: which 64th parts may not be zero */

	/* SWIOTLB */
	char *bounce;
	uint8_t *slot_used;
	size_t slot_cursor;

	struct swapfile swap;
	struct descriptor
		*free_descriptors[2]; /* without a name, and with one */

	/* users of the machine */
	struct tpsim_device *devices;
	struct tpsim_device *graves; /* devices that are gone */
	struct tpos_shrinker *shrinkers;
	struct tpos_work *queue;
	struct tpos_work **queue_end;
	struct tpos_work *running;
	pthread_t runner; /* the thread in which @running runs */
	pthread_t worker;
	bool stopping;

	/* threads that wait */
	struct sleeper *sleepers;
	unsigned long signal_in; /* the question answered by yes; 0: none */
	bool signal_kills;       /* the thread that gets it */
	void (*while_waiting)(void *arg);
	void *while_waiting_arg;

	/* plans, counters and logs */
	struct planned_fault plan[FAULT_LIMIT];
	size_t planned;
	unsigned long struck;
	unsigned long calls[TPSIM_CALL_COUNT];
	struct tpsim_counters counters;
	uint64_t ps; /* simulated time, without locks */
	struct tpsim_ledger out;
	unsigned long
		poisoned; /* pages with a reported hardware error; atomic */
	atomic_ulong locks_taken;
	atomic_ulong list_steps;
	atomic_ulong longest_hold;
	size_t reports[TTMPOOL_REPORT_KIND_COUNT];
	char report[256];
	const struct tpsim_watch *watch; /* or NULL */
};

#define for_each_chunk(chunk, head)                                        \
	for (struct ttmpool_chunk *chunk = ttmpool_chunk_of((head)->next); \
	     &chunk->link != (head);                                       \
	     chunk = ttmpool_chunk_of(chunk->link.next))

/* complain.c: ends the program for what a kernel would warn about. */
_Noreturn void tpsim_complain(const char *rule, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* machine.c: _enter() begins a call that may sleep. */
void tpsim_machine_enter(struct tpsim_machine *machine, const char *call);
void tpsim_machine_lock(struct tpsim_machine *machine);
void tpsim_machine_unlock(struct tpsim_machine *machine);

/* cost.c: what simulated time is spent on. The figures are in the table there. */
enum cost {
	COST_BLOCK_ALLOC,
	COST_BLOCK_FREE,
	COST_PAGE_PREPARE,
	COST_PAGE_CLEAR,
	COST_PAGE_COPY,
	COST_PAGE_READ_UNCACHED,
	COST_PAGE_SUM,
	COST_STORE_WRITE,
	COST_STORE_READ,
	COST_PTE,
	COST_TLB_FLUSH,
	COST_CLFLUSH_DIRTY,
	COST_CLFLUSH_CLEAN,
	COST_IOMMU_MAP,
	COST_IOMMU_UNMAP,
	COST_IOTLB,
	COST_DIRECT_MAP,
	COST_ZALLOC,
	COST_LOCK,
	COST_COUNT,
};
void tpsim_cost_spend(struct tpsim_machine *machine, enum cost cost,
		      size_t times);

/* ram.c: page frames and their numbers. */
int tpsim_ram_create(struct tpsim_machine *machine);
void tpsim_ram_destroy(struct tpsim_machine *machine);
bool tpsim_page_is_of(const struct tpsim_machine *machine,
		      const struct tpsim_page *page);
size_t tpsim_page_index(const struct tpsim_machine *machine,
			const struct tpsim_page *page);
char *tpsim_page_bytes(const struct tpsim_machine *machine,
		       const struct tpsim_page *page);
struct tpsim_page *tpsim_page_at_physical(const struct tpsim_machine *machine,
					  uint64_t addr);
int tpsim_page_node(const struct tpsim_machine *machine,
		    const struct tpsim_page *page);
uint64_t tpsim_swiotlb_base(const struct tpsim_machine *machine);
uint64_t tpsim_ram_last_byte(const struct tpsim_machine *machine);

static inline size_t block_bytes(const struct tpsim_machine *machine,
				 unsigned int order)
{
	return machine->page_bytes << order;
}

/* buddy.c: guarded. */
void tpsim_buddy_init(struct tpsim_machine *machine);
struct tpsim_page *tpsim_buddy_take_from(struct tpsim_machine *machine,
					 struct zone *zone, unsigned int order);
struct tpsim_page *tpsim_buddy_take(struct tpsim_machine *machine,
				    const struct where *where);
void tpsim_buddy_give(struct tpsim_machine *machine, struct tpsim_page *page,
		      unsigned int order);
bool tpsim_buddy_is_in_pieces(struct tpsim_machine *machine,
			      const struct tpsim_page *page,
			      unsigned int order);

/*
 * cache.c: guarded. These functions do nothing unless the configuration asks for
 * two views of each page. tpsim_cache_written() notes a write through a write-back
 * mapping.
 */
int tpsim_cache_create(struct tpsim_machine *machine);
void tpsim_cache_destroy(struct tpsim_machine *machine);
char *tpsim_memory_bytes(const struct tpsim_machine *machine,
			 const struct tpsim_page *page);
bool tpsim_cache_is_dirty(const struct tpsim_machine *machine,
			  const struct tpsim_page *page);
void tpsim_cache_written(struct tpsim_machine *machine, struct tpsim_page *page,
			 size_t pages);
void tpsim_cache_clean(struct tpsim_machine *machine, struct tpsim_page *page,
		       size_t pages);
void tpsim_cache_invalidate(struct tpsim_machine *machine,
			    struct tpsim_page *page, size_t pages);
void tpsim_cache_flush(struct tpsim_machine *machine, struct tpsim_page *page,
		       size_t pages);
void tpsim_cache_begin(struct tpsim_machine *machine, struct tpsim_page *page);
void tpsim_cache_hand_out(struct tpsim_machine *machine,
			  struct tpsim_page *page, size_t pages);

/* hold.c: guarded. */
bool tpsim_ram_let_go(struct tpsim_machine *machine);

/* shrinker.c: guarded, except while the shrinkers run. */
unsigned long tpsim_shortage(struct tpsim_machine *machine, int node,
			     unsigned long pages);

/*
 * descriptors.c; notes.c: guarded. lock.c: tpsim_readers() returns whether any
 * thread reads.
 */
void tpsim_descriptors_destroy(struct tpsim_machine *machine);
void tpsim_page_forget(struct tpsim_page *page);
bool tpsim_readers(void);

/*
 * copy.c: guarded. swapfile.c: allocating slots is guarded, reading and writing
 * them is not.
 */
enum span_use {
	SPAN_READ,
	SPAN_FETCH, /* a read, after fetching what the device wrote */
	SPAN_WRITE,
};
struct tpsim_machine *tpsim_span_machine(const struct tpos_span *span,
					 const char *call);
char *tpsim_span_open(struct tpsim_machine *machine,
		      const struct tpos_span *span, enum span_use use,
		      const char *call);
void tpsim_span_written(const struct tpos_span *span);
void tpsim_span_pass_on(const struct tpos_span *span);
int tpsim_swapfile_open(struct tpsim_machine *machine);
void tpsim_swapfile_close(struct tpsim_machine *machine);
bool tpsim_swapfile_has_room(const struct tpsim_machine *machine);
int tpsim_slot_get(struct tpsim_machine *machine, uint32_t *slot);
void tpsim_slot_put(struct tpsim_machine *machine, uint32_t slot);
int tpsim_slot_write(struct tpsim_machine *machine, uint32_t slot,
		     const char *bytes);
int tpsim_slot_read(struct tpsim_machine *machine, uint32_t slot, char *bytes);

/* zero.c: not guarded. */
void tpsim_page_written(struct tpsim_machine *machine, struct tpsim_page *page,
			size_t offset, size_t len);
void tpsim_pages_written(struct tpsim_machine *machine, struct tpsim_page *page,
			 size_t pages);
void tpsim_page_expose(struct tpsim_page *page);
void tpsim_page_conceal(struct tpsim_machine *machine, struct tpsim_page *page);
void tpsim_block_zero(struct tpsim_machine *machine, struct tpsim_page *page,
		      unsigned int order);

/* pages.c: guarded. */
struct tpsim_page *tpsim_chunk_block(struct tpsim_machine *machine,
				     const struct ttmpool_chunk *chunk,
				     const char *call);
struct tpsim_page *tpsim_block_head(struct tpsim_machine *machine,
				    struct tpsim_page *page);
void tpsim_batch_check(const struct ttmpool_list *chunks, const char *call);
void tpsim_free_check(const struct tpsim_machine *machine,
		      const struct tpsim_page *page,
		      const struct ttmpool_chunk *chunk);
void tpsim_block_take_back(struct tpsim_machine *machine,
			   struct tpsim_page *page);

static inline bool page_is_out(const struct tpsim_page *page)
{
	return page->use == PAGE_PLAIN || page->use == PAGE_COHERENT;
}

/*
 * Returns whether this block belongs to the coherent allocator and is accessed
 * through a mapping that bypasses the CPU's cache, because its device does not
 * snoop.
 */
static inline bool block_is_past_cache(const struct tpsim_page *block)
{
	return block->use == PAGE_COHERENT && block->mapping &&
	       block->mapping->dev->config.incoherent;
}

static inline enum ttmpool_caching page_caching(const struct tpsim_page *page)
{
	return (enum ttmpool_caching)(page->pte ^ TTMPOOL_CACHED);
}

/*
 * device.c: checks the device that a call names. Of a device that is gone, only its name is
 * left, for those who hold it. In Linux, KASAN reports any other use of a struct device
 * that was freed, and a use of a device without a domain is a general protection fault
 * (iommu_get_dma_domain(), drivers/iommu/iommu.c).
 */
void tpsim_device_check(const struct tpsim_device *dev, const char *call);
void tpsim_device_check_held(const struct tpsim_device *dev, const char *call);
void tpsim_devices_bury(struct tpsim_machine *machine);

/*
 * dma.c: guarded. tpsim_block_streams_past_cache() returns whether the DMA API
 * takes care of what is in RAM.
 */
bool tpsim_block_streams_past_cache(const struct tpsim_page *block);
int tpsim_mapping_create(struct tpsim_device *dev, struct tpsim_page *page,
			 struct tpsim_range *range);
size_t tpsim_mapping_end(struct tpsim_mapping *mapping);
bool tpsim_device_bounces(const struct tpsim_device *dev);

/* iova.c, iova_shared.c, iommu.c: guarded. */
int tpsim_iova_init(struct tpsim_device *dev);
void tpsim_iova_fini(struct tpsim_device *dev);
int tpsim_iova_bound(struct tpsim_device *dev);
struct iova_block *tpsim_iova_alloc(struct tpsim_device *dev,
				    unsigned int order);
void tpsim_iova_free(struct tpsim_device *dev, struct iova_block *block);
struct iova_block *tpsim_iova_find(struct tpsim_device *dev, uint64_t pfn);
struct iova_block *tpsim_iova_halve(struct tpsim_device *dev,
				    struct iova_block *block);
struct tpsim_range *tpsim_range_create(struct tpsim_device *dev,
				       const struct ttmpool_list *first,
				       const struct ttmpool_list *end,
				       bool *share);
bool tpsim_device_shares(const struct tpsim_device *dev);
void tpsim_range_cut(struct tpsim_device *dev, struct tpsim_range *range);
size_t tpsim_range_unmap(struct tpsim_mapping *mapping);
int tpsim_iommu_map(struct tpsim_mapping *mapping);
void tpsim_iommu_unmap(struct tpsim_mapping *mapping);
void tpsim_iommu_end_batch(struct tpsim_device *dev, bool lazy);
void tpsim_sleep(struct tpsim_machine *machine, unsigned int ms);
void tpsim_iommu_turn_over(struct tpsim_device *dev);
bool tpsim_iommu_await(struct tpsim_device *dev);
bool tpsim_iommu_still_reaches(const struct tpsim_machine *machine,
			       const struct tpsim_page *page);
struct tpsim_mapping *tpsim_iommu_translate(struct tpsim_device *dev,
					    uint64_t addr);

/* swiotlb.c: guarded. */
int tpsim_swiotlb_create(struct tpsim_machine *machine);
void tpsim_swiotlb_destroy(struct tpsim_machine *machine);
int tpsim_swiotlb_map(struct tpsim_mapping *mapping);
void tpsim_swiotlb_unmap(struct tpsim_mapping *mapping);
void tpsim_swiotlb_copy(struct tpsim_mapping *mapping, size_t first,
			size_t pages, bool to_slots);

/* fault.c: guarded. */
struct strike {
	int error; /* 0: the call succeeds */
	size_t after;
};
struct strike tpsim_fault_strike(struct tpsim_machine *machine,
				 enum tpsim_call call, int usual);

/* ledger.c, work.c */
void tpsim_ledger_print(struct tpsim_machine *machine);
int tpsim_work_start(struct tpsim_machine *machine);
void tpsim_work_stop(struct tpsim_machine *machine);
void tpsim_work_run_once(struct tpsim_machine *machine);

#endif
