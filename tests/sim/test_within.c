// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Within the budget (S11): a request for no more pages than there are is served, although
 * other threads hold some of them at that moment, on their way to the system or from bin to
 * bin. Those threads are held up until the request is seen to wait. And what a pool or a
 * manager owes to others while it ends.
 */

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig.h"

#define MANY 50

/* A thread that does something; a case may hold it up in the port. */
struct doer {
	struct rig *rig;
	void (*deed)(struct doer *doer);
	size_t pages;
	struct ttmpool_pool *ends;
	pthread_t thread;
	atomic_bool holds, arrived, done;
	int err;
};

static _Thread_local struct doer *myself;

int __real_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000L };

	nanosleep(&time, NULL);
}

static void hold_up(void)
{
	if (!myself)
		return;
	myself->arrived = true;
	while (myself->holds)
		pause_ms(1);
}

int __wrap_tpos_caching_set(tpos_device_t *dev, struct ttmpool_list *chunks,
			    enum ttmpool_caching caching)
{
	if (caching == TTMPOOL_CACHED)
		hold_up();
	return __real_tpos_caching_set(dev, chunks, caching);
}

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	hold_up();
	return __real_tpos_dma_unmap(dev, chunks, lazy);
}

static void *act(void *arg)
{
	myself = arg;
	myself->deed(myself);
	myself->done = true;
	return NULL;
}

static bool start(struct doer *doer)
{
	if (pthread_create(&doer->thread, NULL, act, doer))
		return false;
	while (doer->holds && !doer->arrived)
		pause_ms(1);
	return true;
}

static bool waits(struct doer *doer)
{
	for (int ms = 0; ms < 30 && !doer->done; ms++)
		pause_ms(1);
	return !doer->done;
}

/* Let it go on; 0, or what its deed has come to. */
static int finish(struct doer *doer)
{
	doer->holds = false;
	return pthread_join(doer->thread, NULL) ? -ESRCH : doer->err;
}

/* Take pages of the second pool, of a kind that has no pooled ones. */
static void take_fresh(struct doer *doer)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = doer->pages };
	tpos_page_t *pages[2 * MANY];

	doer->err = ttmpool_pool_take(&doer->rig->pool[1], &req, pages, NULL);
	if (!doer->err)
		doer->err = ttmpool_pool_give(&doer->rig->pool[1], pages,
					      doer->pages, TTMPOOL_CACHED);
}

static void scan(struct doer *doer)
{
	doer->err = ttmpool_manager_shrink_scan(&doer->rig->mgr, doer->pages,
						false) != doer->pages;
}

static void drain(struct doer *doer)
{
	doer->err = ttmpool_pool_drain(&doer->rig->pool[0]) != doer->pages;
}

/* Take a mapped page of another kind, of the first pool, and give it back. */
static void map_another(struct doer *doer)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 1 };
	tpos_dma_addr_t addr;
	tpos_page_t *page;

	doer->err = ttmpool_pool_take(&doer->rig->pool[0], &req, &page, &addr);
	if (!doer->err)
		doer->err = ttmpool_pool_give(&doer->rig->pool[0], &page, 1,
					      TTMPOOL_CACHED);
}

/* @pooled single pages in the first of two pools. */
static struct rig *open_pooled(struct check *t, size_t pooled,
			       uint64_t mapped_limit)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = pooled };
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .nr_pools = 2,
				     .policy = &policy,
				     .mapped_limit = mapped_limit,
				     .mapped_low = !!mapped_limit };
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(t, &config);
	if (!rig || ttmpool_pool_prime(&rig->pool[0], &req, mapped_limit))
		return NULL;
	return rig;
}

/* Pages that a drain has taken out of the bins come back to the budget: a request that lacks
 * them waits. */
static void s11_what_a_drain_has_in_hand_is_waited_for(struct check *t)
{
	struct rig *rig = open_pooled(t, MANY, 0);
	struct doer drainer = {
		.rig = rig, .deed = drain, .pages = MANY, .holds = true
	};
	struct doer taker = { .rig = rig, .deed = take_fresh, .pages = MANY };

	CHECK(t, rig);
	ttmpool_manager_set_page_budget(&rig->mgr, MANY);
	CHECK(t, start(&drainer) && start(&taker));
	CHECK(t, waits(&taker));
	CHECK_EQ(t, finish(&drainer), 0);
	CHECK_EQ(t, finish(&taker), 0);
	CHECK(t, rig_close(t, rig));
}

/* So does what is out of the bins to lose its mapping, for the pool's own sake. */
static void s11_what_loses_its_mapping_is_waited_for(struct check *t)
{
	struct rig *rig = open_pooled(t, MANY, MANY << 12);
	struct doer mapper = { .rig = rig, .deed = map_another, .holds = true };
	struct doer taker = { .rig = rig, .deed = take_fresh, .pages = MANY };

	CHECK(t, rig);
	ttmpool_manager_set_page_budget(&rig->mgr, MANY + 1);
	CHECK(t, start(&mapper) && start(&taker));
	CHECK(t, waits(&taker));
	CHECK_EQ(t, finish(&mapper), 0);
	CHECK_EQ(t, finish(&taker), 0);
	CHECK(t, rig_close(t, rig));
}

static void lower_budget(struct doer *doer)
{
	ttmpool_manager_set_page_budget(&doer->rig->mgr, doer->pages);
}

static void lower_limit(struct doer *doer)
{
	ttmpool_manager_set_pool_limit(&doer->rig->mgr, doer->pages);
}

static void drain_all(struct doer *doer)
{
	ttmpool_pool_drain(&doer->rig->pool[0]);
}

/* Pages that lose their mappings are pooled again afterwards; whoever lowers a limit or
 * drains meanwhile waits for that, and gives them up, too. (The page that the other thread
 * has wanted comes back at any time.) */
static void s11_what_is_pooled_again_goes_too(struct check *t)
{
	static void (*const deeds[])(
		struct doer * doer) = { lower_budget, lower_limit, drain_all };

	for (int i = 0; i < 3; i++) {
		struct rig *rig = open_pooled(t, MANY, MANY << 12);
		struct doer mapper = { .rig = rig,
				       .deed = map_another,
				       .holds = true };
		struct doer lower = { .rig = rig, .deed = deeds[i] };

		CHECK(t, rig);
		CHECK(t, start(&mapper) && start(&lower));
		CHECK(t, waits(&lower));
		finish(&mapper);
		CHECK_EQ(t, finish(&lower), 0);
		CHECK(t, rig_stats(rig).pages_pooled <= 1);
		CHECK(t, rig_close(t, rig));
	}
}

/* A request that has waited for one thread, and lacks pages that another one has taken
 * meanwhile, waits for that one, too. */
static void s11_who_is_within_the_budget_waits_for_all(struct check *t)
{
	struct rig *rig = open_pooled(t, 2 * MANY, 0);
	struct doer first = {
		.rig = rig, .deed = scan, .pages = MANY + 10, .holds = true
	};
	struct doer second = {
		.rig = rig, .deed = scan, .pages = MANY - 10, .holds = true
	};
	struct doer taker = { .rig = rig,
			      .deed = take_fresh,
			      .pages = 2 * MANY };

	CHECK(t, rig);
	ttmpool_manager_set_page_budget(&rig->mgr, 2 * MANY);
	CHECK(t, start(&first) && start(&taker));
	CHECK(t, waits(&taker));
	CHECK(t, start(&second));
	CHECK_EQ(t, finish(&first), 0);
	CHECK(t, waits(&taker));
	CHECK_EQ(t, finish(&second), 0);
	CHECK_EQ(t, finish(&taker), 0);
	CHECK(t, rig_close(t, rig));
}

/* Returns whether a pool has begun to end. */
static bool is_going(struct ttmpool_pool *pool)
{
	bool going;

	tpos_spin_lock(&pool->mgr->lock);
	going = pool->going;
	tpos_spin_unlock(&pool->mgr->lock);
	return going;
}

static void end_pool(struct doer *doer)
{
	doer->err = ttmpool_pool_fini(doer->ends) != 0;
}

/* While a pool ends, and waits for a thread that has pages of it in hand, other scans pass it
 * over, and take what they want from other pools. */
static void s11_a_pool_that_ends_is_passed_over(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = MANY };
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .policy = &policy };
	struct ttmpool_pool_config ending = { .policy = &policy };
	struct ttmpool_pool *ends = check_zalloc(t, sizeof(*ends));
	struct rig *rig;
	struct doer scanner = { .deed = scan, .pages = 1, .holds = true };
	struct doer ender = { .deed = end_pool, .ends = ends };

	policy.max_order = 0;
	rig = rig_open(t, &config);
	CHECK(t, rig && ends);
	scanner.rig = rig;
	ending.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(ends, &rig->mgr, &ending), 0);
	CHECK_EQ(t, ttmpool_pool_prime(ends, &req, false), 0);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	CHECK(t, start(&scanner) && start(&ender));
	for (int ms = 0; ms < 20000 && !is_going(ends); ms++)
		pause_ms(1);
	CHECK(t, waits(&ender));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 3, false), 3);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, MANY - 3);
	CHECK_EQ(t, finish(&scanner), 0);
	CHECK_EQ(t, finish(&ender), 0);
	CHECK(t, rig_close(t, rig));
}

static void hold_pool(struct ttmpool_pool *pool, void *arg)
{
	if (pool == arg)
		hold_up();
}

/* Look at each pool, and be held up at the one that ends. */
static void look(struct doer *doer)
{
	ttmpool_manager_each_pool(&doer->rig->mgr, hold_pool, doer->ends);
}

/* A pool that ends, and waits for a thread that looks at it. */
struct ending {
	struct ttmpool_pool *pool;
	struct doer looker;
	struct doer ender;
};

/* Begin to end a pool in which @pooled single pages are pooled. */
static bool begin_to_end(struct check *t, struct rig *rig,
			 struct ending *ending, size_t pooled)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = pooled };
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .dev = rig->dev[0],
					      .policy = &policy };

	policy.max_order = 0;
	ending->pool = check_zalloc(t, sizeof(*ending->pool));
	ending->looker = (struct doer){
		.rig = rig, .deed = look, .ends = ending->pool, .holds = true
	};
	ending->ender = (struct doer){ .deed = end_pool, .ends = ending->pool };
	if (!ending->pool ||
	    ttmpool_pool_init(ending->pool, &rig->mgr, &config) ||
	    ttmpool_pool_prime(ending->pool, &req, false) ||
	    !start(&ending->looker) || !start(&ending->ender))
		return false;
	for (int ms = 0; ms < 20000 && !is_going(ending->pool); ms++)
		pause_ms(1);
	return !ending->ender.done;
}

static bool end(struct ending *ending)
{
	return !finish(&ending->looker) && !finish(&ending->ender);
}

/* A request within the budget is served with the pages of a pool that ends, although the pool
 * waits for a thread that looks at it. */
static void s11_the_pages_of_a_pool_that_ends_are_had(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .page_budget = MANY });
	struct doer taker = { .rig = rig, .deed = take_fresh, .pages = MANY };
	struct ending ending;

	CHECK(t, rig);
	CHECK(t, begin_to_end(t, rig, &ending, MANY));
	take_fresh(&taker);
	CHECK_EQ(t, taker.err, 0);
	CHECK(t, end(&ending));
	CHECK(t, rig_close(t, rig));
}

/* While a pool that ends waits for a thread, the shrinker gives up as many pages as it says,
 * and a pool limit of nothing leaves none pooled. */
static void s11_a_pool_that_ends_hides_no_pages(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager_stats stats;
	unsigned long count;
	struct ending ending;

	CHECK(t, rig);
	CHECK(t, begin_to_end(t, rig, &ending, MANY));
	count = ttmpool_manager_shrink_count(&rig->mgr, false);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, MANY, false), count);
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_pooled, 0);
	CHECK(t, end(&ending));
	CHECK(t, rig_close(t, rig));
}

/* Pages that come back to a pool stay there within the pool limit, while another pool ends,
 * and waits for a thread: none of them goes in place of the other pool's. */
static void s11_a_pool_that_ends_costs_others_no_pages(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .pool_limit = MANY });
	struct pages *some;
	struct ending ending;

	CHECK(t, rig);
	some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = MANY / 2,
					.caching = TTMPOOL_UNCACHED });
	CHECK(t, some && !pages_take(some));
	CHECK(t, begin_to_end(t, rig, &ending, MANY - 1));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, MANY / 2);
	CHECK(t, end(&ending));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, MANY / 2);
	CHECK(t, rig_close(t, rig));
}

static void shrink(struct doer *doer)
{
	doer->err = tpsim_shrink(doer->rig->mgr.system, doer->pages) <
		    doer->pages;
}

static void end_manager(struct doer *doer)
{
	doer->err = ttmpool_manager_fini(&doer->rig->mgr);
}

/* Quarantine a page that stays so for as long as none becomes write-back; leave one pooled,
 * so that a shrinker has something to do. */
static bool quarantine_one(struct check *t, struct rig *rig)
{
	struct ttmpool_request one = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1 };
	struct ttmpool_manager_stats stats;

	if (ttmpool_pool_prime(&rig->pool[0], &one, false))
		return false;
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
	ttmpool_pool_drain(&rig->pool[0]);
	tpsim_fault_clear(check_machine(t));
	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages_quarantined == 1 &&
	       !ttmpool_pool_prime(&rig->pool[0], &one, false);
}

/* While a shrinker tries to make a quarantined page write-back, a manager without pools is
 * busy, and ends at once when the page is back. */
static void s11_a_manager_with_a_page_in_repair_is_busy(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct doer shrinker = {
		.rig = rig, .deed = shrink, .pages = 1, .holds = true
	};
	struct doer ender = { .rig = rig, .deed = end_manager };
	bool waited;
	int err;

	CHECK(t, rig && quarantine_one(t, rig));
	CHECK(t, start(&shrinker));
	ttmpool_pool_fini(&rig->pool[--rig->nr_pools]);
	CHECK(t, start(&ender));
	waited = waits(&ender);
	err = finish(&shrinker);
	CHECK_EQ(t, finish(&ender), -EBUSY);
	CHECK(t, !waited && !err);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(within, CHECK_CASE(s11_what_a_drain_has_in_hand_is_waited_for),
	    CHECK_CASE(s11_what_loses_its_mapping_is_waited_for),
	    CHECK_CASE(s11_what_is_pooled_again_goes_too),
	    CHECK_CASE(s11_who_is_within_the_budget_waits_for_all),
	    CHECK_CASE(s11_a_pool_that_ends_is_passed_over),
	    CHECK_CASE(s11_the_pages_of_a_pool_that_ends_are_had),
	    CHECK_CASE(s11_a_pool_that_ends_hides_no_pages),
	    CHECK_CASE(s11_a_pool_that_ends_costs_others_no_pages),
	    CHECK_CASE(s11_a_manager_with_a_page_in_repair_is_busy));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 16384,
						    .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_within, &config);
}
