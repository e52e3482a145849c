// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Stores that take over pages: the struct page shows that nothing was copied. */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>

#include "batch.h"
#include "ttmpool_module.h"
#include "ttmpool_system.h"

static long pages_stored(void)
{
	return atomic_long_read(&ttmpool_module_counters()->pages_stored);
}

static void chunk_mark(struct ttmpool_chunk *chunk, unsigned char byte)
{
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		memset(page_address(tpos_page_nth(chunk->page, i)), byte + i,
		       PAGE_SIZE);
}

static bool chunk_is_marked(struct ttmpool_chunk *chunk, unsigned char byte)
{
	for (size_t i = 0; i < ttmpool_chunk_pages(chunk); i++)
		if (memchr_inv(page_address(tpos_page_nth(chunk->page, i)),
			       (unsigned char)(byte + i), PAGE_SIZE))
			return false;
	return true;
}

/* Does the file hold these pages, in this order? */
static bool store_has_pages(tpos_store_t *store, size_t index,
			    struct page *first, size_t pages)
{
	for (size_t i = 0; i < pages; i++) {
		struct page *page =
			pagecache_get_page(store->f_mapping, index + i, 0, 0);
		bool same = page == tpos_page_nth(first, i);

		if (page)
			put_page(page);
		if (!same)
			return false;
	}
	return true;
}

/* Forget the last chunk of the batch, because the store has taken over its pages. */
static void batch_forget_last(struct batch *batch)
{
	ttmpool_list_del(&batch->all[--batch->n].link);
}

/* In fragmented memory the store refuses a large chunk; then it takes over single
 * pages. */
static int adopt_whole_or_cut(struct batch *batch, tpos_store_t *store,
			      size_t index, struct ttmpool_chunk *chunk)
{
	int err = tpos_store_adopt(store, index, chunk);

	if (err != -EOPNOTSUPP || chunk->order <= PAGE_ALLOC_COSTLY_ORDER)
		return err;
	return batch_adopt(batch, store, index, chunk);
}

/* The store takes over a chunk of any order, page by page, without a copy; the contents
 * come back, and the pages are freed with the store. */
static void pages_change_hands_at_every_order(struct check *t)
{
	struct batch *batch = batch_open(t);
	long before = pages_stored();

	CHECK(t, batch);
	for (int order = 0; order <= 10; order++) {
		struct ttmpool_chunk *chunk = &batch->all[0];
		struct tpos_span back = { .chunk = chunk, .pages = 1 << order };
		struct page *page;
		tpos_store_t *store;

		CHECK_EQ(t, tpos_store_create(t->system, 3 << order, &store),
			 0);
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, order));
		page = chunk->page;
		chunk_mark(chunk, 0x10 + order);
		CHECK_EQ(t, adopt_whole_or_cut(batch, store, 2 << order, chunk),
			 0);
		CHECK_EQ(t, (long)check_pages_out(t), 0);
		CHECK_EQ(t, pages_stored() - before, 1 << order);
		CHECK(t, store_has_pages(store, 2 << order, page, 1 << order));
		CHECK(t, !tpos_page_chunk(batch->dev, page));
		batch_forget_last(batch);
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, order));
		CHECK_EQ(t, tpos_store_read(store, 2 << order, &back), 0);
		CHECK(t, chunk_is_marked(chunk, 0x10 + order));
		tpos_store_destroy(store);
		CHECK_EQ(t, pages_stored(), before);
		batch_free(batch);
	}
}

/* The store takes over one half of a chunk; the other half stays as it was. */
static void a_half_changes_hands(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0], *upper = &batch->all[1];
	tpos_store_t *store;

	CHECK(t, batch);
	CHECK_EQ(t, tpos_store_create(t->system, 16, &store), 0);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 4));
	chunk_mark(chunk, 0x20);
	*upper = *chunk;
	upper->order = 3;
	tpos_pages_split(batch->dev, chunk, upper);
	CHECK_EQ(t, tpos_store_adopt(store, 8, upper), 0);
	CHECK(t, store_has_pages(store, 8, upper->page, 8));
	CHECK_EQ(t, (long)check_pages_out(t), 8);
	CHECK(t, chunk_is_marked(chunk, 0x20));
	CHECK(t, tpos_page_chunk(batch->dev, chunk->page) == chunk);
	tpos_store_destroy(store);
	CHECK(t, chunk_is_marked(chunk, 0x20));
	batch_free(batch);
}

/* Contents that were stored there before are replaced. */
static void what_was_kept_before_is_replaced(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct tpos_span span = { .chunk = chunk, .pages = 4 };
	long before = pages_stored();
	tpos_store_t *store;

	CHECK(t, batch);
	CHECK_EQ(t, tpos_store_create(t->system, 4, &store), 0);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 2));
	chunk_mark(chunk, 0x30);
	CHECK_EQ(t, tpos_store_write(store, 0, &span), 0);
	chunk_mark(chunk, 0x40);
	CHECK_EQ(t, tpos_store_adopt(store, 0, chunk), 0);
	CHECK_EQ(t, pages_stored() - before, 4);
	batch_forget_last(batch);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 2));
	CHECK_EQ(t, tpos_store_read(store, 0, &span), 0);
	CHECK(t, chunk_is_marked(chunk, 0x40));
	tpos_store_destroy(store);
	batch_free(batch);
}

/* Make shmem files use huge pages, if there are any. */
static bool set_huge(const char *when)
{
	struct file *file =
		filp_open("/sys/kernel/mm/transparent_hugepage/shmem_enabled",
			  O_WRONLY, 0);
	loff_t at = 0;
	ssize_t n;

	if (IS_ERR(file))
		return false;
	n = kernel_write(file, when, strlen(when), &at);
	filp_close(file, NULL);
	return n > 0;
}

static bool is_of_huge_page(tpos_store_t *store, size_t index)
{
	struct page *page = pagecache_get_page(store->f_mapping, index, 0, 0);
	bool huge = page && PageCompound(page);

	if (page)
		put_page(page);
	return huge;
}

/* The store does not replace a part of a huge page of the file: it refuses the chunk,
 * which stays as it was, and can be copied to the file. */
static void no_part_of_a_huge_page_is_replaced(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_chunk *chunk = &batch->all[0];
	struct tpos_span span = { .chunk = chunk, .pages = 2 };
	tpos_store_t *store;
	int err;

	CHECK(t, batch);
	CHECK_EQ(t, tpos_store_create(t->system, 512, &store), 0);
	CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 1));
	chunk_mark(chunk, 0x50);
	if (!set_huge("force")) {
		check_skip(t, "no huge pages");
		goto end;
	}
	err = tpos_store_write(store, 0, &span);
	CHECK(t, set_huge("never"));
	CHECK_EQ(t, err, 0);
	if (!is_of_huge_page(store, 0)) {
		check_skip(t, "no huge page is free");
		goto end;
	}
	CHECK_EQ(t, tpos_store_adopt(store, 6, chunk), -EOPNOTSUPP);
	CHECK(t, tpos_page_chunk(batch->dev, chunk->page) == chunk);
	CHECK(t, chunk_is_marked(chunk, 0x50));
	CHECK_EQ(t, tpos_store_write(store, 6, &span), 0);
	chunk_mark(chunk, 0x60);
	CHECK_EQ(t, tpos_store_read(store, 6, &span), 0);
	CHECK(t, chunk_is_marked(chunk, 0x50));
end:
	tpos_store_destroy(store);
	batch_free(batch);
}

CHECK_SUITE(linux_adopt, CHECK_CASE(pages_change_hands_at_every_order),
	    CHECK_CASE(a_half_changes_hands),
	    CHECK_CASE(what_was_kept_before_is_replaced),
	    CHECK_CASE(no_part_of_a_huge_page_is_replaced));
