// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What operations cost, in simulated time.
 *
 * The figures are those of one PC, for a page of 4 KiB, rounded. Those marked (m) were
 * measured: bandwidths and cache flushes natively on a Xeon server, and the kernel's work
 * by counting its instructions (Linux 6.12 in QEMU with an instruction counter), at
 * 0.27 ns each. Those marked (e) are estimates from published figures. Simulated time
 * serves to compare one way of doing something with another on this machine. It says
 * nothing about any other machine, and the counters say more.
 */

#include "machine.h"

static const struct {
	uint64_t ps;    /* each time */
	bool per_4_kib; /* more for a larger page */
} table[COST_COUNT] = {
	/* (m) alloc_page() and __free_page() without zeroing: 614 and 312
	 * instructions for a block, 26 for each page of a large one */
	[COST_BLOCK_ALLOC] = { 160000, false },
	[COST_BLOCK_FREE] = { 80000, false },
	[COST_PAGE_PREPARE] = { 7000, false },
	/* (m) rep stosb: 9 GB/s */
	[COST_PAGE_CLEAR] = { 455000, true },
	/* (e) memcpy(): 5 to 10 GB/s */
	[COST_PAGE_COPY] = { 500000, true },
	/* (e) loads that miss all caches: 0.1 to 0.3 GB/s */
	[COST_PAGE_READ_UNCACHED] = { 20000000, true },
	/* (e) a 32-bit CRC by tables: 1 to 3 GB/s */
	[COST_PAGE_SUM] = { 2000000, true },
	/* (e) an NVMe disk, sequential: 2 and 3 GB/s */
	[COST_STORE_WRITE] = { 2000000, true },
	[COST_STORE_READ] = { 1400000, true },
	/* (m) one page in set_pages_array_wb(): 839 instructions */
	[COST_PTE] = { 226000, false },
	/* (e) an IPI to all CPUs and back: 1 to 3 us; each further one: 0.2 us */
	[COST_TLB_FLUSH] = { 3000000, false },
	/* (m) clflushopt of a page: 7.7 GB/s if it is in L2; and if it is not */
	[COST_CLFLUSH_DIRTY] = { 530000, true },
	[COST_CLFLUSH_CLEAN] = { 200000, true },
	/* (m) dma_map_page() and dma_unmap_page() behind VT-d: 794 and 1,622
	 * instructions for a page, no more than 1,201 and 1,963 for a chunk */
	[COST_IOMMU_MAP] = { 214000, false },
	[COST_IOMMU_UNMAP] = { 220000, false },
	[COST_IOTLB] = { 218000, false },
	/* (e) the same without an IOMMU */
	[COST_DIRECT_MAP] = { 10000, false },
	/* (e) kzalloc() of a descriptor */
	[COST_ZALLOC] = { 30000, false },
	/* (m) an uncontended spinlock: 10.4 ns */
	[COST_LOCK] = { 10400, false },
};

void tpsim_cost_spend(struct tpsim_machine *machine, enum cost cost,
		      size_t times)
{
	uint64_t ps = table[cost].ps * times;

	if (table[cost].per_4_kib)
		ps *= machine->page_bytes / 4096;
	machine->ps += ps;
}

void tpsim_counters(struct tpsim_machine *machine,
		    struct tpsim_counters *counters)
{
	uint64_t locks = atomic_load(&machine->locks_taken);

	tpsim_machine_lock(machine);
	*counters = machine->counters;
	counters->ns = (machine->ps + locks * table[COST_LOCK].ps) / 1000;
	tpsim_machine_unlock(machine);
	counters->locks_taken = locks;
	counters->list_steps = atomic_load(&machine->list_steps);
	counters->longest_hold = atomic_load(&machine->longest_hold);
}
