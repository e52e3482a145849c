// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The cold half of the port: an arena, and separate lists of free blocks for each order.
 * If a list is empty, the block is cut from memory that was never used.
 */

#include <stdlib.h>
#include <sys/mman.h>

#include "clear.h"
#include "native.h"

_Thread_local unsigned long native_locks;

struct native_device {
	struct native_system *system;
};

struct native_system {
	struct native_device dev;
	char *arena;
	struct native_page *page;
	size_t pages;
	size_t used;
	struct native_page *free[TTMPOOL_NR_ORDERS];
	pthread_mutex_t lock;
};

struct native_system *native_open(size_t pages)
{
	struct native_system *system = calloc(1, sizeof(*system));

	if (!system)
		return NULL;
	system->dev.system = system;
	system->pages = pages;
	system->page = calloc(pages, sizeof(*system->page));
	system->arena =
		mmap(NULL, pages << NATIVE_PAGE_SHIFT, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!system->page || system->arena == MAP_FAILED) {
		free(system->page);
		free(system);
		return NULL;
	}
	madvise(system->arena, pages << NATIVE_PAGE_SHIFT, MADV_HUGEPAGE);
	pthread_mutex_init(&system->lock, NULL);
	return system;
}

void native_close(struct native_system *system)
{
	munmap(system->arena, system->pages << NATIVE_PAGE_SHIFT);
	pthread_mutex_destroy(&system->lock);
	free(system->page);
	free(system);
}

struct native_device *native_device(struct native_system *system)
{
	return &system->dev;
}

char *native_bytes(struct native_system *system, const struct native_page *page)
{
	return system->arena +
	       ((size_t)(page - system->page) << NATIVE_PAGE_SHIFT);
}

void tpos_device_query(tpos_device_t *dev, struct tpos_device_info *info)
{
	(void)dev;
	*info = (struct tpos_device_info){ .dma_mask = UINT64_MAX,
					   .page_shift = NATIVE_PAGE_SHIFT,
					   .max_order = TTMPOOL_NR_ORDERS - 1,
					   .node = TTMPOOL_NODE_ANY };
}

static struct native_page *block_get(struct native_system *system,
				     unsigned int order)
{
	size_t n = (size_t)1 << order;
	size_t first = (system->used + n - 1) & ~(n - 1);
	struct native_page *page = system->free[order];

	if (page) {
		system->free[order] = page->next_free;
		return page;
	}
	if (first + n > system->pages)
		return NULL;
	system->used = first + n;
	return system->page + first;
}

int tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
		     struct ttmpool_chunk *chunk)
{
	struct native_system *system = dev->system;
	struct native_page *page;

	pthread_mutex_lock(&system->lock);
	page = block_get(system, req->order);
	pthread_mutex_unlock(&system->lock);
	if (!page)
		return -ENOMEM;
	tpsim_clear_bytes(native_bytes(system, page),
			  (size_t)1 << (req->order + NATIVE_PAGE_SHIFT));
	tpsim_clear_finish();
	chunk->page = page;
	return 0;
}

void tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct native_system *system = dev->system;
	struct ttmpool_chunk *chunk;

	pthread_mutex_lock(&system->lock);
	ttmpool_for_each_chunk(chunk, chunks) {
		chunk->page->chunk = NULL;
		chunk->page->next_free = system->free[chunk->order];
		system->free[chunk->order] = chunk->page;
	}
	pthread_mutex_unlock(&system->lock);
}

void tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		tpsim_clear_bytes(native_bytes(dev->system, chunk->page),
				  ttmpool_chunk_pages(chunk)
					  << NATIVE_PAGE_SHIFT);
	tpsim_clear_finish();
}

void tpos_pages_split(tpos_device_t *dev, struct ttmpool_chunk *chunk,
		      struct ttmpool_chunk *upper)
{
	(void)dev;
	chunk->order--;
	chunk->flags |= TTMPOOL_CHUNK_SPLIT;
	upper->page = chunk->page + ttmpool_chunk_pages(chunk);
	upper->flags |= TTMPOOL_CHUNK_SPLIT;
}

/* A page does not tell which system it belongs to: nothing is moved or summed here. */
uint32_t tpos_page_sum(const struct tpos_span *page)
{
	(void)page;
	abort();
}

void tpos_pages_copy(const struct tpos_span *to, const struct tpos_span *from)
{
	(void)to;
	(void)from;
	abort();
}

int tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
		     enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk;

	(void)dev;
	ttmpool_for_each_chunk(chunk, chunks)
		chunk->caching = (uint8_t)caching;
	return 0;
}

int tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;

	ttmpool_for_each_chunk(chunk, chunks)
		chunk->dma.addr = (uint64_t)(chunk->page - dev->system->page)
				  << NATIVE_PAGE_SHIFT;
	return 0;
}

size_t tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
		      bool lazy)
{
	struct ttmpool_chunk *chunk;
	size_t back = 0;

	(void)dev;
	(void)lazy;
	ttmpool_for_each_chunk(chunk, chunks)
		back += ttmpool_chunk_pages(chunk);
	return back;
}

int tpos_store_create(tpos_system_t *system, size_t pages, tpos_store_t **store)
{
	(void)system;
	(void)pages;
	(void)store;
	return -ENOMEM;
}

void tpos_store_destroy(tpos_store_t *store)
{
	(void)store;
}

int tpos_store_write(tpos_store_t *store, size_t index,
		     const struct tpos_span *from)
{
	(void)store;
	(void)index;
	(void)from;
	return -EIO;
}

int tpos_store_adopt(tpos_store_t *store, size_t index,
		     struct ttmpool_chunk *chunk)
{
	(void)store;
	(void)index;
	(void)chunk;
	return -EOPNOTSUPP;
}

int tpos_store_read(tpos_store_t *store, size_t index,
		    const struct tpos_span *to)
{
	(void)store;
	(void)index;
	(void)to;
	return -EIO;
}

void tpos_store_drop(tpos_store_t *store, size_t index, size_t pages)
{
	(void)store;
	(void)index;
	(void)pages;
}

/* No reader can still use a descriptor: no timed code gives pages that are not its
 * own. */
struct ttmpool_chunk *tpos_chunk_alloc(tpos_system_t *system, bool named,
				       unsigned int flags)
{
	(void)system;
	(void)named;
	(void)flags;
	return malloc(sizeof(struct ttmpool_named_chunk));
}

void tpos_chunk_free(tpos_system_t *system, struct ttmpool_chunk *chunk)
{
	(void)system;
	free(chunk);
}

void *tpos_zalloc(tpos_system_t *system, size_t size)
{
	(void)system;
	return calloc(1, size);
}

void tpos_free(tpos_system_t *system, void *ptr)
{
	(void)system;
	free(ptr);
}

int tpos_shrinker_register(tpos_system_t *system,
			   struct tpos_shrinker *shrinker)
{
	(void)system;
	(void)shrinker;
	return 0;
}

void tpos_shrinker_unregister(tpos_system_t *system,
			      struct tpos_shrinker *shrinker)
{
	(void)system;
	(void)shrinker;
}

/* There is no worker: a benchmark that wants a pool scrubbed does it itself. */
void tpos_work_queue(tpos_system_t *system, struct tpos_work *work)
{
	(void)system;
	(void)work;
}

void tpos_work_cancel(tpos_system_t *system, struct tpos_work *work)
{
	(void)system;
	(void)work;
}

int tpos_wait(struct tpos_wait *wait, long seen, unsigned int *timeout_ms)
{
	(void)wait;
	(void)seen;
	if (!timeout_ms) /* a running worker goes on meanwhile */
		return 0;
	*timeout_ms = 0;
	return -ETIMEDOUT;
}

int tpos_wait_killable(struct tpos_wait *wait, long seen,
		       unsigned int *timeout_ms)
{
	return tpos_wait(wait, seen, timeout_ms);
}

void tpos_wake(struct tpos_wait *wait)
{
	atomic_fetch_add(&wait->count, 1);
}

void tpos_report(tpos_system_t *system, const struct ttmpool_report *report)
{
	(void)system;
	(void)report;
	abort();
}
