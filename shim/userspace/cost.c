// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What things cost. A model, not a measurement: it turns counts into one number
 * that two runs can be compared by. The figures are of the order of those
 * measured on a Xeon of 2023 (clearing, cache flushes) and of those published
 * for TLB shootdowns on machines with some tens of CPUs, and for map and unmap
 * behind VT-d.
 */

#include "machine.h"

static const uint16_t ns[COST_COUNT] = {
	[COST_PAGE_CLEAR] = 455, /* rep stosb, 4 KiB, out of cache */
	[COST_PAGE_COPY] = 700,
	[COST_CACHING_PAGE] = 250,     /* page table walk and update */
	[COST_CACHE_FLUSH_PAGE] = 530, /* clflushopt, dirty lines */
	[COST_TLB_FLUSH] = 4000, /* an interrupt to all CPUs, and the wait */
	[COST_DMA_MAP] = 400,
	[COST_DMA_UNMAP] = 200,
	[COST_IOTLB_INVALIDATE] = 1200,
	[COST_BLOCK_ALLOC] = 150,
	[COST_BLOCK_FREE] = 80,
	[COST_DESCRIPTOR] = 40,
	[COST_LOCK] = 10,
};

void cost_add(struct tpsim_machine *machine, enum cost cost, size_t times)
{
	machine->counters.ns += (uint64_t)ns[cost] * times;
}

void tpsim_counters(struct tpsim_machine *machine,
		    struct tpsim_counters *counters)
{
	machine_lock(machine);
	*counters = machine->counters;
	machine_unlock(machine);
}
