// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The CPU's cache, on a machine where the contents of the cache and of RAM may differ
 * (tpsim_config.caches). There are two copies of each page:
 *
 *     the cache's   the arena of ram.c: what the CPU reads and writes through a
 *                   write-back mapping, such as the linear map
 *     RAM's         what all others read and write: the CPU through a mapping of another
 *                   caching, and a device that does not snoop
 *
 * and a flag that says whether the cache's copy is dirty. These operations make the copies
 * equal:
 *
 *     clean        a dirty copy is written to RAM: dma_map_page() and
 *                  dma_sync_single_for_device() (arch_sync_dma_for_device(),
 *                  called by kernel/dma/direct.h and drivers/iommu/dma-iommu.c; on
 *                  arm64 dcache_clean_poc(), arch/arm64/mm/dma-mapping.c)
 *     invalidate   the CPU sees RAM's copy, and a dirty copy is lost:
 *                  dma_unmap_page() and dma_sync_single_for_cpu()
 *                  (arch_sync_dma_for_cpu(); dcache_inval_poc())
 *     flush        both, one after the other: the clflush of set_memory_wc() and
 *                  set_memory_uc() (arch/x86/mm/pat/set_memory.c, cpa_flush()), and
 *                  arch_dma_prep_coherent()
 *     evict        either, at any moment, as the cache likes: a dirty copy is written to
 *                  RAM, over what others have written there; a clean copy is
 *                  forgotten, and read again
 *
 * A cache may keep a clean copy for as long as it likes, and may read it again right after
 * an invalidation, because the CPU speculates. So an invalidation copies what RAM has at
 * that moment, and the CPU does not see later changes of RAM. Nobody may count on more, as
 * Documentation/core-api/dma-api.rst says.
 *
 * A device that snoops reads dirty data from the cache, and what it writes is seen in both
 * copies. While the linear map of a page is not write-back, nothing of the page is in the
 * cache, and the arena is RAM. Bounce slots are not pages, and have one copy: the code
 * that copies to and from them does the maintenance (kernel/dma/swiotlb.c and direct.h).
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "machine.h"

#define RUBBISH 0xa7

static size_t memory_bytes(const struct tpsim_machine *machine)
{
	return machine->config.ram_pages * machine->page_bytes;
}

int tpsim_cache_create(struct tpsim_machine *machine)
{
	void *start;

	if (!machine->config.caches)
		return 0;
	machine->dirty = calloc(machine->config.ram_pages, 1);
	if (!machine->dirty)
		return -ENOMEM;
	start = mmap(NULL, memory_bytes(machine), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (start == MAP_FAILED) {
		free(machine->dirty);
		return -ENOMEM;
	}
	machine->memory = start;
	return 0;
}

void tpsim_cache_destroy(struct tpsim_machine *machine)
{
	if (machine->memory)
		munmap(machine->memory, memory_bytes(machine));
	free(machine->dirty);
}

/* Returns whether there are two copies of this page now. */
static bool is_apart(const struct tpsim_machine *machine,
		     const struct tpsim_page *page)
{
	return machine->memory && page_caching(page) == TTMPOOL_CACHED;
}

char *tpsim_memory_bytes(const struct tpsim_machine *machine,
			 const struct tpsim_page *page)
{
	if (!is_apart(machine, page))
		return tpsim_page_bytes(machine, page);
	return machine->memory +
	       tpsim_page_index(machine, page) * machine->page_bytes;
}

bool tpsim_cache_is_dirty(const struct tpsim_machine *machine,
			  const struct tpsim_page *page)
{
	return is_apart(machine, page) &&
	       machine->dirty[tpsim_page_index(machine, page)];
}

void tpsim_cache_written(struct tpsim_machine *machine, struct tpsim_page *page,
			 size_t pages)
{
	for (size_t i = 0; i < pages; i++)
		if (is_apart(machine, page + i))
			machine->dirty[tpsim_page_index(machine, page + i)] = 1;
}

void tpsim_cache_clean(struct tpsim_machine *machine, struct tpsim_page *page,
		       size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		if (!tpsim_cache_is_dirty(machine, page + i))
			continue;
		annotate_copy(tpsim_memory_bytes(machine, page + i),
			      tpsim_page_bytes(machine, page + i),
			      machine->page_bytes);
		machine->dirty[tpsim_page_index(machine, page + i)] = 0;
	}
}

void tpsim_cache_invalidate(struct tpsim_machine *machine,
			    struct tpsim_page *page, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		if (!is_apart(machine, page + i))
			continue;
		tpsim_pages_written(machine, page + i, 1);
		annotate_copy(tpsim_page_bytes(machine, page + i),
			      tpsim_memory_bytes(machine, page + i),
			      machine->page_bytes);
		machine->dirty[tpsim_page_index(machine, page + i)] = 0;
	}
}

void tpsim_cache_flush(struct tpsim_machine *machine, struct tpsim_page *page,
		       size_t pages)
{
	tpsim_cache_clean(machine, page, pages);
	tpsim_cache_invalidate(machine, page, pages);
}

/* Called when the linear map of a page has become write-back again. */
void tpsim_cache_begin(struct tpsim_machine *machine, struct tpsim_page *page)
{
	if (!is_apart(machine, page))
		return;
	tpsim_cache_written(machine, page, 1);
	tpsim_cache_clean(machine, page, 1);
}

/*
 * Hands out pages that were cleared. The page allocator clears them through the linear map,
 * and does not maintain the cache, so RAM still has what was there before. The coherent
 * allocator gives a device that does not snoop pages of which nothing is in the cache, and
 * clears them through a mapping that bypasses the cache (kernel/dma/direct.c,
 * dma_direct_alloc()). What the linear map shows of these pages means nothing then.
 */
void tpsim_cache_hand_out(struct tpsim_machine *machine,
			  struct tpsim_page *page, size_t pages)
{
	bool past = machine->memory && block_is_past_cache(page);

	for (size_t i = 0; machine->memory && i < pages; i++) {
		memset(tpsim_memory_bytes(machine, page + i),
		       past ? 0 : RUBBISH, machine->page_bytes);
		if (past)
			memset(tpsim_page_bytes(machine, page + i), RUBBISH,
			       machine->page_bytes);
		machine->dirty[tpsim_page_index(machine, page + i)] = !past;
	}
}

void tpsim_cache_evict(struct tpsim_machine *machine)
{
	tpsim_machine_lock(machine);
	for (size_t i = 0; i < machine->config.ram_pages; i++)
		if (page_is_out(machine->pages + i))
			tpsim_cache_flush(machine, machine->pages + i, 1);
	tpsim_machine_unlock(machine);
}
