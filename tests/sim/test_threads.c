// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that populate, give back, shrink, change limits and scrub at once, on one
 * manager. While they run, each thread checks what it can know: that its buffers are zero
 * when it gets them, and unchanged when it gives them back. The rest is checked when they
 * are done. This also runs under helgrind and ThreadSanitizer.
 */

#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WORKERS 3
#define ROUNDS  60

struct worker {
	struct rig *rig;
	struct check *t;
	struct buffer *bufs[4];
	unsigned char byte;
	const char *wrong;
};

static const size_t sizes[4] = { 1, 7, 33, 64 };

/* One round with one buffer: NULL, or what went wrong. */
static const char *round_trip(struct worker *w, struct buffer *buf)
{
	if (ttmpool_populate(&buf->be))
		return "a populate failed";
	if (!buffer_holds(w->t, buf, 0))
		return "another owner's bytes were handed out";
	if (!buffer_fill(w->t, buf, w->byte))
		return "a page is of another caching";
	if (!buffer_holds(w->t, buf, w->byte))
		return "somebody else wrote to a page in use";
	if (ttmpool_unpopulate(&buf->be))
		return "an unpopulate failed";
	return NULL;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !w->wrong; i++)
		w->wrong = round_trip(w, w->bufs[i % 4]);
	return NULL;
}

static void *disturb(void *arg)
{
	struct worker *w = arg;
	struct rig *rig = w->rig;

	for (int i = 0; i < ROUNDS; i++) {
		ttmpool_manager_shrink_scan(&rig->mgr, 16, true);
		ttmpool_manager_shrink_count(&rig->mgr, true);
		ttmpool_pool_scrub(&rig->pool[0], 8);
		ttmpool_manager_set_pool_limit(&rig->mgr, i % 3 ? 64 : 8);
		ttmpool_pool_reserve(&rig->pool[0], (size_t)i % 16);
	}
	return NULL;
}

static bool worker_init(struct worker *w, struct rig *rig, struct check *t,
			int i)
{
	*w = (struct worker){ .rig = rig,
			      .t = t,
			      .byte = (unsigned char)(0x10 + i) };
	for (int k = 0; k < 4; k++) {
		w->bufs[k] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = sizes[k],
				.caching = (enum ttmpool_caching)(k % 3) });
		if (!w->bufs[k])
			return false;
	}
	return true;
}

static bool start_all(struct check *t, struct rig *rig, struct worker *workers,
		      pthread_t *threads)
{
	for (int i = 0; i <= WORKERS; i++)
		if (!worker_init(&workers[i], rig, t, i))
			return false;
	for (int i = 0; i <= WORKERS; i++)
		if (pthread_create(&threads[i], NULL,
				   i < WORKERS ? work : disturb, &workers[i]))
			return false;
	return true;
}

/* No thread's buffer shares a page with another one, whatever other threads do. */
static void threads_do_not_meet_in_a_page(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct worker workers[WORKERS + 1];
	pthread_t threads[WORKERS + 1];
	struct rig *rig;

	policy.scrub = true;
	policy.refill = true;
	rig = rig_open(
		t, &(struct rig_config){ .policy = &policy, .pool_limit = 64 });
	CHECK(t, rig);
	CHECK(t, start_all(t, rig, workers, threads));
	for (int i = 0; i <= WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < WORKERS; i++)
		if (workers[i].wrong)
			check_fail(t, __FILE__, __LINE__, workers[i].wrong,
				   NULL);
	CHECK(t, !t->failed);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	tpsim_work_run(check_machine(t)); /* the worker is done, too */
	CHECK(t, rig_close(t, rig));
}

struct giver {
	struct rig *rig;
	tpos_page_t **pages;
	int refused;
};

static void *give_back(void *arg)
{
	struct giver *giver = arg;

	for (int i = 0; i < 8; i++)
		giver->refused += ttmpool_pool_give(&giver->rig->pool[0],
						    giver->pages + i, 1,
						    TTMPOOL_UNCACHED) != 0;
	return NULL;
}

/* If two threads give the same pages back, each page is accepted from one of them, and
 * the other is refused. */
static void a_page_given_by_two_threads_is_taken_once(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *pages[8];
	struct giver givers[2];
	pthread_t threads[2];

	CHECK(t, rig);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(
			t,
			ttmpool_pool_take(&rig->pool[0], &req, pages + i, NULL),
			0);
	for (int i = 0; i < 2; i++) {
		givers[i] = (struct giver){ .rig = rig, .pages = pages };
		CHECK_EQ(t,
			 pthread_create(&threads[i], NULL, give_back,
					&givers[i]),
			 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(t, givers[0].refused + givers[1].refused, 8);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
	CHECK(t, rig_close(t, rig));
}

#define DIRTY 600 /* more than is cleared at a time */

struct scrubber {
	struct rig *rig;
	atomic_bool done;
};

static void *scrub(void *arg)
{
	struct scrubber *scrubber = arg;

	ttmpool_pool_scrub(&scrubber->rig->pool[0], DIRTY);
	scrubber->done = true;
	return NULL;
}

/* Is the large chunk still in its bin, waiting to be cleared? */
static bool is_to_be_cleared(struct scrubber *scrubber)
{
	return !scrubber->done &&
	       ttmpool_pool_count(&scrubber->rig->pool[0], TTMPOOL_PLAIN,
				  TTMPOOL_WRITE_COMBINED, 9);
}

/* Pages that are being cleared count as pooled: each of these ways to get pooled pages
 * gets them, too. */
static bool drains(struct rig *rig, int way)
{
	switch (way % 4) {
	case 0:
		ttmpool_manager_set_pool_limit(&rig->mgr, 0);
		ttmpool_manager_set_pool_limit(&rig->mgr, TTMPOOL_NO_LIMIT);
		return true;
	case 1:
		ttmpool_manager_set_page_budget(&rig->mgr, 0);
		ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
		return true;
	case 2:
		return ttmpool_pool_drain(&rig->pool[0]) == DIRTY;
	default:
		return ttmpool_manager_shrink_count(&rig->mgr, false) ==
			       DIRTY &&
		       ttmpool_manager_shrink_scan(&rig->mgr, DIRTY, false) ==
			       DIRTY;
	}
}

static struct buffer *dirty_buffer(struct check *t, struct rig *rig,
				   enum ttmpool_caching caching)
{
	return buffer_open(t, rig,
			   &(struct buffer_config){ .num_pages = DIRTY,
						    .caching = caching });
}

/* Pool the pages of a buffer, and start a thread that clears them. */
static bool scrub_begin(struct buffer *buf, struct scrubber *scrubber,
			pthread_t *thread)
{
	if (buffer_cycle(buf) || pthread_create(thread, NULL, scrub, scrubber))
		return false;
	while (is_to_be_cleared(scrubber))
		sched_yield();
	return true;
}

/* Limits, budgets, drains and shrinks find the pages that a scrub has taken out of the
 * bins. */
static void s11_what_is_being_cleared_can_be_had(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = dirty_buffer(t, rig, TTMPOOL_WRITE_COMBINED);
	CHECK(t, buf);
	for (int i = 0; i < 16; i++) {
		struct scrubber scrubber = { .rig = rig };
		pthread_t thread;
		bool all;

		CHECK(t, scrub_begin(buf, &scrubber, &thread));
		all = drains(rig, i) && !rig_stats(rig).pages_pooled;
		pthread_join(thread, NULL);
		CHECK(t, all);
	}
	CHECK(t, rig_close(t, rig));
}

/* A request can get addresses that only pages have that are being cleared. */
static void s06_mappings_of_what_is_being_cleared_are_given_up(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .mapped_limit = DIRTY * 4096 });
	struct buffer *buf, *other;

	CHECK(t, rig);
	buf = dirty_buffer(t, rig, TTMPOOL_WRITE_COMBINED);
	other = dirty_buffer(t, rig, TTMPOOL_UNCACHED);
	CHECK(t, buf && other);
	for (int i = 0; i < 8; i++) {
		struct scrubber scrubber = { .rig = rig };
		pthread_t thread;
		int err;

		CHECK(t, scrub_begin(buf, &scrubber, &thread));
		err = ttmpool_populate(&other->be);
		pthread_join(thread, NULL);
		CHECK_EQ(t, err, 0);
		CHECK_EQ(t, ttmpool_unpopulate(&other->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* When the system has no pages, a populate waits for what is being cleared. */
static void s07_what_is_being_cleared_serves_at_last(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_fault fault = { .call = TPSIM_CALL_PAGES_ALLOC,
				     .nth = 1,
				     .times = UINT_MAX };
	struct buffer *buf;

	CHECK(t, rig);
	buf = dirty_buffer(t, rig, TTMPOOL_WRITE_COMBINED);
	CHECK(t, buf && !buffer_cycle(buf));
	tpsim_fault_plan(check_machine(t), &fault);
	for (int i = 0; i < 8; i++) {
		struct scrubber scrubber = { .rig = rig };
		pthread_t thread;
		int err;

		CHECK(t, scrub_begin(buf, &scrubber, &thread));
		err = ttmpool_populate(&buf->be);
		pthread_join(thread, NULL);
		CHECK_EQ(t, err, 0);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	}
	tpsim_fault_clear(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* Threads with large requests, of which only one fits at a time. */
struct crowd {
	struct rig *rig;
	atomic_int left; /* threads that still ask */
	atomic_ulong served;
};

#define BUDGET 100
#define LARGE  60

static void *ask_for_much(void *arg)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = LARGE };
	struct crowd *crowd = arg;
	tpos_page_t *pages[LARGE];

	for (int i = 0; i < 12000; i++) {
		if (ttmpool_pool_take(&crowd->rig->pool[0], &req, pages, NULL))
			continue;
		check_any(ttmpool_pool_give(&crowd->rig->pool[0], pages, LARGE,
					    TTMPOOL_CACHED));
		atomic_fetch_add(&crowd->served, 1);
	}
	atomic_fetch_sub(&crowd->left, 1);
	return NULL;
}

/* A request for no more pages than the page budget has left is never refused because of
 * others that ask in vain, and at no moment is more in use than the budget. */
static void who_stays_within_a_budget_is_served(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = BUDGET });
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 1 };
	struct crowd crowd = { .rig = rig, .left = WORKERS };
	unsigned long refused = 0, above = 0;
	struct ttmpool_manager_stats stats;
	pthread_t threads[WORKERS];
	tpos_page_t *page;

	CHECK(t, rig);
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(
			t,
			pthread_create(&threads[i], NULL, ask_for_much, &crowd),
			0);
	while (atomic_load(&crowd.left)) {
		ttmpool_manager_stats(&rig->mgr, &stats);
		above += stats.pages > BUDGET;
		if (ttmpool_pool_take(&rig->pool[0], &req, &page, NULL))
			refused++;
		else
			check_any(ttmpool_pool_give(&rig->pool[0], &page, 1,
						    TTMPOOL_CACHED));
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(t, refused, 0);
	CHECK_EQ(t, above, 0);
	CHECK(t, crowd.served);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(threads, CHECK_CASE(who_stays_within_a_budget_is_served),
	    CHECK_CASE(threads_do_not_meet_in_a_page),
	    CHECK_CASE(a_page_given_by_two_threads_is_taken_once),
	    CHECK_CASE(s11_what_is_being_cleared_can_be_had),
	    CHECK_CASE(s06_mappings_of_what_is_being_cleared_are_given_up),
	    CHECK_CASE(s07_what_is_being_cleared_serves_at_last));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_LAZY,
						    .ram_pages = 4096,
						    .threads = true };

	return check_main(argc, argv, &check_suite_threads, &config);
}
