// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The caching of a page, from its entry in the linear map. The attribute is an index of
 * three bits into the PAT, which Linux fills so: write-back, write-combined, uncached
 * (weak), uncached (arch/x86/mm/pat/memtype.c). The highest bit is elsewhere in an entry
 * for a large page.
 */

#include <linux/mm.h>
#include <linux/pgtable.h>

#include "check_ktap.h"

enum ttmpool_caching page_caching(struct page *page)
{
	static const enum ttmpool_caching pat[] = { TTMPOOL_CACHED,
						    TTMPOOL_WRITE_COMBINED,
						    TTMPOOL_UNCACHED,
						    TTMPOOL_UNCACHED };
	unsigned int level = 0;
	pte_t *pte = lookup_address((unsigned long)page_address(page), &level);
	pteval_t large;

	if (!pte)
		return TTMPOOL_CACHING_UNKNOWN;
	large = level == PG_LEVEL_4K ? _PAGE_PAT : _PAGE_PAT_LARGE;
	if (pte_val(*pte) & large)
		return TTMPOOL_CACHING_UNKNOWN;
	return pat[(pte_val(*pte) & (_PAGE_PWT | _PAGE_PCD)) >> _PAGE_BIT_PWT];
}
