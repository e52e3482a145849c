// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages of the network's page_pool, whose mark is where ours once was (f52). The mark is
 * a bit pattern, in some kernels with the number of a mapping above it, so that 64 pages
 * have 64 different marks. Neither side takes the other's pages for its own.
 */

#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/mm.h>
#include PAGE_POOL_HEADER

#include "check_ktap.h"
#include "pp.h"
#include "rig_buffer.h"

#define THEIRS 64
#define OURS   77 /* chunks of 64, 8, 4 and 1 pages */

/* Does the page_pool claim none of our pages, from both sources? */
static bool none_is_theirs(struct check *t, struct rig *rig)
{
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct buffer *buf = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = OURS,
				.funcs = source ? &ttmpool_backend_coherent
						: &ttmpool_backend_plain,
				.caching = TTMPOOL_WRITE_COMBINED });

		if (!buf || ttmpool_populate(&buf->be))
			return false;
		for (int i = 0; i < OURS; i++)
			if (pp_is_its(buf->pages[i]))
				return false;
		if (ttmpool_unpopulate(&buf->be))
			return false;
	}
	return true;
}

/* Does the pool refuse every operation on this page? */
static bool is_refused(struct ttmpool_pool *pool, struct page *page)
{
	return !tpos_page_chunk(pool->dev, page) &&
	       !ttmpool_pool_owns(pool, page) &&
	       !ttmpool_page_insertable(pool, page) &&
	       ttmpool_pool_give(pool, &page, 1, TTMPOOL_CACHED) == -EINVAL;
}

/* The pool claims no page of a page_pool, whose mappings have the numbers 1 to 64; nor
 * does the page_pool claim one of ours. */
static void f52_no_page_of_a_page_pool_is_ours(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	struct page_pool_params params = { .flags = PP_FLAG_DMA_MAP,
					   .pool_size = THEIRS,
					   .nid = NUMA_NO_NODE,
					   .dma_dir = DMA_BIDIRECTIONAL };
	struct page *theirs[THEIRS];
	struct page_pool *pp;
	bool refused = true, marked = true;

	CHECK(t, rig);
	params.dev = rig->dev[0];
	pp = page_pool_create(&params);
	CHECK(t, !IS_ERR(pp));
	for (int i = 0; i < THEIRS; i++) {
		theirs[i] = page_pool_dev_alloc_pages(pp);
		CHECK(t, theirs[i]);
		marked &= pp_is_its(theirs[i]);
		refused &= is_refused(&rig->pool[0], theirs[i]);
	}
	CHECK(t, marked);
	CHECK(t, refused);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), THEIRS);
	CHECK(t, none_is_theirs(t, rig));
	for (int i = 0; i < THEIRS; i++)
		page_pool_put_full_page(pp, theirs[i], false);
	page_pool_destroy(pp);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_page_pool, CHECK_CASE(f52_no_page_of_a_page_pool_is_ours));
