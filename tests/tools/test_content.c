// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The checks that the replay makes of pages: each must find its fault. The cases act like
 * a library with a bug.
 */

#include "cases.h"

#include "content.h"

#define PAGES 20

/* A populated buffer, on a machine of its own. */
struct world {
	struct options options;
	struct rig rig;
	struct buffers live;
	struct buffer *buffer;
};

static struct world world;

static int open_world(void **state)
{
	struct ttmpool_backend_config config = {
		.pool = &world.rig.pools[0],
		.num_pages = PAGES,
		.caching = TTMPOOL_WRITE_COMBINED,
	};

	(void)state;
	world.options = (struct options){ .recycle = RECYCLE_ON,
					  .iommu = TPSIM_IOMMU_STRICT,
					  .ram_mib = 16,
					  .devices = 1,
					  .page_budget = TTMPOOL_NO_LIMIT,
					  .pool_limit = OPTIONS_HALF_OF_RAM };
	assert_int_equal(rig_start(&world.rig, &world.options), 0);
	rig_choose(&world.rig, SOURCE_AUTO, false);
	assert_int_equal(buffers_init(&world.live), 0);
	world.buffer = buffers_create(&world.live, 7, PAGES);
	config.pages = world.buffer->pages;
	config.dma_addr = world.buffer->dma_addr;
	config.funcs = &world.rig.funcs;
	assert_int_equal(ttmpool_backend_init(&world.buffer->be, &config), 0);
	assert_int_equal(ttmpool_populate(&world.buffer->be), 0);
	return 0;
}

static int close_world(void **state)
{
	struct replay_result result;

	(void)state;
	assert_int_equal(ttmpool_unpopulate(&world.buffer->be), 0);
	assert_int_equal(ttmpool_backend_fini(&world.buffer->be), 0);
	buffers_destroy(&world.live, world.buffer);
	buffers_fini(&world.live);
	assert_int_equal(rig_stop(&world.rig, &result), 0);
	assert_int_equal(result.pages_leaked, 0);
	return 0;
}

/* Write a byte somewhere into a page of the buffer. */
static void write_byte(size_t page, size_t offset)
{
	assert_int_equal(tpsim_cpu_write(world.rig.machine,
					 world.buffer->pages[page], offset, "x",
					 1, TTMPOOL_WRITE_COMBINED),
			 0);
}

/* Pages that are zero and keep what is written pass all checks. */
static void content_of_good_pages_is_good(void **state)
{
	size_t page;

	(void)state;
	assert_null(content_write(&world.rig, world.buffer, &page));
	assert_null(content_verify(&world.rig, world.buffer, &page));
}

/* A foreign byte at the beginning of a page is found. */
static void content_finds_a_foreign_byte_at_the_beginning(void **state)
{
	size_t page;

	(void)state;
	write_byte(13, 0);
	assert_string_equal(content_write(&world.rig, world.buffer, &page),
			    "is not zero when it is handed out");
	assert_int_equal(page, 13);
}

/* A foreign byte at the end of a page, which was cleared only in part, is found. */
static void content_finds_a_foreign_byte_at_the_end(void **state)
{
	size_t page;

	(void)state;
	write_byte(PAGES - 1, RIG_PAGE_SIZE - 1);
	assert_string_equal(content_write(&world.rig, world.buffer, &page),
			    "is not zero when it is handed out");
	assert_int_equal(page, PAGES - 1);
}

/* A page that was overwritten is found when it is given back. */
static void content_finds_a_page_that_another_wrote_to(void **state)
{
	size_t page;

	(void)state;
	assert_null(content_write(&world.rig, world.buffer, &page));
	write_byte(5, RIG_PAGE_SIZE - 1);
	assert_string_equal(content_verify(&world.rig, world.buffer, &page),
			    "has lost what was written to it");
	assert_int_equal(page, 5);
}

/* Two pages in exchanged places are found: stamps differ within a buffer. */
static void content_finds_pages_in_another_order(void **state)
{
	tpos_page_t **pages = world.buffer->pages;
	tpos_page_t *first = pages[0];
	const char *wrong;
	size_t page;

	(void)state;
	assert_null(content_write(&world.rig, world.buffer, &page));
	pages[0] = pages[1];
	pages[1] = first;
	wrong = content_verify(&world.rig, world.buffer, &page);
	pages[1] = pages[0];
	pages[0] = first;
	assert_string_equal(wrong, "has lost what was written to it");
}

/* An address that leads the device to another page is found. */
static void content_finds_an_address_of_another_page(void **state)
{
	tpos_dma_addr_t *addr = world.buffer->dma_addr;
	const char *wrong;
	size_t page;

	(void)state;
	assert_null(content_write(&world.rig, world.buffer, &page));
	addr[0] += RIG_PAGE_SIZE;
	wrong = content_verify(&world.rig, world.buffer, &page);
	addr[0] -= RIG_PAGE_SIZE;
	assert_string_equal(wrong, "is another one for the device");
	assert_int_equal(page, 0);
}

/* An address that leads nowhere is found. */
static void content_finds_an_address_that_is_not_mapped(void **state)
{
	tpos_dma_addr_t *addr = &world.buffer->dma_addr[PAGES - 1];
	const char *wrong;
	size_t page;

	(void)state;
	assert_null(content_write(&world.rig, world.buffer, &page));
	*addr ^= (tpos_dma_addr_t)1 << 40;
	wrong = content_verify(&world.rig, world.buffer, &page);
	*addr ^= (tpos_dma_addr_t)1 << 40;
	assert_string_equal(wrong, "cannot be reached by the device");
	assert_int_equal(page, PAGES - 1);
}

/* A page whose caching differs from that of its buffer is found. */
static void content_finds_a_page_of_another_caching(void **state)
{
	size_t page;

	(void)state;
	world.buffer->be.tt.caching = TTMPOOL_CACHED;
	assert_string_equal(content_write(&world.rig, world.buffer, &page),
			    "cannot be read with the caching that it has");
	world.buffer->be.tt.caching = TTMPOOL_WRITE_COMBINED;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, open_world, close_world)

static const struct CMUnitTest tests[] = {
	CASE(content_of_good_pages_is_good),
	CASE(content_finds_a_foreign_byte_at_the_beginning),
	CASE(content_finds_a_foreign_byte_at_the_end),
	CASE(content_finds_a_page_that_another_wrote_to),
	CASE(content_finds_pages_in_another_order),
	CASE(content_finds_an_address_of_another_page),
	CASE(content_finds_an_address_that_is_not_mapped),
	CASE(content_finds_a_page_of_another_caching),
};

CASES_MAIN("content", tests, NULL, NULL)
