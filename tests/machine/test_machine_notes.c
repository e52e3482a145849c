// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages and their chunks: which pages are known, and which memory may be accessed. Only
 * tools that watch memory know whether it is closed: without one of them,
 * annotate_is_closed() returns -1, and only the ledger can be checked.
 */

#include "bed.h"

#include <annotate.h>

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 2);
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

/* Is the whole of chunk 0 closed, or open, as far as a tool can tell? */
static bool is_closed(bool wanted)
{
	const char *bytes = tpsim_page_address(m, batch.chunk[0].page);

	for (size_t i = 0; i < 4 * 4096; i += 1024) {
		int closed = annotate_is_closed(bytes + i, 1);

		if (closed >= 0 && closed != wanted)
			return false;
	}
	return true;
}

/* A chunk is closed while it is parked, and open before and after. */
static void a_parked_chunk_is_closed(void **state)
{
	(void)state;
	assert_true(is_closed(false));
	tpos_note_parked(dev, &batch.chunk[0]);
	assert_true(is_closed(true));
	assert_int_equal(ledger_of(m).pages_parked, 4);
	tpos_note_issued(dev, &batch.chunk[0]);
	assert_true(is_closed(false));
	assert_int_equal(ledger_of(m).pages_parked, 0);
}

/* A free page is closed, whether it was parked before or not. */
static void a_free_page_is_closed(void **state)
{
	tpos_page_t *page = batch.chunk[0].page;

	(void)state;
	tpos_pages_free(dev, &batch.list);
	assert_true(is_closed(true));
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 2);
	assert_ptr_equal(batch.chunk[0].page, page);
	assert_true(is_closed(false));
	tpos_note_parked(dev, &batch.chunk[0]);
	tpos_pages_free(dev, &batch.list);
	batch.n = 0;
	assert_true(is_closed(true));
	assert_true(tpsim_ledger_is_empty(m));
}

/* RAM that was never allocated is closed, too. */
static void untouched_ram_is_closed(void **state)
{
	tpos_page_t *next = batch.chunk[0].page + 4;
	int closed = annotate_is_closed(tpsim_page_address(m, next), 1);

	(void)state;
	assert_true(closed != 0);
	assert_null(tpos_page_chunk(dev, next));
}

/* A parked chunk is cleared, and stays closed. */
static void a_parked_chunk_can_be_cleared(void **state)
{
	unsigned char byte = 7;

	(void)state;
	assert_int_equal(tpsim_cpu_write(m, batch.chunk[0].page, 0, &byte, 1,
					 TTMPOOL_CACHED),
			 0);
	tpos_note_parked(dev, &batch.chunk[0]);
	tpos_pages_clear(dev, &batch.list);
	assert_true(is_closed(true));
	tpos_note_issued(dev, &batch.chunk[0]);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[0].page, 0, &byte, 1,
					TTMPOOL_CACHED),
			 0);
	assert_int_equal(byte, 0);
}

/* A page leads to the chunk that was set on it, until it is freed. */
static void a_page_knows_its_chunk(void **state)
{
	tpos_page_t *page = batch.chunk[0].page;

	(void)state;
	assert_null(tpos_page_chunk(dev, page));
	tpos_page_set_chunk(page, &batch.chunk[0]);
	assert_ptr_equal(tpos_page_chunk(dev, page), &batch.chunk[0]);
	assert_null(tpos_page_chunk(dev, tpos_page_nth(page, 1)));
	batch_free(&batch, dev);
	assert_null(tpos_page_chunk(dev, page));
}

/* No other pointer is taken for a page of a chunk, wherever it points. */
static void no_other_pointer_is_a_page(void **state)
{
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *its = device_with(other, 0);
	tpos_page_t *page = batch.chunk[0].page, local = { 0 };

	(void)state;
	tpos_page_set_chunk(page, &batch.chunk[0]);
	local.chunk = &batch.chunk[0];
	assert_null(tpos_page_chunk(its, page));
	assert_null(tpos_page_chunk(dev, &local));
	assert_null(tpos_page_chunk(dev, NULL));
	assert_null(tpos_page_chunk(dev, (tpos_page_t *)(uintptr_t)8));
	assert_null(tpos_page_chunk(dev, (tpos_page_t *)UINTPTR_MAX));
	assert_null(tpos_page_chunk(
		dev, (tpos_page_t *)(uintptr_t)((uintptr_t)page + 1)));
	assert_null(tpos_page_chunk(dev, tpsim_page_of_system(m)));
	tpsim_machine_destroy(other);
}

/* The CPU can use the page of the system that the machine lends. */
static void a_page_of_the_system_is_usable(void **state)
{
	tpos_page_t *page = tpsim_page_of_system(m);
	unsigned char byte = 3;

	(void)state;
	assert_int_equal(tpsim_cpu_write(m, page, 0, &byte, 1, TTMPOOL_CACHED),
			 0);
	byte = 0;
	assert_int_equal(tpsim_cpu_read(m, page, 0, &byte, 1, TTMPOOL_CACHED),
			 0);
	assert_int_equal(byte, 3);
	assert_int_equal(ledger_of(m).pages_plain, 4); /* only the batch's */
}

static void park_twice(void *arg)
{
	(void)arg;
	tpos_note_parked(dev, &batch.chunk[0]);
	tpos_note_parked(dev, &batch.chunk[0]);
}

static void issue_what_is_issued(void *arg)
{
	(void)arg;
	tpos_note_issued(dev, &batch.chunk[0]);
}

static void park_what_is_free(void *arg)
{
	(void)arg;
	tpos_pages_free(dev, &batch.list);
	tpos_note_parked(dev, &batch.chunk[0]);
}

static void set_on_what_is_free(void *arg)
{
	(void)arg;
	tpos_pages_free(dev, &batch.list);
	tpos_page_set_chunk(batch.chunk[0].page, &batch.chunk[0]);
}

/* A chunk is parked and issued in turn, and only while it is allocated. */
static void bad_notes_end_the_program(void **state)
{
	(void)state;
	assert_complains("double park", park_twice, NULL);
	assert_complains("not parked", issue_what_is_issued, NULL);
	assert_complains("use after free", park_what_is_free, NULL);
	assert_complains("use after free", set_on_what_is_free, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_parked_chunk_is_closed),
		TEST(a_free_page_is_closed),
		TEST(untouched_ram_is_closed),
		TEST(a_parked_chunk_can_be_cleared),
		TEST(a_page_knows_its_chunk),
		TEST(no_other_pointer_is_a_page),
		TEST(a_page_of_the_system_is_usable),
		TEST(bad_notes_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-notes", tests, NULL, NULL);
}
