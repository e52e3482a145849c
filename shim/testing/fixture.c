// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The fixture of a test case: made, and taken down whatever the case has left.
 *
 * tpsim_machine_destroy() ends the program for a leak. A fixture has to fail one case
 * instead: it ends the pool first, which reports what is in use and quarantines it,
 * and purges the quarantine. What cannot be ended from here is set aside.
 */

#include <stdlib.h>

#include "fixture.h"

/* Machines that something still points to. Listed, so that leak checkers blame none. */
static struct fixture *set_aside;

static int pool_open(struct fixture *fixture)
{
	const struct ttmpool_test_config *config = &fixture->config;
	struct ttmpool_manager_config shared = {
		.system = fixture->test.machine,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_pool_config own = {
		.name = config->pool_name ? config->pool_name : "test-pool",
		.dev = fixture->test.dev,
		.node = TTMPOOL_NODE_OF_DEVICE,
		.policy = config->policy,
	};
	int err = ttmpool_manager_init(&fixture->mgr, &shared);

	if (err)
		return err;
	err = ttmpool_pool_init(&fixture->pool, &fixture->mgr, &own);
	if (err && ttmpool_manager_fini(&fixture->mgr))
		abort(); /* it has no pool */
	return err;
}

static void fixture_name(struct fixture *fixture)
{
	const char *name = fixture->config.owner_name;

	ttmpool_owner_init(&fixture->owner, name ? name : "test");
	fixture->test.mgr = &fixture->mgr;
	fixture->test.pool = &fixture->pool;
	fixture->test.owner = &fixture->owner;
	fixture->page_size = tpsim_page_size(fixture->test.machine);
}

struct ttmpool_test *ttmpool_test_open(const struct ttmpool_test_config *config)
{
	static const struct tpsim_config usual_machine = {
		.iommu = TPSIM_IOMMU_STRICT
	};
	static const struct tpsim_device_config usual_device;
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct ttmpool_test *test;

	if (!fixture)
		return NULL;
	test = &fixture->test;
	if (config)
		fixture->config = *config;
	config = &fixture->config;
	test->machine = tpsim_machine_create(config->machine ? config->machine
							     : &usual_machine);
	if (!test->machine)
		goto free_fixture;
	test->dev = tpsim_device_create(
		test->machine, config->device ? config->device : &usual_device);
	if (!test->dev || pool_open(fixture))
		goto destroy_machine;
	fixture_name(fixture);
	ttmpool_test_places_watch(fixture);
	return test;

destroy_machine:
	tpsim_machine_destroy(test->machine);
free_fixture:
	free(fixture);
	return NULL;
}

struct ttmpool_backend *ttmpool_test_buffer(struct ttmpool_test *test,
					    size_t num_pages,
					    enum ttmpool_caching caching)
{
	struct fixture *fixture = fixture_of(test);
	struct test_buffer *buffer = calloc(1, sizeof(*buffer));
	struct ttmpool_backend_config config = {
		.pool = &fixture->pool,
		.owner = &fixture->owner,
		.num_pages = num_pages,
		.caching = caching,
	};

	if (!buffer)
		return NULL;
	buffer->pages = calloc(num_pages, sizeof(*buffer->pages));
	buffer->dma_addr = calloc(num_pages, sizeof(*buffer->dma_addr));
	config.pages = buffer->pages;
	config.dma_addr = buffer->dma_addr;
	if (!buffer->pages || !buffer->dma_addr ||
	    ttmpool_backend_init(&buffer->be, &config))
		goto free_buffer;
	buffer->next = fixture->buffers;
	fixture->buffers = buffer;
	return &buffer->be;

free_buffer:
	free(buffer->dma_addr);
	free(buffer->pages);
	free(buffer);
	return NULL;
}

/* Contents in a store are no pages in use, so no pool reports them. Returns whether the
 * buffer is out of the way now. */
static bool buffer_empty(struct fixture *fixture, struct ttmpool_backend *be)
{
	if (be->swappable)
		ttmpool_lru_remove(be);
	if (be->tt.state != TTMPOOL_TT_SWAPPED &&
	    be->tt.state != TTMPOOL_TT_PARTIAL)
		return true;
	ttmpool_test_leak(fixture,
			  "ttmpool: leak: a buffer of %zu pages of pool %s, "
			  "owner %s, has %zu pages in its store",
			  be->tt.num_pages, be->pool->name, be->owner->name,
			  be->pages_stored);
	return !ttmpool_drop(be);
}

static void buffers_free(struct fixture *fixture)
{
	while (fixture->buffers) {
		struct test_buffer *buffer = fixture->buffers;

		fixture->buffers = buffer->next;
		free(buffer->dma_addr);
		free(buffer->pages);
		free(buffer);
	}
}

static void ledger_leak(struct fixture *fixture)
{
	struct tpsim_ledger out;

	tpsim_ledger(fixture->test.machine, &out);
	ttmpool_test_leak(fixture,
			  "ttmpool: leak: left on the machine: %zu pages, "
			  "%zu mappings, %zu descriptors, %zu stores, %zu "
			  "managers",
			  out.pages_plain + out.pages_coherent, out.mappings,
			  out.descriptors, out.stores, out.shrinkers);
}

/* Whoever still points to the machine or the manager may go on to do so. */
static void fixture_set_aside(struct fixture *fixture)
{
	fixture->set_aside = set_aside;
	set_aside = fixture;
}

static void fixture_destroy(struct fixture *fixture)
{
	buffers_free(fixture);
	tpsim_machine_destroy(fixture->test.machine);
	free(fixture);
}

size_t ttmpool_test_close(struct ttmpool_test *test)
{
	struct fixture *fixture = fixture_of(test);
	bool ended = true;
	size_t leaks;

	tpsim_fault_clear(test->machine);
	tpsim_signal_clear(test->machine);
	for (struct test_buffer *buffer = fixture->buffers; buffer;
	     buffer = buffer->next)
		ended &= buffer_empty(fixture, &buffer->be);
	ttmpool_pool_fini(&fixture->pool); /* reports what is in use */
	ttmpool_manager_purge_quarantine(&fixture->mgr);
	ended &= !ttmpool_manager_fini(&fixture->mgr);
	if (!ended)
		ttmpool_test_leak(fixture, "ttmpool: leak: a pool or a buffer "
					   "still uses the manager");
	else if (!tpsim_ledger_is_empty(test->machine))
		ledger_leak(fixture);
	ended = ended && tpsim_ledger_is_empty(test->machine);
	ttmpool_test_places_end(fixture);
	ttmpool_test_say_leaks(fixture);
	leaks = fixture->leaks;
	if (ended)
		fixture_destroy(fixture);
	else
		fixture_set_aside(fixture);
	return leaks;
}

int ttmpool_test_setup(void **state)
{
	struct ttmpool_test *test = ttmpool_test_open(*state);

	if (!test)
		return -1;
	*state = test;
	return 0;
}

int ttmpool_test_teardown(void **state)
{
	return ttmpool_test_close(*state) ? -1 : 0;
}
