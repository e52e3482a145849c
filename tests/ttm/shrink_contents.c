// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The bytes that the CPU wrote to a buffer, the check of them, and of the pages'
 * caching. */

#include <linux/mm.h>
#include <linux/sched.h>

#include <asm/pgtable.h>
#include <asm/set_memory.h>

#include "shrink.h"

static u64 word(u64 seed, unsigned long page, unsigned int i)
{
	return (seed + page) * 0x9e3779b97f4a7c15ull + i;
}

void shrink_write(struct shrink_buffer *buf, u64 seed)
{
	const struct ttm_tt *tt = buf->bo.ttm;

	buf->seed = seed;
	for (u32 page = 0; page < tt->num_pages; page++) {
		u64 *words = page_address(tt->pages[page]);

		for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*words); i++)
			words[i] = word(seed, page, i);
		cond_resched();
	}
}

/* Does a page have the caching of its buffer? (Bit 7 is the third bit of the caching, but
 * in an entry of 2 MiB it means something else; write-combined and uncached set one of
 * the two bits here.) */
static bool is_of_caching(struct page *page, enum ttm_caching caching)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)page_address(page), &level);
	bool cached = pte && !(pte_flags(*pte) & (_PAGE_PWT | _PAGE_PCD));

	return cached == (caching == ttm_cached);
}

void shrink_look(struct shrink_buffer *buf, struct shrink_tally *tally)
{
	const struct ttm_tt *tt = buf->bo.ttm;
	bool consistent = true;

	for (u32 page = 0; page < tt->num_pages; page++) {
		const u64 *words = page_address(tt->pages[page]);

		consistent &= is_of_caching(tt->pages[page], tt->caching);
		for (unsigned int i = 0;
		     buf->seed && i < PAGE_SIZE / sizeof(*words); i++)
			if (words[i] != word(buf->seed, page, i))
				tally->wrong += sizeof(*words);
		tally->bytes += buf->seed ? PAGE_SIZE : 0;
		cond_resched();
	}
	tally->inconsistent += !consistent;
}
