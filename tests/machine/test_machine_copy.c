// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Copying between pages, and what that means for a device. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch to, from;

/* Two chunks of four pages; the source pages are full of 1, 2, 3, 4. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .swiotlb_force = true });
	dev = device_with(m, 0);
	batch_init(&to);
	batch_init(&from);
	batch_plain(&to, dev, 1, 2);
	batch_plain(&from, dev, 1, 2);
	for (unsigned int i = 0; i < 4; i++)
		page_fill(m, from.chunk[0].page + i, (unsigned char)(i + 1));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	batch_free(&to, dev);
	batch_free(&from, dev);
	tpsim_machine_destroy(m);
	return 0;
}

static void copy(size_t at, size_t first, size_t pages)
{
	struct tpos_span target = span_of(&to.chunk[0], at, pages);
	struct tpos_span source = span_of(&from.chunk[0], first, pages);

	tpos_pages_copy(&target, &source);
}

static bool target_is(size_t page, unsigned char byte)
{
	return page_is(m, to.chunk[0].page + page, byte);
}

static uint64_t target_addr(size_t page)
{
	return tpos_dma_address(&to.chunk[0].dma) + page * 4096;
}

static unsigned char device_sees(size_t page)
{
	unsigned char byte = 0;

	assert_int_equal(
		tpsim_device_read(dev, target_addr(page) + 9, &byte, 1), 0);
	return byte;
}

/* The pages of the span are copied, and no others. */
static void a_span_is_copied(void **state)
{
	(void)state;
	copy(1, 2, 2);
	assert_true(target_is(0, 0));
	assert_true(target_is(1, 3));
	assert_true(target_is(2, 4));
	assert_true(target_is(3, 0));
}

/* The copy works for any caching of both, and accesses each page with its own caching. */
static void caching_does_not_matter(void **state)
{
	static const enum ttmpool_caching all[] = { TTMPOOL_UNCACHED,
						    TTMPOOL_WRITE_COMBINED,
						    TTMPOOL_CACHED };

	(void)state;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++) {
			tpos_caching_set(dev, &to.list, all[i]);
			tpos_caching_set(dev, &from.list, all[j]);
			page_fill(m, to.chunk[0].page, 0);
			copy(0, 3, 1);
			assert_true(target_is(0, 4));
		}
}

/* Pages of unknown caching can be read. */
static void unknown_caching_can_be_read(void **state)
{
	(void)state;
	from.chunk[0].caching = TTMPOOL_CACHING_UNKNOWN;
	copy(0, 0, 4);
	from.chunk[0].caching = TTMPOOL_CACHED;
	assert_true(target_is(3, 4));
}

/* A checksum tells pages apart; that of zeroes is 0. The values are the same in both
 * ports. */
static void a_sum_is_of_the_bytes(void **state)
{
	struct tpos_span page = span_of(&from.chunk[0], 0, 1);
	struct tpos_span zeroes = span_of(&to.chunk[0], 0, 1);

	(void)state;
	assert_int_equal(tpos_page_sum(&zeroes), 0);
	assert_int_equal(tpos_page_sum(&page), 0xfdc5e437);
	page.first = 3;
	assert_int_equal(tpos_page_sum(&page), 0x41f59c5e);
	tpos_caching_set(dev, &from.list, TTMPOOL_UNCACHED);
	assert_int_equal(tpos_page_sum(&page), 0x41f59c5e);
	from.chunk[0].caching = TTMPOOL_CACHING_UNKNOWN;
	assert_int_equal(tpos_page_sum(&page), 0x41f59c5e);
	from.chunk[0].caching = TTMPOOL_UNCACHED;
	tpos_caching_set(dev, &from.list, TTMPOOL_CACHED);
}

/* The checksum includes what a device wrote, though that is still in its slots. */
static void a_sum_is_of_what_the_device_wrote(void **state)
{
	struct tpos_span page = span_of(&to.chunk[0], 1, 1);
	unsigned char bytes[4096];

	(void)state;
	memset(bytes, 1, sizeof(bytes));
	assert_int_equal(tpos_dma_map(dev, &to.list), 0);
	assert_int_equal(
		tpsim_device_write(dev, target_addr(1), bytes, sizeof(bytes)),
		0);
	assert_int_equal(tpos_page_sum(&page), 0xfdc5e437);
	tpos_dma_unmap(dev, &to.list, false);
}

/* Copies are counted, and copies of pages that are not cached take longer. */
static void a_copy_costs(void **state)
{
	struct tpsim_counters before = counters_of(m), cached, combined;

	(void)state;
	copy(0, 0, 4);
	cached = counters_of(m);
	assert_int_equal(cached.bytes_copied - before.bytes_copied, 16384);
	tpos_caching_set(dev, &from.list, TTMPOOL_WRITE_COMBINED);
	combined = counters_of(m);
	copy(0, 0, 4);
	assert_true(counters_of(m).ns - combined.ns >
		    10 * (cached.ns - before.ns));
	tpos_caching_set(dev, &from.list, TTMPOOL_CACHED);
}

/* A copy to a page that bounces is also written to its slots; what the device has written
 * to the slots of the other pages stays there. */
static void slots_are_written_too(void **state)
{
	(void)state;
	assert_int_equal(tpos_dma_map(dev, &to.list), 0);
	assert_int_equal(tpsim_device_write(dev, target_addr(0) + 9, "x", 1),
			 0);
	copy(1, 0, 2);
	assert_int_equal(device_sees(0), 'x');
	assert_int_equal(device_sees(1), 1);
	assert_int_equal(device_sees(2), 2);
	assert_int_equal(device_sees(3), 0);
	tpos_dma_unmap(dev, &to.list, false);
	assert_true(target_is(1, 1));
	assert_true(target_is(2, 2));
}

/* Coherent pages can be copied while they are mapped. */
static void coherent_pages_are_copied(void **state)
{
	static struct batch coherent;
	unsigned char byte = 0;
	struct tpos_span span, source = span_of(&from.chunk[0], 1, 1);
	struct tpos_span target = span_of(&to.chunk[0], 3, 1);

	(void)state;
	batch_init(&coherent);
	batch_coherent(&coherent, dev, 0);
	span = span_of(&coherent.chunk[0], 0, 1);
	tpos_pages_copy(&span, &source);
	assert_int_equal(
		tpsim_device_read(dev, tpos_dma_address(&coherent.chunk[0].dma),
				  &byte, 1),
		0);
	assert_int_equal(byte, 2);
	tpos_pages_copy(&target, &span);
	assert_true(target_is(3, 2));
	batch_free(&coherent, dev);
}

/* A page that was copied to is cleared like any other. */
static void a_copy_is_not_clean(void **state)
{
	(void)state;
	copy(0, 0, 4);
	tpos_pages_clear(dev, &to.list);
	assert_true(target_is(3, 0));
}

static void copy_from_slots(void *arg)
{
	(void)arg;
	tpos_dma_map(dev, &from.list);
	copy(0, 0, 1);
}

static void copy_to_unknown(void *arg)
{
	(void)arg;
	to.chunk[0].caching = TTMPOOL_CACHING_UNKNOWN;
	copy(0, 0, 1);
}

static void copy_to_alias(void *arg)
{
	(void)arg;
	to.chunk[0].caching = TTMPOOL_WRITE_COMBINED;
	copy(0, 0, 1);
}

static void copy_from_alias(void *arg)
{
	(void)arg;
	tpos_caching_set(dev, &from.list, TTMPOOL_UNCACHED);
	from.chunk[0].caching = TTMPOOL_CACHED;
	copy(0, 0, 1);
}

static void copy_parked(void *arg)
{
	(void)arg;
	tpos_note_parked(dev, &from.chunk[0]);
	copy(0, 0, 1);
}

static void copy_to_freed(void *arg)
{
	(void)arg;
	tpos_pages_free(dev, &to.list);
	copy(0, 0, 1);
}

static void copy_too_far(void *arg)
{
	(void)arg;
	copy(3, 0, 2);
}

static void copy_unevenly(void *arg)
{
	struct tpos_span target = span_of(&to.chunk[0], 0, 2);
	struct tpos_span source = span_of(&from.chunk[0], 0, 1);

	(void)arg;
	tpos_pages_copy(&target, &source);
}

static void copy_to_itself(void *arg)
{
	struct tpos_span target = span_of(&to.chunk[0], 0, 1);
	struct tpos_span source = span_of(&to.chunk[0], 1, 1);

	(void)arg;
	tpos_pages_copy(&target, &source);
}

static void copy_to_another_machine(void *arg)
{
	static struct batch far;
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });
	struct tpos_span target = span_of(&to.chunk[0], 0, 1), source;

	(void)arg;
	batch_init(&far);
	batch_plain(&far, device_with(other, 0), 1, 0);
	source = span_of(&far.chunk[0], 0, 1);
	tpos_pages_copy(&target, &source);
}

static void copy_as_if_coherent(void *arg)
{
	(void)arg;
	from.chunk[0].flags |= TTMPOOL_CHUNK_FROM_COHERENT;
	copy(0, 0, 1);
}

static void copy_under_a_spinlock(void *arg)
{
	tpos_spinlock_t lock;

	(void)arg;
	tpos_spin_init(&lock, m, 1);
	tpos_spin_lock(&lock);
	copy(0, 0, 1);
}

static void copy_by_no_mapping(void *arg)
{
	struct tpos_span target = span_of(&to.chunk[0], 0, 1), source;

	(void)arg;
	batch_coherent(&from, dev, 0);
	from.chunk[1].dma.cookie = NULL;
	source = span_of(&from.chunk[1], 0, 1);
	tpos_pages_copy(&target, &source);
}

/* A copy with the wrong mapping, of pages that are not allocated, or of pages that a
 * device has mapped, ends the program. */
static void bad_copies_end_the_program(void **state)
{
	(void)state;
	assert_complains("page that bounces", copy_from_slots, NULL);
	assert_complains("unknown caching", copy_to_unknown, NULL);
	assert_complains("alias", copy_to_alias, NULL);
	assert_complains("alias", copy_from_alias, NULL);
	assert_complains("parked page", copy_parked, NULL);
	assert_complains("use after free", copy_to_freed, NULL);
	assert_complains("bad span", copy_too_far, NULL);
	assert_complains("bad span", copy_unevenly, NULL);
	assert_complains("bad span", copy_to_itself, NULL);
	assert_complains("bad page", copy_to_another_machine, NULL);
	assert_complains("wrong source", copy_as_if_coherent, NULL);
	assert_complains("wrong source", copy_by_no_mapping, NULL);
	assert_complains("sleeping while atomic: tpos_pages_copy",
			 copy_under_a_spinlock, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_span_is_copied),
		TEST(caching_does_not_matter),
		TEST(unknown_caching_can_be_read),
		TEST(a_sum_is_of_the_bytes),
		TEST(a_sum_is_of_what_the_device_wrote),
		TEST(a_copy_costs),
		TEST(slots_are_written_too),
		TEST(coherent_pages_are_copied),
		TEST(a_copy_is_not_clean),
		TEST(bad_copies_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-copy", tests, NULL, NULL);
}
