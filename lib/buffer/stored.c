// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The stored part of a buffer: its store, and what is known of the bytes in it.
 *
 * Contents are out of our hands there: on a disk, over a wire, in memory that
 * nobody looks after. A policy can ask for a sum of each page (4 bytes for
 * 4096), made before the store gets it and compared before anybody else does.
 * What does not agree is not handed out: the page stays in the store, so that a
 * disk that erred once may be asked again, and the buffer is lost if it goes on
 * to err. Without the policy a store is believed, as a kernel believes its swap
 * device.
 */

#include "buffer_internal.h"

/* Have a store, and room for sums if they are wanted: both, or neither. */
int ttmpool_backend_open_store(struct ttmpool_backend *be)
{
	tpos_system_t *system = be->pool->mgr->system;
	uint32_t *sums = NULL;
	int err;

	tpos_assert(!be->store);
	tpos_assert(!be->sums);
	tpos_assert(!be->pages_stored);
	if (be->pool->policy.checksum) {
		sums = tpos_zalloc(system, be->tt.num_pages * sizeof(*sums));
		if (!sums)
			return -ENOMEM;
	}
	err = tpos_store_create(system, be->tt.num_pages, &be->store);
	if (err) {
		tpos_free(system, sums);
		return err;
	}
	be->sums = sums;
	return 0;
}

void ttmpool_backend_close_store(struct ttmpool_backend *be)
{
	tpos_assert(!be->pages_stored);
	if (!be->store)
		return;
	tpos_store_destroy(be->store);
	tpos_free(be->pool->mgr->system, be->sums);
	be->store = NULL;
	be->sums = NULL;
}

/* The store is about to get these pages, from page @index on. */
void ttmpool_backend_note_sums(struct ttmpool_backend *be, size_t index,
			       const struct tpos_span *from)
{
	struct tpos_span page = { .chunk = from->chunk,
				  .first = from->first,
				  .pages = 1 };

	tpos_assert(be->store);
	tpos_assert(from->pages);
	tpos_assert(index + from->pages <= be->tt.num_pages);
	if (!be->sums)
		return;
	for (size_t i = 0; i < from->pages; i++, page.first++)
		be->sums[index + i] = tpos_page_sum(&page);
}

/* This page has come from the store: 0, or -EBADMSG if it is another. */
int ttmpool_backend_check_sum(struct ttmpool_backend *be, size_t index,
			      const struct tpos_span *page)
{
	struct ttmpool_report where = { .index = index };

	tpos_assert(index < be->tt.num_pages);
	tpos_assert(page->pages == 1);
	if (!be->sums || tpos_page_sum(page) == be->sums[index])
		return 0;
	ttmpool_pool_report(be->pool, TTMPOOL_REPORT_CORRUPTED, page->chunk,
			    &where);
	return -EBADMSG;
}
