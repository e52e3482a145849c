/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef RIG_BUFFER_H
#define RIG_BUFFER_H

/* Buffers: for suites that test the floor above the pool. */

#include <ttmpool/ttmpool.h>

#include "rig.h"

/**
 * struct buffer - a backend with its arrays
 */
struct buffer {
	struct ttmpool_backend be;
	tpos_page_t **pages;
	tpos_dma_addr_t *dma_addr;
	bool locked; /* by its owner: the swapper passes over it */
};

/** buffer_plain, buffer_coherent - the stock functions, with that lock. */
extern const struct ttmpool_backend_funcs buffer_plain;
extern const struct ttmpool_backend_funcs buffer_coherent;

/**
 * struct buffer_config - zero-initialise it and set what matters
 * @pool: index of the rig's pool
 * @num_pages: 0 means 1
 * @caching: an enum ttmpool_caching
 * @funcs: NULL for those that fit the pool's device
 * @owner: or NULL
 * @unmapped: the buffer has no DMA addresses
 */
struct buffer_config {
	int pool;
	size_t num_pages;
	enum ttmpool_caching caching;
	const struct ttmpool_backend_funcs *funcs;
	struct ttmpool_owner *owner;
	bool unmapped;
};

/** buffer_open() - an empty buffer; NULL if its init failed. */
struct buffer *buffer_open(struct check *t, struct rig *rig,
			   const struct buffer_config *config);

/** buffer_ready() - a populated and stamped buffer; NULL if that failed. */
struct buffer *buffer_ready(struct check *t, struct rig *rig,
			    const struct buffer_config *config,
			    unsigned char seed);

/** buffer_fill() - the CPU writes @byte to every byte. */
bool buffer_fill(struct check *t, struct buffer *buf, unsigned char byte);

/** buffer_holds() - does the CPU read @byte in every byte? */
bool buffer_holds(struct check *t, struct buffer *buf, unsigned char byte);

/** buffer_stamp() - the CPU writes bytes that differ from page to page. */
bool buffer_stamp(struct check *t, struct buffer *buf, unsigned char seed);

/** buffer_is_stamped() - does the CPU read these bytes and, if the buffer is populated
 * with addresses, the device as well? */
bool buffer_is_stamped(struct check *t, struct buffer *buf, unsigned char seed);

/** buffer_pages() - how many pages the buffer has now, in any state. */
size_t buffer_pages(const struct buffer *buf);

/** buffer_is_of() - does the CPU access every page with that caching? */
bool buffer_is_of(struct check *t, struct buffer *buf,
		  enum ttmpool_caching caching);

/** buffer_cycle() - populate and unpopulate; the first error. */
int buffer_cycle(struct buffer *buf);

#endif
