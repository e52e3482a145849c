// SPDX-License-Identifier: GPL-2.0 OR MIT
/* RAM: which pages the page allocators hand out. */

#include "bed.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static struct tpos_alloc order(unsigned int order)
{
	return (struct tpos_alloc){ .order = order, .node = ANY_NODE };
}

/* A page that was written to is zero when it is handed out again. */
static void fresh_pages_are_zero(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	static struct batch batch;
	tpos_page_t *first;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 2);
	first = batch.chunk[0].page;
	memset(tpsim_page_address(m, first), 0xa5, 4 * 4096);
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, 2);
	assert_ptr_equal(batch.chunk[0].page, first);
	assert_true(bytes_are(tpsim_page_address(m, first), 4 * 4096, 0));
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* A block of any order is aligned to its own size, in physical addresses. */
static void blocks_are_aligned_to_their_size(void **state)
{
	static const unsigned int shifts[] = { 12, 14, 16 };
	static struct batch batch;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct tpsim_machine *m = machine_with(
			&(struct tpsim_config){ .page_shift = shifts[i] });
		struct tpsim_device *dev = device_with(m, 0);

		batch_init(&batch);
		for (unsigned int o = 0; o <= 10; o++) {
			uint64_t at;

			batch_plain(&batch, dev, 1, o);
			at = tpsim_page_physical(m, batch.chunk[o].page);
			assert_int_equal(at & ((1ull << (shifts[i] + o)) - 1),
					 0);
		}
		assert_int_equal(tpsim_page_size(m), 1 << shifts[i]);
		batch_free(&batch, dev);
		tpsim_machine_destroy(m);
	}
}

/* Memory that was handed out page by page is whole again when all pages have come
 * back. */
static void blocks_that_come_back_are_merged(void **state)
{
	struct tpsim_machine *m =
		machine_with(&(struct tpsim_config){ .ram_pages = 1024 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc page = order(0), half = order(9);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	while (!batch_add(&batch, dev, &page))
		;
	assert_int_equal(ledger_of(m).free_pages, 0);
	batch_free(&batch, dev);
	assert_int_equal(batch_add(&batch, dev, &half), 0);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* The first 64 KiB are never handed out; the last page is. */
static void the_first_pages_are_reserved(void **state)
{
	struct tpsim_machine *m =
		machine_with(&(struct tpsim_config){ .ram_pages = 1024 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc page = order(0);
	static struct batch batch;
	bool last = false;

	(void)state;
	batch_init(&batch);
	while (!batch_add(&batch, dev, &page)) {
		uint64_t at =
			tpsim_page_physical(m, batch.chunk[batch.n - 1].page);

		assert_true(at >= 64 << 10);
		last |= at == 1023 * 4096;
	}
	assert_int_equal(batch.n, 1024 - 16);
	assert_true(last);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* If no page is left, the call returns -ENOMEM, and the chunk is unchanged. */
static void a_shortage_leaves_the_chunk_alone(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc page = order(0);
	struct ttmpool_chunk chunk = { .ticket = 7 };
	static const struct ttmpool_chunk same = { .ticket = 7 };

	(void)state;
	tpsim_ram_hold(m, ANY_NODE, 0);
	assert_int_equal(tpos_pages_alloc(dev, &page, &chunk), -ENOMEM);
	assert_memory_equal(&chunk, &same, sizeof(chunk));
	tpsim_ram_release(m);
	tpsim_machine_destroy(m);
}

/* No block is larger than the largest order. */
static void there_is_a_largest_order(void **state)
{
	struct tpsim_machine *m =
		machine_with(&(struct tpsim_config){ .max_order = 4 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc four = order(4), five = order(5);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	assert_int_equal(batch_add(&batch, dev, &five), -ENOMEM);
	assert_int_equal(batch_add(&batch, dev, &four), 0);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* The wanted node is tried first, and the others after it, unless only that node is
 * allowed. */
static void nodes_are_tried_in_turn(void **state)
{
	struct tpsim_machine *m = machine_with(
		&(struct tpsim_config){ .nr_nodes = 2, .ram_pages = 8192 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc req = { .node = 1 };
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	assert_int_equal(tpos_page_node(dev, batch.chunk[0].page), 1);
	tpsim_ram_hold(m, 1, 0);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	assert_int_equal(tpos_page_node(dev, batch.chunk[1].page), 0);
	req.flags = TPOS_ALLOC_THIS_NODE;
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	/* A node that does not exist has no pages. */
	req.node = 2;
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	req.flags = 0;
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	batch_free(&batch, dev);
	tpsim_ram_release(m);
	tpsim_machine_destroy(m);
}

/* A hold leaves exactly as many free pages as asked for, and a release gives all back. */
static void holding_is_exact(void **state)
{
	struct tpsim_machine *m = machine_with(
		&(struct tpsim_config){ .nr_nodes = 2, .ram_pages = 8192 });
	size_t before = ledger_of(m).free_pages;

	(void)state;
	assert_int_equal(tpsim_ram_hold(m, 1, 37), 4096 - 37);
	assert_int_equal(ledger_of(m).free_pages, before - (4096 - 37));
	assert_int_equal(tpsim_ram_hold(m, ANY_NODE, 5), before - 5);
	assert_int_equal(ledger_of(m).free_pages, 5);
	tpsim_ram_release(m);
	assert_int_equal(ledger_of(m).free_pages, before);
	tpsim_machine_destroy(m);
}

/* Fragmented memory has blocks up to that order, and no larger ones. */
static void fragmentation_leaves_nothing_above_an_order(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc three = order(3), four = order(4);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	tpsim_ram_fragment(m, 3);
	assert_int_equal(batch_add(&batch, dev, &four), -ENOMEM);
	assert_int_equal(batch_add(&batch, dev, &three), 0);
	tpsim_ram_release(m);
	assert_int_equal(batch_add(&batch, dev, &four), 0);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

static size_t resident(void)
{
	unsigned long size = 0, pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");

	assert_non_null(statm);
	assert_int_equal(fscanf(statm, "%lu %lu", &size, &pages), 2);
	fclose(statm);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* A machine costs only the memory that is touched. It has 2 GiB here, because Valgrind
 * would need long for more. */
static void ram_that_is_not_touched_costs_nothing(void **state)
{
	size_t before = resident();
	struct tpsim_machine *m = machine_with(
		&(struct tpsim_config){ .ram_pages = 2048 * MIB >> 12 });
	struct tpsim_device *dev = device_with(m, 0);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 10);
	assert_true(resident() - before < 128 * MIB);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* A configuration that no machine can have is refused. */
static void impossible_machines_are_refused(void **state)
{
	static const struct tpsim_config bad[] = {
		{ .page_shift = 13 },      { .nr_nodes = TPSIM_MAX_NODES + 1 },
		{ .max_order = 40 },       { .ram_pages = 1 },
		{ .ram_pages = SIZE_MAX }, { .swiotlb_slots = SIZE_MAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_null(tpsim_machine_create(&bad[i]));
}

/* 1 GiB, of which a device of 28 bits reaches a quarter. */
#define LARGE                                   \
	&(struct tpsim_config)                  \
	{                                       \
		.ram_pages = (1024 * MIB) >> 12 \
	}
#define MASK_28 0xfffffffu

/* A zone is not a mask: a plain page for a device of 28 bits may be beyond its mask. */
static void a_plain_page_may_be_beyond_the_mask(void **state)
{
	struct tpsim_machine *m = machine_with(LARGE);
	struct tpsim_device *dev = device_with(m, MASK_28);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 0);
	assert_true(tpsim_page_physical(m, batch.chunk[0].page) > MASK_28);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* A device of 24 bits gets its plain pages below 16 MiB. */
static void a_24_bit_device_has_a_zone(void **state)
{
	struct tpsim_machine *m = machine_with(LARGE);
	struct tpsim_device *dev = device_with(m, 0xffffff);
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 9);
	assert_true(tpsim_page_physical(m, batch.chunk[0].page) < 16 * MIB);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* A coherent page is within the mask, and mapped. */
static void a_coherent_page_is_within_the_mask(void **state)
{
	struct tpsim_machine *m = machine_with(LARGE);
	struct tpsim_device *dev = device_with(m, MASK_28);
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .order = 6,
				  .node = ANY_NODE };
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	assert_true(tpos_dma_address(&batch.chunk[0].dma) < MASK_28);
	assert_int_equal(ledger_of(m).pages_coherent, 64);
	assert_int_equal(ledger_of(m).mappings, 1);
	batch_free(&batch, dev);
	assert_int_equal(ledger_of(m).mappings, 0);
	tpsim_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fresh_pages_are_zero),
		cmocka_unit_test(blocks_are_aligned_to_their_size),
		cmocka_unit_test(blocks_that_come_back_are_merged),
		cmocka_unit_test(the_first_pages_are_reserved),
		cmocka_unit_test(a_shortage_leaves_the_chunk_alone),
		cmocka_unit_test(there_is_a_largest_order),
		cmocka_unit_test(nodes_are_tried_in_turn),
		cmocka_unit_test(holding_is_exact),
		cmocka_unit_test(fragmentation_leaves_nothing_above_an_order),
		cmocka_unit_test(ram_that_is_not_touched_costs_nothing),
		cmocka_unit_test(impossible_machines_are_refused),
		cmocka_unit_test(a_plain_page_may_be_beyond_the_mask),
		cmocka_unit_test(a_24_bit_device_has_a_zone),
		cmocka_unit_test(a_coherent_page_is_within_the_mask),
	};

	return cmocka_run_group_tests_name("machine-ram", tests, NULL, NULL);
}
