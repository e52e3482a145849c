// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What a pool keeps for itself: prepared pages of one kind stay when pages of other kinds
 * come and go, a prime gives up none of the reserve, and at the page budget a chunk is
 * divided before the reserve goes.
 */

#include "check_cmocka.h"
#include "rig.h"

#define WC TTMPOOL_WRITE_COMBINED
#define UC TTMPOOL_UNCACHED

static struct ttmpool_request plain(enum ttmpool_caching caching, size_t n)
{
	return (struct ttmpool_request){ .caching = caching, .num_pages = n };
}

/* A pool with a page budget (0: none), and @used uncached pages in use. */
static struct rig *in_use(struct check *t, unsigned long budget, size_t used,
			  struct pages **some)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .page_budget = budget, .policy = &policy };
	struct pages_config uncached = { .num_pages = used, .caching = UC };
	struct rig *rig;

	policy.max_order = 9;
	rig = rig_open(t, &config);
	*some = rig ? pages_open(t, rig, &uncached) : NULL;
	return *some && !pages_take(*some) ? rig : NULL;
}

static int prepare(struct rig *rig, enum ttmpool_caching caching, size_t n)
{
	struct ttmpool_request req = plain(caching, n);

	return ttmpool_pool_prepare(&rig->pool[0], &req);
}

static int prime(struct rig *rig, enum ttmpool_caching caching, size_t n)
{
	struct ttmpool_request req = plain(caching, n);

	return ttmpool_pool_prime(&rig->pool[0], &req, false);
}

/* Returns how many pages of a kind are pooled. */
static size_t pooled(struct rig *rig, enum ttmpool_caching caching)
{
	size_t pages = 0;

	for (unsigned int order = 0; order <= 9; order++)
		pages += ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
					    caching, order)
			 << order;
	return pages;
}

/* Take and give pages while the system has none. */
static int cycle_without_memory(struct check *t, struct rig *rig,
				enum ttmpool_caching caching, size_t n)
{
	struct pages_config config = { .num_pages = n, .caching = caching };
	struct pages *some = pages_open(t, rig, &config);
	int err = -EINVAL;

	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	if (some)
		err = pages_cycle(some);
	tpsim_ram_release(check_machine(t));
	return err;
}

/* The shrinker takes pages of another kind that come back to a prepared pool, though the
 * prepared ones are older; so these still serve. */
static void s07_what_is_prepared_is_of_a_kind(struct check *t)
{
	struct pages *used;
	struct rig *rig = in_use(t, 0, 600, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 512), 0);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 600, false), 600);
	CHECK_EQ(t, pooled(rig, UC), 0);
	CHECK_EQ(t, cycle_without_memory(t, rig, WC, 512), 0);
	CHECK(t, rig_close(t, rig));
}

/* A reserve keeps no more than its number of pages: if the pages of other kinds are in a
 * chunk that is too large, prepared ones go. */
static void s11_no_more_is_kept_than_was_reserved(struct check *t)
{
	struct pages_config few = { .num_pages = 12, .caching = WC };
	struct pages *used, *some;
	struct rig *rig = in_use(t, 0, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 500), 0);
	some = pages_open(t, rig, &few);
	CHECK(t, some && !pages_take(some));
	CHECK_EQ(t, pages_give(used), 0);
	CHECK_EQ(t, ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN, UC, 9), 1);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 500);
	CHECK(t, ttmpool_manager_shrink_scan(&rig->mgr, 100, false) >= 100);
	CHECK_EQ(t, pooled(rig, UC), 512);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare for which the page budget has no room gives up none of what an earlier one has
 * prepared. */
static void s07_a_prepare_without_room_takes_nothing(struct check *t)
{
	struct pages *used;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 512), 0);
	CHECK_EQ(t, prepare(rig, WC, 700), -ENOMEM);
	CHECK_EQ(t, pooled(rig, WC), 512);
	CHECK_EQ(t, cycle_without_memory(t, rig, WC, 512), 0);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* Nor does a prime. */
static void s07_a_prime_takes_nothing_of_a_reserve(struct check *t)
{
	struct pages *used;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 512), 0);
	CHECK_EQ(t, prime(rig, UC, 1), -ENOMEM);
	CHECK_EQ(t, prime(rig, WC, 1), -ENOMEM);
	CHECK_EQ(t, pooled(rig, WC), 512);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare for which the page budget has no room gives up pooled pages of other kinds, but
 * none that were prepared. */
static void s07_a_prepare_takes_what_is_not_prepared(struct check *t)
{
	struct pages *used;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 256), 0);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK_EQ(t, prime(rig, UC, 256), 0);
	CHECK_EQ(t, pooled(rig, UC), 768);
	CHECK_EQ(t, prepare(rig, WC, 700), 0);
	CHECK_EQ(t, pooled(rig, WC), 700);
	CHECK(t, pooled(rig, UC) <= 324);
	CHECK_EQ(t, cycle_without_memory(t, rig, WC, 700), 0);
	CHECK(t, rig_close(t, rig));
}

/* At the page budget, a pooled chunk of the kind that is too large is divided before the
 * reserve goes for a fresh page. */
static void s07_at_the_budget_a_reserve_is_divided(struct check *t)
{
	struct pages *used, *one;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prime(rig, WC, 512), 0);
	ttmpool_pool_reserve(&rig->pool[0], 512);
	one = pages_open(t, rig, &(struct pages_config){ .caching = WC });
	CHECK(t, one && !pages_take(one));
	CHECK_EQ(t, pooled(rig, WC), 511);
	CHECK_EQ(t, pages_give(one), 0);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that does not wait gets parts of a pooled chunk, too, when the page budget is
 * used up. */
static void s06_who_does_not_wait_has_parts_at_the_budget(struct check *t)
{
	struct pages *used, *some;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prime(rig, WC, 512), 0);
	some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 100, .caching = WC });
	CHECK(t, some);
	some->req.effort = TTMPOOL_NO_WAIT;
	CHECK_EQ(t, pages_cycle(some), 0);
	CHECK_EQ(t, pooled(rig, WC), 512);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* Without memory for descriptors of the parts, such a request is refused, and the next one is
 * served. */
static void s06_parts_at_the_budget_need_descriptors(struct check *t)
{
	struct tpsim_fault fault = { .call = TPSIM_CALL_ZALLOC,
				     .nth = 1,
				     .times = 1000 };
	struct pages *used, *some;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prime(rig, WC, 512), 0);
	some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 100, .caching = WC });
	CHECK(t, some);
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, pages_take(some), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, pages_cycle(some), 0);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare takes nothing of what is left of another kind that was prepared, and nothing of a
 * reserve that was set. */
static void s07_a_prepare_takes_nothing_of_a_reserve(struct check *t)
{
	struct pages_config few = { .num_pages = 100, .caching = WC };
	struct pages *used, *some;
	struct rig *rig = in_use(t, 1024, 512, &used);

	CHECK(t, rig);
	CHECK_EQ(t, prepare(rig, WC, 256), 0);
	some = pages_open(t, rig, &few);
	CHECK(t, some && !pages_take(some));
	CHECK_EQ(t, prepare(rig, UC, 300), -ENOMEM);
	CHECK_EQ(t, pooled(rig, WC), 156);
	CHECK_EQ(t, pages_give(some), 0);
	ttmpool_pool_reserve(&rig->pool[0], 300);
	CHECK_EQ(t, prepare(rig, UC, 300), -ENOMEM);
	CHECK_EQ(t, pooled(rig, WC), 256);
	CHECK_EQ(t, pages_give(used), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that finds poisoned pages among the pooled ones gets others in their place, with
 * the addresses that it has reserved already, though there are no more. */
static void f56_what_is_had_instead_needs_no_more_addresses(struct check *t)
{
	struct pages_config twenty = { .num_pages = 20, .caching = WC };
	uint64_t page = tpsim_page_size(check_machine(t));
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config limited = { .mapped_limit = 20 * page,
				      .policy = &policy };
	struct pages *some;
	tpos_page_t *bad;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &limited);
	CHECK(t, rig);
	some = pages_open(t, rig, &twenty);
	CHECK(t, some);
	some->req.num_pages = 16;
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, pages_give(some), 0);
	bad = some->pages[3];
	tpsim_page_poison(check_machine(t), bad);
	some->req.num_pages = 20;
	CHECK_EQ(t, pages_take(some), 0);
	for (int i = 0; i < 20; i++)
		CHECK(t, some->pages[i] != bad);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(reserves, CHECK_CASE(s07_what_is_prepared_is_of_a_kind),
	    CHECK_CASE(s11_no_more_is_kept_than_was_reserved),
	    CHECK_CASE(s07_a_prepare_without_room_takes_nothing),
	    CHECK_CASE(s07_a_prime_takes_nothing_of_a_reserve),
	    CHECK_CASE(s07_a_prepare_takes_what_is_not_prepared),
	    CHECK_CASE(s07_a_prepare_takes_nothing_of_a_reserve),
	    CHECK_CASE(f56_what_is_had_instead_needs_no_more_addresses),
	    CHECK_CASE(s07_at_the_budget_a_reserve_is_divided),
	    CHECK_CASE(s06_parts_at_the_budget_need_descriptors),
	    CHECK_CASE(s06_who_does_not_wait_has_parts_at_the_budget));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 8192, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_reserves, &config);
}
