// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks: who may read one that has ended, and for how long; and that a
 * page has room for the chunk that is set on it. As a slab cache with
 * SLAB_TYPESAFE_BY_RCU and an xarray behave in Linux.
 */

#include <pthread.h>

#include "bed.h"

#include "annotate.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .threads = true });
	dev = device_with(m, UINT64_MAX);
	batch_init(&batch);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpsim_machine_destroy(m);
	return 0;
}

static struct ttmpool_chunk *get(void)
{
	struct ttmpool_chunk *chunk = tpos_chunk_alloc(m, NULL);

	assert_non_null(chunk);
	return chunk;
}

/* Those that are out are counted, and one that never was out cannot be freed. */
static void free_too_much(void *arg)
{
	tpos_chunk_free(m, arg);
	tpos_chunk_free(m, arg);
}

static void descriptors_are_counted(void **state)
{
	struct ttmpool_chunk *a = get(), *b = get();

	(void)state;
	assert_ptr_not_equal(a, b);
	assert_int_equal(ledger_of(m).descriptors, 2);
	tpos_chunk_free(m, a);
	assert_int_equal(ledger_of(m).descriptors, 1);
	assert_complains("bad free", free_too_much, b);
	tpos_chunk_free(m, b);
	assert_int_equal(ledger_of(m).descriptors, 0);
}

/* One that is freed is the next that is had, at once, and nobody has cleared it: a
 * reader who is late sees what the last chunk left there. */
static void the_next_chunk_is_where_the_last_was(void **state)
{
	struct ttmpool_chunk *chunk = get();

	(void)state;
	tpos_read_lock();
	chunk->stamp = 17;
	tpos_read_unlock();
	tpos_chunk_free(m, chunk);
	assert_ptr_equal(tpos_chunk_alloc(m, NULL), chunk);
	assert_int_equal(chunk->stamp, 17);
	tpos_chunk_free(m, chunk);
}

struct reader {
	pthread_barrier_t found, freed, read;
	struct ttmpool_chunk *chunk;
	uint32_t saw;
};

static void *read_late(void *arg)
{
	struct reader *reader = arg;

	tpos_read_lock();
	pthread_barrier_wait(&reader->found);
	pthread_barrier_wait(&reader->freed);
	reader->saw = tpos_read_once(&reader->chunk->stamp);
	tpos_read_unlock();
	pthread_barrier_wait(&reader->read);
	return NULL;
}

/* As long as somebody reads, what is freed may be read. Once nobody does, it is closed
 * to all who look on. */
static void what_has_ended_is_read_until_readers_are_through(void **state)
{
	struct reader reader;
	struct ttmpool_chunk *other;
	pthread_t thread;

	(void)state;
	pthread_barrier_init(&reader.found, NULL, 2);
	pthread_barrier_init(&reader.freed, NULL, 2);
	pthread_barrier_init(&reader.read, NULL, 2);
	reader.chunk = get();
	other = get();
	reader.chunk->stamp = 4;
	pthread_create(&thread, NULL, read_late, &reader);
	pthread_barrier_wait(&reader.found);
	tpos_chunk_free(m, reader.chunk);
	assert_int_not_equal(
		annotate_is_closed((char *)reader.chunk, sizeof(*reader.chunk)),
		1);
	pthread_barrier_wait(&reader.freed);
	pthread_barrier_wait(&reader.read);
	pthread_join(thread, NULL);
	assert_int_equal(reader.saw, 4);
	tpos_chunk_free(m, other);
	assert_int_not_equal(annotate_is_closed((char *)other, sizeof(*other)),
			     0);
	pthread_barrier_destroy(&reader.found);
	pthread_barrier_destroy(&reader.freed);
	pthread_barrier_destroy(&reader.read);
}

static void sleep_while_reading(void *arg)
{
	(void)arg;
	tpos_read_lock();
	tpos_read_lock();
	tpos_read_unlock();
	tpos_chunk_free(m, tpos_chunk_alloc(m, NULL));
}

static void read_no_more(void *arg)
{
	(void)arg;
	tpos_read_lock();
	tpos_read_unlock();
	tpos_read_unlock();
}

/* Who reads does not sleep, and ends as often as he began. */
static void reading_has_rules(void **state)
{
	(void)state;
	assert_complains("sleeping while atomic", sleep_while_reading, NULL);
	assert_complains("unlock of a lock that is not held", read_no_more,
			 NULL);
}

/* A descriptor is not had when the call is planned to fail, and then no page has room
 * for it. */
static void a_descriptor_may_not_be_had(void **state)
{
	tpos_page_t *page;

	(void)state;
	batch_plain(&batch, dev, 1, 1);
	page = tpos_page_nth(batch.chunk[0].page, 1);
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	assert_null(tpos_chunk_alloc(m, page));
	assert_int_equal(ledger_of(m).descriptors, 0);
	assert_int_equal(tpsim_fault_clear(m), 1);
	batch_free(&batch, dev);
}

static void set_without_room(void *arg)
{
	tpos_page_set_chunk(arg, &batch.chunk[0]);
}

static void make_room_twice(void *arg)
{
	tpos_chunk_alloc(m, arg);
	tpos_chunk_alloc(m, arg);
}

/* Whoever gets a page can set a chunk on it, and so can who gets a descriptor for a
 * page inside of a chunk. Anybody else needs memory, which may not be there. */
static void a_page_has_room_for_its_chunk(void **state)
{
	struct ttmpool_chunk *chunk;
	tpos_page_t *page;

	(void)state;
	batch_plain(&batch, dev, 1, 1);
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	page = batch.chunk[0].page;
	assert_null(tpos_page_chunk(dev, page));
	tpos_page_set_chunk(page, &batch.chunk[0]);
	assert_ptr_equal(tpos_page_chunk(dev, page), &batch.chunk[0]);
	page = tpos_page_nth(page, 1);
	assert_complains("no room", set_without_room, page);
	assert_int_equal(tpsim_fault_clear(m), 0);
	assert_complains("bad place", make_room_twice, page);
	chunk = tpos_chunk_alloc(m, page);
	assert_non_null(chunk);
	assert_null(tpos_page_chunk(dev, page));
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	tpos_page_set_chunk(page, chunk);
	assert_ptr_equal(tpos_page_chunk(dev, page), chunk);
	tpos_page_set_chunk(page, NULL);
	assert_null(tpos_page_chunk(dev, page));
	assert_int_equal(tpsim_fault_clear(m), 0);
	tpos_chunk_free(m, chunk);
	batch_free(&batch, dev);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_are_counted),
		TEST(the_next_chunk_is_where_the_last_was),
		TEST(what_has_ended_is_read_until_readers_are_through),
		TEST(reading_has_rules),
		TEST(a_descriptor_may_not_be_had),
		TEST(a_page_has_room_for_its_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
