// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Stores: what is kept, for how long, and how much of it. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_store_t *store;

/* Chunks 0 and 1, of four pages each: full of 1, 2, 3, 4, and of zeroes. */
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

/* What was written is read, in other pages. */
static void contents_come_back(void **state)
{
	(void)state;
	assert_int_equal(keep(7, 0, 0, 4), 0);
	assert_int_equal(fetch(7, 1, 0, 4), 0);
	for (size_t i = 0; i < 4; i++)
		assert_true(holds(1, i, (unsigned char)(i + 1)));
}

/* The bytes are a copy: what becomes of the page is nothing to the store. */
static void a_store_keeps_a_copy(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 2, 1), 0);
	page_fill(m, batch.chunk[0].page + 2, 0x99);
	assert_int_equal(fetch(0, 1, 0, 1), 0);
	assert_true(holds(1, 0, 3));
}

/* What was read is kept still. */
static void reading_ends_nothing(void **state)
{
	(void)state;
	assert_int_equal(keep(0, 0, 0, 2), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(fetch(0, 1, i, 1), 0);
	assert_true(holds(1, 2, 1));
	assert_int_equal(ledger_of(m).store_pages, 2);
}

/* What is written again takes the place of what was there. */
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

/* Only the pages of the span are read, and only they are changed. */
static void a_span_is_a_part(void **state)
{
	(void)state;
	assert_int_equal(keep(4, 0, 1, 2), 0);
	assert_int_equal(fetch(5, 1, 2, 1), 0);
	assert_true(holds(1, 1, 0));
	assert_true(holds(1, 2, 3));
	assert_true(holds(1, 3, 0));
}

/* What is dropped takes up no room; what is not there is skipped. */
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

/* A store that ends takes all that it keeps with it. */
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

/* Two stores keep the same page of two buffers. */
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

/* The room is that of all stores together. When it is used up no more goes in,
 * and what was kept for other pages is as it was. */
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

/* To write a page again needs no room. */
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

/* After a write that failed, its pages take up room until they are dropped, and
 * are there once they have been written again. */
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

/* What a read that failed has left is not what was there before, nor what is in
 * the store: from the page that failed on nobody can count on it. */
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
	assert_int_equal(first_byte(1, 1), 2); /* half of it came */
	assert_false(holds(1, 3, 4) || holds(1, 3, 0x40));
	assert_int_equal(fetch(0, 1, 0, 4), 0);
	assert_true(holds(1, 3, 4));
}

/* A store that could not be made is not there. */
static void a_store_may_not_be_had(void **state)
{
	tpos_store_t *other = NULL;

	(void)state;
	plan(m, TPSIM_CALL_STORE_CREATE, 1, 0);
	assert_int_equal(tpos_store_create(m, 4, &other), -ENOMEM);
	assert_null(other);
	assert_int_equal(ledger_of(m).stores, 1);
}

/* Nobody has a table for so many pages. */
static void a_store_may_be_too_large(void **state)
{
	tpos_store_t *other;

	(void)state;
	assert_int_equal(tpos_store_create(m, SIZE_MAX, &other), -ENOMEM);
	assert_int_equal(tpos_store_create(m, SIZE_MAX / 16, &other), -ENOMEM);
	assert_int_equal(ledger_of(m).stores, 1);
}

/* A page is whole, however large. */
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

/* Pages that come and go are counted, and cost what a disk does. */
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
