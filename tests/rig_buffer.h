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
	bool locked; /* by its owner: the swapper may not have it */
};

/** buffer_plain, buffer_coherent - the stock functions, and the lock above. */
extern const struct ttmpool_backend_funcs buffer_plain;
extern const struct ttmpool_backend_funcs buffer_coherent;

/**
 * struct buffer_config - zero-initialise and set what matters
 * @pool: which of the rig's
 * @num_pages: 0 means 1
 * @caching: of an enum ttmpool_caching
 * @funcs: NULL for what the pool's device needs
 * @owner: or NULL
 * @unmapped: no DMA addresses are wanted
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

/** buffer_ready() - a populated buffer, stamped; NULL if that failed. */
struct buffer *buffer_ready(struct check *t, struct rig *rig,
			    const struct buffer_config *config,
			    unsigned char seed);

/** buffer_fill() - the CPU writes @byte to every byte. */
bool buffer_fill(struct check *t, struct buffer *buf, unsigned char byte);

/** buffer_holds() - is every byte @byte, as the CPU sees it? */
bool buffer_holds(struct check *t, struct buffer *buf, unsigned char byte);

/** buffer_stamp() - the CPU writes bytes that differ from page to page. */
bool buffer_stamp(struct check *t, struct buffer *buf, unsigned char seed);

/** buffer_is_stamped() - are these bytes there, as the CPU sees it, and, if the
 * buffer is populated with addresses, as the device sees it? */
bool buffer_is_stamped(struct check *t, struct buffer *buf, unsigned char seed);

/** buffer_pages() - how many pages it has now, in whatever state it is. */
size_t buffer_pages(const struct buffer *buf);

/** buffer_is_of() - is every page of that caching, for the CPU? */
bool buffer_is_of(struct check *t, struct buffer *buf,
		  enum ttmpool_caching caching);

/** buffer_cycle() - populate and unpopulate; the first error. */
int buffer_cycle(struct buffer *buf);

#endif
