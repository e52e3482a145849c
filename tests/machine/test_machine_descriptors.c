// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Descriptors of chunks: how long a descriptor that was freed may be read; and that each
 * page has room for a pointer to its chunk. They behave like a slab cache with
 * SLAB_TYPESAFE_BY_RCU and like an xarray in Linux.
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
	struct ttmpool_chunk *chunk = tpos_chunk_alloc(m, false, 0);

	assert_non_null(chunk);
	chunk->flags = 0;
	return chunk;
}

/* Allocated descriptors are counted, and one that is not allocated cannot be freed. */
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

/* A freed descriptor is the next one that is allocated, at once, and is not cleared: a
 * late reader sees what the last chunk left there. */
static void the_next_chunk_is_where_the_last_was(void **state)
{
	struct ttmpool_chunk *chunk = get();

	(void)state;
	tpos_read_lock();
	chunk->ticket = 17;
	tpos_read_unlock();
	tpos_chunk_free(m, chunk);
	assert_ptr_equal(tpos_chunk_alloc(m, false, 0), chunk);
	assert_int_equal(chunk->ticket, 17);
	tpos_chunk_free(m, chunk);
}

static void free_as_another(void *arg)
{
	struct ttmpool_chunk *chunk = arg;

	chunk->flags ^= TTMPOOL_CHUNK_NAMED;
	tpos_chunk_free(m, chunk);
}

/* A descriptor with room for a name is never reused without it, nor the other way round,
 * and it must be freed as the kind that it was allocated as. */
static void names_have_descriptors_of_their_own(void **state)
{
	struct ttmpool_chunk *chunk = get(), *named;

	(void)state;
	named = tpos_chunk_alloc(m, true, 0);
	assert_non_null(named);
	named->flags = TTMPOOL_CHUNK_NAMED;
	assert_complains("bad free", free_as_another, chunk);
	assert_complains("bad free", free_as_another, named);
	tpos_chunk_free(m, chunk);
	tpos_chunk_free(m, named);
	chunk = get();
	assert_ptr_not_equal(chunk, named);
	assert_ptr_equal(tpos_chunk_alloc(m, true, 0), named);
	tpos_chunk_free(m, chunk);
	tpos_chunk_free(m, named);
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
	reader->saw = tpos_read_once(&reader->chunk->ticket);
	tpos_read_unlock();
	pthread_barrier_wait(&reader->read);
	return NULL;
}

/* While any thread reads, a freed descriptor may be read. Once no thread does, memory
 * checkers see it as inaccessible. */
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
	reader.chunk->ticket = 4;
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
	tpos_chunk_free(m, tpos_chunk_alloc(m, false, 0));
}

static void read_no_more(void *arg)
{
	(void)arg;
	tpos_read_lock();
	tpos_read_unlock();
	tpos_read_unlock();
}

/* A reader does not sleep, and ends each read section that it began. */
static void reading_has_rules(void **state)
{
	(void)state;
	assert_complains("sleeping while atomic", sleep_while_reading, NULL);
	assert_complains("unlock of a lock that is not held", read_no_more,
			 NULL);
}

/* No descriptor is allocated if the call is planned to fail. */
static void a_descriptor_may_not_be_had(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	assert_null(tpos_chunk_alloc(m, false, 0));
	assert_int_equal(ledger_of(m).descriptors, 0);
	assert_int_equal(tpsim_fault_clear(m), 1);
}

/* After pages were allocated, a chunk can be set on each of them without memory, and no
 * page leads to it any more when they are free. */
static void a_page_has_room_for_its_chunk(void **state)
{
	tpos_page_t *page;

	(void)state;
	batch_plain(&batch, dev, 2, 1);
	page = batch.chunk[0].page;
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	for (size_t i = 0; i < 4; i++) {
		assert_null(tpos_page_chunk(dev, tpos_page_nth(page, i)));
		tpos_page_set_chunk(tpos_page_nth(page, i), &batch.chunk[0]);
		assert_ptr_equal(tpos_page_chunk(dev, tpos_page_nth(page, i)),
				 &batch.chunk[0]);
	}
	assert_int_equal(tpsim_fault_clear(m), 0);
	batch_free(&batch, dev);
	for (size_t i = 0; i < 4; i++)
		assert_null(tpos_page_chunk(dev, tpos_page_nth(page, i)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(descriptors_are_counted),
		TEST(the_next_chunk_is_where_the_last_was),
		TEST(names_have_descriptors_of_their_own),
		TEST(what_has_ended_is_read_until_readers_are_through),
		TEST(reading_has_rules),
		TEST(a_descriptor_may_not_be_had),
		TEST(a_page_has_room_for_its_chunk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
