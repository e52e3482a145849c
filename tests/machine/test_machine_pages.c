// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Pages that are cleared and freed, and wrong ways to free them. */

#include "bed.h"

#include <string.h>

/* Chunks of both sources may be freed in one batch. */
static void sources_may_be_mixed_when_freed(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	struct tpos_alloc req = { .source = TTMPOOL_COHERENT,
				  .node = ANY_NODE };
	static struct batch batch;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 3);
	assert_int_equal(batch_add(&batch, dev, &req), 0);
	batch_free(&batch, dev);
	assert_true(tpsim_ledger_is_empty(m));
	tpsim_machine_destroy(m);
}

/* Clearing a page removes its contents, and is counted; the caching stays. */
static void clearing_works_in_any_caching(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	static struct batch batch;
	static unsigned char bytes[4096];

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 2, 1);
	tpos_caching_set(dev, &batch.list, TTMPOOL_WRITE_COMBINED);
	memset(bytes, 0x5a, sizeof(bytes));
	assert_int_equal(tpsim_cpu_write(m, batch.chunk[1].page + 1, 0, bytes,
					 4096, TTMPOOL_WRITE_COMBINED),
			 0);
	tpos_pages_clear(dev, &batch.list);
	assert_int_equal(tpsim_cpu_read(m, batch.chunk[1].page + 1, 0, bytes,
					4096, TTMPOOL_WRITE_COMBINED),
			 0);
	assert_true(bytes_are(bytes, 4096, 0));
	assert_int_equal(counters_of(m).bytes_cleared, 4 * 4096);
	tpos_caching_set(dev, &batch.list, TTMPOOL_CACHED);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

/* Code with the address of a page can write to it at any time: a page that was cleared
 * once must be cleared again the second time. */
static void an_address_outlives_a_clearing(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	struct tpsim_device *dev = device_with(m, 0);
	static struct batch batch;
	unsigned char *bytes;

	(void)state;
	batch_init(&batch);
	batch_plain(&batch, dev, 1, 0);
	bytes = tpsim_page_address(m, batch.chunk[0].page);
	for (int i = 0; i < 2; i++) {
		memset(bytes, 0x77, 4096);
		tpos_pages_clear(dev, &batch.list);
		assert_true(bytes_are(bytes, 4096, 0));
	}
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
}

static struct tpsim_machine *breach_machine;
static struct tpsim_device *breach_device;
static struct batch breach_batch;

/* A chunk of order 1, for breaking a rule. */
static void breach_prepare(void)
{
	breach_machine = machine_with(&(struct tpsim_config){ 0 });
	breach_device = device_with(breach_machine, 0);
	batch_init(&breach_batch);
	batch_plain(&breach_batch, breach_device, 1, 1);
}

static void free_twice(void *arg)
{
	(void)arg;
	tpos_pages_free(breach_device, &breach_batch.list);
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_half(void *arg)
{
	(void)arg;
	breach_batch.chunk[0].order = 0;
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_the_middle(void *arg)
{
	(void)arg;
	breach_batch.chunk[0].page++;
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_uncached(void *arg)
{
	(void)arg;
	tpos_caching_set(breach_device, &breach_batch.list, TTMPOOL_UNCACHED);
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_unknown(void *arg)
{
	(void)arg;
	breach_batch.chunk[0].caching = TTMPOOL_CACHING_UNKNOWN;
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_mapped(void *arg)
{
	(void)arg;
	tpos_dma_map(breach_device, &breach_batch.list);
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_nothing(void *arg)
{
	(void)arg;
	batch_init(&breach_batch);
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void free_foreign(void *arg)
{
	tpos_page_t nowhere = { 0 };

	(void)arg;
	breach_batch.chunk[0].page = &nowhere;
	tpos_pages_free(breach_device, &breach_batch.list);
}

static void clear_freed(void *arg)
{
	(void)arg;
	tpos_pages_free(breach_device, &breach_batch.list);
	tpos_pages_clear(breach_device, &breach_batch.list);
}

/* Each rule of giving pages back is enforced. */
static void bad_frees_end_the_program(void **state)
{
	(void)state;
	breach_prepare();
	assert_complains("use after free", free_twice, NULL);
	assert_complains("wrong order", free_half, NULL);
	assert_complains("wrong order", free_the_middle, NULL);
	assert_complains("not write-back", free_uncached, NULL);
	assert_complains("not write-back", free_unknown, NULL);
	assert_complains("free of a mapped page", free_mapped, NULL);
	assert_complains("empty batch", free_nothing, NULL);
	assert_complains("bad page", free_foreign, NULL);
	assert_complains("use after free", clear_freed, NULL);
	batch_free(&breach_batch, breach_device);
	tpsim_machine_destroy(breach_machine);
}

/* A poisoned page that is freed alone is never handed out again; as a part of a block it
 * is handed out again, as in a kernel. */
static void a_poisoned_page_is_kept_only_if_it_comes_alone(void **state)
{
	struct tpsim_machine *machine =
		machine_with(&(struct tpsim_config){ .ram_pages = 64 });
	struct tpsim_device *dev = device_with(machine, 0);
	struct batch batch;
	size_t total;

	(void)state;
	batch_init(&batch);
	assert_false(tpos_may_be_poisoned(dev));
	total = ledger_of(machine).free_pages;
	batch_plain(&batch, dev, 1, 0);
	tpsim_page_poison(machine, batch.chunk[0].page);
	assert_true(tpos_may_be_poisoned(dev));
	batch_free(&batch, dev);
	assert_int_equal(ledger_of(machine).pages_lost, 1);
	assert_int_equal(ledger_of(machine).free_pages, total - 1);

	batch_plain(&batch, dev, 1, 2);
	tpsim_page_poison(machine, batch.chunk[0].page + 3);
	batch_free(&batch, dev);
	assert_int_equal(counters_of(machine).poison_freed, 1);
	assert_int_equal(ledger_of(machine).pages_lost, 1);
	assert_int_equal(ledger_of(machine).free_pages, total - 1);

	batch_plain(&batch, dev, 1, 2);
	assert_true(tpos_page_is_poisoned(batch.chunk[0].page + 3));
	batch.chunk[0].state = TTMPOOL_CHUNK_QUARANTINED;
	batch_free(&batch, dev);
	assert_int_equal(ledger_of(machine).pages_lost, 2);
	assert_int_equal(ledger_of(machine).free_pages, total - 2);
	tpsim_machine_destroy(machine);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources_may_be_mixed_when_freed),
		cmocka_unit_test(clearing_works_in_any_caching),
		cmocka_unit_test(an_address_outlives_a_clearing),
		cmocka_unit_test(bad_frees_end_the_program),
		cmocka_unit_test(
			a_poisoned_page_is_kept_only_if_it_comes_alone),
	};

	return cmocka_run_group_tests_name("machine-pages", tests, NULL, NULL);
}
