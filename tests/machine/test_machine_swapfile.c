// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The file of the host that holds all stores: how many stores it can hold, how large it
 * gets, and what happens when the disk is full. */

#include "bed.h"

#include <signal.h>
#include <sys/resource.h>

#define FILE_PAGES 16

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_store_t *store;
static struct rlimit before;

/* Four pages, and a limit of sixteen pages for files of the host. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 2);
	for (unsigned int i = 0; i < 4; i++)
		page_fill(m, batch.chunk[0].page + i, (unsigned char)(i + 1));
	assert_int_equal(tpos_store_create(m, 1000, &store), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_store_destroy(store);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

static void limit_files(bool on)
{
	struct rlimit few = { FILE_PAGES * 4096, before.rlim_max };

	signal(SIGXFSZ, on ? SIG_IGN : SIG_DFL);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, on ? &few : &before), 0);
}

static int keep(size_t index)
{
	struct tpos_span from = span_of(&batch.chunk[0], 0, 4);

	return tpos_store_write(store, index, &from);
}

/* Freed room is used again before the file grows, and never room that is in use. */
static void room_is_used_again(void **state)
{
	struct tpos_span to = span_of(&batch.chunk[0], 0, 4);
	int err;

	(void)state;
	limit_files(true);
	err = keep(0);
	for (size_t i = 1; i < 200 && !err; i++) {
		err = keep(4 * i);
		if (i > 1)
			tpos_store_drop(store, 4 * (i - 1), 4);
	}
	limit_files(false);
	assert_int_equal(err, 0);
	assert_int_equal(ledger_of(m).store_pages, 8);
	tpos_pages_clear(dev, &batch.list);
	assert_int_equal(tpos_store_read(store, 0, &to), 0);
	for (unsigned int i = 0; i < 4; i++)
		assert_true(page_is(m, batch.chunk[0].page + i,
				    (unsigned char)(i + 1)));
}

/* If the host's disk is full, a write returns -ENOSPC. */
static void the_host_may_have_no_room(void **state)
{
	int err = 0;
	size_t i = 0;

	(void)state;
	limit_files(true);
	while (!err && i < FILE_PAGES)
		err = keep(4 * i++);
	limit_files(false);
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(i, FILE_PAGES / 4 + 1);
}

/* Many stores need no more files of the host than one does. */
static void stores_are_no_files(void **state)
{
	static tpos_store_t *many[500];
	struct rlimit files, few;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	few = (struct rlimit){ 64, files.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (size_t i = 0; i < 500; i++) {
		struct tpos_span from = span_of(&batch.chunk[0], i % 4, 1);

		assert_int_equal(tpos_store_create(m, 1, &many[i]), 0);
		assert_int_equal(tpos_store_write(many[i], 0, &from), 0);
	}
	tpos_pages_clear(dev, &batch.list);
	for (size_t i = 0; i < 500; i++) {
		struct tpos_span to = span_of(&batch.chunk[0], i % 4, 1);

		assert_int_equal(tpos_store_read(many[i], 0, &to), 0);
		assert_true(page_is(m, batch.chunk[0].page + i % 4,
				    (unsigned char)(i % 4 + 1)));
		tpos_store_destroy(many[i]);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(room_is_used_again),
		TEST(the_host_may_have_no_room),
		TEST(stores_are_no_files),
	};

	return cmocka_run_group_tests_name("machine-swapfile", tests, NULL,
					   NULL);
}
