// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The ledger, the counters and the log: whatever is allocated is reported. */

#include "bed.h"

#include <string.h>

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
	tpsim_machine_destroy(m);
	return 0;
}

/* A machine on which nothing is allocated has an empty ledger. */
static void a_new_machine_has_an_empty_ledger(void **state)
{
	(void)state;
	assert_true(tpsim_ledger_is_empty(m));
	assert_int_equal(ledger_of(m).free_pages, 16384 - 16);
}

/* Held RAM belongs to the machine, and does not count as allocated. */
static void held_ram_is_not_out(void **state)
{
	(void)state;
	tpsim_ram_hold(m, ANY_NODE, 100);
	assert_true(tpsim_ledger_is_empty(m));
}

/* What is allocated, mapped or changed is counted, and so is its end. */
static void the_ledger_follows_every_step(void **state)
{
	struct tpsim_ledger out;

	(void)state;
	batch_plain(&batch, dev, 2, 3);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_caching_set(dev, &batch.list, TTMPOOL_UNCACHED);
	tpos_note_parked(dev, &batch.chunk[0]);
	out = ledger_of(m);
	assert_int_equal(out.pages_plain, 16);
	assert_int_equal(out.mappings, 2);
	assert_int_equal(out.mapped_bytes, 16 * 4096);
	assert_int_equal(out.pages_not_write_back, 16);
	assert_int_equal(out.pages_parked, 8);
	assert_int_equal(out.free_pages, 16384 - 16 - 16);
	tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED);
	tpos_dma_unmap(dev, &batch.list, false);
	batch_free(&batch, dev);
	assert_true(tpsim_ledger_is_empty(m));
}

/* The cost of an operation is counted, in events and in simulated time. */
static void every_event_is_counted(void **state)
{
	struct tpsim_counters before = counters_of(m), after;

	(void)state;
	batch_plain(&batch, dev, 1, 4);
	assert_int_equal(tpos_dma_map(dev, &batch.list), 0);
	tpos_pages_clear(dev, &batch.list);
	tpos_dma_unmap(dev, &batch.list, false);
	batch_free(&batch, dev);
	after = counters_of(m);
	assert_int_equal(after.pages_allocated - before.pages_allocated, 16);
	assert_int_equal(after.pages_freed - before.pages_freed, 16);
	assert_int_equal(after.bytes_cleared - before.bytes_cleared, 65536);
	assert_int_equal(after.bytes_cleared_alloc - before.bytes_cleared_alloc,
			 65536);
	assert_int_equal(after.iova_allocs - before.iova_allocs, 1);
	assert_true(after.ns > before.ns + 2 * 16 * 400);
}

static void lose_pages(void *arg)
{
	(void)arg;
	batch_plain(&batch, dev, 1, 2);
	tpsim_machine_destroy(m);
}

static void lose_a_coherent_page(void *arg)
{
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };

	(void)arg;
	batch_add(&batch, dev, &req);
	tpsim_machine_destroy(m);
}

static void lose_a_descriptor(void *arg)
{
	(void)arg;
	if (tpos_zalloc(m, 1))
		tpsim_machine_destroy(m);
}

static void lose_a_store(void *arg)
{
	tpos_store_t *store;

	(void)arg;
	tpos_store_create(m, 3, &store);
	tpsim_machine_destroy(m);
}

static unsigned long no_pages(struct tpos_shrinker *shrinker, bool swap)
{
	(void)swap;
	(void)shrinker;
	return 0;
}

static void lose_a_shrinker(void *arg)
{
	static struct tpos_shrinker shrinker = { .count = no_pages };

	(void)arg;
	tpos_shrinker_register(m, &shrinker);
	tpsim_machine_destroy(m);
}

static void no_work(struct tpos_work *work)
{
	(void)work;
}

static void lose_work(void *arg)
{
	static struct tpos_work work;

	(void)arg;
	tpos_work_init(&work, no_work);
	tpos_work_queue(m, &work);
	tpsim_machine_destroy(m);
}

/* Destroying a machine on which something is still allocated reports that, and ends the
 * program. */
static void losses_end_the_program(void **state)
{
	(void)state;
	assert_complains("ledger: 4 plain pages", lose_pages, NULL);
	assert_complains("plain, order 2, write-back", lose_pages, NULL);
	assert_complains("0 plain pages, 1 coherent", lose_a_coherent_page,
			 NULL);
	assert_complains("1 descriptors", lose_a_descriptor, NULL);
	assert_complains("1 stores of 0 pages", lose_a_store, NULL);
	assert_complains("1 shrinkers", lose_a_shrinker, NULL);
	assert_complains("1 work", lose_work, NULL);
}

static void free_too_much(void *arg)
{
	tpos_free(m, arg);
}

/* A descriptor that was never allocated cannot be freed; NULL can. */
static void descriptors_are_balanced(void **state)
{
	void *ptr = tpos_zalloc(m, 64);

	(void)state;
	assert_non_null(ptr);
	assert_true(bytes_are(ptr, 64, 0));
	assert_int_equal(ledger_of(m).descriptors, 1);
	tpos_free(m, ptr);
	tpos_free(m, NULL);
	assert_int_equal(ledger_of(m).descriptors, 0);
	assert_complains("bad free", free_too_much, &m);
}

/* A report is counted by its kind, and kept as text. */
static void a_report_is_kept(void **state)
{
	struct ttmpool_report report = { .kind = TTMPOOL_REPORT_DOUBLE,
					 .pool = "gpu0",
					 .owner = "client-7",
					 .index = 3,
					 .order = 2,
					 .caching = TTMPOOL_CACHED };

	(void)state;
	assert_string_equal(tpsim_report_last(m), "");
	tpos_report(m, &report);
	assert_int_equal(tpsim_reports(m, TTMPOOL_REPORT_DOUBLE), 1);
	assert_int_equal(tpsim_reports(m, TTMPOOL_REPORT_FOREIGN), 0);
	assert_non_null(strstr(tpsim_report_last(m), "gpu0"));
	assert_non_null(strstr(tpsim_report_last(m), "client-7"));
	report.kind = TTMPOOL_REPORT_FOREIGN;
	report.order = -1;
	report.caching = TTMPOOL_CACHING_UNKNOWN;
	tpos_report(m, &report);
	assert_non_null(strstr(tpsim_report_last(m),
			       ttmpool_report_name(TTMPOOL_REPORT_FOREIGN)));
	assert_null(strstr(tpsim_report_last(m), "client-7"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_machine_has_an_empty_ledger),
		TEST(held_ram_is_not_out),
		TEST(the_ledger_follows_every_step),
		TEST(every_event_is_counted),
		TEST(losses_end_the_program),
		TEST(descriptors_are_balanced),
		TEST(a_report_is_kept),
	};

	return cmocka_run_group_tests_name("machine-ledger", tests, NULL, NULL);
}
