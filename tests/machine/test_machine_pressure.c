// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Shortage of pages: which requests may swap, and which must not wait for a store. */

#include "bed.h"

static struct tpsim_machine *m;
static struct tpsim_device *dev;
static struct batch batch;
static tpos_store_t *store;

/* A shrinker that notes what it was asked, and may act itself. */
static struct {
	struct tpos_shrinker shrinker;
	unsigned long counts, swaps;
	unsigned long wanted;
	unsigned long promise;
	void (*act)(void);
} asked;

static unsigned long asked_count(struct tpos_shrinker *shrinker, bool swap)
{
	(void)shrinker;
	asked.counts++;
	asked.swaps += swap;
	return asked.promise;
}

static unsigned long asked_scan(struct tpos_shrinker *shrinker,
				unsigned long pages, bool swap)
{
	(void)shrinker;
	(void)swap;
	asked.wanted = pages;
	if (asked.act)
		asked.act();
	return 0;
}

/* A machine whose stores have room for four pages, and two single pages. */
static int setup(void **state)
{
	(void)state;
	m = machine_with(&(struct tpsim_config){ .store_pages = 4 });
	dev = device_with(m, 0);
	batch_init(&batch);
	batch_plain(&batch, dev, 2, 0);
	assert_int_equal(tpos_store_create(m, 8, &store), 0);
	memset(&asked, 0, sizeof(asked));
	asked.promise = 100;
	asked.shrinker.count = asked_count;
	asked.shrinker.scan = asked_scan;
	assert_int_equal(tpos_shrinker_register(m, &asked.shrinker), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tpos_shrinker_unregister(m, &asked.shrinker);
	tpos_store_destroy(store);
	tpsim_ram_release(m);
	batch_free(&batch, dev);
	tpsim_machine_destroy(m);
	return 0;
}

static int keep(size_t index)
{
	struct tpos_span from = span_of(&batch.chunk[0], 0, 1);

	return tpos_store_write(store, index, &from);
}

static int fetch(size_t index)
{
	struct tpos_span to = span_of(&batch.chunk[1], 0, 1);

	return tpos_store_read(store, index, &to);
}

static void fill_the_stores(void)
{
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(keep(i), 0);
}

/* In a shortage, the shrinkers may swap if the stores have room. */
static void a_shortage_may_swap(void **state)
{
	struct tpos_alloc req = { .node = ANY_NODE };

	(void)state;
	tpsim_ram_hold(m, ANY_NODE, 0);
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	assert_int_equal(asked.counts, 1);
	assert_int_equal(asked.swaps, 1);
}

/* Without room they may not. */
static void without_room_nobody_swaps(void **state)
{
	struct tpos_alloc req = { .node = ANY_NODE };

	(void)state;
	fill_the_stores();
	tpsim_ram_hold(m, ANY_NODE, 0);
	assert_int_equal(batch_add(&batch, dev, &req), -ENOMEM);
	assert_int_equal(tpsim_shrink_swap(m, 1), 0);
	assert_int_equal(asked.counts, 2);
	assert_int_equal(asked.swaps, 0);
	tpos_store_drop(store, 2, 1);
	tpsim_shrink_swap(m, 1);
	assert_int_equal(asked.swaps, 1);
}

/* tpsim_shrink_swap() lets the shrinkers swap, and tpsim_shrink() does not. */
static void there_are_two_ways_to_ask(void **state)
{
	(void)state;
	tpsim_shrink(m, 1);
	assert_int_equal(asked.swaps, 0);
	tpsim_shrink_swap(m, 1);
	assert_int_equal(asked.swaps, 1);
}

/* A store allocates memory: if pages are short, it asks the shrinkers for what it needs;
 * otherwise it does not. */
static void stores_ask_the_shrinkers(void **state)
{
	tpos_store_t *other;

	(void)state;
	assert_int_equal(keep(0), 0);
	assert_int_equal(asked.counts, 0);
	tpsim_ram_hold(m, ANY_NODE, 0);
	assert_int_equal(keep(1), 0);
	assert_int_equal(asked.counts, 1);
	assert_int_equal(asked.wanted, 1);
	assert_int_equal(fetch(1), 0);
	assert_int_equal(asked.counts, 2);
	assert_int_equal(tpos_store_create(m, 1, &other), 0);
	assert_int_equal(asked.counts, 3);
	assert_int_equal(asked.swaps, 3);
	tpos_store_drop(store, 0, 1);
	tpos_store_destroy(other);
	assert_int_equal(asked.counts, 3);
}

static void act_write(void)
{
	assert_int_equal(keep(0), 0);
}

static void act_read(void)
{
	assert_int_equal(fetch(0), 0);
}

static void act_create(void)
{
	tpos_store_t *other;

	tpos_store_create(m, 1, &other);
}

static void act_drop(void)
{
	tpos_store_drop(store, 0, 1);
}

/* A shrinker that may swap uses a store, and that calls no shrinkers in turn. */
static void a_shrinker_may_swap(void **state)
{
	(void)state;
	tpsim_ram_hold(m, ANY_NODE, 0);
	asked.act = act_write;
	tpsim_shrink_swap(m, 1);
	assert_int_equal(asked.counts, 1);
	assert_int_equal(ledger_of(m).store_pages, 1);
}

/* A shrinker that may not swap can still drop pages from a store. */
static void a_shrinker_may_drop(void **state)
{
	(void)state;
	assert_int_equal(keep(0), 0);
	asked.act = act_drop;
	tpsim_shrink(m, 1);
	assert_int_equal(ledger_of(m).store_pages, 0);
}

static void shrink_without_swap(void *arg)
{
	void (*acts[])(void) = { act_write, act_read, act_create };

	asked.act = acts[*(int *)arg];
	tpsim_shrink(m, 1);
}

/* A shrinker that may not swap, but uses a store, ends the program. */
static void a_shrinker_must_not_swap(void **state)
{
	(void)state;
	assert_int_equal(keep(0), 0);
	for (int i = 0; i < 3; i++)
		assert_complains("a store in a shrinker that may not swap",
				 shrink_without_swap, &i);
}

/* A request that must not reclaim gets free pages, and calls no shrinkers. */
static void what_is_free_is_had_without_asking(void **state)
{
	struct tpos_alloc req = { .source = TTMPOOL_PLAIN,
				  .node = TTMPOOL_NODE_ANY,
				  .flags = TPOS_ALLOC_NO_RECLAIM };
	struct ttmpool_chunk chunk = { .state = TTMPOOL_CHUNK_FRESH,
				       .caching = TTMPOOL_CACHED };
	struct ttmpool_list list;

	(void)state;
	tpsim_ram_hold(m, TTMPOOL_NODE_ANY, 1);
	assert_int_equal(tpos_pages_alloc(dev, &req, &chunk), 0);
	ttmpool_list_init(&list);
	ttmpool_list_add(&chunk.link, &list);
	tpsim_ram_hold(m, TTMPOOL_NODE_ANY, 0);
	assert_int_equal(
		tpos_pages_alloc(dev, &req, &(struct ttmpool_chunk){ 0 }),
		-ENOMEM);
	assert_int_equal(asked.counts, 0);
	req.flags = 0;
	assert_int_equal(
		tpos_pages_alloc(dev, &req, &(struct ttmpool_chunk){ 0 }),
		-ENOMEM);
	assert_true(asked.counts);
	tpos_pages_free(dev, &list);
}

/* The same holds for descriptors, which come from the same memory. */
static void descriptors_ask_the_shrinkers(void **state)
{
	static const unsigned int ask_nobody[] = { TPOS_ALLOC_NO_RECLAIM,
						   TPOS_ALLOC_NO_WAIT };
	struct ttmpool_chunk *chunk;

	(void)state;
	tpsim_ram_hold(m, TTMPOOL_NODE_ANY, 0);
	for (size_t i = 0; i < 2; i++) {
		chunk = tpos_chunk_alloc(m, false, ask_nobody[i]);
		chunk->flags = 0;
		tpos_chunk_free(m, chunk);
	}
	assert_int_equal(asked.counts, 0);
	chunk = tpos_chunk_alloc(m, false, TPOS_ALLOC_LIGHT);
	chunk->flags = 0;
	tpos_chunk_free(m, chunk);
	assert_int_equal(asked.counts, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_shortage_may_swap),
		TEST(without_room_nobody_swaps),
		TEST(what_is_free_is_had_without_asking),
		TEST(descriptors_ask_the_shrinkers),
		TEST(there_are_two_ways_to_ask),
		TEST(stores_ask_the_shrinkers),
		TEST(a_shrinker_may_swap),
		TEST(a_shrinker_may_drop),
		TEST(a_shrinker_must_not_swap),
	};

	return cmocka_run_group_tests_name("machine-pressure", tests, NULL,
					   NULL);
}
