// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Stores. In Linux, a store is a shmem file for each buffer, whose pages go to a swap
 * device. Here it is a table that says in which slot of the swap file each page is.
 *
 *     a page of it is    absent     if it was never written, or was dropped
 *                        kept       if it was written
 *                        doubtful   if a write of it failed
 *
 * Only kept pages can be read. A doubtful page takes up room until it is written again or
 * dropped, like a page of shmem that was allocated and not filled. A read that fails leaves
 * half a page of contents and then rubbish: what is there is undefined, so nobody may count
 * on it.
 *
 * shmem_read_mapping_page() and shmem_file_setup() allocate, so if RAM is short, they call
 * the shrinkers, under all locks of the caller. A shrinker whose caller must not wait for a
 * file (GFP_NOFS) must not call these functions.
 */

#include <stdlib.h>

#include "machine.h"

#define RUBBISH 0xdb

enum keep {
	KEEP_ABSENT,
	KEEP_DOUBTFUL,
	KEEP_KEPT,
};

struct kept {
	uint32_t slot;
	uint32_t keep; /* enum keep */
};

struct tpsim_store {
	struct tpsim_machine *machine;
	size_t pages;
	struct kept page[];
};

/* Like tpsim_machine_enter(), for a call that waits for a file and allocates. */
static void store_enter(struct tpsim_machine *machine, size_t pages,
			const char *call)
{
	if (tpsim_thread_reclaims() == RECLAIMS)
		tpsim_complain("a store in a shrinker that may not swap", "%s",
			       call);
	tpsim_machine_enter(machine, call);
	if (machine->out.free_pages < pages && !tpsim_thread_reclaims())
		tpsim_shortage(machine, TTMPOOL_NODE_ANY, pages);
}

static void range_check(const struct tpsim_store *store, size_t index,
			size_t pages, const char *call)
{
	if (index > store->pages || pages > store->pages - index)
		tpsim_complain("beyond the end of the store",
			       "%s: %zu pages from %zu on, of %zu", call, pages,
			       index, store->pages);
}

int tpos_store_create(tpos_system_t *system, size_t pages, tpos_store_t **store)
{
	struct tpsim_store *made = NULL;
	struct strike strike;
	int err;

	store_enter(system, 1, __func__);
	strike = tpsim_fault_strike(system, TPSIM_CALL_STORE_CREATE, -ENOMEM);
	err = strike.error ? strike.error : tpsim_swapfile_open(system);
	if (!err &&
	    pages <= (PTRDIFF_MAX - sizeof(*made)) / sizeof(*made->page))
		made = calloc(1, sizeof(*made) + pages * sizeof(*made->page));
	if (made) {
		made->machine = system;
		made->pages = pages;
		system->out.stores++;
		*store = made;
	}
	tpsim_cost_spend(system, COST_ZALLOC, 1);
	tpsim_machine_unlock(system);
	return err || made ? err : -ENOMEM;
}

/* Guarded. */
static void drop(struct tpsim_store *store, size_t index, size_t pages)
{
	for (size_t i = index; i < index + pages; i++) {
		if (store->page[i].keep != KEEP_ABSENT)
			tpsim_slot_put(store->machine, store->page[i].slot);
		store->page[i].keep = KEEP_ABSENT;
	}
}

void tpos_store_destroy(tpos_store_t *store)
{
	struct tpsim_machine *machine = store->machine;

	tpsim_machine_enter(machine, __func__);
	drop(store, 0, store->pages);
	machine->out.stores--;
	tpsim_machine_unlock(machine);
	free(store);
}

void tpos_store_drop(tpos_store_t *store, size_t index, size_t pages)
{
	tpsim_machine_enter(store->machine, __func__);
	range_check(store, index, pages, __func__);
	drop(store, index, pages);
	tpsim_machine_unlock(store->machine);
}

/* How many pages a call completes, and what it returns. */
struct extent {
	size_t pages;
	int err;
};

static struct extent extent_of(struct tpsim_machine *machine,
			       enum tpsim_call call, int usual, size_t pages)
{
	struct strike strike = tpsim_fault_strike(machine, call, usual);
	size_t done = strike.error && strike.after < pages ? strike.after
							   : pages;

	return (struct extent){ done, strike.error };
}

/*
 * Gets slots for the pages; guarded. Whatever happens from here on, pages that have a slot
 * are doubtful until all pages are written.
 */
static void reserve(struct tpsim_store *store, size_t index, size_t pages,
		    struct extent *extent)
{
	for (size_t i = 0; i < pages; i++) {
		struct kept *page = &store->page[index + i];
		int err = 0;

		if (page->keep == KEEP_ABSENT) {
			if (i >= extent->pages)
				continue;
			err = tpsim_slot_get(store->machine, &page->slot);
		}
		if (!err)
			page->keep = KEEP_DOUBTFUL;
		else
			*extent = (struct extent){ i, err };
	}
}

int tpos_store_write(tpos_store_t *store, size_t index,
		     const struct tpos_span *from)
{
	struct tpsim_machine *machine = store->machine;
	struct extent extent;
	char *bytes;

	store_enter(machine, from->pages, __func__);
	range_check(store, index, from->pages, __func__);
	bytes = tpsim_span_open(machine, from, SPAN_FETCH, __func__);
	extent = extent_of(machine, TPSIM_CALL_STORE_WRITE, -ENOSPC,
			   from->pages);
	reserve(store, index, from->pages, &extent);
	machine->counters.store_writes += extent.pages;
	tpsim_cost_spend(machine, COST_STORE_WRITE, extent.pages);
	if (page_caching(from->chunk->page) != TTMPOOL_CACHED)
		tpsim_cost_spend(machine, COST_PAGE_READ_UNCACHED,
				 extent.pages);
	tpsim_machine_unlock(machine);
	for (size_t i = 0; i < extent.pages; i++) {
		int err = tpsim_slot_write(machine, store->page[index + i].slot,
					   bytes + i * machine->page_bytes);

		extent.err = extent.err ? extent.err : err;
	}
	tpsim_machine_lock(machine);
	for (size_t i = 0; i < from->pages && !extent.err; i++)
		store->page[index + i].keep = KEEP_KEPT;
	tpsim_machine_unlock(machine);
	return extent.err;
}

/*
 * Up to this order, Linux finds a block for a caller that waits
 * (PAGE_ALLOC_COSTLY_ORDER, include/linux/mmzone.h).
 */
#define COSTLY_ORDER 3

/*
 * As in shim/linux/adopt.c: a large chunk is copied, and thus freed at once and as
 * a whole, if most of the free memory is in smaller blocks.
 */
static bool leaves_as_a_whole(struct tpsim_machine *machine,
			      const struct ttmpool_chunk *chunk)
{
	bool whole;

	if (chunk->order <= COSTLY_ORDER)
		return false;
	tpsim_machine_lock(machine);
	whole = tpsim_buddy_is_in_pieces(machine, chunk->page, chunk->order);
	tpsim_machine_unlock(machine);
	return whole;
}

/*
 * In Linux, a page of a shmem file can be replaced by another one
 * (replace_page_cache_folio(), mm/filemap.c), which then belongs to the file, and goes to
 * the swap device when the system wants it to. Here it goes at once.
 */
int tpos_store_adopt(tpos_store_t *store, size_t index,
		     struct ttmpool_chunk *chunk)
{
	struct tpos_span all = { .chunk = chunk,
				 .pages = ttmpool_chunk_pages(chunk) };
	struct tpsim_machine *machine = store->machine;
	struct tpsim_page *page;
	int err;

	if (!machine->config.store_adopts || leaves_as_a_whole(machine, chunk))
		return -EOPNOTSUPP;
	err = tpos_store_write(store, index, &all);
	if (err) {
		tpos_store_drop(store, index, all.pages);
		return err;
	}
	tpsim_machine_enter(machine, __func__);
	page = tpsim_chunk_block(machine, chunk, __func__);
	if (page->use != PAGE_PLAIN)
		tpsim_complain("adoption of coherent pages", "page %zu",
			       tpsim_page_index(machine, page));
	tpsim_free_check(machine, page, chunk);
	tpsim_block_take_back(machine, page);
	tpsim_machine_unlock(machine);
	return 0;
}

/* Guarded. */
static void kept_check(const struct tpsim_store *store, size_t index,
		       size_t pages)
{
	for (size_t i = index; i < index + pages; i++)
		if (store->page[i].keep != KEEP_KEPT)
			tpsim_complain("read of what is not in the store",
				       "page %zu was %s", i,
				       store->page[i].keep == KEEP_DOUBTFUL
					       ? "not written without error"
					       : "not written, or dropped");
}

/* Does what a read that failed after @done pages does to the rest. */
static void spoil(const struct tpsim_machine *machine, char *bytes,
		  size_t pages, size_t done)
{
	size_t good = done * machine->page_bytes + machine->page_bytes / 2;

	if (done < pages)
		memset(bytes + good, RUBBISH,
		       pages * machine->page_bytes - good);
}

int tpos_store_read(tpos_store_t *store, size_t index,
		    const struct tpos_span *to)
{
	struct tpsim_machine *machine = store->machine;
	struct extent extent;
	char *bytes;

	store_enter(machine, to->pages, __func__);
	range_check(store, index, to->pages, __func__);
	kept_check(store, index, to->pages);
	bytes = tpsim_span_open(machine, to, SPAN_WRITE, __func__);
	extent = extent_of(machine, TPSIM_CALL_STORE_READ, -EIO, to->pages);
	machine->counters.store_reads += extent.pages;
	tpsim_cost_spend(machine, COST_STORE_READ, extent.pages);
	tpsim_machine_unlock(machine);
	/* One page more than the call completes, because half of it has come. */
	for (size_t i = 0; i < to->pages && i <= extent.pages; i++) {
		int err = tpsim_slot_read(machine, store->page[index + i].slot,
					  bytes + i * machine->page_bytes);

		extent.err = extent.err ? extent.err : err;
	}
	if (extent.err)
		spoil(machine, bytes, to->pages, extent.pages);
	tpsim_machine_lock(machine);
	tpsim_span_written(to);
	tpsim_machine_unlock(machine);
	return extent.err;
}
