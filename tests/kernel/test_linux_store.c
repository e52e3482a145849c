// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the port does with contents: a shmem file keeps them, and chunks are split and
 * copied.
 */

#include <linux/mm.h>

#include "batch.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static long stores(void)
{
	return atomic_long_read(&ttmpool_module_counters()->stores);
}

static long pages_stored(void)
{
	return atomic_long_read(&ttmpool_module_counters()->pages_stored);
}

static void *page_bytes(struct ttmpool_chunk *chunk, size_t i)
{
	return page_address(tpos_page_nth(chunk->page, i));
}

/* Mark each page so that it differs from all others: each word says where it is. */
static void chunk_mark(struct ttmpool_chunk *chunk, u32 mark)
{
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++) {
		u32 *words = page_bytes(chunk, i);

		for (size_t w = 0; w < PAGE_SIZE / sizeof(*words); w++)
			words[w] = (mark << 24) + (i << 12) + w;
	}
}

static bool page_is_marked(const u32 *words, u32 mark, size_t i)
{
	for (size_t w = 0; w < PAGE_SIZE / sizeof(*words); w++)
		if (words[w] != (mark << 24) + (i << 12) + w)
			return false;
	return true;
}

static bool chunk_is_marked(struct ttmpool_chunk *chunk, u32 mark)
{
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		if (!page_is_marked(page_bytes(chunk, i), mark, i))
			return false;
	return true;
}

static struct tpos_span whole(const struct ttmpool_chunk *chunk)
{
	return (struct tpos_span){ .chunk = chunk,
				   .pages = ttmpool_chunk_pages(chunk) };
}

/* Add chunks of orders 0 to 4, from one source. */
static bool add_orders(struct batch *batch, enum ttmpool_source source)
{
	for (unsigned int order = 0; order <= 4; order++)
		if (!batch_add(batch, source, order))
			return false;
	return true;
}

static bool write_all(struct batch *batch, tpos_store_t *store)
{
	size_t index = 0;

	for (int i = 0; i < batch->n; i++) {
		struct tpos_span from = whole(&batch->all[i]);

		chunk_mark(&batch->all[i], 0x10 + i);
		if (tpos_store_write(store, index, &from))
			return false;
		index += from.pages;
	}
	return true;
}

static bool read_all(struct batch *batch, tpos_store_t *store)
{
	size_t index = 0;

	for (int i = 0; i < batch->n; i++) {
		struct tpos_span to = whole(&batch->all[i]);

		if (tpos_store_read(store, index, &to) ||
		    !chunk_is_marked(&batch->all[i], 0x10 + i))
			return false;
		index += to.pages;
	}
	return true;
}

/* Every byte comes back, at every order and from either source; and when the store is
 * destroyed, all that it kept is freed. */
static void what_was_written_comes_back(struct check *t)
{
	struct batch *batch = batch_open(t);
	long before = pages_stored();
	tpos_store_t *store;

	CHECK(t, batch);
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		if (!batch_has(batch, source, 4))
			continue;
		CHECK(t, add_orders(batch, source));
		CHECK_EQ(t, tpos_store_create(t->system, 31, &store), 0);
		CHECK_EQ(t, stores(), 1);
		CHECK(t, write_all(batch, store));
		CHECK_EQ(t, pages_stored() - before, 31);
		tpos_pages_clear(batch->dev, &batch->chunks);
		CHECK(t, read_all(batch, store));
		tpos_store_destroy(store);
		CHECK_EQ(t, stores(), 0);
		CHECK_EQ(t, pages_stored(), before);
		batch_free(batch);
	}
}

/* Contents can be read into pages of any caching. */
static void contents_come_back_into_any_caching(struct check *t)
{
	struct batch *batch = batch_open(t);
	tpos_store_t *store;

	CHECK(t, batch);
	CHECK(t, add_orders(batch, TTMPOOL_PLAIN));
	CHECK_EQ(t, tpos_store_create(t->system, 31, &store), 0);
	CHECK(t, write_all(batch, store));
	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++) {
		tpos_pages_clear(batch->dev, &batch->chunks);
		CHECK_EQ(t,
			 tpos_caching_set(batch->dev, &batch->chunks, caching),
			 0);
		CHECK(t, read_all(batch, store));
	}
	tpos_store_destroy(store);
	batch_free(batch);
}

/* A part of a chunk is stored at its own index; a second write replaces what was there;
 * and dropped pages occupy no room. */
static void parts_are_kept_replaced_and_dropped(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct tpos_span part = { .chunk = chunk, .first = 5, .pages = 3 };
	long before = pages_stored();
	tpos_store_t *store;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 4));
	CHECK_EQ(t, tpos_store_create(t->system, 1 << 20, &store), 0);
	chunk_mark(chunk, 1);
	CHECK_EQ(t, tpos_store_write(store, 1000, &part), 0);
	chunk_mark(chunk, 2);
	CHECK_EQ(t, tpos_store_write(store, 1000, &part), 0);
	CHECK_EQ(t, pages_stored() - before, 3);
	tpos_store_drop(store, 1002, (1 << 20) - 1002);
	CHECK_EQ(t, pages_stored() - before, 2);
	chunk_mark(chunk, 3);
	part.pages = 2;
	CHECK_EQ(t, tpos_store_read(store, 1000, &part), 0);
	for (size_t i = 0; i < 16; i++)
		CHECK(t, page_is_marked(page_bytes(chunk, i),
					i == 5 || i == 6 ? 2 : 3, i));
	tpos_store_destroy(store);
	CHECK_EQ(t, pages_stored(), before);
	batch_free(batch);
}

/* A chunk is split into halves, down to single pages: no byte moves, and each page has
 * its own reference. */
static void a_split_chunk_keeps_its_contents(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct page *page;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 4));
	page = chunk->page;
	chunk_mark(chunk, 1);
	for (int order = 3; order >= 0; order--) {
		struct ttmpool_chunk *upper = &batch->all[batch->n++];

		*upper = *chunk;
		upper->order = order;
		tpos_pages_split(batch->dev, chunk, upper);
		CHECK_EQ(t, chunk->order, order);
		CHECK(t, chunk->page == page);
		CHECK(t, upper->page == tpos_page_nth(page, 1 << order));
		CHECK(t, chunk->flags & upper->flags & TTMPOOL_CHUNK_SPLIT);
		CHECK(t, !tpos_page_chunk(batch->dev, upper->page));
		tpos_page_set_chunk(upper->page, upper);
		ttmpool_list_add_tail(&upper->link, &batch->chunks);
	}
	for (int i = 0; i < 16; i++) {
		CHECK_EQ(t, page_count(tpos_page_nth(page, i)), 1);
		CHECK(t, page_is_marked(page_address(tpos_page_nth(page, i)), 1,
					i));
	}
	batch_free(batch);
}

/* One half of a chunk is freed, and the other one stays usable. */
static void a_half_goes_alone(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0], *upper = &batch->all[1];
	struct ttmpool_list alone;

	CHECK(t, batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 3));
	chunk_mark(chunk, 1);
	*upper = *chunk;
	upper->order = 2;
	tpos_pages_split(batch->dev, chunk, upper);
	ttmpool_list_init(&alone);
	ttmpool_list_add_tail(&upper->link, &alone);
	tpos_pages_free(batch->dev, &alone);
	CHECK_EQ(t, (long)check_pages_out(t), 4);
	CHECK(t, chunk_is_marked(chunk, 1));
	CHECK(t, tpos_page_chunk(batch->dev, chunk->page) == chunk);
	batch_free(batch);
}

/* A part of a chunk can be copied from either source to either source, and the device
 * sees the copy. */
static void a_copy_is_the_same_for_the_device(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int i = 0; i < 4; i++) {
		struct ttmpool_chunk *a = &batch->all[0], *b = &batch->all[1];
		struct tpos_span from = { .chunk = a, .first = 1, .pages = 2 };
		struct tpos_span to = { .chunk = b, .pages = 2 };
		struct ttmpool_list mapped;

		if (!batch_has(batch, i % 2, 2) || !batch_has(batch, i / 2, 1))
			continue;
		CHECK(t, batch_add(batch, i % 2, 2));
		CHECK(t, batch_add(batch, i / 2, 1));
		memset(page_bytes(a, 1), 0x40 + i, 2 * PAGE_SIZE);
		ttmpool_list_del(&b->link);
		ttmpool_list_init(&mapped);
		ttmpool_list_add_tail(&b->link, &mapped);
		if (!ttmpool_chunk_is_coherent(b))
			CHECK_EQ(t, tpos_dma_map(batch->dev, &mapped), 0);
		b->flags |= TTMPOOL_CHUNK_MAPPED;
		tpos_pages_copy(&to, &from);
		CHECK(t,
		      !memchr_inv(page_bytes(b, 0), 0x40 + i, 2 * PAGE_SIZE));
		CHECK_EQ(t,
			 edu_load(edu_of(batch->dev), b->dma.addr + PAGE_SIZE),
			 0);
		CHECK(t, edu_holds(edu_of(batch->dev), 0x40 + i));
		if (!ttmpool_chunk_is_coherent(b))
			tpos_dma_unmap(batch->dev, &mapped, false);
		tpos_pages_free(batch->dev, &mapped);
		batch_free(batch);
	}
}

/* The store gets what the device wrote into mapped pages, and the device reads what comes
 * back from the store. */
static void a_store_is_true_to_the_device(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct edu *edu;
	struct tpos_span span;
	tpos_store_t *store;

	CHECK(t, batch);
	edu = edu_of(batch->dev);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
	chunk->flags |= TTMPOOL_CHUNK_MAPPED;
	CHECK_EQ(t, tpos_dma_bounces(batch->dev, chunk),
		 !strcmp(check_mode(), "swiotlb"));
	CHECK(t, tpos_device_reaches(batch->dev, chunk->page, 1));
	CHECK_EQ(t, edu_fill(edu, 0x61), 0);
	CHECK_EQ(t, edu_store(edu, chunk->dma.addr), 0);
	span = whole(chunk);
	CHECK_EQ(t, tpos_store_create(t->system, 1, &store), 0);
	CHECK_EQ(t, tpos_store_write(store, 0, &span), 0);
	CHECK_EQ(t, edu_fill(edu, 0x62), 0);
	CHECK_EQ(t, edu_store(edu, chunk->dma.addr), 0);
	CHECK_EQ(t, tpos_store_read(store, 0, &span), 0);
	CHECK_EQ(t, edu_load(edu, chunk->dma.addr), 0);
	CHECK(t, edu_holds(edu, 0x61));
	tpos_store_destroy(store);
	tpos_dma_unmap(batch->dev, &batch->chunks, false);
	batch_free(batch);
}

CHECK_SUITE(linux_store, CHECK_CASE(what_was_written_comes_back),
	    CHECK_CASE(contents_come_back_into_any_caching),
	    CHECK_CASE(parts_are_kept_replaced_and_dropped),
	    CHECK_CASE(a_split_chunk_keeps_its_contents),
	    CHECK_CASE(a_half_goes_alone),
	    CHECK_CASE(a_copy_is_the_same_for_the_device),
	    CHECK_CASE(a_store_is_true_to_the_device));
