// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages that the machine has cleared are zero. It clears only those parts of a page that
 * may have been written to; so the machine must notice every write, whatever made it.
 */

#include "bed.h"

#include <string.h>

#define ORDER 2u
#define BYTES ((size_t)4096 << ORDER)

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

static tpos_page_t *nth(size_t page)
{
	return tpos_page_nth(batch.chunk[0].page, page);
}

static void begin(enum tpsim_iommu iommu, size_t shift)
{
	m = machine_with(&(struct tpsim_config){
		.iommu = iommu, .page_shift = (unsigned int)shift });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, ORDER);
}

static void end(void)
{
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* Clear the chunk, and read all of it, without taking a pointer to its bytes. */
static bool is_clear_after_clearing(void)
{
	tpos_pages_clear(dev, &batch.list);
	for (size_t page = 0; page < 1u << ORDER; page++)
		if (!page_is(m, nth(page), 0))
			return false;
	return true;
}

/* The CPU writes any bytes: one, across a border of two parts, up to the last one, or
 * all. */
static void what_the_cpu_writes_is_cleared(void **state)
{
	static const size_t offsets[] = { 0, 1, 63, 64, 100, 4000, 4095 };
	static const size_t lengths[] = { 0, 1, 2, 64, 65, 1000, 4096 };
	char bytes[4096];

	(void)state;
	memset(bytes, 0xa5, sizeof(bytes));
	begin(TPSIM_IOMMU_OFF, 12);
	for (size_t o = 0; o < sizeof(offsets) / sizeof(*offsets); o++) {
		for (size_t l = 0; l < sizeof(lengths) / sizeof(*lengths);
		     l++) {
			size_t len = lengths[l];

			if (len > sizeof(bytes) - offsets[o])
				continue;
			assert_int_equal(tpsim_cpu_write(m, nth(l % 4),
							 offsets[o], bytes, len,
							 TTMPOOL_CACHED),
					 0);
			assert_true(is_clear_after_clearing());
		}
	}
	end();
}

/* Pages of 64 KiB have larger parts. */
static void larger_pages_are_cleared(void **state)
{
	const size_t offsets[] = { 0, 1023, 1024, 65535 };
	char byte = 0x5a;

	(void)state;
	begin(TPSIM_IOMMU_OFF, 16);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(tpsim_cpu_write(m, nth(0), offsets[i], &byte,
						 1, TTMPOOL_CACHED),
				 0);
	assert_true(is_clear_after_clearing());
	end();
}

/* The CPU writes the same bytes of many pages, more than the machine handles at a
 * time. */
static void what_is_written_to_each_page_is_cleared(void **state)
{
	static tpos_page_t *pages[BATCH_MOST];
	static uint64_t words[BATCH_MOST];
	struct tpsim_access at = { .pages = pages,
				   .num_pages = 200,
				   .offset = 4088,
				   .len = 8,
				   .caching = TTMPOOL_CACHED };

	(void)state;
	begin(TPSIM_IOMMU_OFF, 12);
	batch_plain(&batch, dev, 200, 0);
	for (size_t i = 0; i < 200; i++) {
		pages[i] = batch.chunk[1 + i].page;
		words[i] = i + 1;
	}
	assert_int_equal(tpsim_cpu_write_each(m, &at, words), 200);
	memset(words, 0, sizeof(words));
	assert_int_equal(tpsim_cpu_read_each(m, &at, words), 200);
	for (size_t i = 0; i < 200; i++)
		assert_int_equal(words[i], i + 1);
	tpos_pages_clear(dev, &batch.list);
	for (size_t i = 0; i < 200; i++)
		assert_true(page_is(m, pages[i], 0));
	end();
}

/* The access ends at the first page of another caching, which is counted as an alias. */
static void each_page_is_checked(void **state)
{
	static tpos_page_t *pages[100];
	static char bytes[100];
	static struct batch other;
	struct tpsim_access at = { .pages = pages,
				   .num_pages = 100,
				   .len = 1,
				   .caching = TTMPOOL_CACHED };

	(void)state;
	begin(TPSIM_IOMMU_OFF, 12);
	batch_plain(&batch, dev, 100, 0);
	for (size_t i = 0; i < 100; i++)
		pages[i] = batch.chunk[1 + i].page;
	batch_init(&other);
	batch_plain(&other, dev, 1, 0);
	pages[70] = other.chunk[0].page;
	assert_int_equal(
		tpos_caching_set(dev, &other.list, TTMPOOL_WRITE_COMBINED), 0);
	assert_int_equal(tpsim_cpu_read_each(m, &at, bytes), 70);
	assert_int_equal(tpsim_cpu_write_each(m, &at, bytes), 70);
	assert_int_equal(counters_of(m).aliases, 2);
	assert_int_equal(tpos_caching_set(dev, &other.list, TTMPOOL_CACHED), 0);
	batch_free(&other, dev);
	end();
}

/* The device writes through a DMA address, across a border of pages. */
static void what_a_device_writes_is_cleared(void **state)
{
	const uint64_t words[] = { ~0ull, ~0ull };

	(void)state;
	begin(TPSIM_IOMMU_STRICT, 12);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	assert_int_equal(tpsim_device_write(dev,
					    batch.chunk[0].dma.addr + 4096 - 8,
					    words, sizeof(words)),
			 0);
	assert_true(is_clear_after_clearing());
	tpos_dma_unmap(dev, &batch.list, false);
	end();
}

/* The port itself copies to a page. */
static void what_the_port_writes_is_cleared(void **state)
{
	struct tpos_span to, from;

	(void)state;
	begin(TPSIM_IOMMU_OFF, 12);
	batch_plain(&batch, dev, 1, 0);
	page_fill(m, batch.chunk[1].page, 0x77);
	to = span_of(&batch.chunk[0], 2, 1);
	from = span_of(&batch.chunk[1], 0, 1);
	tpos_pages_copy(&to, &from);
	assert_true(page_is(m, nth(2), 0x77));
	assert_true(is_clear_after_clearing());
	end();
}

/* A holder of a pointer may write at any time, so the whole page is cleared each time. */
static void what_is_written_through_a_pointer_is_cleared(void **state)
{
	char *bytes;

	(void)state;
	begin(TPSIM_IOMMU_OFF, 12);
	bytes = tpsim_page_address(m, nth(0));
	for (size_t i = 0; i < 3; i++) {
		bytes[1000 * i] = 1;
		bytes[BYTES - 1] = 1;
		assert_true(is_clear_after_clearing());
	}
	end();
}

/* Write with a pointer of the block's last owner. Only a build with all assertions can
 * notice that. */
static void write_by_an_old_pointer(void *arg)
{
	char *bytes = tpsim_page_address(m, nth(0));

	(void)arg;
	batch_free(&batch, dev);
	batch_plain(&batch, dev, 1, ORDER);
	if (nth(0) != batch.chunk[0].page)
		return;
	bytes[2000] = 1;
	tpos_pages_clear(dev, &batch.list);
}

static void a_write_that_nobody_can_know_of_is_found(void **state)
{
	(void)state;
	begin(TPSIM_IOMMU_OFF, 12);
	if (TPOS_CHECK_LEVEL > 1)
		assert_complains("nobody wrote to is not zero",
				 write_by_an_old_pointer, NULL);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_cpu_writes_is_cleared),
		cmocka_unit_test(larger_pages_are_cleared),
		cmocka_unit_test(what_is_written_to_each_page_is_cleared),
		cmocka_unit_test(each_page_is_checked),
		cmocka_unit_test(what_a_device_writes_is_cleared),
		cmocka_unit_test(what_the_port_writes_is_cleared),
		cmocka_unit_test(what_is_written_through_a_pointer_is_cleared),
		cmocka_unit_test(a_write_that_nobody_can_know_of_is_found),
	};

	return cmocka_run_group_tests_name("machine-zero", tests, NULL, NULL);
}
