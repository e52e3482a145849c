/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_BACKUP_H
#define TTMPOOL_BACKUP_H

/*
 * For a caller that stores the contents of pages itself when the system is short of memory.
 * It calls these functions in this order:
 *
 *     ttmpool_pool_strip()         makes the pages ordinary ones, which the CPU reads
 *                                  fast
 *     (the caller stores the contents)
 *     ttmpool_pool_give_up()       gives stored pages to the system; the pool does not
 *                                  keep them
 *     ttmpool_pool_give_up_part()  gives the stored part of a chunk to the system, when
 *                                  there is no memory to store the rest
 *     ttmpool_pool_ready()         turns pages that could not be stored back into pages
 *                                  of the device
 *
 * For a buffer of lib/buffer, ttmpool_swapout() does all of this.
 */

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * ttmpool_pool_strip() - turn pages in use into ordinary pages
 * @pool: the pool
 * @pages: an array of whole chunks; entries without a page are skipped
 * @num_pages: the number of entries; at least one
 * @ticket: the ticket that the pages were taken with; 0 for none
 *
 * The function unmaps plain pages and makes them write-back, in one batch and in place. No
 * byte is copied or lost, and the pages stay in use. The caller ensures that neither the
 * device nor the CPU uses their addresses. Coherent pages become write-back, and stay
 * mapped. Before the function changes anything, it checks every chunk as
 * ttmpool_pool_give_ticket() does, except that any caching is allowed. May sleep. Does not
 * allocate.
 *
 * Return: 0; -EINVAL if there is no array or no entry, or if a chunk was refused, and then
 * nothing has changed; or an error of the port, and then some pages are not write-back:
 * ttmpool_pool_give_up() quarantines these pages, and ttmpool_pool_ready() tries again.
 */
int TPOS_MUST_CHECK ttmpool_pool_strip(struct ttmpool_pool *pool,
				       tpos_page_t *const *pages,
				       size_t num_pages, uint32_t ticket);

/**
 * ttmpool_pool_ready() - turn ordinary pages back into pages of the device
 * @pool: the pool
 * @req: the number of entries, the caching that the pages shall have, and the ticket that
 *	they were taken with; only these members are read
 * @pages: an array of whole chunks with req->num_pages entries; entries without a page are
 *	skipped
 * @dma_addr: set to the address of each page; NULL if the pages need not be mapped
 *
 * The function undoes ttmpool_pool_strip(), in place. It maps the pages that are not
 * mapped, and converts the pages of another caching, in one batch each. It makes nobody
 * give up pages or mappings. It checks chunks as ttmpool_pool_strip() does. May sleep.
 *
 * Return: 0; -EINVAL if there is no array, no entry, or no such caching, or if a chunk was
 * refused, and then nothing has changed; -ENOSPC if there are no addresses, or if a limit
 * has no room for them; or another error of the port. After -ENOSPC and errors of the port
 * the pages are as ttmpool_pool_strip() leaves them, and @dma_addr is unchanged.
 */
int TPOS_MUST_CHECK ttmpool_pool_ready(struct ttmpool_pool *pool,
				       const struct ttmpool_request *req,
				       tpos_page_t *const *pages,
				       tpos_dma_addr_t *dma_addr);

/**
 * ttmpool_pool_give_up() - give pages to the system instead of to the pool
 * @pool: the pool
 * @pages: an array of whole chunks; entries without a page are skipped
 * @num_pages: the number of entries; at least one
 * @ticket: the ticket that the pages were taken with; 0 for none
 *
 * Like ttmpool_pool_give_ticket(), but the pool keeps none of the pages, whatever its
 * policy says: when this function returns, the system has them. The function checks the
 * chunks as ttmpool_pool_strip() does. It unmaps pages that are mapped, and makes pages of
 * any other caching write-back. The pool reports and quarantines a chunk that cannot be
 * made write-back, or that the hardware has poisoned. May sleep. Does not allocate, so it
 * can always be called.
 *
 * Return: 0; -EINVAL if there is no array or no entry, or if a chunk was refused, and then
 * nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give_up(struct ttmpool_pool *pool,
					 tpos_page_t *const *pages,
					 size_t num_pages, uint32_t ticket);

/**
 * ttmpool_pool_give_up_part() - give the first pages of a chunk to the system
 * @pool: the pool
 * @pages: the array of one chunk, whose pages are ordinary (ttmpool_pool_strip())
 * @num_pages: the number of pages of the chunk
 * @part: how many of these pages shall go; at least one, and not all
 * @ticket: the ticket that the pages were taken with; 0 for none
 *
 * The function halves the chunk only as often as necessary. The pages that stay are in use
 * as before, as chunks of smaller orders, at the same indices of the array. Each halving
 * needs a descriptor; if there is no memory for one, fewer pages go. May sleep.
 *
 * Return: the number of pages that went, at most @part; -EINVAL if there is no array, if
 * @part is 0 or not less than @num_pages, if the pages are not all of one chunk, or are
 * mapped, coherent or not write-back, or if the array was refused, and then nothing has
 * changed; -ENOMEM if there was no memory for the descriptors that separate the first page
 * from the others. Then no page went, but the chunk may already be divided into several.
 */
long TPOS_MUST_CHECK ttmpool_pool_give_up_part(struct ttmpool_pool *pool,
					       tpos_page_t *const *pages,
					       size_t num_pages, size_t part,
					       uint32_t ticket);

TPOS_API_END

#endif
