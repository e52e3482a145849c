// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Limits with several threads (S11): threads give, trim and shrink at once. One of them
 * is held up where it gives pages back to the system, or where it converts pages that it
 * has allocated, until the others are done, or are seen to wait.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig.h"

/* The thread that is held up, whether it is to be held, and whether it has arrived. */
static pthread_t held;
static atomic_bool holds, arrived;
static _Atomic(enum ttmpool_caching) holds_at = TTMPOOL_CACHED;

int __real_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000L };

	nanosleep(&time, NULL);
}

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching)
{
	if (caching == holds_at && holds &&
	    pthread_equal(pthread_self(), held)) {
		arrived = true;
		while (holds)
			pause_ms(1);
	}
	return __real_tpos_caching_set(dev, chunks, caching);
}

/* What a thread does. */
enum deed {
	SET_LIMIT,
	SET_BUDGET,
	SCAN,
	DRAIN,
	TAKE,
	PRIME,
	POPULATE,
	FINI
};

struct doer {
	struct rig *rig;
	enum deed deed;
	unsigned long arg;
	unsigned int wait_ms; /* of TAKE and PRIME */
	bool killable;        /* of TAKE and PRIME */
	bool is_held;
	struct pages *pages;
	pthread_t thread;
	atomic_bool done;
	unsigned long got;
};

/* Take as many pages as the other pool has, and give them back to the system; returns 0
 * on success, or the error without its sign. */
static unsigned long take_and_give(const struct doer *doer)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 50,
				       .wait_ms = doer->wait_ms,
				       .killable = doer->killable };
	struct ttmpool_pool *pool = &doer->rig->pool[1];
	tpos_page_t *pages[50];
	int err = ttmpool_pool_take(pool, &req, pages, NULL);

	if (!err)
		err = ttmpool_pool_give(pool, pages, 50, TTMPOOL_CACHED);
	return (unsigned long)-err;
}

/* Prime as many pages; returns the same. */
static unsigned long prime_many(const struct doer *doer)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 50,
				       .wait_ms = doer->wait_ms,
				       .killable = doer->killable };

	return (unsigned long)-ttmpool_pool_prime(&doer->rig->pool[1], &req,
						  false);
}

static void *act(void *arg)
{
	struct doer *doer = arg;
	struct rig *rig = doer->rig;

	if (doer->is_held) {
		held = pthread_self();
		holds = true;
	}
	if (doer->deed == SET_LIMIT)
		ttmpool_manager_set_pool_limit(&rig->mgr, doer->arg);
	else if (doer->deed == SET_BUDGET)
		ttmpool_manager_set_page_budget(&rig->mgr, doer->arg);
	else if (doer->deed == SCAN)
		doer->got = ttmpool_manager_shrink_scan(&rig->mgr, doer->arg,
							false);
	else if (doer->deed == DRAIN)
		doer->got = ttmpool_pool_drain(&rig->pool[0]);
	else if (doer->deed == TAKE)
		doer->got = take_and_give(doer);
	else if (doer->deed == PRIME)
		doer->got = prime_many(doer);
	else if (doer->deed == POPULATE)
		doer->got = (unsigned long)!!pages_take(doer->pages);
	else
		doer->got = ttmpool_pool_fini(&rig->pool[1]);
	doer->done = true;
	return NULL;
}

static bool start(struct doer *doer)
{
	if (doer->is_held)
		arrived = false;
	if (pthread_create(&doer->thread, NULL, act, doer))
		return false;
	while (doer->is_held && !arrived)
		pause_ms(1);
	return true;
}

/* Start both threads; 30 ms later the second one still waits for what the first one
 * holds. */
static bool start_and_wait(struct doer *holder, struct doer *waiter)
{
	if (!start(holder) || !start(waiter))
		return false;
	for (int ms = 0; ms < 30; ms++) {
		if (waiter->done)
			return false;
		pause_ms(1);
	}
	return true;
}

static bool finish(struct doer *doer)
{
	return !pthread_join(doer->thread, NULL) && doer->done;
}

static struct rig *open_pooled(struct check *t, size_t pages)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = pages };
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .policy = &policy });
	if (!rig || ttmpool_pool_prime(&rig->pool[0], &req, false))
		return NULL;
	return rig;
}

/* During a long trim, a thread that gives a page back neither waits for the trim nor does
 * its work; and the shrinker gets the pages that it asks for. */
static void s11_nobody_waits_for_a_trim(struct check *t)
{
	struct ttmpool_request one = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1 };
	struct rig *rig = open_pooled(t, 6000);
	struct doer trimmer = {
		.rig = rig, .deed = SET_LIMIT, .arg = 1000, .is_held = true
	};
	unsigned long pooled;
	tpos_page_t *page;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &one, &page, NULL), 0);
	CHECK(t, start(&trimmer));
	pooled = (unsigned long)rig_stats(rig).pages_pooled;
	CHECK_EQ(t, pooled, 6000 - 1024);
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[1], &page, 1, TTMPOOL_UNCACHED),
		 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, pooled);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 100, false), 100);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 2000, false), 2000);
	holds = false;
	CHECK(t, finish(&trimmer));
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 875);
	CHECK(t, rig_close(t, rig));
}

/* When a new limit, a new budget or a drain returns, the pages that it had to free are
 * free, even if a slow thread had taken them out of the bins before. A teardown waits for
 * threads that work on its pool, and a request that is within the budget waits for pages
 * that others are giving up. */
static void s11_what_others_are_giving_up_is_waited_for(struct check *t)
{
	static const enum deed deeds[] = { SET_LIMIT, SET_BUDGET, DRAIN, FINI,
					   TAKE };

	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
					       .num_pages = 50 };
		struct rig *rig = open_pooled(t, 50);
		struct doer scanner = {
			.rig = rig, .deed = SCAN, .arg = 100, .is_held = true
		};
		struct doer waiter = { .rig = rig, .deed = deeds[i] };

		CHECK(t, rig);
		if (deeds[i] == FINI) {
			ttmpool_pool_drain(&rig->pool[0]);
			CHECK_EQ(t,
				 ttmpool_pool_prime(&rig->pool[1], &req, false),
				 0);
		}
		if (deeds[i] == TAKE)
			ttmpool_manager_set_page_budget(&rig->mgr, 50);
		CHECK(t, start_and_wait(&scanner, &waiter));
		CHECK_EQ(t, check_pages_out(t), 50);
		holds = false;
		CHECK(t, finish(&waiter));
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, deeds[i] != TAKE || !waiter.got);
		CHECK(t, finish(&scanner));
		CHECK_EQ(t, scanner.got, 50);
		rig->nr_pools = deeds[i] == FINI ? 1 : 2;
		CHECK(t, rig_close(t, rig));
	}
}

/* If a request waits for pages that another thread is giving up, and still lacks a page
 * then, it fails: a take as well as a prime. */
static void s11_who_waited_in_vain_is_told(struct check *t)
{
	static const enum deed deeds[] = { TAKE, PRIME };

	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		struct rig *rig = open_pooled(t, 50);
		struct pages_config config = { .num_pages = 1,
					       .caching = TTMPOOL_CACHED };
		struct doer scanner = {
			.rig = rig, .deed = SCAN, .arg = 100, .is_held = true
		};
		struct doer waiter = { .rig = rig, .deed = deeds[i] };
		struct pages *one;

		CHECK(t, rig);
		one = pages_open(t, rig, &config);
		CHECK(t, one);
		CHECK_EQ(t, pages_take(one), 0);
		ttmpool_manager_set_page_budget(&rig->mgr, 50);
		CHECK(t, start_and_wait(&scanner, &waiter));
		holds = false;
		CHECK(t, finish(&waiter));
		CHECK(t, finish(&scanner));
		CHECK(t, waiter.got);
		CHECK_EQ(t, pages_give(one), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* What ends the wait of a request for pages that others are giving up: a signal that kills
 * if the request is killable, any signal if not, and its deadline. */
static bool wait_ends(struct check *t, struct doer *waiter)
{
	struct rig *rig = open_pooled(t, 50);
	struct doer scanner = {
		.rig = rig, .deed = SCAN, .arg = 100, .is_held = true
	};
	bool good, ended;

	if (!rig)
		return false;
	waiter->rig = rig;
	ttmpool_manager_set_page_budget(&rig->mgr, 50);
	good = start(&scanner) && start(waiter);
	for (int ms = 0; ms < 30 && waiter->killable; ms++) {
		tpsim_signal_after(check_machine(t), 1);
		good &= !waiter->done;
		pause_ms(1);
	}
	if (waiter->killable)
		tpsim_kill_after(check_machine(t), 1);
	else if (!waiter->wait_ms)
		tpsim_signal_after(check_machine(t), 1);
	for (int ms = 0; ms < 20000 && !waiter->done; ms++)
		pause_ms(1);
	ended = waiter->done;
	tpsim_signal_clear(check_machine(t));
	holds = false;
	return good && finish(waiter) && finish(&scanner) && ended &&
	       rig_close(t, rig);
}

/* The wait of a request for pages that other threads are giving up ends with a signal, or
 * with its deadline, however long these threads need. A signal that does not kill does not
 * end the wait of a killable request. */
static void s11_a_signal_or_a_deadline_ends_the_wait_for_others(struct check *t)
{
	static const enum deed deeds[] = { TAKE, PRIME };

	for (size_t i = 0; i < sizeof(deeds) / sizeof(*deeds); i++) {
		struct doer killed = { .deed = deeds[i], .killable = true };
		struct doer stopped = { .deed = deeds[i] };
		struct doer late = { .deed = deeds[i], .wait_ms = 20 };

		CHECK(t, wait_ends(t, &killed));
		CHECK_EQ(t, killed.got, EINTR);
		CHECK(t, wait_ends(t, &stopped));
		CHECK_EQ(t, stopped.got, EINTR);
		CHECK(t, wait_ends(t, &late));
		CHECK_EQ(t, late.got, ETIMEDOUT);
	}
}

/* A request within the budget is not refused because another thread is making spare pages
 * that nobody asked for: it waits for them. */
static void s11_spare_pages_of_others_are_waited_for(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct doer maker = { .deed = POPULATE, .is_held = true };
	struct doer waiter = { .deed = TAKE };
	struct rig *rig;

	policy.refill = true;
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
						.page_budget = 104,
						.policy = &policy });
	CHECK(t, rig);
	maker.rig = waiter.rig = rig;
	maker.pages = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 50,
					.caching = TTMPOOL_UNCACHED });
	CHECK(t, maker.pages);
	holds_at = TTMPOOL_UNCACHED;
	CHECK(t, start(&maker));
	CHECK_EQ(t, check_pages_out(t), 50 + 31);
	CHECK(t, start(&waiter));
	for (int ms = 0; ms < 30; ms++) {
		CHECK(t, !waiter.done);
		pause_ms(1);
	}
	holds = false;
	holds_at = TTMPOOL_CACHED;
	CHECK(t, finish(&maker));
	CHECK(t, finish(&waiter));
	CHECK_EQ(t, maker.got, 0);
	CHECK_EQ(t, waiter.got, 0);
	CHECK_EQ(t, pages_give(maker.pages), 0);
	CHECK(t, rig_close(t, rig));
}

enum {
	GIVERS = 6,
	GIVEN = 200,
	LIMIT = 4096
};

struct giver {
	struct ttmpool_pool *pool;
	tpos_page_t *pages[GIVEN];
	pthread_t thread;
	pthread_barrier_t *together;
	int err;
};

static void *give(void *arg)
{
	struct giver *giver = arg;

	pthread_barrier_wait(giver->together);
	for (int i = 0; i < GIVEN; i += 50)
		giver->err |= ttmpool_pool_give(giver->pool, giver->pages + i,
						50, TTMPOOL_UNCACHED);
	return NULL;
}

/* However many threads give pages back at the limit at once, only the excess goes, and
 * only once: at least the limit less its slack stays pooled, and at most the limit. */
static void s11_what_is_over_a_limit_goes_once(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = GIVEN };
	struct giver *givers = check_zalloc(t, GIVERS * sizeof(*givers));
	pthread_barrier_t together;

	CHECK(t, givers);
	for (int round = 0; round < 20; round++) {
		struct ttmpool_manager_stats stats;
		struct rig *rig = open_pooled(t, LIMIT);

		CHECK(t, rig);
		pthread_barrier_init(&together, NULL, GIVERS);
		for (int i = 0; i < GIVERS; i++) {
			givers[i].together = &together;
			givers[i].pool = &rig->pool[1];
			CHECK_EQ(t,
				 ttmpool_pool_take(&rig->pool[1], &req,
						   givers[i].pages, NULL),
				 0);
		}
		ttmpool_manager_set_pool_limit(&rig->mgr, LIMIT);
		for (int i = 0; i < GIVERS; i++)
			CHECK_EQ(t,
				 pthread_create(&givers[i].thread, NULL, give,
						&givers[i]),
				 0);
		for (int i = 0; i < GIVERS; i++) {
			CHECK_EQ(t, pthread_join(givers[i].thread, NULL), 0);
			CHECK_EQ(t, givers[i].err, 0);
		}
		ttmpool_manager_stats(&rig->mgr, &stats);
		CHECK(t, stats.pages_pooled <= LIMIT);
		CHECK(t, stats.pages_pooled >= LIMIT - 512);
		CHECK(t, rig_close(t, rig));
		pthread_barrier_destroy(&together);
	}
}

CHECK_SUITE(limits_threads, CHECK_CASE(s11_nobody_waits_for_a_trim),
	    CHECK_CASE(s11_what_others_are_giving_up_is_waited_for),
	    CHECK_CASE(s11_who_waited_in_vain_is_told),
	    CHECK_CASE(s11_spare_pages_of_others_are_waited_for),
	    CHECK_CASE(s11_a_signal_or_a_deadline_ends_the_wait_for_others),
	    CHECK_CASE(s11_what_is_over_a_limit_goes_once));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 16384,
						    .threads = true };

	return check_main(argc, argv, &check_suite_limits_threads, &config);
}
