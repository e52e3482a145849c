// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The stored part of a buffer: its store, and the checksums of what the store keeps.
 *
 * The library cannot watch over contents there: they are on a disk, behind a wire, or in
 * memory that nobody checks. A policy can ask for a checksum of each page (4 bytes for
 * 4096), which is computed before the store gets the page, and compared before anybody
 * else gets it. A page whose checksum differs is not handed out. It stays in the store,
 * so that a disk that failed once may be read again; if the disk goes on failing, the
 * buffer is lost. Without the policy the library trusts a store, as a kernel trusts its
 * swap device.
 */

#include "buffer_internal.h"

/*
 * Creates a store and, if checksums are wanted, memory for them. Creates both or
 * neither.
 */
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

/*
 * Notes the checksums of pages that the store is about to get, from page @index on.
 */
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

/*
 * Checks a page that has come from the store. Returns 0, or -EBADMSG if it is not
 * what the store was given.
 */
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
