// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Caching in a real page table: the tests read the entries of the linear map.
 */

#include <asm/set_memory.h>

#include "batch.h"
#include "rig_buffer.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static long caching_calls(void)
{
	return atomic_long_read(&ttmpool_module_counters()->caching_calls);
}

/* Add chunks of every order to one batch, the large ones first, as the library does. */
static bool add_all_orders(struct batch *batch, enum ttmpool_source source)
{
	for (int order = TTMPOOL_NR_ORDERS - 1; order >= 0; order--)
		if (!batch_add(batch, source, order))
			return false;
	return true;
}

/* Chunks of every order, from either source, get the wanted caching, and become
 * write-back again. */
static void the_page_table_follows_every_order(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int s = 0; s < TTMPOOL_SOURCE_COUNT; s++) {
		CHECK(t, add_all_orders(batch, s));
		CHECK(t, batch_is(batch, TTMPOOL_CACHED));
		for (int c = 0; c < TTMPOOL_CACHED; c++) {
			CHECK_EQ(
				t,
				tpos_caching_set(batch->dev, &batch->chunks, c),
				0);
			CHECK(t, batch_is(batch, c));
			CHECK_EQ(t,
				 tpos_caching_set(batch->dev, &batch->chunks,
						  TTMPOOL_CACHED),
				 0);
			CHECK(t, batch_is(batch, TTMPOOL_CACHED));
		}
		batch_free(batch);
	}
}

/* Pages change from one special caching to the other directly. */
static void uncached_becomes_write_combined(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 9));
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 2));
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks, TTMPOOL_UNCACHED),
		 0);
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks,
				  TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK(t, batch_is(batch, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks, TTMPOOL_CACHED),
		 0);
	CHECK(t, batch_is(batch, TTMPOOL_CACHED));
	batch_free(batch);
}

/* A batch of small chunks takes one call of the kernel in each direction, however many
 * chunks it has. */
static void a_batch_of_small_chunks_is_one_call(struct check *t)
{
	struct batch *batch = batch_open(t);
	long before = caching_calls();

	CHECK(t, batch);
	for (int order = 8; order >= 0; order--)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, order));
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks,
				  TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK_EQ(t, caching_calls() - before, 1);
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks, TTMPOOL_CACHED),
		 0);
	CHECK_EQ(t, caching_calls() - before, 2);
	batch_free(batch);
}

/* Chunks that already have the wanted caching take no call. */
static void nothing_to_do_is_no_call(struct check *t)
{
	struct batch *batch = batch_open(t);
	long before = caching_calls();

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 3));
	CHECK_EQ(t,
		 tpos_caching_set(batch->dev, &batch->chunks, TTMPOOL_CACHED),
		 0);
	CHECK_EQ(t, caching_calls(), before);
	batch_free(batch);
}

/* Make the kernel refuse to change @page, by changing it behind the port's back. */
static bool obstruct(struct page *page)
{
	return !set_pages_array_uc(&page, 1);
}

/* After a change that fails half way, every page is write-back: those that were changed,
 * those that were not, and the one that was in the way. */
static void f23_a_failed_change_leaves_all_write_back(struct check *t)
{
	static const int stuck[] = { 1, 3, 5 };
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int i = 0; i < ARRAY_SIZE(stuck); i++) {
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 10));
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 9));
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 9));
		for (int order = 4; order >= 2; order--)
			CHECK(t, batch_add(batch, TTMPOOL_PLAIN, order));
		CHECK(t, obstruct(tpos_page_nth(batch->all[stuck[i]].page, 3)));
		CHECK_EQ(t,
			 tpos_caching_set(batch->dev, &batch->chunks,
					  TTMPOOL_WRITE_COMBINED),
			 -ENOMEM);
		CHECK(t, batch_is(batch, TTMPOOL_CACHED));
		batch_free(batch);
	}
}

/* Through the pool: the pages of a buffer are write-back when they have gone to the
 * system, at every order and from either source. */
static void f25_what_leaves_the_pool_is_write_back(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){});
	const struct ttmpool_backend_funcs *funcs[] = {
		&ttmpool_backend_plain, &ttmpool_backend_coherent
	};

	CHECK(t, rig);
	for (int i = 0; i < 2 * TTMPOOL_CACHED; i++) {
		enum ttmpool_caching caching = i % TTMPOOL_CACHED;
		struct buffer *buf = buffer_open(
			t, rig,
			&(struct buffer_config){ .num_pages = 1023,
						 .funcs = funcs[i / 2],
						 .caching = caching });
		struct page **pages = check_zalloc(t, 1023 * sizeof(*pages));

		CHECK(t, buf && pages);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		memcpy(pages, buf->pages, 1023 * sizeof(*pages));
		CHECK(t, buffer_is_of(t, buf, caching));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		for (int p = 0; p < 1023; p++)
			CHECK_EQ(t, page_caching(pages[p]), caching);
		ttmpool_pool_drain(&rig->pool[0]);
		for (int p = 0; p < 1023; p++)
			CHECK_EQ(t, page_caching(pages[p]), TTMPOOL_CACHED);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_caching, CHECK_CASE(the_page_table_follows_every_order),
	    CHECK_CASE(uncached_becomes_write_combined),
	    CHECK_CASE(a_batch_of_small_chunks_is_one_call),
	    CHECK_CASE(nothing_to_do_is_no_call),
	    CHECK_CASE(f23_a_failed_change_leaves_all_write_back),
	    CHECK_CASE(f25_what_leaves_the_pool_is_write_back));
