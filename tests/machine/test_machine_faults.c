// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The fault plan: which call fails, how often, and how far it gets. */

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

/* How do the next @n calls of tpos_zalloc() end? Bit i is set if the i-th failed. */
static unsigned int zalloc_fails(int n)
{
	unsigned int failed = 0;

	for (int i = 0; i < n; i++) {
		void *ptr = tpos_zalloc(m, 16);

		failed |= (unsigned int)!ptr << i;
		tpos_free(m, ptr);
	}
	return failed;
}

/* The n-th call fails, and no other does. */
static void the_nth_call_fails(void **state)
{
	(void)state;
	assert_int_equal(zalloc_fails(2), 0);
	plan(m, TPSIM_CALL_ZALLOC, 3, 0);
	assert_int_equal(zalloc_fails(6), 1 << 2);
}

/* As many calls fail as planned, or all from there on. */
static void a_failure_can_last(void **state)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_ZALLOC,
				     .nth = 2,
				     .times = 3 };

	(void)state;
	tpsim_fault_plan(m, &fault);
	assert_int_equal(zalloc_fails(8), 7 << 1);
	assert_int_equal(tpsim_fault_clear(m), 3);
	fault.times = UINT_MAX;
	tpsim_fault_plan(m, &fault);
	assert_int_equal(zalloc_fails(8), 0xfe);
}

/* Several failures can be planned, each independently. */
static void failures_add_up(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	plan(m, TPSIM_CALL_ZALLOC, 4, 0);
	plan(m, TPSIM_CALL_DMA_MAP, 1, 0);
	assert_int_equal(zalloc_fails(5), 1 << 0 | 1 << 3);
	assert_int_equal(tpsim_fault_clear(m), 2);
}

/* After a plan was cleared, nothing fails; the calls are still counted. */
static void a_plan_can_be_cleared(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_ZALLOC, 1, 0);
	assert_int_equal(tpsim_fault_clear(m), 0);
	assert_int_equal(zalloc_fails(3), 0);
	assert_int_equal(tpsim_fault_calls(m, TPSIM_CALL_ZALLOC), 3);
	assert_int_equal(tpsim_fault_calls(m, TPSIM_CALL_PAGES_ALLOC), 0);
}

/* A failure that is planned on one machine does not affect another. */
static void a_plan_is_of_one_machine(void **state)
{
	struct tpsim_machine *other = machine_with(&(struct tpsim_config){ 0 });

	(void)state;
	plan(other, TPSIM_CALL_ZALLOC, 1, 0);
	assert_int_equal(zalloc_fails(2), 0);
	assert_int_equal(tpsim_fault_clear(other), 0);
	tpsim_machine_destroy(other);
}

/* Both allocators can be made to fail, each under its own name. */
static void both_allocators_fail(void **state)
{
	struct tpos_alloc req = { .node = ANY_NODE };

	(void)state;
	plan(m, TPSIM_CALL_PAGES_ALLOC, 1, 0);
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	req.source = TTMPOOL_COHERENT;
	plan(m, TPSIM_CALL_COHERENT_ALLOC, 1, 0);
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	assert_int_equal(tpsim_fault_clear(m), 2);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
}

/* A mapping that fails, at once, half way or at the end, leaves nothing mapped. */
static void a_failed_mapping_is_undone(void **state)
{
	static const size_t after[] = { 0, 2, 3, 99 };

	(void)state;
	batch_plain(&batch, dev, 3, 1);
	for (int i = 0; i < 4; i++) {
		plan(m, TPSIM_CALL_DMA_MAP, 1, after[i]);
		assert_int_equal(tpos_dma_map(dev, &batch.list), -ENOSPC);
		assert_int_equal(ledger_of(m).mappings, 0);
		assert_int_equal(tpsim_fault_clear(m), 1);
	}
	assert_int_equal(counters_of(m).dma_maps, 0 + 2 + 3 + 3);
	assert_int_equal(counters_of(m).dma_unmaps, 0 + 2 + 3 + 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_dma_unmap(dev, &batch.list, false);
}

/* The error can be chosen. */
static void an_error_can_be_chosen(void **state)
{
	(void)state;
	batch_plain(&batch, dev, 1, 0);
	tpsim_fault_plan(m, &(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
						   .nth = 1,
						   .error = -EIO });
	assert_int_equal(tpos_dma_map(dev, &batch.list), -EIO);
}

static unsigned long no_pages(struct tpos_shrinker *shrinker, bool swap)
{
	(void)swap;
	(void)shrinker;
	return 0;
}

/* A shrinker whose registration failed is not registered. */
static void a_registration_fails(void **state)
{
	struct tpos_shrinker shrinker = { .count = no_pages };

	(void)state;
	plan(m, TPSIM_CALL_SHRINKER_REGISTER, 1, 0);
	assert_int_equal(tpos_shrinker_register(m, &shrinker), -ENOMEM);
	assert_int_equal(ledger_of(m).shrinkers, 0);
	assert_int_equal(tpos_shrinker_register(m, &shrinker), 0);
	tpos_shrinker_unregister(m, &shrinker);
}

/* Each call on a store can fail, with the planned error. */
static void stores_fail(void **state)
{
	struct tpsim_fault broken = { .call = TPSIM_CALL_STORE_WRITE,
				      .nth = 1,
				      .error = -EIO };
	struct tpos_span span = { .pages = 1 };
	tpos_store_t *store;

	(void)state;
	batch_plain(&batch, dev, 1, 0);
	span.chunk = &batch.chunk[0];
	plan(m, TPSIM_CALL_STORE_CREATE, 1, 0);
	plan(m, TPSIM_CALL_STORE_WRITE, 1, 0);
	plan(m, TPSIM_CALL_STORE_READ, 1, 0);
	assert_int_equal(tpos_store_create(m, 1, &store), -ENOMEM);
	assert_int_equal(tpos_store_create(m, 1, &store), 0);
	assert_int_equal(tpos_store_write(store, 0, &span), -ENOSPC);
	tpsim_fault_plan(m, &broken);
	assert_int_equal(tpos_store_write(store, 0, &span), -EIO);
	assert_int_equal(tpos_store_write(store, 0, &span), 0);
	assert_int_equal(tpos_store_read(store, 0, &span), -EIO);
	assert_int_equal(tpos_store_read(store, 0, &span), 0);
	assert_int_equal(tpsim_fault_clear(m), 4);
	tpos_store_destroy(store);
}

/* Every call has its own name. */
static void every_call_has_a_name(void **state)
{
	(void)state;
	for (int a = 0; a < TPSIM_CALL_COUNT; a++)
		for (int b = 0; b < a; b++)
			assert_string_not_equal(
				tpsim_call_name((enum tpsim_call)a),
				tpsim_call_name((enum tpsim_call)b));
	assert_string_equal(tpsim_call_name(TPSIM_CALL_COUNT), "unknown");
}

static void plan_too_much(void *arg)
{
	(void)arg;
	for (int i = 0; i < 9; i++)
		plan(m, TPSIM_CALL_ZALLOC, 1, 0);
}

static void plan_nothing(void *arg)
{
	(void)arg;
	plan(m, TPSIM_CALL_ZALLOC, 0, 0);
}

/* A plan that makes no sense ends the program. */
static void bad_plans_end_the_program(void **state)
{
	(void)state;
	assert_complains("fault plan", plan_too_much, NULL);
	assert_complains("fault plan", plan_nothing, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_nth_call_fails),
		TEST(a_failure_can_last),
		TEST(failures_add_up),
		TEST(a_plan_can_be_cleared),
		TEST(a_plan_is_of_one_machine),
		TEST(both_allocators_fail),
		TEST(a_failed_mapping_is_undone),
		TEST(an_error_can_be_chosen),
		TEST(a_registration_fails),
		TEST(stores_fail),
		TEST(every_call_has_a_name),
		TEST(bad_plans_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-faults", tests, NULL, NULL);
}
