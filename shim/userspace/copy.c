// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The port's own accesses to the bytes of pages: copying, and what stores read and write.
 *
 * A port maps a page with the caching that its chunk names (kmap_local_page_prot(), which
 * ttm_tt_swapout() uses by copy_highpage(), or the address that the coherent allocator
 * returned). So the chunk must be right: a mapping of another memory type is an alias
 * (Intel SDM vol. 3, 12.12.4). A page of unknown caching can be read through any mapping,
 * because its cache lines were written back when the change began.
 *
 * Bounce slots are the device's view of a page. A write to the page goes to the slots, too
 * (dma_sync_single_range_for_device()). What the device has written is only in the slots
 * until a sync or an unmap; so a read of the page itself returns what was there before.
 */

#include "machine.h"

/*
 * Bytes are read and written through the linear map, which may be write-back while others
 * look at RAM: a device that does not snoop, or a mapping of the CPU with the caching of
 * the chunk. For memory that is mapped for such a device, the DMA API does the
 * maintenance, when it is asked to. For all other memory, this port does it by a flush, as
 * shim/linux/flush.c does. Each read flushes first, so it sees nothing that the cache kept
 * from an earlier one.
 */
static void fetch(struct tpsim_machine *machine, const struct tpos_span *span)
{
	struct tpsim_page *block = span->chunk->page;
	struct tpsim_mapping *mapping = block->mapping;

	/* dma_sync_single_range_for_cpu() */
	if (mapping && mapping->slots)
		tpsim_swiotlb_copy(mapping, span->first, span->pages, false);
	if (tpsim_block_streams_past_cache(block))
		tpsim_cache_invalidate(machine, block + span->first,
				       span->pages);
	else if (!block_is_past_cache(block))
		tpsim_cache_flush(machine, block + span->first, span->pages);
}

/* Makes what was written visible to the device and to all mappings. */
void tpsim_span_pass_on(const struct tpos_span *span)
{
	struct tpsim_page *block = span->chunk->page;
	struct tpsim_page *page = block + span->first;
	struct tpsim_machine *machine = block->machine;

	if (block_is_past_cache(block))
		return;
	tpsim_cache_written(machine, page, span->pages);
	tpsim_cache_clean(machine, page, span->pages);
	if (!tpsim_block_streams_past_cache(block))
		tpsim_cache_invalidate(machine, page, span->pages);
	if (block->mapping && block->mapping->slots)
		tpsim_swiotlb_copy(block->mapping, span->first, span->pages,
				   true);
}

static void caching_check(const struct tpsim_machine *machine,
			  const struct tpos_span *span, enum span_use use,
			  const char *call)
{
	const struct tpsim_page *page = span->chunk->page + span->first;
	enum ttmpool_caching caching =
		(enum ttmpool_caching)span->chunk->caching;

	if (caching == TTMPOOL_CACHING_UNKNOWN && use == SPAN_WRITE)
		tpsim_complain("write to a page of unknown caching", "%s",
			       call);
	if (caching == TTMPOOL_CACHING_UNKNOWN || machine->config.no_caching)
		return;
	for (size_t i = 0; i < span->pages; i++)
		if (page_caching(page + i) != caching)
			tpsim_complain(
				"alias",
				"%s: page %zu has caching %d, the chunk "
				"says %d",
				call, tpsim_page_index(machine, page + i),
				(int)page_caching(page + i), (int)caching);
}

/* The coherent allocator's pages are accessed by the record that it returned. */
static void source_check(const struct tpsim_page *block,
			 const struct ttmpool_chunk *chunk, const char *call)
{
	bool coherent = chunk->flags & TTMPOOL_CHUNK_FROM_COHERENT;

	if (coherent != (block->use == PAGE_COHERENT))
		tpsim_complain("wrong source", "%s", call);
	if (coherent && chunk->dma.cookie != block->mapping)
		tpsim_complain("wrong source", "%s: another's mapping", call);
}

/*
 * If the kernel reads poisoned memory, it panics, because a machine check has no
 * way to recover (arch/x86/kernel/cpu/mce/severity.c, error_context()). The
 * exceptions are a few functions that are made for it (copy_mc_to_kernel()).
 */
static void poison_check(const struct tpsim_machine *machine,
			 const struct tpos_span *span, const char *call)
{
	const struct tpsim_page *page = span->chunk->page + span->first;

	for (size_t i = 0; i < span->pages; i++)
		if (page[i].poisoned)
			tpsim_complain("read of a poisoned page",
				       "%s: page %zu", call,
				       tpsim_page_index(machine, page + i));
}

/* Returns the bytes of a span, after checking that it may be used in this way. */
char *tpsim_span_open(struct tpsim_machine *machine,
		      const struct tpos_span *span, enum span_use use,
		      const char *call)
{
	struct tpsim_page *block =
		tpsim_chunk_block(machine, span->chunk, call);
	size_t pages = ttmpool_chunk_pages(span->chunk);

	if (!span->pages || span->first > pages ||
	    span->pages > pages - span->first)
		tpsim_complain("bad span", "%s: %zu pages from %zu on, of %zu",
			       call, span->pages, span->first, pages);
	if (block->parked)
		tpsim_complain("use of a parked page", "%s: page %zu", call,
			       tpsim_page_index(machine, block));
	source_check(block, span->chunk, call);
	caching_check(machine, span, use, call);
	if (use != SPAN_WRITE)
		poison_check(machine, span, call);
	if (use == SPAN_READ && block->mapping && block->mapping->slots)
		tpsim_complain("read of a page that bounces", "%s: page %zu",
			       call, tpsim_page_index(machine, block));
	if (use != SPAN_WRITE)
		fetch(machine, span);
	if (block_is_past_cache(block))
		return tpsim_memory_bytes(machine, block + span->first);
	return tpsim_page_bytes(machine, block + span->first);
}

/* Called when the bytes of a span are new, so that the device sees them, too. */
void tpsim_span_written(const struct tpos_span *span)
{
	struct tpsim_page *block = span->chunk->page;

	tpsim_pages_written(block->machine, block + span->first, span->pages);
	tpsim_span_pass_on(span);
}

struct tpsim_machine *tpsim_span_machine(const struct tpos_span *span,
					 const char *call)
{
	if (!page_is_out(span->chunk->page))
		tpsim_complain("use after free", "%s: a page is not out", call);
	return span->chunk->page->machine;
}

static void copy_check(const struct tpos_span *to, const struct tpos_span *from)
{
	if (to->chunk->page == from->chunk->page)
		tpsim_complain("bad span", "a chunk is copied to itself");
	if (to->pages != from->pages)
		tpsim_complain("bad span", "%zu pages are copied to %zu",
			       from->pages, to->pages);
}

void tpos_pages_copy(const struct tpos_span *to, const struct tpos_span *from)
{
	struct tpsim_machine *machine = tpsim_span_machine(to, __func__);
	size_t len = to->pages * machine->page_bytes;
	const char *source;
	char *bytes;

	tpsim_machine_enter(machine, __func__);
	copy_check(to, from);
	bytes = tpsim_span_open(machine, to, SPAN_WRITE, __func__);
	source = tpsim_span_open(machine, from, SPAN_READ, __func__);
	machine->counters.bytes_copied += len;
	tpsim_cost_spend(machine,
			 page_caching(from->chunk->page) == TTMPOOL_CACHED
				 ? COST_PAGE_COPY
				 : COST_PAGE_READ_UNCACHED,
			 to->pages);
	tpsim_machine_unlock(machine);
	memcpy(bytes, source, len);
	tpsim_machine_lock(machine);
	tpsim_span_written(to);
	tpsim_machine_unlock(machine);
}
