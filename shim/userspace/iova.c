// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * IOVA space: which addresses of a device are free.
 *
 * Addresses are allocated as drivers/iommu/iova.c does for dma-iommu.c: from the top down
 * (__alloc_and_insert_iova_range()), aligned to their size, and first below 4 GiB, which
 * short descriptors and old bridges can reach. Addresses above are allocated only when the
 * space below is full (iommu_dma_alloc_iova()). Page 0 is never allocated. If nothing
 * fits, the allocation fails: it does not flush the queue to get addresses back (iommu.c).
 *
 * Because all sizes are powers of two, a buddy allocator does this. Its order has no limit,
 * and it has a list for each order below 4 GiB, and another above. Of the blocks at the
 * heads of the lists, it takes the one with the highest address. All blocks, free and
 * mapped, are in one hash table by their first page. They cover the space without overlap,
 * so the table also serves to look up an address.
 */

#include <stdlib.h>

#include "machine.h"

#define FIRST_BUCKETS 64

static size_t bucket_of(const struct iova_space *space, uint64_t pfn)
{
	return (size_t)((pfn * 0x9e3779b97f4a7c15ull) >> 32) &
	       space->bucket_mask;
}

static struct iova_block *lookup(const struct iova_space *space, uint64_t pfn)
{
	struct iova_block *block = space->buckets[bucket_of(space, pfn)];

	while (block && block->pfn != pfn)
		block = block->chain;
	return block;
}

static void hash_add(struct iova_space *space, struct iova_block *block)
{
	size_t bucket = bucket_of(space, block->pfn);

	block->chain = space->buckets[bucket];
	space->buckets[bucket] = block;
	space->blocks++;
}

static void hash_del(struct iova_space *space, struct iova_block *block)
{
	struct iova_block **link =
		&space->buckets[bucket_of(space, block->pfn)];

	while (*link != block)
		link = &(*link)->chain;
	*link = block->chain;
	space->blocks--;
}

/*
 * Doubles the table when it is full. If there is no memory for that, the table only
 * gets slower.
 */
static void hash_grow(struct iova_space *space)
{
	size_t size = space->bucket_mask + 1;
	struct iova_block **old = space->buckets;

	if (space->blocks <= size)
		return;
	space->buckets = calloc(2 * size, sizeof(*old));
	if (!space->buckets) {
		space->buckets = old;
		return;
	}
	space->bucket_mask = 2 * size - 1;
	space->blocks = 0;
	for (size_t i = 0; i < size; i++) {
		while (old[i]) {
			struct iova_block *block = old[i];

			old[i] = block->chain;
			hash_add(space, block);
		}
	}
	free(old);
}

static struct iova_block **free_list(struct iova_space *space,
				     const struct iova_block *block)
{
	return &space->free[block->pfn >= space->low_end][block->order];
}

static void list_add(struct iova_space *space, struct iova_block *block)
{
	struct iova_block **head = free_list(space, block);

	block->mapping = NULL;
	block->prev_free = NULL;
	block->next_free = *head;
	if (*head)
		(*head)->prev_free = block;
	*head = block;
}

static void list_del(struct iova_space *space, struct iova_block *block)
{
	if (block->next_free)
		block->next_free->prev_free = block->prev_free;
	if (block->prev_free)
		block->prev_free->next_free = block->next_free;
	else
		*free_list(space, block) = block->next_free;
}

static struct iova_block *block_create(struct iova_space *space, uint64_t pfn,
				       unsigned int order)
{
	struct iova_block *block = calloc(1, sizeof(*block));

	if (!block)
		return NULL;
	block->pfn = pfn;
	block->order = order;
	hash_add(space, block);
	list_add(space, block);
	return block;
}

static void block_destroy(struct iova_space *space, struct iova_block *block)
{
	list_del(space, block);
	hash_del(space, block);
	free(block);
}

/* Returns the first page beyond what the device may use. */
static uint64_t end_pfn(const struct tpsim_device *dev)
{
	uint64_t last = dev->config.dma_mask;
	uint64_t bytes = dev->machine->config.iova_bytes;

	if (last >> IOVA_BITS)
		last = (1ull << IOVA_BITS) - 1;
	if (bytes && bytes - 1 < last)
		last = bytes - 1;
	return (last + 1) >> dev->machine->config.page_shift;
}

/* Creates free blocks, as large as alignment allows, from @pfn to @end. */
static int blocks_create(struct iova_space *space, uint64_t pfn, uint64_t end)
{
	while (pfn < end) {
		unsigned int order = (unsigned int)__builtin_ctzll(pfn);

		while ((1ull << order) > end - pfn)
			order--;
		if (!block_create(space, pfn, order))
			return -ENOMEM;
		pfn += 1ull << order;
	}
	return 0;
}

int tpsim_iova_init(struct tpsim_device *dev)
{
	struct iova_space *space = &dev->iova;

	space->low_end = 4 * GIB >> dev->machine->config.page_shift;
	space->buckets = calloc(FIRST_BUCKETS, sizeof(struct iova_block *));
	if (!space->buckets)
		return -ENOMEM;
	space->bucket_mask = FIRST_BUCKETS - 1;
	if (!blocks_create(space, 1, end_pfn(dev)))
		return 0;
	tpsim_iova_fini(dev);
	return -ENOMEM;
}

static int by_pfn(const void *a, const void *b)
{
	const struct iova_block *const *first = a, *const *second = b;

	return (*first)->pfn < (*second)->pfn ? -1 : 1;
}

/*
 * Destroys the free blocks, and stores the mapped ones in @mapped, in order.
 * Returns how many are mapped.
 */
static size_t blocks_collect(struct iova_space *space,
			     struct iova_block **mapped)
{
	size_t n = 0;

	for (size_t i = 0; i <= space->bucket_mask; i++) {
		struct iova_block *block = space->buckets[i];

		while (block) {
			struct iova_block *next = block->chain;

			if (block->mapping)
				mapped[n++] = block;
			else
				block_destroy(space, block);
			block = next;
		}
	}
	qsort(mapped, n, sizeof(struct iova_block *), by_pfn);
	return n;
}

/*
 * Makes all addresses free that are not mapped, up to the new end, after the mask
 * has changed.
 */
int tpsim_iova_bound(struct tpsim_device *dev)
{
	struct iova_space *space = &dev->iova;
	struct iova_block **mapped = calloc(space->blocks + 1, sizeof(*mapped));
	uint64_t pfn = 1, end = end_pfn(dev);
	size_t n;
	int err = 0;

	if (!mapped)
		return -ENOMEM;
	n = blocks_collect(space, mapped);
	for (size_t i = 0; i < n && !err; i++) {
		uint64_t until = mapped[i]->pfn < end ? mapped[i]->pfn : end;

		err = blocks_create(space, pfn, until);
		pfn = mapped[i]->pfn + (1ull << mapped[i]->order);
	}
	if (!err)
		err = blocks_create(space, pfn, end);
	free(mapped);
	return err;
}

void tpsim_iova_fini(struct tpsim_device *dev)
{
	struct iova_space *space = &dev->iova;

	for (size_t i = 0; i <= space->bucket_mask; i++) {
		while (space->buckets[i]) {
			struct iova_block *block = space->buckets[i];

			space->buckets[i] = block->chain;
			free(block);
		}
	}
	free(space->buckets);
}

/*
 * Returns the free block with the highest address among those at the heads of the
 * lists that are large enough.
 */
static struct iova_block *pick(const struct iova_space *space, int side,
			       unsigned int order)
{
	struct iova_block *best = NULL;

	for (; order < IOVA_ORDERS; order++) {
		struct iova_block *block = space->free[side][order];

		if (block && (!best || block->pfn > best->pfn))
			best = block;
	}
	return best;
}

/* Halves a free block. Returns the upper half, which is new. */
static struct iova_block *halve(struct iova_space *space,
				struct iova_block *block)
{
	struct iova_block *upper;
	unsigned int order = block->order - 1;

	upper = block_create(space, block->pfn + (1ull << order), order);
	if (!upper)
		return NULL;
	list_del(space, block);
	block->order = order;
	list_add(space, block);
	return upper;
}

/* Merges a free block with its buddy, as long as that is free, too. */
static void merge(struct iova_space *space, struct iova_block *block)
{
	for (;;) {
		uint64_t pfn = block->pfn ^ (1ull << block->order);
		struct iova_block *buddy = lookup(space, pfn);
		struct iova_block *lower;

		if (!buddy || buddy->mapping || buddy->order != block->order)
			return;
		lower = pfn < block->pfn ? buddy : block;
		block_destroy(space, lower == buddy ? block : buddy);
		list_del(space, lower);
		lower->order++;
		list_add(space, lower);
		block = lower;
	}
}

/*
 * Halves an allocated block; the upper half is allocated, too. Returns the upper
 * half, or NULL if there is no memory.
 */
struct iova_block *tpsim_iova_halve(struct tpsim_device *dev,
				    struct iova_block *block)
{
	struct iova_space *space = &dev->iova;
	unsigned int order = block->order - 1;
	struct iova_block *upper =
		block_create(space, block->pfn + (1ull << order), order);

	if (!upper)
		return NULL;
	list_del(space, upper);
	block->order = order;
	return upper;
}

struct iova_block *tpsim_iova_alloc(struct tpsim_device *dev,
				    unsigned int order)
{
	struct iova_space *space = &dev->iova;
	struct iova_block *block = pick(space, 0, order);

	if (!block)
		block = pick(space, 1, order);
	if (!block)
		return NULL;
	while (block->order > order) {
		struct iova_block *upper = halve(space, block);

		if (!upper) {
			merge(space, block);
			return NULL;
		}
		block = upper;
	}
	list_del(space, block);
	hash_grow(space);
	return block;
}

/* A block beyond the end, which the mask may have moved, is destroyed. */
void tpsim_iova_free(struct tpsim_device *dev, struct iova_block *block)
{
	list_add(&dev->iova, block);
	if (block->pfn >= end_pfn(dev))
		block_destroy(&dev->iova, block);
	else
		merge(&dev->iova, block);
}

/*
 * Returns the block that contains an address, or NULL if the address is outside of
 * the space.
 */
struct iova_block *tpsim_iova_find(struct tpsim_device *dev, uint64_t pfn)
{
	unsigned int most = dev->machine->config.max_order;

	for (unsigned int order = 0; order <= most; order++) {
		uint64_t first = pfn & ~((1ull << order) - 1);
		struct iova_block *block = lookup(&dev->iova, first);

		if (block && pfn - first < 1ull << block->order)
			return block;
	}
	return NULL;
}
