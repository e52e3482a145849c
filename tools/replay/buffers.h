/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef REPLAY_BUFFERS_H
#define REPLAY_BUFFERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ttmpool/backend.h>

/**
 * struct buffer - one buffer between its alloc and its free row
 * @id: column buf
 * @line: of its alloc row
 * @num_pages: length of its arrays
 * @recorded_pages: column pages of that row
 * @recorded_caching: column caching
 * @populated: it has pages; false if the pool could not give them
 * @written: all of them are stamped: see content.h
 * @swapped_out: a swapout row was seen, and its free row comes
 * @be: the backend that a driver would have
 * @pages: the array of @be
 * @dma_addr: their addresses for the device
 */
struct buffer {
	uint64_t id;
	uint64_t line;
	size_t num_pages;
	uint64_t recorded_pages;
	enum ttmpool_caching recorded_caching;
	bool populated;
	bool written;
	bool swapped_out;
	struct ttmpool_backend be;
	tpos_page_t **pages;
	tpos_dma_addr_t *dma_addr;
};

/** struct buffers - the live buffers, found by their id; members are private */
struct buffers {
	struct buffer **slots;
	size_t nr_slots;
	size_t nr_live;
};

/** buffers_init() - begin with none; 0 or -ENOMEM. */
int buffers_init(struct buffers *buffers);

/** buffers_fini() - free the table; none may be live. */
void buffers_fini(struct buffers *buffers);

/** buffers_find() - the live buffer @id, or NULL. */
struct buffer *buffers_find(const struct buffers *buffers, uint64_t id);

/**
 * buffers_create() - add a buffer
 * @buffers: the table
 * @id: its name; no live buffer has it
 * @num_pages: length of its arrays; 0 for a buffer that will have no pages
 *
 * Return: the buffer, zeroed but for its names and arrays, or NULL if the process has no
 * memory.
 */
struct buffer *buffers_create(struct buffers *buffers, uint64_t id,
			      size_t num_pages);

/** buffers_destroy() - remove @buffer, and free it. */
void buffers_destroy(struct buffers *buffers, struct buffer *buffer);

/**
 * buffers_next() - find the live buffers, to destroy them all
 * @buffers: the table
 * @cursor: 0 at first; the buffer returned is destroyed before the next call,
 *	and none is created
 *
 * Return: a buffer, or NULL when there is none left.
 */
struct buffer *buffers_next(const struct buffers *buffers, size_t *cursor);

#endif
