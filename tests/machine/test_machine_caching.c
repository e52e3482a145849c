// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Caching modes: what a change costs, and what a failed change leaves. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;

/* Three chunks: one page, eight, and two. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ 0 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 0);
	batch_plain(&batch, dev, 1, 3);
	batch_plain(&batch, dev, 1, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpsim_fault_clear(m);
	if (tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED))
		return -1;
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

/* Does chunk i say @said, and the PTE of its last page @pte? */
static bool chunk_is(size_t i, enum ttmpool_caching said,
		     enum ttmpool_caching pte)
{
	const struct ttmpool_chunk *chunk = &batch.chunk[i];

	return chunk->caching == said &&
	       tpsim_page_caching(m, chunk->page + ttmpool_chunk_pages(chunk) -
					     1) == pte;
}

static bool all_are(enum ttmpool_caching caching)
{
	for (size_t i = 0; i < batch.n; i++)
		if (!chunk_is(i, caching, caching))
			return false;
	return true;
}

/* A change to write-combined costs two flushes of the TLBs, and two of the caches. */
static void write_combined_is_flushed_twice(void **state)
{
	(void)state;
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED), 0);
	assert_true(all_are(TTMPOOL_WRITE_COMBINED));
	assert_int_equal(counters_of(m).caching_batches, 1);
	assert_int_equal(counters_of(m).tlb_flushes, 2);
	assert_int_equal(counters_of(m).cache_flush_pages, 2 * 11);
	assert_int_equal(ledger_of(m).pages_not_write_back, 11);
}

/* A change to uncached costs one flush of each. */
static void uncached_is_flushed_once(void **state)
{
	(void)state;
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED),
			 0);
	assert_true(all_are(TTMPOOL_UNCACHED));
	assert_int_equal(counters_of(m).tlb_flushes, 1);
	assert_int_equal(counters_of(m).cache_flush_pages, 11);
	assert_int_equal(counters_of(m).caching_pages, 11);
}

/* A change to write-back costs one flush of the TLBs, and none of the caches. */
static void write_back_spares_the_caches(void **state)
{
	struct tpsim_counters before;

	(void)state;
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
	before = counters_of(m);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_true(all_are(TTMPOOL_CACHED));
	assert_int_equal(counters_of(m).tlb_flushes, before.tlb_flushes + 1);
	assert_int_equal(counters_of(m).cache_flush_pages,
			 before.cache_flush_pages);
	assert_int_equal(ledger_of(m).pages_not_write_back, 0);
	assert_true(counters_of(m).ns > before.ns);
}

/* A chunk that has the caching already costs nothing, alone or in a batch with others. */
static void no_change_costs_nothing(void **state)
{
	(void)state;
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_int_equal(counters_of(m).caching_batches, 0);
	assert_int_equal(counters_of(m).tlb_flushes, 0);
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
	batch_plain(&batch, dev, 1, 2);
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
	assert_int_equal(counters_of(m).caching_pages, 11 + 4);
}

/* A change from write-combined to uncached goes through write-back. */
static void there_is_no_way_but_by_write_back(void **state)
{
	struct tpsim_counters before;

	(void)state;
	tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED);
	before = counters_of(m);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED),
			 0);
	assert_true(all_are(TTMPOOL_UNCACHED));
	assert_int_equal(counters_of(m).tlb_flushes, before.tlb_flushes + 2);
	assert_int_equal(counters_of(m).caching_batches,
			 before.caching_batches + 1);
}

/* A change that fails half way is undone, and returns an error. */
static void a_failed_change_is_undone(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_CACHING_SET, 1, 2);
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED),
		-ENOMEM);
	assert_true(all_are(TTMPOOL_CACHED));
	assert_int_equal(ledger_of(m).pages_not_write_back, 0);
	assert_int_equal(tpsim_fault_calls(m, TPSIM_CALL_CACHING_RESET), 1);
	assert_int_equal(counters_of(m).tlb_flushes, 2);
}

/* If that fails, too, all chunks of the batch are of unknown caching; some pages have a
 * caching that they should not have; and the next attempt repairs all. */
static void a_failed_roll_back_leaves_it_unknown(void **state)
{
	(void)state;
	plan(m, TPSIM_CALL_CACHING_SET, 1, 2);
	plan(m, TPSIM_CALL_CACHING_RESET, 1, 1);
	assert_int_equal(
		tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED),
		-ENOMEM);
	assert_true(chunk_is(0, TTMPOOL_CACHING_UNKNOWN, TTMPOOL_CACHED));
	assert_true(chunk_is(1, TTMPOOL_CACHING_UNKNOWN, TTMPOOL_UNCACHED));
	assert_true(chunk_is(2, TTMPOOL_CACHING_UNKNOWN, TTMPOOL_CACHED));
	assert_int_equal(ledger_of(m).pages_not_write_back, 8);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_true(all_are(TTMPOOL_CACHED));
}

/* A change to write-back that fails leaves the whole batch of unknown caching, and
 * returns the planned error. */
static void a_failed_reset_leaves_it_unknown(void **state)
{
	(void)state;
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
	tpsim_fault_plan(
		m, &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
					  .nth = 1,
					  .after = 1,
					  .error = -EINVAL });
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED),
			 -EINVAL);
	assert_true(chunk_is(0, TTMPOOL_CACHING_UNKNOWN, TTMPOOL_CACHED));
	assert_true(chunk_is(2, TTMPOOL_CACHING_UNKNOWN, TTMPOOL_UNCACHED));
}

/* Repairing a chunk of unknown caching can fail, whatever caching its pages have. */
static void an_unknown_chunk_is_always_a_call(void **state)
{
	(void)state;
	batch.chunk[0].caching = TTMPOOL_CACHING_UNKNOWN;
	plan(m, TPSIM_CALL_CACHING_RESET, 1, 0);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED),
			 -ENOMEM);
	assert_int_equal(tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED), 0);
	assert_int_equal(counters_of(m).tlb_flushes, 0);
}

/* If the linear map cannot be changed, only the chunk records the change. */
static void without_a_linear_map_it_is_noted(void **state)
{
	static struct batch one;
	struct tpsim_machine *other =
		machine_with(&(struct tpsim_config){ .no_caching = true });
	struct tpsim_device *arm = device_with(other, 0);

	(void)state;
	batch_init(&one);
	batch_plain(&one, arm, 1, 4);
	assert_int_equal(
		tpos_caching_set(arm, &one.list, TTMPOOL_WRITE_COMBINED), 0);
	assert_int_equal(one.chunk[0].caching, TTMPOOL_WRITE_COMBINED);
	assert_int_equal(tpsim_page_caching(other, one.chunk[0].page),
			 TTMPOOL_CACHED);
	assert_int_equal(counters_of(other).tlb_flushes, 0);
	assert_int_equal(tpos_caching_set(arm, &one.list, TTMPOOL_CACHED), 0);
	batch_free(&one, arm);
	tpsim_machine_destroy(other);
}

static void change_what_is_free(void *arg)
{
	(void)arg;
	tpos_pages_free(dev, &batch.list);
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
}

static void change_to_nonsense(void *arg)
{
	(void)arg;
	tpos_caching_set(dev, &batch.list, TTMPOOL_CACHING_UNKNOWN);
}

static void change_nothing(void *arg)
{
	(void)arg;
	batch_init(&batch);
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
}

/* Only allocated pages can be changed, and only to an existing caching. */
static void bad_changes_end_the_program(void **state)
{
	(void)state;
	assert_complains("use after free", change_what_is_free, NULL);
	assert_complains("bad caching", change_to_nonsense, NULL);
	assert_complains("empty batch", change_nothing, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(write_combined_is_flushed_twice),
		TEST(uncached_is_flushed_once),
		TEST(write_back_spares_the_caches),
		TEST(no_change_costs_nothing),
		TEST(there_is_no_way_but_by_write_back),
		TEST(a_failed_change_is_undone),
		TEST(a_failed_roll_back_leaves_it_unknown),
		TEST(a_failed_reset_leaves_it_unknown),
		TEST(an_unknown_chunk_is_always_a_call),
		TEST(without_a_linear_map_it_is_noted),
		TEST(bad_changes_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-caching", tests, NULL,
					   NULL);
}
