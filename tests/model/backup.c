// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The step that backs up pages without a buffer, as a drop-in does. */

#include "world.h"

/* Read the word at the beginning of each page, which may be write-combined or
 * write-back. */
static void raw_words(struct world *w, struct raw *raw, uint64_t *words)
{
	for (size_t i = 0; i < raw->n; i++)
		words[i] = *(const uint64_t *)tpsim_page_address(w->machine,
								 raw->pages[i]);
}

/* The first pages have gone: move the rest to the beginning of the array. */
static void raw_cut(struct raw *raw, size_t gone)
{
	raw->n -= gone;
	memmove(raw->pages, raw->pages + gone, raw->n * sizeof(*raw->pages));
	memmove(raw->dma_addr, raw->dma_addr + gone,
		raw->n * sizeof(*raw->dma_addr));
}

/* Give up a part of the first chunk, if it consists of ordinary pages. */
static void raw_part(struct world *w, struct raw *raw, uint64_t r)
{
	const struct ttmpool_chunk *chunk =
		tpos_page_chunk(raw->pool->dev, raw->pages[0]);
	size_t pages = ttmpool_chunk_pages(chunk);
	bool divides = pages > 1 && !ttmpool_chunk_is_coherent(chunk) &&
		       chunk->caching == TTMPOOL_CACHED;
	size_t part = 1 + (r >> 40) % MAX_PAGES % (pages > 1 ? pages - 1 : 1);
	long gone = ttmpool_pool_give_up_part(raw->pool, raw->pages, pages,
					      part, 0);

	if (divides ? gone > (long)part || (gone < 1 && gone != -ENOMEM)
		    : gone != -EINVAL)
		w->wrong = "a part was given up that is none, or was not";
	if (divides && !w->disturbed && gone != (long)part)
		w->wrong = "not all of a part was given up";
	if (gone > 0)
		raw_cut(raw, (size_t)gone);
}

/* Back up pages that were taken without a buffer: strip them, perhaps give up a part of
 * them, and then make the rest ready again, or give up all. Pages that are left keep
 * their bytes. */
void step_backup(struct world *w, struct item *item, uint64_t r)
{
	struct raw *raw = &w->raws[r >> 60 & 1];
	struct ttmpool_request req = { .caching = raw->caching };
	uint64_t before[MAX_PAGES], after[MAX_PAGES];
	size_t had = raw->n;

	(void)item;
	if (!had)
		return;
	raw_words(w, raw, before);
	w->err = ttmpool_pool_strip(raw->pool, raw->pages, had, 0);
	if (!w->disturbed && w->err)
		w->wrong = "pages could not be stripped";
	if (r >> 32 & 1)
		raw_part(w, raw, r);
	raw_words(w, raw, after);
	if (memcmp(before + had - raw->n, after, raw->n * sizeof(*after)))
		w->wrong = "a strip has changed what is in the pages";
	req.num_pages = raw->n;
	if (r >> 33 & 1)
		w->err = ttmpool_pool_ready(raw->pool, &req, raw->pages,
					    r >> 34 & 1 ? raw->dma_addr : NULL);
	if (!w->err && r >> 33 & 1)
		return;
	if (ttmpool_pool_give_up(raw->pool, raw->pages, raw->n, 0))
		w->wrong = "pages could not be given up";
	raw->n = 0;
}
