// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The order of the calls into the port when pages leave, tested with cmocka: the linker
 * puts our functions in front of the port's (ld --wrap), and each reports its turn with
 * function_called(). What must hold: the device is cut off before the caching of the
 * pages changes, and the pages are write-back before they go to the system. The wrapped
 * functions also return what the test tells them to.
 */

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <ttmpool/pool.h>

#include "tpsim.h"

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __real_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
void __real_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks);
int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
int __real_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching)
{
	int err = mock_type(int);

	function_called();
	check_expected(caching);
	return err ? err : __real_tpos_caching_set(dev, chunks, caching);
}

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	function_called();
	return __real_tpos_dma_unmap(dev, chunks, lazy);
}

/* The manager whose shrinker is called from within, as by a system that is short of
 * memory. */
static struct ttmpool_manager *shrunk_within;
static unsigned long got_within;

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	function_called();
	if (shrunk_within)
		got_within +=
			ttmpool_manager_shrink_scan(shrunk_within, 100, true);
	__real_tpos_pages_free(dev, chunks);
}

void __wrap_tpos_pages_clear(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	function_called();
	__real_tpos_pages_clear(dev, chunks);
}

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	function_called();
	return __real_tpos_dma_map(dev, chunks);
}

struct site {
	struct tpsim_machine *machine;
	struct ttmpool_manager mgr;
	struct ttmpool_pool pool;
	tpos_page_t *pages[5];
	tpos_dma_addr_t addrs[5];
};

static int setup(void **state)
{
	struct site *site = calloc(1, sizeof(*site));
	struct ttmpool_manager_config config = { .page_budget = 1000,
						 .pool_limit = 1000 };
	struct ttmpool_pool_config pool = { .name = "order",
					    .node = TTMPOOL_NODE_ANY };

	if (!site)
		return -1;
	site->machine = tpsim_machine_create(
		&(struct tpsim_config){ .iommu = TPSIM_IOMMU_STRICT });
	config.system = site->machine;
	pool.dev = tpsim_device_create(
		site->machine,
		&(struct tpsim_device_config){ .node = TTMPOOL_NODE_ANY });
	*state = site;
	return ttmpool_manager_init(&site->mgr, &config) ||
	       ttmpool_pool_init(&site->pool, &site->mgr, &pool);
}

static int teardown(void **state)
{
	struct site *site = *state;
	int failed = ttmpool_pool_fini(&site->pool) != 0;

	failed |= ttmpool_manager_fini(&site->mgr) != 0;
	tpsim_machine_destroy(site->machine);
	free(site);
	return failed;
}

static int take(struct site *site)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 5 };

	return ttmpool_pool_take(&site->pool, &req, site->pages, site->addrs);
}

static int give(struct site *site)
{
	return ttmpool_pool_give(&site->pool, site->pages, 5,
				 TTMPOOL_WRITE_COMBINED);
}

static void expect_caching(enum ttmpool_caching caching, int err)
{
	expect_function_call(__wrap_tpos_caching_set);
	expect_value(__wrap_tpos_caching_set, caching, caching);
	will_return(__wrap_tpos_caching_set, err);
}

static void expect_cold_take(void)
{
	expect_function_call(__wrap_tpos_dma_map);
	expect_caching(TTMPOOL_WRITE_COMBINED, 0);
}

static void expect_release(void)
{
	expect_function_call(__wrap_tpos_dma_unmap);
	expect_caching(TTMPOOL_CACHED, 0);
	expect_function_call(__wrap_tpos_pages_free);
}

/* When pages leave: unmap, make write-back, free. */
static void s13_unmap_write_back_free(void **state)
{
	struct site *site = *state;

	expect_cold_take();
	assert_int_equal(take(site), 0);
	assert_int_equal(give(site), 0);
	expect_release();
	/* Five pages, and the spare chunks of the refill: orders 0 and 1. */
	assert_int_equal(ttmpool_pool_drain(&site->pool), 5 + 3);
}

/* A recycled page is cleared before it is handed out, and nothing else is done to it. */
static void s10_a_recycled_page_is_cleared_and_no_more(void **state)
{
	struct site *site = *state;

	expect_cold_take();
	assert_int_equal(take(site), 0);
	assert_int_equal(give(site), 0);
	expect_function_call(__wrap_tpos_pages_clear);
	assert_int_equal(take(site), 0);
	assert_int_equal(give(site), 0);
	expect_release();
	ttmpool_pool_drain(&site->pool);
}

/* If the caching change fails, the mapped pages are unmapped and freed; pages that are
 * still write-back are not converted again. */
static void s05_a_failed_change_is_undone_in_order(void **state)
{
	struct site *site = *state;

	expect_function_call(__wrap_tpos_dma_map);
	expect_caching(TTMPOOL_WRITE_COMBINED, -ENOMEM);
	expect_function_call(__wrap_tpos_pages_free); /* the spare pages */
	expect_function_call(__wrap_tpos_dma_unmap);
	expect_function_call(__wrap_tpos_pages_free);
	assert_int_equal(take(site), -ENOMEM);
}

/* A scan from within a reclaim that has taken all pooled pages gets none, and does not
 * wait. */
static void s11_a_scan_within_a_reclaim_gives_nothing(void **state)
{
	struct site *site = *state;

	expect_cold_take();
	assert_int_equal(take(site), 0);
	assert_int_equal(give(site), 0);
	expect_release();
	shrunk_within = &site->mgr;
	got_within = 0;
	assert_int_equal(
		ttmpool_manager_shrink_scan(&site->mgr, ULONG_MAX, true),
		5 + 3);
	shrunk_within = NULL;
	assert_int_equal(got_within, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(s13_unmap_write_back_free,
						setup, teardown),
		cmocka_unit_test_setup_teardown(
			s10_a_recycled_page_is_cleared_and_no_more, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			s05_a_failed_change_is_undone_in_order, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			s11_a_scan_within_a_reclaim_gives_nothing, setup,
			teardown),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
