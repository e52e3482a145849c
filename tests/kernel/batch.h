/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef BATCH_H
#define BATCH_H

#include "check_ktap.h"

/**
 * struct batch - chunks straight from the port, without a pool
 * @dev: the device that they are for
 * @pool: what the chunks name as theirs; its device is all that it has
 * @chunks: the list that the contract's functions take
 * @n: how many are in @all
 * @all: the chunks
 */
struct batch {
	struct device *dev;
	struct ttmpool_pool pool;
	struct ttmpool_list chunks;
	int n;
	struct ttmpool_chunk all[16];
};

/** batch_open() - an empty batch for the first device; NULL without memory. */
struct batch *batch_open(struct check *t);

/** batch_add() - get one more chunk; whether there was one. */
bool batch_add(struct batch *batch, enum ttmpool_source source,
	       unsigned int order);

/** batch_has() - are there chunks of that order for the device? One that does not see the
 * CPU's caches has no coherent pages but single ones. */
bool batch_has(struct batch *batch, enum ttmpool_source source,
	       unsigned int order);

/** batch_is() - is every page of that caching, by the chunks and by the page
 * table? */
bool batch_is(struct batch *batch, enum ttmpool_caching caching);

/** batch_free() - give all of it back to the system. */
void batch_free(struct batch *batch);

/**
 * batch_adopt() - a store takes a chunk, whatever else is free
 * @batch: whose device it is; the chunk need not be on a list of it
 * @store: has room for it
 * @index: of its first page there
 * @chunk: an ordinary one; it is cut into single pages for that
 *
 * Return: what tpos_store_adopt() said first that was an error, or 0.
 */
int batch_adopt(struct batch *batch, tpos_store_t *store, size_t index,
		struct ttmpool_chunk *chunk);

/**
 * batch_stale_store_arrives() - does a write to an address that was unmapped arrive?
 * @batch: whose device it is
 * @chunks: mapped; the first is written to, and all are unmapped
 * @lazy: unmap them lazily
 *
 * The device has used the address before, so that its translation is in the IOTLB. It looks
 * an address up at the end of its transfer, and the pages are unmapped a few milliseconds
 * before that: the kernel's lazy mode empties its queue 10 ms after the first unmapping
 * (IOVA_FQ_TIMEOUT), so nothing is invalidated meanwhile but by the unmapping itself.
 */
bool batch_stale_store_arrives(struct batch *batch, struct ttmpool_list *chunks,
			       bool lazy);

/** batch_squeeze() - take all memory of the system that can be had, so that
 * what can leave it does; and give it back. */
void batch_squeeze(void);

#endif
