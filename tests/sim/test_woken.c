// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A request or a thread that sleeps is woken as soon as it can go on, instead of when it
 * would look again by itself. No thread sleeps here: the test sets the flag of a queue
 * for a sleeper, and counts how often the queue is woken.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WC TTMPOOL_WRITE_COMBINED

static void someone_sleeps(struct ttmpool_queue *queue)
{
	tpos_atomic_set(&queue->waiting, 1);
}

static void nobody_sleeps(struct ttmpool_queue *queue)
{
	tpos_atomic_set(&queue->waiting, 0);
}

/* Pool one page, mapped or not, and prepare a request for two. */
static struct pages *two_of_one(struct check *t, struct rig *rig, bool mapped)
{
	struct ttmpool_request one = { .caching = WC, .num_pages = 1 };

	if (!rig || ttmpool_pool_prime(&rig->pool[0], &one, mapped))
		return NULL;
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 2, .caching = WC });
}

/* If a request fails that had taken a mapped pooled page, the addresses of that page are
 * available again, and waiters are woken. */
static void s06_who_fails_wakes_for_addresses(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *p = two_of_one(t, rig, true);
	struct ttmpool_queue *queue;
	long before;

	CHECK(t, p);
	queue = &rig->pool[0].iova->queue;
	someone_sleeps(queue);
	before = tpos_wait_count(&queue->wait);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = 100 });
	CHECK_EQ(t, ttmpool_pool_take(p->pool, &p->req, p->pages, NULL),
		 -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, tpos_wait_count(&queue->wait) > before);
	nobody_sleeps(queue);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for pages. */
static void s06_who_fails_wakes_for_pages(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *p = two_of_one(t, rig, false);
	struct ttmpool_queue *queue;
	long before;

	CHECK(t, p);
	p->req.num_pages = 1;
	queue = &rig->mgr.queue;
	someone_sleeps(queue);
	before = tpos_wait_count(&queue->wait);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
						.nth = 1,
						.times = 100,
						.error = -EIO });
	CHECK_EQ(t, pages_take(p), -EIO);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, tpos_wait_count(&queue->wait) > before);
	nobody_sleeps(queue);
	CHECK(t, rig_close(t, rig));
}

/* Pools 4 pages, mapped or not, of which @old are reserved, and reserves @new instead.
 * Returns how often that has woken who waits for pages, or for addresses; -1: an error. */
static long wakes_of_reserve(struct check *t, bool mapped, size_t old,
			     size_t new)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = 4 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_queue *queue;
	long before, after;

	if (!rig || ttmpool_pool_prime(&rig->pool[0], &req, mapped))
		return -1;
	queue = mapped ? &rig->pool[0].iova->queue : &rig->mgr.queue;
	ttmpool_pool_reserve(&rig->pool[0], old);
	someone_sleeps(queue);
	before = tpos_wait_count(&queue->wait);
	ttmpool_pool_reserve(&rig->pool[0], new);
	after = tpos_wait_count(&queue->wait);
	nobody_sleeps(queue);
	return rig_close(t, rig) ? after - before : -1;
}

/* Pages that are no longer reserved can go for a request that waits, so it is woken. */
static void s06_who_lowers_a_reserve_wakes_for_pages(struct check *t)
{
	CHECK(t, wakes_of_reserve(t, false, 4, 0) > 0);
	CHECK(t, wakes_of_reserve(t, false, 4, 3) > 0);
	CHECK(t, wakes_of_reserve(t, false, 9, 1) > 0);
}

/* The same holds for the mappings of these pages. */
static void s06_who_lowers_a_reserve_wakes_for_addresses(struct check *t)
{
	CHECK(t, wakes_of_reserve(t, true, 4, 0) > 0);
	CHECK(t, wakes_of_reserve(t, true, 4, 3) > 0);
}

/* If no page is less reserved than before, nobody is woken. */
static void s06_a_reserve_that_spares_nothing_wakes_nobody(struct check *t)
{
	for (int mapped = 0; mapped < 2; mapped++) {
		CHECK_EQ(t, wakes_of_reserve(t, mapped, 9, 4), 0);
		CHECK_EQ(t, wakes_of_reserve(t, mapped, 1, 1), 0);
		CHECK_EQ(t, wakes_of_reserve(t, mapped, 1, 3), 0);
	}
}

/* Lists a buffer, with pages or without, and returns how often that has woken who waits for
 * pages; -1: an error. */
static long wakes_of_listing(struct check *t, bool with_pages)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_queue *queue;
	struct buffer *buf;
	long before, after;
	int err;

	if (!rig)
		return -1;
	buf = buffer_open(t, rig,
			  &(struct buffer_config){ .funcs = &buffer_plain });
	if (!buf || (with_pages && ttmpool_populate(&buf->be)))
		return -1;
	queue = &rig->mgr.queue;
	someone_sleeps(queue);
	before = tpos_wait_count(&queue->wait);
	err = ttmpool_lru_add(&buf->be);
	after = tpos_wait_count(&queue->wait);
	nobody_sleeps(queue);
	ttmpool_lru_remove(&buf->be);
	if (with_pages)
		err |= ttmpool_unpopulate(&buf->be);
	return !err && rig_close(t, rig) ? after - before : -1;
}

/* A buffer with pages that is added to the swapper's list can be swapped out for a request
 * that waits, so it is woken. */
static void s07_who_lists_a_buffer_wakes_for_pages(struct check *t)
{
	CHECK(t, wakes_of_listing(t, true) > 0);
	CHECK_EQ(t, wakes_of_listing(t, false), 0);
}

/* A thread that waits for another one to swap out looks again when that has ended, even
 * if nothing could be swapped out. */
static void s07_a_swapout_in_vain_wakes_who_follows(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	struct ttmpool_queue *queue;
	long before;

	CHECK(t, rig);
	buf = buffer_ready(
		t, rig, &(struct buffer_config){ .funcs = &buffer_plain }, 1);
	CHECK(t, buf && !ttmpool_lru_add(&buf->be));
	buf->locked = true;
	queue = &rig->mgr.lru.followers;
	someone_sleeps(queue);
	before = tpos_wait_count(&queue->wait);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 1), 0);
	CHECK(t, tpos_wait_count(&queue->wait) > before);
	nobody_sleeps(queue);
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* How often the followers had been woken when the first buffer was unlocked, and when the
 * next one was asked for. */
static struct {
	struct ttmpool_queue *queue;
	long let_go, asked;
} seen;

static bool note_asked(struct ttmpool_backend *be)
{
	(void)be;
	seen.asked = tpos_wait_count(&seen.queue->wait);
	return true;
}

static bool trylock_first(struct ttmpool_backend *be)
{
	(void)be;
	return true;
}

static void note_let_go(struct ttmpool_backend *be)
{
	(void)be;
	seen.let_go = tpos_wait_count(&seen.queue->wait);
}

static void do_nothing(struct ttmpool_backend *be)
{
	(void)be;
}

/* A thread that takes a buffer off the list during its swap-out goes on as soon as that
 * buffer is unlocked, however many others follow. */
static void s07_who_removes_a_buffer_waits_for_that_one(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_backend_funcs funcs[2] = { buffer_plain, buffer_plain };
	struct buffer *buf[2];

	CHECK(t, rig);
	funcs[0].trylock = trylock_first;
	funcs[0].unlock = note_let_go;
	funcs[1].trylock = note_asked;
	funcs[1].unlock = do_nothing;
	for (int i = 0; i < 2; i++) {
		buf[i] = buffer_ready(t, rig,
				      &(struct buffer_config){
					      .pool = i, .funcs = &funcs[i] },
				      1);
		CHECK(t, buf[i] && !ttmpool_lru_add(&buf[i]->be));
	}
	seen.queue = &rig->mgr.lru.followers;
	someone_sleeps(seen.queue);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 2);
	nobody_sleeps(seen.queue);
	CHECK(t, seen.asked > seen.let_go);
	for (int i = 0; i < 2; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(woken, CHECK_CASE(s06_who_fails_wakes_for_addresses),
	    CHECK_CASE(s06_who_fails_wakes_for_pages),
	    CHECK_CASE(s06_who_lowers_a_reserve_wakes_for_pages),
	    CHECK_CASE(s06_who_lowers_a_reserve_wakes_for_addresses),
	    CHECK_CASE(s06_a_reserve_that_spares_nothing_wakes_nobody),
	    CHECK_CASE(s07_who_lists_a_buffer_wakes_for_pages),
	    CHECK_CASE(s07_a_swapout_in_vain_wakes_who_follows),
	    CHECK_CASE(s07_who_removes_a_buffer_waits_for_that_one));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_woken, &config);
}
