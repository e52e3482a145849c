// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Faults that are planted, to see whether the model finds them: the linker puts our
 * functions in front of the port's, and the one that MODEL_PLANT names misbehaves now and
 * then.
 *
 *     pages      a batch of pages is not freed, only its descriptors are
 *     owners     the same page is allocated twice
 *     caching    chunks say that their caching was changed, but it was not
 *     addresses  two chunks of a batch have each other's addresses
 *     unmap      a mapping does not end
 *     late       it ends, but the IOTLB is not invalidated
 *     clear      pages are not cleared
 *     store      the contents are not read back from the store
 *     copy       contents are not copied
 *     budget     a budget says that there is room
 *     poison     no page is reported as poisoned
 */

#include <stdlib.h>

#include <ttmpool/ttmpool.h>

#include "tpsim.h"

/* One call of so many is wrong; not the first, so that there are steps to leave out. */
#define NOW_AND_THEN 4

static bool is_time(const char *plant)
{
	static unsigned int calls;
	const char *chosen = getenv("MODEL_PLANT");

	return chosen && !strcmp(chosen, plant) && !(++calls % NOW_AND_THEN);
}

void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
int __real_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
int __real_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __real_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
void __real_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
void __real_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);
int __real_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to);
bool __real_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit);
bool __real_tpos_may_be_poisoned(tpos_device_t *dev);

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk);
int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from);
int __wrap_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to);
bool __wrap_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit);
bool __wrap_tpos_may_be_poisoned(tpos_device_t *dev);

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	if (!is_time("pages"))
		__real_tpos_pages_free(dev, chunks);
}

int __wrap_tpos_pages_alloc(tpos_device_t *dev, const struct tpos_alloc *req,
			    struct ttmpool_chunk *chunk)
{
	static tpos_page_t *last;
	int err;

	if (last && !req->order && req->source == TTMPOOL_PLAIN &&
	    is_time("owners")) {
		chunk->page = last;
		return 0;
	}
	err = __real_tpos_pages_alloc(dev, req, chunk);
	if (!err && !req->order && req->source == TTMPOOL_PLAIN)
		last = chunk->page;
	return err;
}

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching)
{
	struct ttmpool_chunk *chunk;

	if (!is_time("caching"))
		return __real_tpos_caching_set(dev, chunks, caching);
	ttmpool_for_each_chunk(chunk, chunks)
		chunk->caching = caching;
	return 0;
}

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	int err = __real_tpos_dma_map(dev, chunks);
	struct ttmpool_chunk *first = ttmpool_chunk_of(chunks->next);
	struct ttmpool_chunk *last = ttmpool_chunk_of(chunks->prev);

	if (!err && first != last && is_time("addresses")) {
		struct tpos_dma dma = first->dma;

		first->dma = last->dma;
		last->dma = dma;
	}
	return err;
}

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	struct ttmpool_chunk *chunk;
	size_t back = 0;

	if (!is_time("unmap"))
		return __real_tpos_dma_unmap(dev, chunks,
					     lazy || is_time("late"));
	ttmpool_for_each_chunk(chunk, chunks)
		back += ttmpool_chunk_pages(chunk);
	return back;
}

void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	if (!is_time("clear"))
		__real_tpos_pages_clear(dev, chunks);
}

void __wrap_tpos_pages_copy(const struct tpos_span *to,
			    const struct tpos_span *from)
{
	if (!is_time("copy"))
		__real_tpos_pages_copy(to, from);
}

int __wrap_tpos_store_read(tpos_store_t *store, size_t index,
			   const struct tpos_span *to)
{
	if (is_time("store"))
		return 0;
	return __real_tpos_store_read(store, index, to);
}

bool __wrap_tpos_atomic_add_unless_above(unsigned long n, tpos_atomic_t *a,
					 unsigned long limit)
{
	return __real_tpos_atomic_add_unless_above(
		n, a, is_time("budget") ? ULONG_MAX : limit);
}

bool __wrap_tpos_may_be_poisoned(tpos_device_t *dev)
{
	return __real_tpos_may_be_poisoned(dev) && !is_time("poison");
}
