// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The guarantees that a driver may rely on, checked page by page. The result has one word
 * for each; an index after the word is the first page that breaks it.
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>

#include "ways.h"

/* The caching bits of an entry are an index into the PAT: write-back, write-
 * combined, uncached twice (arch/x86/mm/pat/memtype.c, pat_bp_init). */
static enum ttm_caching caching_of(struct page *page)
{
	unsigned int level;
	pte_t *pte = lookup_address((unsigned long)page_address(page), &level);

	switch (pte_val(*pte) & (_PAGE_PWT | _PAGE_PCD)) {
	case 0:
		return ttm_cached;
	case _PAGE_PWT:
		return ttm_write_combined;
	default:
		return ttm_uncached;
	}
}

static bool has_caching(const struct way *way, const struct ttm_tt *tt,
			size_t i)
{
	return caching_of(tt->pages[i]) == way->caching;
}

static bool is_zero(const struct way *way, const struct ttm_tt *tt, size_t i)
{
	return !way->zero ||
	       !memchr_inv(page_address(tt->pages[i]), 0, PAGE_SIZE);
}

/* Pages of the DMA API are where the device can reach them. */
static bool is_low(const struct way *way, const struct ttm_tt *tt, size_t i)
{
	return !way->dma32 || way->dma_alloc ||
	       page_to_phys(tt->pages[i]) >> 32 == 0;
}

static bool has_address(const struct way *way, const struct ttm_tt *tt,
			size_t i)
{
	return !way->addresses ||
	       tt->dma_address[i] == page_to_phys(tt->pages[i]);
}

static bool is_plain(const struct way *way, const struct ttm_tt *tt, size_t i)
{
	return way->dma_alloc || !PageCompound(tt->pages[i]);
}

static bool is_the_drivers(const struct way *way, const struct ttm_tt *tt,
			   size_t i)
{
	return !tt->pages[i]->mapping;
}

/* The memory manager has no reference to the first page of a chunk. */
static bool is_referenced_once(const struct way *way, const struct ttm_tt *tt,
			       size_t i)
{
	return i || page_count(tt->pages[i]) == 1;
}

void look(const struct way *way, const struct ttm_tt *tt, char *text,
	  size_t size)
{
	static const struct {
		const char *word;
		bool (*holds)(const struct way *way, const struct ttm_tt *tt,
			      size_t i);
	} promises[] = {
		{ "caching", has_caching },
		{ "zero", is_zero },
		{ "low", is_low },
		{ "address", has_address },
		{ "plain", is_plain },
		{ "mapping", is_the_drivers },
		{ "once", is_referenced_once },
	};
	size_t at = 0;

	for (size_t p = 0; p < ARRAY_SIZE(promises); p++) {
		size_t i = 0;

		while (i < tt->num_pages && promises[p].holds(way, tt, i))
			i++;
		at += scnprintf(text + at, size - at, " %s", promises[p].word);
		if (i < tt->num_pages)
			at += scnprintf(text + at, size - at, "!%zu", i);
	}
}

void orders(const struct way *way, const struct ttm_tt *tt, char *text,
	    size_t size)
{
	size_t at = 0, i = 0;

	text[0] = '\0';
	if (way->dma_alloc) {
		scnprintf(text, size, " private%s",
			  tt->pages[0]->private ? "" : "!");
		return;
	}
	while (i < tt->num_pages) {
		unsigned long order = tt->pages[i]->private;

		at += scnprintf(text + at, size - at, " %lu", order);
		if (order > 10)
			break;
		i += 1UL << order;
	}
}

void scribble(const struct ttm_tt *tt)
{
	for (size_t i = 0; i < tt->num_pages; i++)
		memset(page_address(tt->pages[i]), SCRIBBLE, PAGE_SIZE);
	wmb(); /* flush the write-combining buffers */
}
