// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Devices that are gone: what a holder of the descriptor may still do, and nobody
 * else. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .iommu = TPSIM_IOMMU_STRICT });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 2, 1);
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

/* A holder can make the device's pages write-back, and free them. */
static void a_held_device_can_be_named(void **state)
{
	(void)state;
	tpos_device_get(dev);
	assert_int_equal(ledger_of(m).device_holds, 1);
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED), 0);
	tpsim_device_destroy(dev);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	tpos_device_get(dev);
	batch_free(&batch, dev);
	tpos_device_put(dev);
	tpos_device_put(dev);
	assert_true(tpsim_ledger_is_empty(m));
}

/* Coherent pages that were cut off before can be freed like others. */
static void coherent_pages_outlive_their_device(void **state)
{
	(void)state;
	batch_free(&batch, dev);
	batch_coherent(&batch, dev, 3);
	tpos_dma_unmap(dev, &batch.list, false);
	tpos_device_get(dev);
	tpsim_device_destroy(dev);
	assert_int_equal(ledger_of(m).pages_coherent, 8);
	batch_free(&batch, dev);
	tpos_device_put(dev);
}

/* Other devices are not affected. */
static void other_devices_stay(void **state)
{
	struct tpsim_device *other = device_with(m, 0);

	(void)state;
	assert_int_equal(tpos_dma_map(other, &batch.list), 0);
	tpsim_device_destroy(dev);
	assert_int_equal(
		tpsim_device_write(other, tpos_dma_address(&batch.chunk[0].dma),
				   "x", 1),
		0);
	tpos_dma_unmap(other, &batch.list, false);
	batch_free(&batch, other);
}

static void query(void *arg)
{
	struct tpos_device_info info;

	tpos_device_query(arg, &info);
}

static void alloc(void *arg)
{
	struct tpos_alloc req = { .node = ANY_NODE };

	batch_init(&batch);
	batch_add(&batch, arg, &req);
}

static void map(void *arg)
{
	tpos_dma_map(arg, &batch.list);
}

static void unmap(void *arg)
{
	tpos_dma_unmap(arg, &batch.list, false);
}

static void clear(void *arg)
{
	tpos_pages_clear(arg, &batch.list);
}

static void split(void *arg)
{
	struct ttmpool_chunk upper = { .order = 0 };

	tpos_pages_split(arg, &batch.chunk[0], &upper);
}

static void reaches(void *arg)
{
	tpos_device_reaches(arg, batch.chunk[0].page, 1);
}

static void bounces(void *arg)
{
	tpos_dma_bounces(arg, &batch.chunk[0]);
}

static void sync(void *arg)
{
	tpsim_dma_sync(arg, batch.chunk[0].page, true);
}

static void transfer(void *arg)
{
	char byte;

	tpsim_device_read(arg, 0, &byte, 1);
}

static void destroy(void *arg)
{
	tpsim_device_destroy(arg);
}

static void free_pages(void *arg)
{
	tpos_pages_free(arg, &batch.list);
}

static void make_cached(void *arg)
{
	tpos_caching_set(arg, &batch.list, TTMPOOL_CACHED);
}

static void get(void *arg)
{
	tpos_device_get(arg);
}

/* Calls that need the device, or its address space, end the program, whether it is held
 * or not. */
static void nothing_else_works_with_it(void **state)
{
	static void (*const uses[])(
		void *) = { query,   alloc,   map,  unmap,    clear,  split,
			    reaches, bounces, sync, transfer, destroy };

	(void)state;
	tpos_device_get(dev);
	tpsim_device_destroy(dev);
	for (size_t i = 0; i < sizeof(uses) / sizeof(*uses); i++)
		assert_complains("use of a device that is gone", uses[i], dev);
	batch_free(&batch, dev);
	tpos_device_put(dev);
}

/* If it is not held, every call with it ends the program. */
static void who_does_not_hold_it_may_not_name_it(void **state)
{
	struct tpsim_device *other = device_with(m, 0);

	(void)state;
	tpos_device_get(dev);
	tpos_device_put(dev);
	tpsim_device_destroy(dev);
	assert_complains("use of a device that is gone", free_pages, dev);
	assert_complains("use of a device that is gone", make_cached, dev);
	assert_complains("use of a device that is gone", get, dev);
	batch_free(&batch, other);
}

static void put(void *arg)
{
	tpos_device_put(arg);
}

static void end_the_machine(void *arg)
{
	tpos_device_get(arg);
	batch_free(&batch, arg);
	tpsim_machine_destroy(m);
}

/* A hold that is never put is a leak, and one that is put twice is an error. */
static void holds_are_counted(void **state)
{
	(void)state;
	assert_complains("put of a device that is not held", put, dev);
	assert_complains("1 devices held", end_the_machine, dev);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_held_device_can_be_named),
		TEST(coherent_pages_outlive_their_device),
		TEST(other_devices_stay),
		TEST(nothing_else_works_with_it),
		TEST(who_does_not_hold_it_may_not_name_it),
		TEST(holds_are_counted),
	};

	return cmocka_run_group_tests_name("machine-gone", tests, NULL, NULL);
}
