// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Limits beside each other (S11): several threads give, trim and shrink at once, and
 * one of them is held up where it gives pages back to the system, or converts some that it
 * has got, until the others are through, or are seen to wait.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig.h"

/* Who is held up, and whether it has come there. */
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
	bool is_held;
	struct pages *pages;
	pthread_t thread;
	atomic_bool done;
	unsigned long got;
};

/* As many pages as the others have, and back to the system; 0 if they were had. */
static unsigned long take_and_give(struct rig *rig)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 50 };
	tpos_page_t *pages[50];

	if (ttmpool_pool_take(&rig->pool[1], &req, pages, NULL))
		return 1;
	return (unsigned long)!!ttmpool_pool_give(&rig->pool[1], pages, 50,
						  TTMPOOL_CACHED);
}

/* As many into the bins; true if they were not had. */
static bool prime_many(struct rig *rig)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 50 };

	return ttmpool_pool_prime(&rig->pool[1], &req, false);
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
		doer->got = take_and_give(rig);
	else if (doer->deed == PRIME)
		doer->got = (unsigned long)prime_many(rig);
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

/* Both have begun; 30 ms later the second still waits for what the first holds. */
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

/* While a long trim is under way, whoever gives a page back does not wait for it, nor
 * does he do its work; and the shrinker has what it asks for. */
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

/* What a limit, a budget or a drain says is gone has gone, though another thread had
 * taken it out of the bins before, and was slow; a pool that goes waits for who works
 * on it; and who is within the budget then, for who makes it so. */
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

/* Who has waited for what another was giving up, and lacks a page even then, is told so:
 * whether he would use what is pooled, or fills the bins. */
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

/* Who is within the budget is not refused since another makes spare pages just now that
 * nobody has asked for: he waits for them. */
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

/* However many give back at once at the limit, what is over it goes once: no less stays
 * than the limit less its slack, and no more than the limit. */
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
	    CHECK_CASE(s11_what_is_over_a_limit_goes_once));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 16384,
						    .threads = true };

	return check_main(argc, argv, &check_suite_limits_threads, &config);
}
