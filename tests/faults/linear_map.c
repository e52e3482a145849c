// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Walks the linear map, entry by entry: while no pool has a page, all of it must be
 * write-back, whatever has failed before. Only for write-back are the caching bits of an
 * entry 0 (arch/x86/mm/pat/memtype.c, pat_bp_init). A page that DEBUG_PAGEALLOC has taken
 * out of the map keeps these bits.
 *
 * The walk can also repair what other code has left behind.
 */

#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/pgtable.h>
#include <linux/set_memory.h>

#include "churn.h"

static bool is_special(pteval_t entry, unsigned int level)
{
	pteval_t pat = level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE;

	return entry & (pat | _PAGE_PWT | _PAGE_PCD);
}

/* Count the special pages among the entries from @pfn to the end of its table, or in the
 * one entry that covers it. @pfn moves on; where there is no memory, past the smallest
 * range without any. */
static unsigned long table_special(unsigned long *pfn, bool repair)
{
	unsigned long pages = 0, size = 1;
	unsigned int level = PG_LEVEL_4K;
	pte_t *pte = NULL;

	if (pfn_valid(*pfn))
		pte = lookup_address((unsigned long)pfn_to_kaddr(*pfn), &level);
	else
		size = PAGES_PER_SUBSECTION;
	if (pte)
		size = page_level_size(level) >> PAGE_SHIFT;
	do {
		if (pte && is_special(pte_val(*pte++), level)) {
			pages += size;
			if (repair)
				set_memory_wb((unsigned long)pfn_to_kaddr(*pfn),
					      (int)size);
		}
		*pfn = ALIGN_DOWN(*pfn, size) + size;
	} while (pte && level == PG_LEVEL_4K && *pfn % PTRS_PER_PTE);
	return pages;
}

static unsigned long node_special(int node, bool repair)
{
	unsigned long pages = 0, pfn = node_start_pfn(node);

	while (pfn < node_end_pfn(node)) {
		pages += table_special(&pfn, repair);
		cond_resched();
	}
	return pages << PAGE_SHIFT;
}

static unsigned long walk(bool repair)
{
	unsigned long bytes = 0;
	int node;

	for (node = first_online_node; node < MAX_NUMNODES;
	     node = next_online_node(node))
		bytes += node_special(node, repair);
	return bytes;
}

unsigned long linear_map_special(void)
{
	return walk(false);
}

void linear_map_repair(void)
{
	walk(true);
}
