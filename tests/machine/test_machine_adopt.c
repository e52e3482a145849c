// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Stores that take over pages: which chunks they take, and who owns the pages then. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_store_t *store;

/* One chunk of each order, and a store with room for any of them. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .store_adopts = true });
	dev = device_with(m, 0);
	batch_init(&batch);
	for (unsigned int order = 0; order <= 10; order++)
		batch_plain(&batch, dev, 1, order);
	assert_int_equal(tpos_store_create(m, 1 << 10, &store), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpsim_ram_release(m);
	tpos_store_destroy(store);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

static int adopt(struct ttmpool_chunk *chunk)
{
	int err = tpos_store_adopt(store, 0, chunk);

	if (err)
		return err;
	ttmpool_list_del(&chunk->link);
	tpos_store_drop(store, 0, ttmpool_chunk_pages(chunk));
	return 0;
}

/* In unfragmented memory the store takes chunks of all orders, and their pages are no
 * longer out. */
static void all_orders_are_taken_in_whole_memory(void **state)
{
	size_t out = ledger_of(m).pages_plain;

	(void)state;
	for (int order = 0; order <= 10; order++) {
		assert_int_equal(adopt(&batch.chunk[order]), 0);
		out -= (size_t)1 << order;
		assert_int_equal(ledger_of(m).pages_plain, out);
	}
	ttmpool_list_init(&batch.list);
	batch_plain(&batch, dev, 1, 0);
}

/* In fragmented memory the store takes only chunks of low orders, and keeps nothing of
 * the others. */
static void large_ones_are_not_in_pieces(void **state)
{
	(void)state;
	tpsim_ram_fragment(m, 0);
	for (int order = 0; order <= 10; order++)
		assert_int_equal(adopt(&batch.chunk[order]),
				 order <= 3 ? 0 : -EOPNOTSUPP);
	assert_int_equal(ledger_of(m).store_pages, 0);
}

/* What counts is whether most of the free memory is in large or in small blocks: one free
 * block of 1024 pages outweighs 1000 single pages. */
static void the_larger_part_decides(void **state)
{
	struct ttmpool_list largest;

	(void)state;
	tpsim_ram_fragment(m, 0);
	tpsim_ram_hold(m, ANY_NODE, 1000);
	assert_int_equal(adopt(&batch.chunk[4]), -EOPNOTSUPP);
	ttmpool_list_init(&largest);
	ttmpool_list_move_tail(&batch.chunk[10].link, &largest);
	tpos_pages_free(dev, &largest);
	assert_int_equal(adopt(&batch.chunk[4]), 0);
	assert_int_equal(adopt(&batch.chunk[9]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			all_orders_are_taken_in_whole_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(large_ones_are_not_in_pieces,
						setup, teardown),
		cmocka_unit_test_setup_teardown(the_larger_part_decides, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
