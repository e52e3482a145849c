// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The contents of a buffer, by the reference: one word for each page, which is at every
 * place of the page, and follows from the number of the buffer. It is zero if nothing has
 * been written yet.
 */

#include "world.h"

#define WORDS (4096 / sizeof(uint64_t))

bool is_resident(const struct item *item)
{
	return item->be.tt.state == TTMPOOL_TT_POPULATED ||
	       item->be.tt.state == TTMPOOL_TT_BOUND ||
	       item->be.tt.state == TTMPOOL_TT_ANONYMOUS;
}

uint64_t word_of(const struct item *item, size_t page)
{
	return item->has_bytes ? mix(item->bytes + page) : 0;
}

/* Sync the pages for the device, if it does not read the pages themselves. */
static void sync_bytes(const struct item *item)
{
	if (!item->be.dma_addr || item->be.tt.state == TTMPOOL_TT_ANONYMOUS)
		return;
	for (size_t i = 0; i < item->be.tt.num_pages; i++)
		if (ttmpool_pool_owns(item->be.pool, item->pages[i]))
			tpsim_dma_sync(item->be.pool->dev, item->pages[i],
				       true);
}

void write_bytes(struct world *w, struct item *item, uint64_t bytes)
{
	uint64_t words[WORDS];

	item->bytes = bytes;
	item->has_bytes = true;
	for (size_t i = 0; i < item->be.tt.num_pages; i++) {
		uint64_t word = word_of(item, i);

		for (size_t j = 0; j < WORDS; j++)
			words[j] = word;
		for (size_t at = 0; at < w->page_bytes; at += sizeof(words))
			if (tpsim_cpu_write(w->machine, item->pages[i], at,
					    words, sizeof(words),
					    tpsim_page_caching(w->machine,
							       item->pages[i])))
				w->wrong = "the CPU cannot write";
	}
	if (w->config.swiotlb_force)
		sync_bytes(item);
}

/* Is @word at every place of the page? */
static bool page_holds(struct world *w, tpos_page_t *page,
		       enum ttmpool_caching caching, uint64_t word)
{
	uint64_t words[WORDS];

	for (size_t at = 0; at < w->page_bytes; at += sizeof(words)) {
		if (tpsim_cpu_read(w->machine, page, at, words, sizeof(words),
				   caching)) {
			w->wrong = "the CPU cannot read";
			return true;
		}
		if (words[0] != word ||
		    memcmp(words, words + 1, sizeof(words) - sizeof(word)))
			return false;
	}
	return true;
}

void check_bytes(struct world *w, const struct item *item)
{
	for (size_t i = 0; i < item->be.tt.num_pages; i++)
		if (item->pages[i] &&
		    !page_holds(w, item->pages[i],
				tpsim_page_caching(w->machine, item->pages[i]),
				word_of(item, i)))
			w->wrong = "a byte is not what was written";
}

void check_zero(struct world *w, tpos_page_t *const *pages, size_t n,
		enum ttmpool_caching caching)
{
	for (size_t i = 0; i < n; i++)
		if (!page_holds(w, pages[i], caching, 0))
			w->wrong = "another owner's bytes were handed out";
}
