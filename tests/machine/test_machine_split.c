// SPDX-License-Identifier: GPL-2.0 OR MIT
/* One chunk is split into two, and each is used independently. */

#include "bed.h"

#include <annotate.h>

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

/* A chunk of eight pages, and a descriptor for a part of it. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (batch.n)
		batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

/* Split chunk @i; the upper half becomes the last chunk of the batch. */
static struct ttmpool_chunk *cut(size_t i)
{
	struct ttmpool_chunk *upper = &batch.chunk[batch.n++];

	*upper = (struct ttmpool_chunk){
		.caching = batch.chunk[i].caching,
		.order = batch.chunk[i].order - 1,
	};
	tpos_pages_split(dev, &batch.chunk[i], upper);
	ttmpool_list_add_tail(&upper->link, &batch.list);
	return upper;
}

/* The first half stays in the chunk, and the second one goes to the new chunk; no byte
 * changes. */
static void a_chunk_becomes_two(void **state)
{
	tpos_page_t *page = batch.chunk[0].page;

	(void)state;
	for (unsigned int i = 0; i < 8; i++)
		page_fill(m, page + i, (unsigned char)(i + 1));
	cut(0);
	assert_ptr_equal(batch.chunk[0].page, page);
	assert_ptr_equal(batch.chunk[1].page, page + 4);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(batch.chunk[i].order, 2);
		assert_true(batch.chunk[i].flags & TTMPOOL_CHUNK_SPLIT);
	}
	for (unsigned int i = 0; i < 8; i++)
		assert_true(page_is(m, page + i, (unsigned char)(i + 1)));
	assert_int_equal(counters_of(m).splits, 1);
	assert_int_equal(ledger_of(m).pages_plain, 8);
}

/* Each half can be freed by itself, while the other one stays in use. */
static void halves_are_freed_apart(void **state)
{
	struct ttmpool_chunk *upper = cut(0);
	struct ttmpool_list out;
	size_t free = ledger_of(m).free_pages;
	const char *bytes = tpsim_page_address(m, batch.chunk[0].page);

	(void)state;
	ttmpool_list_init(&out);
	ttmpool_list_move_tail(&upper->link, &out);
	tpos_pages_free(dev, &out);
	assert_int_equal(ledger_of(m).free_pages, free + 4);
	assert_int_equal(ledger_of(m).pages_plain, 4);
	assert_true(annotate_is_closed(bytes, 4 * 4096) <= 0);
	assert_true(annotate_is_closed(bytes + 4 * 4096, 1) != 0);
	page_fill(m, batch.chunk[0].page + 3, 0x12);
	assert_true(page_is(m, batch.chunk[0].page + 3, 0x12));
}

/* A part is freed page by page, which takes longer than freeing one block. */
static void parts_are_freed_page_by_page(void **state)
{
	uint64_t before, whole;

	(void)state;
	before = counters_of(m).ns;
	batch_free(&batch, dev);
	whole = counters_of(m).ns - before;
	batch_plain(&batch, dev, 1, 3);
	cut(0);
	before = counters_of(m).ns;
	batch_free(&batch, dev);
	assert_true(counters_of(m).ns - before > 3 * whole);
}

/* When all parts have been freed, they are merged into a block again. */
static void parts_are_merged(void **state)
{
	struct tpos_alloc req = { .order = 10, .node = ANY_NODE };
	size_t blocks = 0;

	(void)state;
	tpos_pages_free(dev, &batch.list);
	batch_init(&batch);
	while (!batch_add(&batch, dev, &req))
		blocks++;
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 10);
	cut(0);
	cut(1);
	batch_free(&batch, dev);
	for (size_t i = 0; i < blocks; i++)
		assert_int_equal(batch_add(&batch, dev, &req), 0);
}

/* A part can be split again, down to single pages. */
static void a_part_can_be_split(void **state)
{
	(void)state;
	cut(0);
	cut(1);
	cut(2);
	assert_int_equal(batch.chunk[0].order, 2);
	assert_int_equal(batch.chunk[1].order, 1);
	assert_int_equal(batch.chunk[2].order, 0);
	assert_int_equal(batch.chunk[3].order, 0);
	assert_ptr_equal(batch.chunk[3].page, batch.chunk[0].page + 7);
	assert_int_equal(counters_of(m).splits, 3);
}

/* The first split of a block takes time, because it turns the block into single pages;
 * further splits do not. */
static void the_first_split_costs(void **state)
{
	uint64_t before = counters_of(m).ns, first;

	(void)state;
	cut(0);
	first = counters_of(m).ns;
	assert_true(first > before);
	cut(0);
	assert_int_equal(counters_of(m).ns, first);
}

/* A part is like any other chunk. */
static void a_part_is_a_chunk(void **state)
{
	(void)state;
	cut(0);
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED), 0);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(ledger_of(m).mappings, 2);
	assert_int_equal(tpos_dma_address(&batch.chunk[1].dma),
			 tpsim_page_physical(m, batch.chunk[1].page));
	tpos_dma_unmap(dev, &batch.list, false);
	tpos_pages_clear(dev, &batch.list);
	tpos_note_parked(dev, &batch.chunk[1]);
	assert_int_equal(ledger_of(m).pages_parked, 4);
	tpos_note_issued(dev, &batch.chunk[1]);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
}

/* A different chunk can be set on each part. */
static void parts_are_known_apart(void **state)
{
	struct ttmpool_chunk *upper = cut(0);

	(void)state;
	tpos_page_set_chunk(batch.chunk[0].page, &batch.chunk[0]);
	tpos_page_set_chunk(upper->page, upper);
	assert_ptr_equal(tpos_page_chunk(dev, batch.chunk[0].page),
			 &batch.chunk[0]);
	assert_ptr_equal(tpos_page_chunk(dev, upper->page), upper);
}

/* Pages that come back from parts are handed out as blocks again. */
static void a_block_forgets_that_it_was_split(void **state)
{
	tpos_page_t *page = batch.chunk[0].page;

	(void)state;
	cut(0);
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 3);
	assert_ptr_equal(batch.chunk[0].page, page);
	batch_free(&batch, dev);
	assert_true(tpsim_ledger_is_empty(m));
}

/* Any device of the machine can free plain pages. */
static void any_device_may_free(void **state)
{
	struct tpsim_device *other = device_with(m, 0xffffff);

	(void)state;
	cut(0);
	batch_free(&batch, other);
	assert_true(tpsim_ledger_is_empty(m));
}

static void split_a_single_page(void *arg)
{
	(void)arg;
	for (int i = 0; i < 4; i++)
		cut(0);
}

static void split_mapped(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &batch.list);
	cut(0);
}

static void split_parked(void *arg)
{
	(void)arg;
	tpos_note_parked(dev, &batch.chunk[0]);
	cut(0);
}

static void split_coherent(void *arg)
{
	(void)arg;
	batch_coherent(&batch, dev, 1);
	cut(1);
}

static void split_what_says_it_was(void *arg)
{
	(void)arg;
	batch.chunk[0].flags |= TTMPOOL_CHUNK_SPLIT;
	cut(0);
}

static void free_as_a_whole(void *arg)
{
	(void)arg;
	cut(0);
	ttmpool_list_del(&batch.chunk[1].link);
	batch.chunk[0].order = 3;
	tpos_pages_free(dev, &batch.list);
}

/* A block of the page allocator must not be freed like its single pages. */
static void free_as_a_block(void *arg)
{
	(void)arg;
	cut(0);
	batch.chunk[1].flags = 0;
	tpos_pages_free(dev, &batch.list);
}

static void split_under_a_spinlock(void *arg)
{
	tpos_spinlock_t lock;

	(void)arg;
	tpos_spin_init(&lock, m, 1);
	tpos_spin_lock(&lock);
	cut(0);
}

/* Only plain pages that are not in use can be split, and the split flag of a chunk must
 * be right. */
static void bad_splits_end_the_program(void **state)
{
	(void)state;
	assert_complains("bad split", split_a_single_page, NULL);
	assert_complains("is mapped", split_mapped, NULL);
	assert_complains("is parked", split_parked, NULL);
	assert_complains("is coherent", split_coherent, NULL);
	assert_complains("not split", split_what_says_it_was, NULL);
	assert_complains("wrong order", free_as_a_whole, NULL);
	assert_complains("wrong order", free_as_a_block, NULL);
	assert_complains("sleeping while atomic: tpos_pages_split",
			 split_under_a_spinlock, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chunk_becomes_two),
		TEST(halves_are_freed_apart),
		TEST(parts_are_freed_page_by_page),
		TEST(parts_are_merged),
		TEST(a_part_can_be_split),
		TEST(the_first_split_costs),
		TEST(a_part_is_a_chunk),
		TEST(parts_are_known_apart),
		TEST(a_block_forgets_that_it_was_split),
		TEST(any_device_may_free),
		TEST(bad_splits_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-split", tests, NULL, NULL);
}
