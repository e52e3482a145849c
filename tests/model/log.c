// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The operation log: one line for each step, with its result and the state of the world,
 * down to the address of each page. If the same steps lead to the same lines on another
 * machine, nothing in the library depends on the size of a long, on the byte order, or on
 * anything else that differs there. So the log gives errors by name, and bytes as the CPU
 * reads them.
 */

#include <stdio.h>

#include "world.h"

static const char *error_name(int err)
{
	switch (err) {
	case 0:
		return "ok";
	case -EINVAL:
		return "EINVAL";
	case -ENOMEM:
		return "ENOMEM";
	case -ENOSPC:
		return "ENOSPC";
	case -EIO:
		return "EIO";
	case -EINTR:
		return "EINTR";
	case -EBUSY:
		return "EBUSY";
	case -ETIMEDOUT:
		return "ETIMEDOUT";
	default:
		return "another";
	}
}

static uint64_t fold(uint64_t sum, uint64_t value)
{
	return mix(sum ^ value);
}

/* A hash of all pages, addresses and contents. */
static uint64_t sum_of_buffers(struct world *w)
{
	uint64_t sum = 0;

	for (int i = 0; i < NR_BUFFERS; i++) {
		const struct item *item = &w->items[i];

		sum = fold(sum, item->be.tt.state);
		for (size_t j = 0; j < item->be.tt.num_pages; j++) {
			if (!item->pages[j])
				continue;
			sum = fold(sum, tpsim_page_physical(w->machine,
							    item->pages[j]));
			sum = fold(sum, item->dma_addr[j]);
			sum = fold(sum, *(const uint64_t *)tpsim_page_address(
						w->machine, item->pages[j]));
		}
	}
	return sum;
}

/* A hash of the costs so far, as the machine counts them. */
static uint64_t sum_of_costs(struct world *w)
{
	struct tpsim_counters c;
	uint64_t sum;

	tpsim_counters(w->machine, &c);
	sum = fold(c.ns, c.tlb_flushes);
	sum = fold(sum, c.iotlb_invalidations);
	sum = fold(sum, c.dma_maps);
	sum = fold(sum, c.pages_allocated);
	sum = fold(sum, c.store_writes);
	return fold(sum, c.bytes_copied);
}

void log_step(struct world *w)
{
	struct ttmpool_manager_stats stats;
	struct tpsim_ledger ledger;

	ttmpool_manager_stats(&w->mgr, &stats);
	tpsim_ledger(w->machine, &ledger);
	printf("%lu %s pages %lu pooled %lu swapped %lu mapped %zu other %zu "
	       "%016llx %016llx\n",
	       (unsigned long)w->step, error_name(w->err), stats.pages,
	       stats.pages_pooled, stats.pages_swapped, ledger.mappings,
	       ledger.pages_not_write_back,
	       (unsigned long long)sum_of_buffers(w),
	       (unsigned long long)sum_of_costs(w));
}
