// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching on x86: the attributes of the kernel's linear map are changed, because a page
 * may be accessed through two mappings only if both have the same caching.
 *
 * Each call of the kernel costs a flush of the TLB on every CPU. So a batch is divided into
 * as few spans as possible, and each span is one call:
 *
 *     chunk:   [2 MiB][2 MiB][2 MiB] [64 KiB][64 KiB][4 KiB][4 KiB]...
 *     span:    `--adjacent--'`-----' `- up to a limit of pages ----'
 *              set_memory_*()        set_pages_array_*()
 *
 * A chunk that fills an entry of the second level is changed there, as one entry. As an
 * array of pages, it would first be split into 512 entries, which needs a page table, and
 * never becomes one entry again.
 *
 * On an error, the kernel leaves some pages changed and some not (arch/x86/mm/pat/
 * set_memory.c, _set_pages_array: it frees the memory types and forgets the entries). So
 * the whole batch is then made write-back.
 *
 * A change to write-back needs no memory: no entry has to be split that was not split by the
 * change away from it, and the array of pages is static. A mutex protects the array.
 * Nothing is allocated under it, so reclaim may wait for it.
 */

#include <linux/mutex.h>
#include <linux/slab.h>

#include <asm/set_memory.h>

#include "ttmpool_system.h"
#include "ttmpool_trace.h"

#define BLOCK_ORDER (PMD_SHIFT - PAGE_SHIFT)

/*
 * The largest number of pages in one call that changes to write-back, and away from
 * it.
 */
#define BACK_PAGES  4096
#define FORTH_PAGES 65536

static struct page *back_array[BACK_PAGES];
static DEFINE_MUTEX(back_lock);

/**
 * struct change - one walk through a batch
 * @chunks: the batch
 * @to: the new caching of the pages
 * @spare: chunks of this caching stay as they are
 * @pages: where pages are collected for one call
 * @room: number of pages that fit there
 */
struct change {
	struct ttmpool_list *chunks;
	enum ttmpool_caching to;
	enum ttmpool_caching spare;
	struct page **pages;
	size_t room;
};

/**
 * struct span - the chunks of one call
 * @from: the first link
 * @until: the first link after the span
 * @blocks: the span is the blocks between the two; otherwise it is the other chunks
 * @start: for blocks, the first page
 * @n: number of pages
 */
struct span {
	struct ttmpool_list *from;
	struct ttmpool_list *until;
	bool blocks;
	struct page *start;
	size_t n;
};

static bool is_in(const struct change *change, const struct span *span,
		  const struct ttmpool_chunk *chunk)
{
	return chunk->caching != change->to &&
	       chunk->caching != change->spare &&
	       (chunk->order >= BLOCK_ORDER) == span->blocks;
}

/* Adds a block to a span, if it touches the span at either end. */
static bool span_add_block(struct span *span, const struct ttmpool_chunk *chunk)
{
	size_t n = ttmpool_chunk_pages(chunk);

	if (span->n && chunk->page == tpos_page_nth(span->start, span->n)) {
		span->n += n;
		return true;
	}
	if (span->n && tpos_page_nth(chunk->page, n) != span->start)
		return false;
	span->start = chunk->page;
	span->n += n;
	return true;
}

static bool span_add_pages(const struct change *change, struct span *span,
			   const struct ttmpool_chunk *chunk)
{
	size_t n = ttmpool_chunk_pages(chunk);

	if (n > change->room - span->n)
		return false;
	for (size_t i = 0; i < n; i++)
		change->pages[span->n++] = tpos_page_nth(chunk->page, i);
	return true;
}

/*
 * Finds the longest span from span->from on. Returns whether there is anything in
 * it.
 */
static bool span_find(const struct change *change, struct span *span)
{
	struct ttmpool_list *link;

	span->n = 0;
	for (link = span->from; link != change->chunks; link = link->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (!is_in(change, span, chunk))
			continue;
		if (span->blocks ? !span_add_block(span, chunk)
				 : !span_add_pages(change, span, chunk))
			break;
	}
	span->until = link;
	return span->n;
}

static int span_call(const struct change *change, const struct span *span)
{
	static int (*const by_array[])(struct page **, int) = {
		[TTMPOOL_UNCACHED] = set_pages_array_uc,
		[TTMPOOL_WRITE_COMBINED] = set_pages_array_wc,
		[TTMPOOL_CACHED] = set_pages_array_wb,
	};
	static int (*const by_range[])(unsigned long, int) = {
		[TTMPOOL_UNCACHED] = set_memory_uc,
		[TTMPOOL_WRITE_COMBINED] = set_memory_wc,
		[TTMPOOL_CACHED] = set_memory_wb,
	};

	atomic_long_inc(&ttmpool_counters.caching_calls);
	if (!span->blocks)
		return by_array[change->to](change->pages, (int)span->n);
	return by_range[change->to]((unsigned long)page_address(span->start),
				    (int)span->n);
}

static void span_note(const struct change *change, const struct span *span,
		      enum ttmpool_caching caching)
{
	for (struct ttmpool_list *link = span->from; link != span->until;
	     link = link->next) {
		struct ttmpool_chunk *chunk = ttmpool_chunk_of(link);

		if (is_in(change, span, chunk))
			chunk->caching = caching;
	}
}

/*
 * Makes the calls for blocks, or those for other chunks. A change to write-back
 * goes on after an error, for the sake of the chunks that can be changed. Returns
 * the first error.
 */
static int change_kind(const struct change *change, bool blocks)
{
	struct span span = { .from = change->chunks->next, .blocks = blocks };
	int first = 0;

	while (span_find(change, &span)) {
		int err = span_call(change, &span);

		span_note(change, &span,
			  err ? TTMPOOL_CACHING_UNKNOWN : change->to);
		if (!first)
			first = err;
		if (err && change->to != TTMPOOL_CACHED)
			break;
		span.from = span.until;
		cond_resched();
	}
	return first;
}

static int change_all(const struct change *change)
{
	int err = change_kind(change, true);

	if (err && change->to != TTMPOOL_CACHED)
		return err;
	return change_kind(change, false) ?: err;
}

/* Makes everything write-back that is neither write-back nor @spare. */
static int change_back(struct ttmpool_list *chunks, enum ttmpool_caching spare)
{
	struct change change = { .chunks = chunks,
				 .to = TTMPOOL_CACHED,
				 .spare = spare,
				 .pages = back_array,
				 .room = BACK_PAGES };
	int err;

	mutex_lock(&back_lock);
	err = change_all(&change);
	mutex_unlock(&back_lock);
	return err;
}

/*
 * Any error of the kernel means that it could not get a page table: nothing else
 * can be wrong with pages of our own.
 */
static int change_forth(struct ttmpool_list *chunks, size_t pages,
			enum ttmpool_caching to)
{
	struct change change = { .chunks = chunks, .to = to, .spare = to };
	int err;

	change.room = min_t(size_t, pages, FORTH_PAGES);
	change.pages =
		kvmalloc_array(change.room, sizeof(*change.pages), TTMPOOL_GFP);
	if (!change.pages)
		return -ENOMEM;
	err = change_all(&change);
	kvfree(change.pages);
	return err ? -ENOMEM : 0;
}

/* Nobody can tell which pages a failed change has reached, so all are changed. */
static void repair(struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		chunk->caching = TTMPOOL_CACHING_UNKNOWN;
	change_back(chunks, TTMPOOL_CACHED);
	atomic_long_inc(&ttmpool_counters.caching_repairs);
}

int tpos_caching_set(struct device *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk;
	size_t pages = 0;
	int err;

	ttmpool_for_each_chunk(chunk, chunks)
		pages += ttmpool_chunk_pages(chunk);
	/* The kernel changes between two special cachings only by way of this. */
	err = change_back(chunks, caching);
	if (!err && caching != TTMPOOL_CACHED)
		err = change_forth(chunks, pages, caching);
	if (err && caching != TTMPOOL_CACHED)
		repair(chunks);
	trace_ttmpool_caching(dev, (long)pages, caching, err);
	return err;
}
