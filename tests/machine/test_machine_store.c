// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Stores: what they keep, for how long, and how much. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_store_t *store;

/* Chunks 0 and 1 of four pages each: full of 1, 2, 3, 4, and of zeroes. */
static void begin(const struct tpsim_config *config)
{
	m = machine_with(config);
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 2, 2);
	for (unsigned int i = 0; i < 4; i++)
		page_fill(m, batch.chunk[0].page + i, (unsigned char)(i + 1));
	assert_int_equal(tpos_store_create(m, 16, &store), 0);
}

static void end(void)
{
	tpos_store_destroy(store);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

static int setup(void **state)
{
	(void)state;
	begin(&(struct tpsim_config){ 0 });
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	end();
	return 0;
}

static int keep(size_t index, size_t chunk, size_t first, size_t pages)
{
	struct tpos_span from = span_of(&batch.chunk[chunk], first, pages);

	return tpos_store_write(store, index, &from);
}

static int fetch(size_t index, size_t chunk, size_t first, size_t pages)
{
	struct tpos_span to = span_of(&batch.chunk[chunk], first, pages);

	return tpos_store_read(store, index, &to);
}

static bool holds(size_t chunk, size_t page, unsigned char byte)
{
	return page_is(m, batch.chunk[chunk].page + page, byte);
}

static unsigned char first_byte(size_t chunk, size_t page)
{
	unsigned char byte = 0;

	assert_int_equal(tpsim_cpu_read(m, batch.chunk[chunk].page + page, 0,
					&byte, 1, TTMPOOL_CACHED),
			 0);
	return byte;
}

/* What was written can be read back, to other pages. */
static void contents_come_back(void **state)
{
	(void)state;
	assert_int_equal(keep(7, 0, 0, 4), 0);
	assert_int_equal(fetch(7, 1, 0, 4), 0);
	for (size_t i = 0; i < 4; i++)
		assert_true(holds(1, i, (unsigned char)(i + 1)));
}

/* The store keeps a copy, so later changes of the page do not matter. */
static void a_store_keeps_a_copy(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 2, 1), 0);
	page_fill(m, batch.chunk[0].page + 2, 0x99);
	assert_int_equal(fetch(0, 1, 0, 1), 0);
	assert_true(holds(1, 0, 3));
}

/* After a read, the store still keeps the contents. */
static void reading_ends_nothing(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 0, 2), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fetch(0, 1, i, 1), 0);
	assert_true(holds(1, 2, 1));
	assert_int_equal(ledger_of(m).store_pages, 2);
}

/* A second write replaces what was there. */
static void writing_again_replaces(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 0, 3), 0);
	assert_int_equal(keep(1, 0, 3, 1), 0);
	assert_int_equal(ledger_of(m).store_pages, 3);
	assert_int_equal(fetch(0, 1, 0, 3), 0);
	assert_true(holds(1, 0, 1));
	assert_true(holds(1, 1, 4));
	assert_true(holds(1, 2, 3));
}

/* Only the pages of the span are read, and only they change. */
static void a_span_is_a_part(void **state)
{
	(void)state;
	assert_int_equal(keep(4, 0, 1, 2), 0);
	assert_int_equal(fetch(5, 1, 2, 1), 0);
	assert_true(holds(1, 1, 0));
	assert_true(holds(1, 2, 3));
	assert_true(holds(1, 3, 0));
}

/* Dropped pages occupy no room; pages that are not there are skipped. */
static void dropping_makes_room(void **state)
{
	(void)state;
	assert_int_equal(keep(2, 0, 0, 4), 0);
	tpos_store_drop(store, 0, 4);
	assert_int_equal(ledger_of(m).store_pages, 2);
	assert_int_equal(fetch(4, 1, 0, 2), 0);
	assert_true(holds(1, 0, 3));
	tpos_store_drop(store, 0, 16);
	tpos_store_drop(store, 0, 16);
	assert_int_equal(ledger_of(m).store_pages, 0);
}

/* When a store is destroyed, it frees the room of all that it keeps. */
static void an_end_makes_room(void **state)
{
	tpos_store_t *other;

	(void)state;
	assert_int_equal(tpos_store_create(m, 4, &other), 0);
	assert_int_equal(ledger_of(m).stores, 2);
	assert_int_equal(
		tpos_store_write(other, 0,
				 &(struct tpos_span){ &batch.chunk[0], 0, 4 }),
		0);
	assert_int_equal(ledger_of(m).store_pages, 4);
	tpos_store_destroy(other);
	assert_int_equal(ledger_of(m).stores, 1);
	assert_int_equal(ledger_of(m).store_pages, 0);
}

/* Two stores can keep different contents at the same index. */
static void stores_are_apart(void **state)
{
	struct tpos_span first = span_of(&batch.chunk[0], 0, 1);
	struct tpos_span second = span_of(&batch.chunk[0], 1, 1);
	tpos_store_t *other;

	(void)state;
	assert_int_equal(tpos_store_create(m, 1, &other), 0);
	assert_int_equal(tpos_store_write(store, 0, &first), 0);
	assert_int_equal(tpos_store_write(other, 0, &second), 0);
	assert_int_equal(fetch(0, 1, 0, 1), 0);
	assert_true(holds(1, 0, 1));
	tpos_store_destroy(other);
	assert_int_equal(fetch(0, 1, 3, 1), 0);
	assert_true(holds(1, 3, 1));
}

/* All stores share the room. When it is used up, writes fail, and the contents of other
 * pages are kept. */
static void room_runs_out(void **state)
{
	(void)state;
	begin(&(struct tpsim_config){ .store_pages = 5 });
	assert_int_equal(keep(0, 0, 0, 3), 0);
	assert_int_equal(keep(8, 0, 0, 4), -ENOSPC);
	assert_int_equal(ledger_of(m).store_pages, 5);
	assert_int_equal(fetch(0, 1, 0, 3), 0);
	assert_true(holds(1, 2, 3));
	tpos_store_drop(store, 8, 4);
	assert_int_equal(ledger_of(m).store_pages, 3);
	assert_int_equal(keep(8, 0, 0, 2), 0);
	end();
}

/* Writing a page again needs no more room. */
static void a_full_store_can_be_written_again(void **state)
{
	(void)state;
	begin(&(struct tpsim_config){ .store_pages = 4 });
	assert_int_equal(keep(0, 0, 0, 4), 0);
	page_fill(m, batch.chunk[0].page, 0x31);
	assert_int_equal(keep(0, 0, 0, 4), 0);
	assert_int_equal(fetch(0, 1, 0, 1), 0);
	assert_true(holds(1, 0, 0x31));
	end();
}

/* After a failed write, its pages occupy room until they are dropped, and are valid once
 * they have been written again. */
static void a_failed_write_can_be_repeated(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_STORE_WRITE, 1, 2);
	assert_int_equal(keep(0, 0, 0, 4), -ENOSPC);
	assert_int_equal(ledger_of(m).store_pages, 2);
	assert_int_equal(keep(0, 0, 0, 4), 0);
	assert_int_equal(ledger_of(m).store_pages, 4);
	assert_int_equal(fetch(0, 1, 0, 4), 0);
	assert_true(holds(1, 3, 4));
}

/* After a failed read, the pages from the failed one on hold neither their old contents
 * nor those of the store. */
static void a_failed_read_leaves_rubbish(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 0, 4), 0);
	for (size_t i = 0; i < 4; i++)
		page_fill(m, batch.chunk[1].page + i, 0x40);
	plan(m, TPSIM_CALL_STORE_READ, 1, 1);
	assert_int_equal(fetch(0, 1, 0, 4), -EIO);
	assert_true(holds(1, 0, 1));
	assert_false(holds(1, 1, 2) || holds(1, 1, 0x40));
	assert_int_equal(first_byte(1, 1), 2); /* half of it was read */
	assert_false(holds(1, 3, 4) || holds(1, 3, 0x40));
	assert_int_equal(fetch(0, 1, 0, 4), 0);
	assert_true(holds(1, 3, 4));
}

/* A store whose creation failed does not exist. */
static void a_store_may_not_be_had(void **state)
{
	tpos_store_t *other = NULL;

	(void)state;
	plan(m, TPSIM_CALL_STORE_CREATE, 1, 0);
	assert_int_equal(tpos_store_create(m, 4, &other), -ENOMEM);
	assert_null(other);
	assert_int_equal(ledger_of(m).stores, 1);
}

/* A store for too many pages is refused, because its table would be too large. */
static void a_store_may_be_too_large(void **state)
{
	tpos_store_t *other;

	(void)state;
	assert_int_equal(tpos_store_create(m, SIZE_MAX, &other), -ENOMEM);
	assert_int_equal(tpos_store_create(m, SIZE_MAX / 16, &other), -ENOMEM);
	assert_int_equal(ledger_of(m).stores, 1);
}

/* Whole pages are stored, however large they are. */
static void large_pages_are_kept_whole(void **state)
{
	(void)state;
	begin(&(struct tpsim_config){ .page_shift = 16 });
	assert_int_equal(keep(3, 0, 1, 2), 0);
	assert_int_equal(fetch(3, 1, 0, 2), 0);
	assert_true(holds(1, 0, 2));
	assert_true(holds(1, 1, 3));
	end();
}

/* Pages that are written and read are counted, and cost as much time as on a disk. */
static void traffic_is_counted(void **state)
{
	struct tpsim_counters before = counters_of(m), after;

	(void)state;
	assert_int_equal(keep(0, 0, 0, 4), 0);
	assert_int_equal(fetch(1, 1, 0, 3), 0);
	after = counters_of(m);
	assert_int_equal(after.store_writes - before.store_writes, 4);
	assert_int_equal(after.store_reads - before.store_reads, 3);
	assert_true(after.ns - before.ns >= 7 * 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(contents_come_back),
		TEST(a_store_keeps_a_copy),
		TEST(reading_ends_nothing),
		TEST(writing_again_replaces),
		TEST(a_span_is_a_part),
		TEST(dropping_makes_room),
		TEST(an_end_makes_room),
		TEST(stores_are_apart),
		cmocka_unit_test(room_runs_out),
		cmocka_unit_test(a_full_store_can_be_written_again),
		TEST(a_failed_write_can_be_repeated),
		TEST(a_failed_read_leaves_rubbish),
		TEST(a_store_may_not_be_had),
		TEST(a_store_may_be_too_large),
		cmocka_unit_test(large_pages_are_kept_whole),
		TEST(traffic_is_counted),
	};

	return cmocka_run_group_tests_name("machine-store", tests, NULL, NULL);
}
