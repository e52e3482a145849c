/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef MACHINE_H
#define MACHINE_H

/*
 * The simulated machine from the inside. One mutex guards all of it; it is
 * never held while a shrinker or a work function of the library's runs.
 */

#include "tpsim.h"

#define MAX_ORDER_LIMIT 13
#define NR_ZONES        3
#define MAX_FAULTS      8
#define FLUSH_QUEUE     256 /* IOVA_DEFAULT_FQ_SIZE, drivers/iommu/dma-iommu.c */

enum tpsim_page_use {
	USE_FREE,     /* in the buddy allocator */
	USE_RESERVED, /* the firmware's, or nobody's */
	USE_HELD,     /* by the machine's own pressure */
	USE_SYSTEM,   /* lent out by tpsim_page_of_system() */
	USE_PLAIN,
	USE_COHERENT,
};

#define NOTE_PARKED 0x1u

/* A buddy allocator's free blocks, of one node and zone. */
struct zone {
	struct tpsim_page *free[MAX_ORDER_LIMIT + 1];
	size_t free_pages;
};

struct fault_slot {
	struct tpsim_fault fault;
	unsigned long seen;
	bool used;
};

/* An IOVA range whose translation may still be in the IOTLB. */
struct stale {
	size_t iova; /* page number */
	unsigned int order;
};

struct iova_space {
	size_t first, end;     /* page numbers */
	uint32_t *frame;       /* page table: frame + 1, or 0 */
	uint32_t *tlb;         /* what the IOTLB remembers of what is gone */
	uint32_t *next, *prev; /* free blocks, by index + 1 */
	uint8_t *order;        /* of the free block at an index, + 1 */
	size_t bytes;          /* of each array of four-byte entries */
	uint32_t free[64];
	struct stale queue[FLUSH_QUEUE];
	size_t queued;
};

struct tpsim_device {
	struct tpsim_machine *machine;
	struct tpsim_device *next;
	struct tpsim_device_config config;
	struct iova_space iova;
	size_t mappings;
};

struct tpsim_machine {
	struct tpsim_config config;
	pthread_mutex_t mutex;
	size_t page_size;
	unsigned char *ram;
	struct tpsim_page *pages;
	struct zone zones[TPSIM_MAX_NODES][NR_ZONES];
	struct tpsim_page *held;
	size_t nr_held;
	struct tpsim_page *lent; /* tpsim_page_of_system() */

	unsigned char *bounce; /* the SWIOTLB area */
	uint32_t *slot_page;   /* which page a slot stands for, + 1 */
	size_t nr_slots, slot_hint;

	struct tpsim_device *devices;
	struct tpos_shrinker *shrinkers;
	unsigned int shrinking;
	pthread_cond_t shrinking_ended;
	struct tpos_work *work_first, **work_last, *work_running;
	pthread_cond_t work_changed;
	pthread_t worker;
	bool stopping;

	struct fault_slot faults[MAX_FAULTS];
	unsigned long fault_calls[TPSIM_CALL_COUNT];
	unsigned long faults_struck;

	struct tpsim_counters counters;
	struct tpsim_ledger ledger;
	size_t reports[TTMPOOL_REPORT_KIND_COUNT];
	char last_report[256];
	int mempool; /* its address is the anchor for Valgrind */
};

void machine_lock(struct tpsim_machine *machine);
void machine_unlock(struct tpsim_machine *machine);

/* Stop: a rule of the hardware or of the kernel was broken. */
_Noreturn void machine_panic(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* fault.c: is this call planned to fail? @after: how far it gets. */
int fault_strikes(struct tpsim_machine *machine, enum tpsim_call call,
		  size_t *after);

/* lock.c */
void lock_assert_none_spins(const char *call);

/* pages.c */
static inline size_t page_index(const struct tpsim_machine *machine,
				const struct tpsim_page *page)
{
	return (size_t)(page - machine->pages);
}

static inline unsigned char *page_bytes(const struct tpsim_machine *machine,
					const struct tpsim_page *page)
{
	return machine->ram + page_index(machine, page) * machine->page_size;
}

bool page_is_of(const struct tpsim_machine *machine,
		const struct tpsim_page *page);
void lent_return(struct tpsim_machine *machine);

/* buddy.c */
void buddy_reserve(struct tpsim_machine *machine);
void buddy_init(struct tpsim_machine *machine);
struct tpsim_page *buddy_alloc(struct tpsim_machine *machine, int node,
			       bool strict, unsigned int zone,
			       unsigned int order);
void buddy_free(struct tpsim_machine *machine, struct tpsim_page *page,
		unsigned int order);
unsigned int zone_of_frame(const struct tpsim_machine *machine, size_t frame);

/* iommu.c */
int iova_init(struct tpsim_device *dev);
void iova_fini(struct tpsim_device *dev);
int iommu_map(struct tpsim_device *dev, size_t frame, unsigned int order,
	      tpos_dma_addr_t *addr);
void iommu_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr,
		 unsigned int order);
void iommu_flush(struct tpsim_device *dev);
bool iommu_translate(struct tpsim_device *dev, tpos_dma_addr_t addr,
		     size_t *frame);

/* swiotlb.c */
int swiotlb_init(struct tpsim_machine *machine);
void swiotlb_fini(struct tpsim_machine *machine);
int swiotlb_map(struct tpsim_device *dev, size_t frame, unsigned int order,
		tpos_dma_addr_t *addr);
void swiotlb_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr,
		   unsigned int order);
bool swiotlb_holds(const struct tpsim_machine *machine, tpos_dma_addr_t addr);
unsigned char *swiotlb_bytes(struct tpsim_machine *machine,
			     tpos_dma_addr_t addr);

/* dma.c */
uint64_t device_mask(const struct tpsim_device *dev);
bool device_reaches(const struct tpsim_device *dev, size_t frame,
		    unsigned int order);
bool device_bounces(const struct tpsim_device *dev);
int device_map(struct tpsim_device *dev, size_t frame, unsigned int order,
	       bool coherent, tpos_dma_addr_t *addr);
void device_unmap(struct tpsim_device *dev, tpos_dma_addr_t addr, size_t frame,
		  unsigned int order);

/* shrinker.c */
unsigned long shrinkers_scan(struct tpsim_machine *machine,
			     unsigned long pages);

/* work.c */
int work_start(struct tpsim_machine *machine);
void work_stop(struct tpsim_machine *machine);

/* What things cost, in simulated nanoseconds: see cost.c. */
enum cost {
	COST_PAGE_CLEAR,
	COST_PAGE_COPY,
	COST_CACHING_PAGE,
	COST_CACHE_FLUSH_PAGE,
	COST_TLB_FLUSH,
	COST_DMA_MAP,
	COST_DMA_UNMAP,
	COST_IOTLB_INVALIDATE,
	COST_BLOCK_ALLOC,
	COST_BLOCK_FREE,
	COST_DESCRIPTOR,
	COST_LOCK,
	COST_COUNT,
};

void cost_add(struct tpsim_machine *machine, enum cost cost, size_t times);

#endif
