// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Stores: how they access pages, and how they must not be used. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch, mapped;
static tpos_store_t *store;

static int keep(const struct ttmpool_chunk *chunk, size_t index, size_t first,
		size_t pages)
{
	struct tpos_span from = span_of(chunk, first, pages);

	return tpos_store_write(store, index, &from);
}

static int fetch(const struct ttmpool_chunk *chunk, size_t index, size_t pages)
{
	struct tpos_span to = span_of(chunk, 0, pages);

	return tpos_store_read(store, index, &to);
}

/* Two chunks of four pages; the pages of the first one are stored, at 0 to 3. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .swiotlb_force = true });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_init(&mapped);
	batch_plain(&batch, dev, 2, 2);
	for (unsigned int i = 0; i < 4; i++)
		page_fill(m, batch.chunk[0].page + i, (unsigned char)(i + 1));
	assert_int_equal(tpos_store_create(m, 8, &store), 0);
	assert_int_equal(keep(&batch.chunk[0], 0, 0, 4), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_store_destroy(store);
	if (mapped.n)
		batch_free(&mapped, dev);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

/* Contents can be read to pages of any caching. */
static void any_caching_can_be_read_to(void **state)
{
	(void)state;
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED), 0);
	assert_int_equal(fetch(&batch.chunk[1], 0, 4), 0);
	assert_true(page_is(m, batch.chunk[1].page + 3, 4));
	assert_int_equal(counters_of(m).aliases, 0);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
}

/* A page of unknown caching can be stored. */
static void unknown_caching_can_be_stored(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_CACHING_SET, 1, 1);
	plan(m, TPSIM_CALL_CACHING_RESET, 1, 0);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED),
			 -ENOMEM);
	tpsim_fault_clear(m);
	assert_int_equal(batch.chunk[0].caching, TTMPOOL_CACHING_UNKNOWN);
	assert_int_equal(keep(&batch.chunk[0], 4, 0, 2), 0);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_int_equal(fetch(&batch.chunk[1], 4, 2), 0);
	assert_true(page_is(m, batch.chunk[1].page + 1, 2));
}

/* A write-combined page can be stored as it is, but reading it is slow. */
static void write_combined_pages_are_stored_slowly(void **state)
{
	uint64_t before, cached;

	(void)state;
	before = counters_of(m).ns;
	assert_int_equal(keep(&batch.chunk[0], 0, 0, 1), 0);
	cached = counters_of(m).ns - before;
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED), 0);
	before = counters_of(m).ns;
	assert_int_equal(keep(&batch.chunk[0], 4, 0, 2), 0);
	assert_true(counters_of(m).ns - before > 2 * cached);
	assert_int_equal(fetch(&batch.chunk[1], 4, 2), 0);
	assert_int_equal(counters_of(m).aliases, 0);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_true(page_is(m, batch.chunk[1].page + 1, 2));
}

/* For a page that bounces, the store gets what the device has written. */
static void what_is_in_slots_is_stored(void **state)
{
	unsigned char byte = 0;

	(void)state;
	batch_plain(&mapped, dev, 1, 2);
	assert_int_equal(tpos_dma_map(dev, &mapped.list), 0);
	assert_true(tpos_dma_bounces(dev, &mapped.chunk[0]));
	assert_int_equal(tpsim_device_write(
				 dev,
				 tpos_dma_address(&mapped.chunk[0].dma) + 4096,
				 "x", 1),
			 0);
	assert_int_equal(keep(&mapped.chunk[0], 4, 1, 1), 0);
	assert_int_equal(fetch(&batch.chunk[1], 4, 1), 0);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[1].page, 0, &byte, 1,
					TTMPOOL_CACHED),
			 0);
	assert_int_equal(byte, 'x');
	tpos_dma_unmap(dev, &mapped.list, false);
}

/* Coherent pages can be written and read while they are mapped for their device. */
static void coherent_pages_are_stored(void **state)
{
	unsigned char byte = 0;
	uint64_t addr;

	(void)state;
	batch_coherent(&mapped, dev, 1);
	addr = tpos_dma_address(&mapped.chunk[0].dma);
	assert_int_equal(fetch(&mapped.chunk[0], 0, 2), 0);
	assert_int_equal(tpsim_device_read(dev, addr + 4096, &byte, 1), 0);
	assert_int_equal(byte, 2);
	assert_int_equal(tpsim_device_write(dev, addr, "x", 1), 0);
	assert_int_equal(keep(&mapped.chunk[0], 5, 0, 1), 0);
	assert_int_equal(fetch(&batch.chunk[1], 5, 1), 0);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[1].page, 0, &byte, 1,
					TTMPOOL_CACHED),
			 0);
	assert_int_equal(byte, 'x');
}

/* Contents that are read to a page that bounces are also written to its slots. */
static void the_device_sees_what_comes_back(void **state)
{
	unsigned char byte = 0;

	(void)state;
	batch_plain(&mapped, dev, 1, 2);
	assert_int_equal(tpos_dma_map(dev, &mapped.list), 0);
	assert_int_equal(fetch(&mapped.chunk[0], 0, 4), 0);
	assert_int_equal(
		tpsim_device_read(dev,
				  tpos_dma_address(&mapped.chunk[0].dma) +
					  3 * 4096 + 77,
				  &byte, 1),
		0);
	assert_int_equal(byte, 4);
	tpos_dma_unmap(dev, &mapped.list, false);
}

/* A page that was read to is cleared like any other. */
static void what_came_back_is_not_clean(void **state)
{
	(void)state;
	assert_int_equal(fetch(&batch.chunk[1], 0, 4), 0);
	tpos_pages_clear(dev, &batch.list);
	for (size_t i = 0; i < 4; i++)
		assert_true(page_is(m, batch.chunk[1].page + i, 0));
}

static void read_unwritten(void *arg)
{
	(void)arg;
	fetch(&batch.chunk[1], 3, 2);
}

static void read_dropped(void *arg)
{
	(void)arg;
	tpos_store_drop(store, 1, 1);
	fetch(&batch.chunk[1], 0, 2);
}

/* The page was written, and then a second write failed. */
static void read_doubtful(void *arg)
{
	plan(m, TPSIM_CALL_STORE_WRITE, 1, *(size_t *)arg);
	keep(&batch.chunk[0], 0, 0, 4);
	fetch(&batch.chunk[1], 3, 1);
}

/* A page can be read only after it has been written without an error. */
static void only_what_is_kept_is_read(void **state)
{
	size_t after[] = { 0, 4, 99 };

	(void)state;
	assert_complains("page 4 was not written", read_unwritten, NULL);
	assert_complains("page 1 was not written, or dropped", read_dropped,
			 NULL);
	for (int i = 0; i < 3; i++)
		assert_complains("page 3 was not written without error",
				 read_doubtful, &after[i]);
}

static void write_beyond(void *arg)
{
	(void)arg;
	keep(&batch.chunk[0], 5, 0, 4);
}

static void read_beyond(void *arg)
{
	(void)arg;
	fetch(&batch.chunk[1], SIZE_MAX, 2);
}

static void drop_beyond(void *arg)
{
	(void)arg;
	tpos_store_drop(store, 8, 1);
}

/* An access beyond the end of the store ends the program. */
static void nothing_is_beyond_the_end(void **state)
{
	(void)state;
	assert_complains("beyond the end of the store", write_beyond, NULL);
	assert_complains("beyond the end of the store", read_beyond, NULL);
	assert_complains("beyond the end of the store", drop_beyond, NULL);
}

/* The chunk says write-back, but the CPU's page table does not. */
static void write_alias(void *arg)
{
	(void)arg;
	tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED);
	batch.chunk[0].caching = TTMPOOL_CACHED;
	keep(&batch.chunk[0], 0, 0, 1);
}

static void read_alias(void *arg)
{
	(void)arg;
	batch.chunk[1].caching = TTMPOOL_UNCACHED;
	fetch(&batch.chunk[1], 0, 1);
}

static void read_to_unknown(void *arg)
{
	(void)arg;
	batch.chunk[1].caching = TTMPOOL_CACHING_UNKNOWN;
	fetch(&batch.chunk[1], 0, 1);
}

/* Pages must have the caching that their chunk says, when they are written and read. */
static void caching_is_minded(void **state)
{
	(void)state;
	assert_complains("alias", write_alias, NULL);
	assert_complains("alias", read_alias, NULL);
	assert_complains("unknown caching", read_to_unknown, NULL);
}

static void write_parked(void *arg)
{
	(void)arg;
	tpos_note_parked(dev, &batch.chunk[0]);
	keep(&batch.chunk[0], 0, 0, 1);
}

static void write_freed(void *arg)
{
	(void)arg;
	tpos_pages_free(dev, &batch.list);
	keep(&batch.chunk[0], 0, 0, 1);
}

static void write_too_much(void *arg)
{
	(void)arg;
	keep(&batch.chunk[0], 0, 1, 4);
}

static void write_nothing(void *arg)
{
	(void)arg;
	keep(&batch.chunk[0], 0, 4, 0);
}

/* Pages must be allocated, not parked, and within their chunk. */
static void pages_are_minded(void **state)
{
	(void)state;
	assert_complains("parked page", write_parked, NULL);
	assert_complains("use after free", write_freed, NULL);
	assert_complains("bad span", write_too_much, NULL);
	assert_complains("bad span", write_nothing, NULL);
}

/* Make call number *@arg of those on stores. */
static void call_under_a_spinlock(void *arg)
{
	tpos_spinlock_t lock;
	tpos_store_t *other;

	tpos_spin_init(&lock, m, 1);
	tpos_spin_lock(&lock);
	switch (*(int *)arg) {
	case 0:
		tpos_store_create(m, 1, &other);
		break;
	case 1:
		tpos_store_destroy(store);
		break;
	case 2:
		keep(&batch.chunk[0], 0, 0, 1);
		break;
	case 3:
		fetch(&batch.chunk[1], 0, 1);
		break;
	case 4:
		tpos_store_drop(store, 0, 1);
		break;
	}
}

/* No store may be used while a spinlock is held. */
static void every_call_may_sleep(void **state)
{
	(void)state;
	for (int call = 0; call < 5; call++)
		assert_complains("sleeping while atomic: tpos_store_",
				 call_under_a_spinlock, &call);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_caching_can_be_read_to),
		TEST(unknown_caching_can_be_stored),
		TEST(write_combined_pages_are_stored_slowly),
		TEST(what_is_in_slots_is_stored),
		TEST(coherent_pages_are_stored),
		TEST(the_device_sees_what_comes_back),
		TEST(what_came_back_is_not_clean),
		TEST(only_what_is_kept_is_read),
		TEST(nothing_is_beyond_the_end),
		TEST(caching_is_minded),
		TEST(pages_are_minded),
		TEST(every_call_may_sleep),
	};

	return cmocka_run_group_tests_name("machine-store-rules", tests, NULL,
					   NULL);
}
