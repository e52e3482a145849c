// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Shrinkers: when they are called, for how many pages, and when not. */

#include <stdatomic.h>

#include "bed.h"

/* A hoard of single pages, which its shrinker frees. */
struct hoard {
	struct tpos_shrinker shrinker;
	struct tpsim_machine *machine;
	struct tpsim_device *dev;
	struct batch batch;
	size_t left;
	unsigned long counts, scans, most;
	bool greedy; /* allocates when it is asked */
	bool stingy; /* promises pages, and frees none */
	bool swap;   /* the last call allowed a swap */
};

static unsigned long hoard_count(struct tpos_shrinker *shrinker, bool swap)
{
	struct hoard *hoard =
		ttmpool_list_entry(shrinker, struct hoard, shrinker);

	hoard->counts++;
	hoard->swap = swap;
	return hoard->left;
}

static unsigned long hoard_scan(struct tpos_shrinker *shrinker,
				unsigned long pages, bool swap)
{
	struct hoard *hoard =
		ttmpool_list_entry(shrinker, struct hoard, shrinker);
	struct ttmpool_chunk chunk = { 0 };
	struct tpos_alloc req = { .order = 9, .node = ANY_NODE };
	struct ttmpool_list out;
	unsigned long n = 0;

	hoard->scans++;
	assert_true(swap == hoard->swap);
	if (pages > hoard->most)
		hoard->most = pages;
	if (hoard->greedy)
		assert_int_equal(tpos_pages_alloc(hoard->dev, &req, &chunk),
				 -ENOMEM);
	if (hoard->stingy)
		return 0;
	ttmpool_list_init(&out);
	for (; n < pages && hoard->left; n++)
		ttmpool_list_move_tail(&hoard->batch.chunk[--hoard->left].link,
				       &out);
	if (n)
		tpos_pages_free(hoard->dev, &out);
	return n;
}

static struct hoard hoard;

/* A machine whose last @n free pages are in the hoard. */
static void hoard_open(size_t n)
{
	hoard = (struct hoard){ .shrinker = { .count = hoard_count,
					      .scan = hoard_scan } };
	hoard.machine = machine_with(&(struct tpsim_config){ 0 });
	hoard.dev = device_with(hoard.machine, 0);
	hoard.left = n;
	batch_init(&hoard.batch);
	batch_plain(&hoard.batch, hoard.dev, n, 0);
	tpsim_ram_hold(hoard.machine, ANY_NODE, 0);
	assert_int_equal(tpos_shrinker_register(hoard.machine, &hoard.shrinker),
			 0);
}

static void hoard_close(void)
{
	tpos_shrinker_unregister(hoard.machine, &hoard.shrinker);
	if (!ttmpool_list_empty(&hoard.batch.list))
		tpos_pages_free(hoard.dev, &hoard.batch.list);
	tpsim_ram_release(hoard.machine);
	tpsim_machine_destroy(hoard.machine);
}

static int ask_for(struct batch *got, unsigned int order, unsigned int flags)
{
	return batch_add(got, hoard.dev,
			 &(struct tpos_alloc){ .order = order,
					       .node = ANY_NODE,
					       .flags = flags });
}

/* If pages are short, the shrinkers are called, and then there is a page. */
static void a_shortage_asks_the_shrinkers(void **state)
{
	static struct batch got;

	(void)state;
	hoard_open(10);
	batch_init(&got);
	assert_int_equal(ask_for(&got, 0, 0), 0);
	assert_int_equal(counters_of(hoard.machine).shrinks, 1);
	assert_int_equal(hoard.left, 9);
	batch_free(&got, hoard.dev);
	hoard_close();
}

/* When the shrinkers have nothing left, the request fails. */
static void an_empty_hoard_is_no_help(void **state)
{
	static struct batch got;

	(void)state;
	hoard_open(3);
	batch_init(&got);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask_for(&got, 0, 0), 0);
	assert_int_equal(ask_for(&got, 0, 0), -ENOMEM);
	assert_int_equal(hoard.scans, 3);
	batch_free(&got, hoard.dev);
	hoard_close();
}

/* A shrinker that promises pages, but frees none, is not called again. */
static void a_stingy_shrinker_ends_the_search(void **state)
{
	static struct batch got;

	(void)state;
	hoard_open(3);
	hoard.stingy = true;
	batch_init(&got);
	assert_int_equal(ask_for(&got, 0, 0), -ENOMEM);
	assert_int_equal(hoard.scans, 1);
	hoard_close();
}

/* A light request calls the shrinkers once, if pages are short. */
static void a_light_request_asks_once(void **state)
{
	static struct batch got;

	(void)state;
	hoard_open(1000);
	batch_init(&got);
	tpsim_ram_hold(hoard.machine, ANY_NODE, 0);
	assert_int_equal(ask_for(&got, 0, TPOS_ALLOC_LIGHT), 0);
	assert_int_equal(counters_of(hoard.machine).shrinks, 1);
	batch_free(&got, hoard.dev);
	hoard_close();
}

/* It does not call them if there are enough pages, but in small pieces. */
static void a_light_request_minds_no_pieces(void **state)
{
	static struct batch got;

	(void)state;
	hoard_open(4);
	batch_init(&got);
	tpsim_ram_release(hoard.machine);
	tpsim_ram_fragment(hoard.machine, 0);
	assert_int_equal(ask_for(&got, 4, TPOS_ALLOC_LIGHT), -ENOMEM);
	assert_int_equal(counters_of(hoard.machine).shrinks, 0);
	assert_int_equal(ask_for(&got, 4, 0), -ENOMEM);
	assert_true(counters_of(hoard.machine).shrinks > 0);
	hoard_close();
}

/* A large request is split into scans of at most 128 pages. */
static void scans_come_in_batches(void **state)
{
	(void)state;
	hoard_open(1000);
	assert_int_equal(tpsim_shrink(hoard.machine, 300), 300);
	assert_int_equal(hoard.most, 128);
	assert_int_equal(hoard.scans, 3);
	assert_int_equal(tpsim_shrink(hoard.machine, 5000), 700);
	hoard_close();
}

/* A shrinker that counts no pages is not scanned. */
static void nothing_is_not_scanned(void **state)
{
	(void)state;
	hoard_open(0);
	assert_int_equal(tpsim_shrink(hoard.machine, 10), 0);
	assert_int_equal(hoard.counts, 1);
	assert_int_equal(hoard.scans, 0);
	hoard_close();
}

/* A shrinker that allocates is not called from within itself. */
static void reclaim_does_not_recurse(void **state)
{
	(void)state;
	hoard_open(10);
	hoard.greedy = true;
	assert_int_equal(tpsim_shrink(hoard.machine, 10), 10);
	assert_int_equal(hoard.scans, 1);
	hoard_close();
}

/* All registered shrinkers are called; one that was unregistered is not. */
static void all_shrinkers_are_asked(void **state)
{
	static struct hoard other;

	(void)state;
	hoard_open(10);
	other = (struct hoard){ .shrinker = { .count = hoard_count,
					      .scan = hoard_scan } };
	assert_int_equal(tpos_shrinker_register(hoard.machine, &other.shrinker),
			 0);
	tpsim_shrink(hoard.machine, 1);
	assert_int_equal(other.counts, 1);
	tpos_shrinker_unregister(hoard.machine, &other.shrinker);
	tpsim_shrink(hoard.machine, 1);
	assert_int_equal(other.counts, 1);
	assert_int_equal(hoard.counts, 2);
	hoard_close();
}

static int asked_node;

static unsigned long hoard_count_node(struct tpos_shrinker *shrinker, int node,
				      bool swap)
{
	asked_node = node;
	return hoard_count(shrinker, swap);
}

static unsigned long hoard_scan_node(struct tpos_shrinker *shrinker, int node,
				     unsigned long pages, bool swap)
{
	assert_int_equal(asked_node, node);
	return hoard_scan(shrinker, pages, swap);
}

/* A shrinker that knows about nodes is told the node, if a caller needs pages of one. */
static void a_shrinker_is_told_the_node(void **state)
{
	static struct batch got;
	struct tpos_alloc here = { .node = 0, .flags = TPOS_ALLOC_THIS_NODE };

	(void)state;
	hoard_open(10);
	hoard.shrinker.count_node = hoard_count_node;
	hoard.shrinker.scan_node = hoard_scan_node;
	asked_node = -2;
	assert_int_equal(tpsim_shrink(hoard.machine, 1), 1);
	assert_int_equal(asked_node, -2);
	assert_int_equal(tpsim_shrink_node(hoard.machine, 3, 1), 1);
	assert_int_equal(asked_node, 3);
	tpsim_ram_hold(hoard.machine, ANY_NODE, 0);
	batch_init(&got);
	assert_int_equal(batch_add(&got, hoard.dev, &here), 0);
	assert_int_equal(asked_node, 0);
	batch_free(&got, hoard.dev);
	hoard_close();
}

static unsigned long hoard_scan_whole(struct tpos_shrinker *shrinker,
				      unsigned long pages, bool swap)
{
	return hoard_scan(shrinker, pages < 200 ? 200 : pages, swap);
}

/* A shrinker that frees more than was asked for is asked for less afterwards
 * (nr_scanned). */
static void what_was_too_much_is_less_the_next_time(void **state)
{
	(void)state;
	hoard_open(1000);
	hoard.shrinker.scan = hoard_scan_whole;
	assert_int_equal(tpsim_shrink(hoard.machine, 500), 600);
	assert_int_equal(hoard.scans, 3);
	hoard_close();
}

/* A shrinker that is registered and unregistered while another thread calls it. */
struct visitor {
	struct tpos_shrinker shrinker;
	atomic_bool here;
	atomic_long calls;
};

static unsigned long visitor_count(struct tpos_shrinker *shrinker, bool swap)
{
	struct visitor *visitor =
		ttmpool_list_entry(shrinker, struct visitor, shrinker);

	(void)swap;
	assert_true(atomic_load(&visitor->here));
	atomic_fetch_add(&visitor->calls, 1);
	return 0;
}

static atomic_bool stop_asking;

static void *keep_asking(void *arg)
{
	while (!atomic_load(&stop_asking))
		tpsim_shrink(arg, 1);
	return NULL;
}

/* After a shrinker was unregistered, it is neither running, nor will it be called. */
static void unregistering_waits(void **state)
{
	struct tpsim_machine *m = machine_with(&(struct tpsim_config){ 0 });
	pthread_t thread;

	(void)state;
	atomic_store(&stop_asking, false);
	assert_int_equal(pthread_create(&thread, NULL, keep_asking, m), 0);
	for (int i = 0; i < 100; i++) {
		struct visitor *visitor = calloc(1, sizeof(*visitor));

		assert_non_null(visitor);
		visitor->shrinker.count = visitor_count;
		atomic_store(&visitor->here, true);
		tpos_shrinker_register(m, &visitor->shrinker);
		if (i == 0) /* they meet at least once */
			while (!atomic_load(&visitor->calls))
				sched_yield();
		tpos_shrinker_unregister(m, &visitor->shrinker);
		atomic_store(&visitor->here, false);
		free(visitor);
	}
	atomic_store(&stop_asking, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	tpsim_machine_destroy(m);
}

static void unregister_a_stranger(void *arg)
{
	struct tpos_shrinker stranger = { .count = hoard_count };

	tpos_shrinker_unregister(arg, &stranger);
}

static unsigned long leave(struct tpos_shrinker *shrinker, bool swap)
{
	(void)swap;
	tpos_shrinker_unregister(hoard.machine, shrinker);
	return 0;
}

static void leave_while_running(void *arg)
{
	(void)arg;
	hoard.shrinker.count = leave;
	tpsim_shrink(hoard.machine, 1);
}

static tpos_mutex_t kept;

static unsigned long keep_a_lock(struct tpos_shrinker *shrinker, bool swap)
{
	(void)swap;
	(void)shrinker;
	tpos_mutex_lock(&kept);
	return 0;
}

static void return_with_a_lock(void *arg)
{
	(void)arg;
	hoard.shrinker.count = keep_a_lock;
	tpsim_shrink(hoard.machine, 1);
}

static unsigned long await_others(struct tpos_shrinker *shrinker, bool swap)
{
	(void)swap;
	(void)shrinker;
	tpos_assert_not_reclaiming();
	return 0;
}

static void wait_while_running(void *arg)
{
	(void)arg;
	hoard.shrinker.count = await_others;
	tpsim_shrink(hoard.machine, 1);
}

/* A shrinker that is not registered, or that runs, cannot be unregistered, and none may
 * keep a lock, or wait for other threads' swap-outs. */
static void bad_shrinkers_end_the_program(void **state)
{
	(void)state;
	hoard_open(1);
	tpos_mutex_init(&kept, hoard.machine, 1);
	assert_complains("not there", unregister_a_stranger, hoard.machine);
	assert_complains("deadlock", leave_while_running, NULL);
	assert_complains("shrinker returned with a lock held",
			 return_with_a_lock, NULL);
	assert_complains("deadlock", wait_while_running, NULL);
	tpos_assert_not_reclaiming();
	tpos_mutex_fini(&kept);
	hoard_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_shortage_asks_the_shrinkers),
		cmocka_unit_test(an_empty_hoard_is_no_help),
		cmocka_unit_test(a_stingy_shrinker_ends_the_search),
		cmocka_unit_test(a_light_request_asks_once),
		cmocka_unit_test(a_light_request_minds_no_pieces),
		cmocka_unit_test(scans_come_in_batches),
		cmocka_unit_test(nothing_is_not_scanned),
		cmocka_unit_test(reclaim_does_not_recurse),
		cmocka_unit_test(all_shrinkers_are_asked),
		cmocka_unit_test(a_shrinker_is_told_the_node),
		cmocka_unit_test(what_was_too_much_is_less_the_next_time),
		cmocka_unit_test(unregistering_waits),
		cmocka_unit_test(bad_shrinkers_end_the_program),
	};

	return cmocka_run_group_tests_name("machine-shrinker", tests, NULL,
					   NULL);
}
