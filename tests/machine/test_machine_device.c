// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Devices: what they report, and their DMA without an IOMMU. The accesses of the CPU. */

#include "bed.h"

#include <string.h>

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .nr_nodes = 2 });
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

static uint64_t addr_of(size_t i)
{
	return tpos_dma_address(&batch.chunk[i].dma);
}

/* A device reports its configuration, and the properties of the machine. */
static void a_device_reports_what_it_is(void **state)
{
	struct tpsim_device_config config = { .dma_mask = 0xffffffff,
					      .max_mapping = 1 << 20,
					      .node = 1,
					      .untrusted = true };
	struct tpos_device_info info;

	(void)state;
	tpos_device_query(tpsim_device_create(m, &config), &info);
	assert_int_equal(info.dma_mask, 0xffffffff);
	assert_int_equal(info.max_mapping, 1 << 20);
	assert_int_equal(info.page_shift, 12);
	assert_int_equal(info.max_order, 10);
	assert_int_equal(info.node, 1);
	assert_true(info.untrusted);
	assert_false(info.bounces);
	assert_false(info.has_iommu);
}

/* A mask of 0 means all 64 bits; a node that does not exist is refused. */
static void a_device_has_defaults(void **state)
{
	struct tpos_device_info info;

	(void)state;
	tpos_device_query(dev, &info);
	assert_true(info.dma_mask == UINT64_MAX);
	assert_int_equal(info.max_mapping, 0);
	assert_int_equal(info.node, ANY_NODE);
	assert_null(tpsim_device_create(
		m, &(struct tpsim_device_config){ .node = 2 }));
}

/* Without an IOMMU the DMA address is the physical one, and leads to the page. */
static void addresses_are_physical(void **state)
{
	unsigned char seen = 0;

	(void)state;
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(addr_of(0),
			 tpsim_page_physical(m, batch.chunk[0].page));
	assert_int_equal(tpsim_device_write(dev, addr_of(0) + 8192, "y", 1), 0);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[0].page + 2, 0, &seen, 1,
					TTMPOOL_CACHED),
			 0);
	assert_int_equal(seen, 'y');
	assert_int_equal(counters_of(m).stray_dma, 0);
	tpos_dma_unmap(dev, &batch.list, false);
}

/* An access to a stale address works, as on hardware, and is counted. */
static void a_stale_access_is_counted(void **state)
{
	uint64_t addr;
	char byte;

	(void)state;
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	addr = addr_of(0);
	tpos_dma_unmap(dev, &batch.list, false);
	assert_int_equal(tpsim_device_write(dev, addr, "z", 1), 0);
	assert_int_equal(counters_of(m).stray_dma, 1);
	batch_free(&batch, dev);
	assert_int_equal(tpsim_device_read(dev, addr, &byte, 1), 0);
	assert_int_equal(counters_of(m).stray_dma, 2);
	assert_int_equal(counters_of(m).dma_faults, 0);
}

/* A page that is mapped for another device is not mapped for this one. */
static void another_devices_page_is_stray(void **state)
{
	struct tpsim_device *other = device_with(m, 0);

	(void)state;
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(tpsim_device_write(other, addr_of(0), "z", 1), 0);
	assert_int_equal(counters_of(m).stray_dma, 1);
	tpos_dma_unmap(dev, &batch.list, false);
}

/* An access where there is no memory, or beyond the mask, faults. */
static void there_is_an_end_of_memory(void **state)
{
	struct tpsim_device *isa = device_with(m, 0xffffff);

	(void)state;
	assert_int_equal(tpsim_device_write(dev, 1ull << 40, "z", 1), -EFAULT);
	assert_int_equal(tpsim_device_write(isa, 0x1000000, "z", 1), -EFAULT);
	assert_int_equal(counters_of(m).dma_faults, 2);
}

/* A mapping of more than the device admits is refused. */
static void a_mapping_has_a_largest_size(void **state)
{
	struct tpsim_device *small = tpsim_device_create(
		m, &(struct tpsim_device_config){ .node = ANY_NODE,
						  .max_mapping = 8192 });

	(void)state;
	assert_int_equal(tpos_dma_map(small, &batch.list), -EIO);
	assert_int_equal(ledger_of(m).mappings, 0);
}

/* DMA reaches pages that are closed to the CPU, and leaves them closed; and what the
 * device wrote there is cleared like anything else. */
static void a_device_writes_to_pooled_pages(void **state)
{
	unsigned char seen = 0;

	(void)state;
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_note_parked(dev, &batch.chunk[0]);
	assert_int_equal(tpsim_device_write(dev, addr_of(0), "w", 1), 0);
	assert_int_equal(tpsim_device_read(dev, addr_of(0), &seen, 1), 0);
	assert_int_equal(seen, 'w');
	tpos_pages_clear(dev, &batch.list);
	assert_int_equal(tpsim_device_read(dev, addr_of(0), &seen, 1), 0);
	assert_int_equal(seen, 0);
	tpos_note_issued(dev, &batch.chunk[0]);
	tpos_dma_unmap(dev, &batch.list, false);
}

/* An access with the page's own caching works; with any other one it is refused, counted,
 * and has no effect. */
static void an_alias_is_refused(void **state)
{
	static const enum ttmpool_caching wrong[] = { TTMPOOL_UNCACHED,
						      TTMPOOL_CACHED };
	tpos_page_t *page = batch.chunk[0].page;
	unsigned char byte = 1, seen = 9;

	(void)state;
	tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED);
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			tpsim_cpu_write(m, page, 0, &byte, 1, wrong[i]),
			-EINVAL);
	assert_int_equal(tpsim_cpu_read(m, page, 0, &seen, 1, TTMPOOL_CACHED),
			 -EINVAL);
	assert_int_equal(seen, 9);
	assert_int_equal(counters_of(m).aliases, 3);
	assert_int_equal(
		tpsim_cpu_read(m, page, 0, &seen, 1, TTMPOOL_WRITE_COMBINED),
		0);
	assert_int_equal(seen, 0);
	tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED);
}

/* If the linear map cannot be changed, aliases are permitted. */
static void aliases_are_lived_with_elsewhere(void **state)
{
	struct tpsim_machine *arm =
		machine_with(&(struct tpsim_config){ .no_caching = true });
	struct tpsim_device *gpu = device_with(arm, 0);
	static struct batch one;

	(void)state;
	batch_init(&one);
	batch_plain(&one, gpu, 1, 0);
	assert_int_equal(tpsim_cpu_write(arm, one.chunk[0].page, 0, "a", 1,
					 TTMPOOL_WRITE_COMBINED),
			 0);
	assert_int_equal(counters_of(arm).aliases, 0);
	batch_free(&one, gpu);
	tpsim_machine_destroy(arm);
}

static void write_beyond(void *arg)
{
	(void)arg;
	tpsim_cpu_write(m, batch.chunk[0].page, 4090, "1234567", 7,
			TTMPOOL_CACHED);
}

static void write_nowhere(void *arg)
{
	tpsim_cpu_write(m, arg, 0, "1", 1, TTMPOOL_CACHED);
}

/* The CPU accesses one page of this machine at a time. */
static void bad_accesses_end_the_program(void **state)
{
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });

	(void)state;
	assert_complains("access beyond a page", write_beyond, NULL);
	assert_complains("bad page", write_nowhere,
			 tpsim_page_of_system(other));
	tpsim_machine_destroy(other);
}

/* Every byte of every page counts: the page with which the mask ends is within reach; the
 * one after it is not, nor one that extends beyond the mask. */
static void reach_ends_with_the_mask(void **state)
{
	struct tpsim_device *near = device_with(m, 0x1ffff);
	struct tpsim_device *half = device_with(m, 0x1f7ff);
	tpos_page_t *last = tpsim_page_of_system(m) + 31;

	(void)state;
	assert_int_equal(tpsim_page_physical(m, last), 0x1f000);
	assert_true(tpos_device_reaches(near, last, 1));
	assert_true(tpos_device_reaches(near, last - 3, 4));
	assert_false(tpos_device_reaches(near, last - 3, 5));
	assert_false(tpos_device_reaches(half, last, 1));
	assert_true(tpos_device_reaches(half, last - 1, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_device_reports_what_it_is),
		TEST(a_device_has_defaults),
		TEST(addresses_are_physical),
		TEST(a_stale_access_is_counted),
		TEST(another_devices_page_is_stray),
		TEST(there_is_an_end_of_memory),
		TEST(a_mapping_has_a_largest_size),
		TEST(a_device_writes_to_pooled_pages),
		TEST(an_alias_is_refused),
		TEST(aliases_are_lived_with_elsewhere),
		TEST(reach_ends_with_the_mask),
		TEST(bad_accesses_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-device", tests, NULL, NULL);
}
