// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Copies, and what the CPU may read and write for them; splitting a block.
 *
 * A page is written by whatever mapping it has. It is read by the CPU's caches,
 * so one that is write-combined is refused: reading it is some hundred times
 * slower (Intel SDM vol. 3, 12.3.1), which is why caching goes back first. One
 * whose caching is not known can be read all the same, slow as it may be.
 *
 * Where a mapping bounces, the page has what the device wrote only after a sync
 * or an unmap (kernel/dma/swiotlb.c, swiotlb_sync_single_for_cpu()), so reading
 * it before is refused, too; and what is written here is passed on.
 */

#include "span.h"

static struct tpsim_page *span_page(struct tpsim_machine *machine,
				    const struct tpos_span *span, size_t i,
				    const char *call)
{
	struct tpsim_page *head = chunk_block(machine, span->chunk, call);
	size_t n = (size_t)1 << head->order;

	if (!span->pages || span->first >= n || span->pages > n - span->first)
		tpsim_complain("beyond the chunk", "%s: %zu pages from %zu",
			       call, span->pages, span->first);
	return head + span->first + i;
}

char *span_read(struct tpsim_machine *machine, const struct tpos_span *span,
		size_t i, const char *call)
{
	struct tpsim_page *page = span_page(machine, span, i, call);
	const struct tpsim_mapping *mapping =
		block_head(machine, page)->mapping;

	if (page->pte && !machine->config.no_caching &&
	    span->chunk->caching != TTMPOOL_CACHING_UNKNOWN)
		tpsim_complain("read of a page that is not write-back",
			       "%s: page %zu", call, page_index(machine, page));
	if (mapping && mapping->slots)
		tpsim_complain("read of a page that bounces", "%s: page %zu",
			       call, page_index(machine, page));
	return page_bytes(machine, page);
}

char *span_write(struct tpsim_machine *machine, const struct tpos_span *span,
		 size_t i, const char *call)
{
	struct tpsim_page *page = span_page(machine, span, i, call);

	page_touch(page, PAGE_WRITTEN);
	return page_bytes(machine, page);
}

void span_sync(struct tpsim_machine *machine, const struct tpos_span *span)
{
	struct tpsim_mapping *mapping;

	machine_lock(machine);
	mapping = chunk_block(machine, span->chunk, "sync")->mapping;
	if (mapping && mapping->slots)
		swiotlb_copy(mapping, true);
	machine_unlock(machine);
}

void tpos_pages_copy(const struct tpos_span *to, const struct tpos_span *from)
{
	struct tpsim_machine *machine = to->chunk->pool->dev->machine;

	thread_may_sleep(__func__);
	for (size_t i = 0; i < to->pages; i++) {
		char *into, *bytes;

		machine_lock(machine);
		into = span_write(machine, to, i, __func__);
		bytes = span_read(machine, from, i, __func__);
		machine->counters.bytes_copied += machine->page_bytes;
		cost_spend(machine, COST_PAGE_COPY, 1);
		machine_unlock(machine);
		memcpy(into, bytes, machine->page_bytes);
	}
	span_sync(machine, to);
}

/* split_page() (mm/page_alloc.c) leaves single pages, of which we count halves:
 * what was one block is freed as two. */
void tpos_pages_split(tpos_device_t *dev, struct ttmpool_chunk *chunk,
		      struct ttmpool_chunk *upper)
{
	struct tpsim_machine *machine = dev->machine;
	struct tpsim_page *page;
	size_t n;

	machine_enter(machine, __func__);
	page = chunk_block(machine, chunk, __func__);
	n = (size_t)1 << page->order;
	if (!page->order || page->use != PAGE_PLAIN || page->mapping)
		tpsim_complain("split", "page %zu of order %d",
			       page_index(machine, page), page->order);
	annotate_split(machine->arena, page_bytes(machine, page),
		       n * machine->page_bytes);
	for (size_t i = 0; i < n; i++)
		page[i].order--;
	page[n / 2].mapping = NULL;
	page[n / 2].parked = false;
	machine->counters.splits++;
	machine_unlock(machine);
	chunk->order--;
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
	upper->page = page + n / 2;
	upper->flags |= TTMPOOL_CHUNK_SPLIT;
}
