/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BATCH_H
#define BATCH_H

#include "check_ktap.h"

/**
 * struct batch - chunks that come straight from the port, without a pool
 * @dev: the device that they are for
 * @pool: the pool that the chunks name; only its device is set
 * @chunks: the list that the functions of the contract take
 * @n: the number of chunks in @all
 * @all: the chunks
 */
struct batch {
	struct device *dev;
	struct ttmpool_pool pool;
	struct ttmpool_list chunks;
	int n;
	struct ttmpool_chunk all[16];
};

/** batch_open() - create an empty batch for the first device; NULL without memory. */
struct batch *batch_open(struct check *t);

/** batch_add() - allocate one more chunk; returns whether there was one. */
bool batch_add(struct batch *batch, enum ttmpool_source source,
	       unsigned int order);

/** batch_has() - are there chunks of that order for the device? A device that does not
 * see the CPU's caches has only single coherent pages. */
bool batch_has(struct batch *batch, enum ttmpool_source source,
	       unsigned int order);

/** batch_is() - does every page have that caching, in its chunk and in the page table? */
bool batch_is(struct batch *batch, enum ttmpool_caching caching);

/** batch_free() - free all chunks. */
void batch_free(struct batch *batch);

/**
 * batch_adopt() - have a store take over a chunk, whatever else is free
 * @batch: its device is used; the chunk need not be on its list
 * @store: the store, which has room for the chunk
 * @index: of the chunk's first page in the store
 * @chunk: an ordinary chunk; it is split into single pages for that
 *
 * Return: the first error of tpos_store_adopt(), or 0.
 */
int batch_adopt(struct batch *batch, tpos_store_t *store, size_t index,
		struct ttmpool_chunk *chunk);

/**
 * batch_stale_store_arrives() - does a write to an address that was unmapped arrive?
 * @batch: its device makes the write
 * @chunks: mapped; the device writes to the first one, and all are unmapped
 * @lazy: unmap them lazily
 *
 * The device has used the address before, so that its translation is in the IOTLB. It
 * looks an address up at the end of its transfer, and the pages are unmapped a few
 * milliseconds before that: the kernel's lazy mode empties its queue 10 ms after the
 * first unmap (IOVA_FQ_TIMEOUT), so only the unmap itself can invalidate the translation
 * meanwhile.
 */
bool batch_stale_store_arrives(struct batch *batch, struct ttmpool_list *chunks,
			       bool lazy);

/** batch_squeeze() - take all memory that can be had, so that everything that can be
 * reclaimed is; and free it. */
void batch_squeeze(void);

#endif
