// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The live buffers: a hash table with linear probing.
 *
 * Ids are never used again, so a table that kept dead buffers would grow with the trace.
 * This one forgets them: when a buffer is destroyed, every later entry of the same run
 * that may move back closes the gap. There are no tombstones, and a run ends at the first
 * empty slot.
 *
 *     slot     4    5    6    7    8
 *     before   a4   b4   c5   d7   -
 *     b4 goes  a4   c5   -    d7   -  d7 is in its home slot, and stays
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "buffers.h"

#define FIRST_SLOTS 64 /* a power of two, as every size that follows */

/* The finalizer of splitmix64: neighbouring ids end up far apart. */
static size_t home_slot(const struct buffers *buffers, uint64_t id)
{
	id = (id ^ (id >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	id = (id ^ (id >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (size_t)(id ^ (id >> 31)) & (buffers->nr_slots - 1);
}

/* The slot of buffer @id, or the empty one where it would be. */
static size_t find_slot(const struct buffers *buffers, uint64_t id)
{
	size_t slot = home_slot(buffers, id);

	while (buffers->slots[slot] && buffers->slots[slot]->id != id)
		slot = (slot + 1) & (buffers->nr_slots - 1);
	return slot;
}

int buffers_init(struct buffers *buffers)
{
	buffers->nr_live = 0;
	buffers->nr_slots = FIRST_SLOTS;
	buffers->slots = calloc(FIRST_SLOTS, sizeof(*buffers->slots));
	return buffers->slots ? 0 : -ENOMEM;
}

void buffers_fini(struct buffers *buffers)
{
	assert(buffers->nr_live == 0);
	free(buffers->slots);
	buffers->slots = NULL;
}

struct buffer *buffers_find(const struct buffers *buffers, uint64_t id)
{
	return buffers->slots[find_slot(buffers, id)];
}

/* Double the slots. */
static int grow(struct buffers *buffers)
{
	struct buffers larger = { .nr_slots = buffers->nr_slots * 2,
				  .nr_live = buffers->nr_live };
	size_t i;

	larger.slots = calloc(larger.nr_slots, sizeof(*larger.slots));
	if (!larger.slots)
		return -ENOMEM;
	for (i = 0; i < buffers->nr_slots; i++) {
		struct buffer *buffer = buffers->slots[i];

		if (buffer)
			larger.slots[find_slot(&larger, buffer->id)] = buffer;
	}
	free(buffers->slots);
	*buffers = larger;
	return 0;
}

static void buffer_free(struct buffer *buffer)
{
	free(buffer->dma_addr);
	free(buffer->pages);
	free(buffer);
}

struct buffer *buffers_create(struct buffers *buffers, uint64_t id,
			      size_t num_pages)
{
	struct buffer *buffer;

	if (buffers->nr_live >= buffers->nr_slots / 2 && grow(buffers))
		return NULL;
	buffer = calloc(1, sizeof(*buffer));
	if (!buffer)
		return NULL;
	if (num_pages) {
		buffer->pages = calloc(num_pages, sizeof(*buffer->pages));
		buffer->dma_addr = calloc(num_pages, sizeof(*buffer->dma_addr));
		if (!buffer->pages || !buffer->dma_addr) {
			buffer_free(buffer);
			return NULL;
		}
	}
	buffer->id = id;
	buffer->num_pages = num_pages;
	buffers->slots[find_slot(buffers, id)] = buffer;
	buffers->nr_live++;
	return buffer;
}

void buffers_destroy(struct buffers *buffers, struct buffer *buffer)
{
	size_t mask = buffers->nr_slots - 1;
	size_t gap = find_slot(buffers, buffer->id);
	size_t slot = gap;
	struct buffer *later;

	while ((later = buffers->slots[slot = (slot + 1) & mask])) {
		size_t home = home_slot(buffers, later->id);

		/* It may move back unless its home is behind the gap. */
		if (((slot - home) & mask) < ((slot - gap) & mask))
			continue;
		buffers->slots[gap] = later;
		gap = slot;
	}
	buffers->slots[gap] = NULL;
	buffers->nr_live--;
	buffer_free(buffer);
}

struct buffer *buffers_next(const struct buffers *buffers, size_t *cursor)
{
	/*
	 * The cursor stays on the slot of the buffer that it returned: if that buffer is
	 * destroyed, another one may have moved there.
	 */
	while (*cursor < buffers->nr_slots && !buffers->slots[*cursor])
		(*cursor)++;
	return *cursor < buffers->nr_slots ? buffers->slots[*cursor] : NULL;
}
