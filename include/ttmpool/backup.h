/* SPDX-License-Identifier: GPL-2.0 OR MIT */
#ifndef TTMPOOL_BACKUP_H
#define TTMPOOL_BACKUP_H

/*
 * For who moves the contents of pages by himself, because the system is short of
 * memory: these pages are of no use in a pool, and go to the system.
 *
 *     ttmpool_pool_strip()         the pages are ordinary ones: fast to read
 *     (store what is in them)
 *     ttmpool_pool_give_up()       what is stored goes to the system
 *     ttmpool_pool_give_up_part()  so does the stored part of a chunk, when there
 *                                  is no memory to store the rest
 *     ttmpool_pool_ready()         what could not be stored is the device's again
 *
 * A buffer of lib/buffer has ttmpool_swapout() for all of it.
 */

#include <ttmpool/pool.h>

TPOS_API_BEGIN

/**
 * ttmpool_pool_strip() - make ordinary pages of those that are in use
 * @pool: the pool
 * @pages: an array of whole chunks; entries without a page are passed over
 * @num_pages: how many entries; at least one
 * @ticket: what they were taken with; 0: none
 *
 * Plain pages are not mapped any more, and write-back, all in one batch, in place: no
 * byte is copied or lost, and they stay in use. The caller sees to it that neither
 * device nor CPU uses their addresses. Coherent pages become write-back, and stay
 * mapped. Every chunk is checked before anything is done, as by
 * ttmpool_pool_give_ticket(), but for its caching, which may be any. May sleep. Does
 * not allocate.
 *
 * Return: 0; -EINVAL if there is no array or no entry, or if it was refused, and then
 * nothing has changed; or what the port returned, and then some pages are not
 * write-back: ttmpool_pool_give_up() quarantines them, ttmpool_pool_ready() tries again.
 */
int TPOS_MUST_CHECK ttmpool_pool_strip(struct ttmpool_pool *pool,
				       tpos_page_t *const *pages,
				       size_t num_pages, uint32_t ticket);

/**
 * ttmpool_pool_ready() - make ordinary pages the device's again
 * @pool: the pool
 * @req: what they shall be: num_pages, caching and ticket are read
 * @pages: an array of whole chunks of req->num_pages entries; those without a page are
 *	passed over
 * @dma_addr: gets the address of each page; NULL: they need not be mapped
 *
 * Undoes ttmpool_pool_strip(), in place: what is not mapped is mapped, what is of
 * another caching is converted, in one batch each. Nobody gives up anything for it,
 * neither pages nor mappings. Chunks are checked as by ttmpool_pool_strip(). May sleep.
 *
 * Return: 0; -EINVAL if there is no array, no entry, or no such caching, or if it was
 * refused, and then nothing has changed; -ENOSPC: there are no addresses, or a limit has
 * no room for them; or what else the port returned. After an error of these the pages are
 * as ttmpool_pool_strip() leaves them, and @dma_addr is as it was.
 */
int TPOS_MUST_CHECK ttmpool_pool_ready(struct ttmpool_pool *pool,
				       const struct ttmpool_request *req,
				       tpos_page_t *const *pages,
				       tpos_dma_addr_t *dma_addr);

/**
 * ttmpool_pool_give_up() - give pages to the system, and not to the pool
 * @pool: the pool
 * @pages: an array of whole chunks; entries without a page are passed over
 * @num_pages: how many entries; at least one
 * @ticket: what they were taken with; 0: none
 *
 * As ttmpool_pool_give_ticket(), but none of the pages is pooled, whatever the policy
 * is: when this returns, the system has them. Chunks are checked as by
 * ttmpool_pool_strip(). What is mapped is unmapped, and what is not write-back is made
 * so; what cannot be, or is poisoned, is reported and quarantined. May sleep. Does not
 * allocate, so it can always be done.
 *
 * Return: 0; -EINVAL if there is no array or no entry, or if it was refused, and then
 * nothing has changed.
 */
int TPOS_MUST_CHECK ttmpool_pool_give_up(struct ttmpool_pool *pool,
					 tpos_page_t *const *pages,
					 size_t num_pages, uint32_t ticket);

/**
 * ttmpool_pool_give_up_part() - give the first pages of a chunk to the system
 * @pool: the pool
 * @pages: the array of one chunk; ordinary pages (ttmpool_pool_strip())
 * @num_pages: how many pages the chunk has
 * @part: how many of them shall go; at least one, and not all
 * @ticket: what they were taken with; 0: none
 *
 * The chunk is halved no more often than is needed for that. The pages that stay are in
 * use as before, as chunks of smaller orders: the array has what is left at the same
 * indices, from the first page that stays on. Each halving takes a descriptor, for which
 * there may be no memory; then fewer pages go. May sleep.
 *
 * Return: how many pages went, at most @part; -EINVAL if there is no array, if @part is 0
 * or not less than @num_pages, if the pages are not all of one chunk, or are mapped,
 * coherent or not write-back, or if the array was refused, and then nothing has changed;
 * -ENOMEM if there was no memory for as many descriptors as it takes to part a first page.
 * Then no page went; the chunk may be several by now.
 */
long TPOS_MUST_CHECK ttmpool_pool_give_up_part(struct ttmpool_pool *pool,
					       tpos_page_t *const *pages,
					       size_t num_pages, size_t part,
					       uint32_t ticket);

TPOS_API_END

#endif
