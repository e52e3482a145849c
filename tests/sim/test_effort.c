// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What the system may do to get pages when it has none free (enum ttmpool_effort), and
 * how many pooled pages the system is told that it could get.
 */

#include "check_cmocka.h"
#include "rig.h"

#define WC TTMPOOL_WRITE_COMBINED

/* A request for @n pages with an effort, to the first of two pools. */
static struct pages *some(struct check *t, struct rig *rig, size_t n,
			  enum ttmpool_effort effort)
{
	struct pages *pages = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = n, .caching = WC });

	if (pages)
		pages->req.effort = effort;
	return pages;
}

static struct rig *two_pools(struct check *t, unsigned long page_budget)
{
	struct ttmpool_policy policy = rig_policy(t);

	return rig_open(t, &(struct rig_config){ .nr_pools = 2,
						 .page_budget = page_budget,
						 .policy = &policy });
}

/* Pool @n pages in the other pool. */
static bool others_have(struct rig *rig, size_t n)
{
	struct ttmpool_request req = { .caching = WC, .num_pages = n };

	return !ttmpool_pool_prime(&rig->pool[1], &req, false);
}

static uint64_t kills(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.oom_kills;
}

static uint64_t shrinks(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.shrinks;
}

static size_t spare(struct check *t)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return ledger.pages_spare;
}

/* A request that may fail does fail, and no process is killed for it. */
static void a_request_that_may_fail_ends_nobody(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_RETRY_MAYFAIL);
	CHECK(t, pages);
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	CHECK_EQ(t, pages_take(pages), -ENOMEM);
	CHECK_EQ(t, kills(t), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* A request that may kill gets its pages, and the process that had the rest of memory is
 * killed. */
static void a_request_that_may_not_fail_ends_somebody(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_OOM_KILL);
	CHECK(t, pages);
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, kills(t), 1);
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pooled pages of other pools go first; while there are any, no process is killed. */
static void pooled_pages_go_before_anybody_ends(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_OOM_KILL);
	CHECK(t, pages && others_have(rig, 64));
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, kills(t), 0);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* No process is killed for a large chunk if as many single pages are free. */
static void nobody_ends_for_a_large_chunk(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 64, TTMPOOL_OOM_KILL);
	CHECK(t, pages);
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, kills(t), 0);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request that does not wait gets free pages, and pooled pages of its kind. */
static void who_does_not_wait_has_what_is_there(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 21, TTMPOOL_NO_WAIT);
	CHECK(t, pages);
	CHECK_EQ(t, pages_cycle(pages), 0);
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	CHECK_EQ(t, pages_cycle(pages), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* A request that does not wait fails when no page is free, and no shrinker is called for
 * it. */
static void who_does_not_wait_asks_nobody(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;
	uint64_t before;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_NO_WAIT);
	CHECK(t, pages && others_have(rig, 64));
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	before = shrinks(t);
	CHECK_EQ(t, pages_take(pages), -ENOMEM);
	CHECK_EQ(t, shrinks(t), before);
	pages->req.effort = TTMPOOL_RETRY_MAYFAIL;
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK(t, shrinks(t) > before);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* If a chunk is halved because there is no address for it in one piece, no shrinker is
 * called for the descriptor of the second half either. */
static void who_does_not_wait_asks_nobody_for_descriptors(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;
	uint64_t before;

	CHECK(t, rig);
	pages = some(t, rig, 512, TTMPOOL_NO_WAIT);
	CHECK(t, pages && others_have(rig, 64));
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 512);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP, .nth = 1 });
	before = shrinks(t);
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	CHECK_EQ(t, rig_stats(rig).splits, 1);
	CHECK_EQ(t, shrinks(t), before);
	tpsim_ram_release(check_machine(t));
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* At the page budget, too: other pools give up no pooled pages for a request that does
 * not wait. */
static void the_budget_makes_no_room_for_who_does_not_wait(struct check *t)
{
	struct rig *rig = two_pools(t, 64);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_NO_WAIT);
	CHECK(t, pages && others_have(rig, 64));
	CHECK_EQ(t, pages_take(pages), -ENOMEM);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &pages->req, false),
		 -ENOMEM);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 64);
	pages->req.effort = TTMPOOL_RETRY_MAYFAIL;
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK(t, rig_close(t, rig));
}

/* Kept mappings end for a request that lacks addresses, though it does not wait: a plain
 * page stays pooled without its mapping, a coherent page goes to the system. */
static void who_does_not_wait_has_the_addresses_of_kept_pages(struct check *t)
{
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct rig *rig = rig_open(
			t, &(struct rig_config){ .mapped_limit = 64 * 4096 });
		struct ttmpool_request kept = {
			.source = (enum ttmpool_source)source,
			.caching = TTMPOOL_UNCACHED,
			.num_pages = 64
		};
		struct pages *pages;

		CHECK(t, rig);
		pages = some(t, rig, 64, TTMPOOL_NO_WAIT);
		CHECK(t, pages);
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &kept, true), 0);
		CHECK_EQ(t, pages_take(pages), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled,
			 source == TTMPOOL_COHERENT ? 0 : 64);
		CHECK_EQ(t, pages_give(pages), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Returns the order of the first chunk of a request for 64 pages, with this good_order,
 * when all pages that could go are pooled as one chunk in another pool. */
static int first_order(struct check *t, unsigned int good_order)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .nr_pools = 2, .policy = &policy };
	struct pages *pages;
	struct rig *rig;
	int order;

	policy.good_order = good_order;
	rig = rig_open(t, &config);
	pages = rig ? some(t, rig, 64, TTMPOOL_OOM_KILL) : NULL;
	if (!pages || !others_have(rig, 64))
		return -1;
	tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
	if (pages_take(pages) || kills(t))
		return -1;
	order = tpos_page_chunk(rig->dev[0], pages->pages[0])->order;
	tpsim_ram_release(check_machine(t));
	return pages_give(pages) || !rig_close(t, rig) ? -1 : order;
}

/* For a chunk of the order policy.good_order, other pools give up pages. */
static void others_give_up_pages_for_the_good_order(struct check *t)
{
	CHECK_EQ(t, first_order(t, 6), 6);
	CHECK_EQ(t, first_order(t, 3), 3);
}

/* For chunks of other orders, they give up none. With good_order 7, pages go only for
 * single pages; with 0, already for the first chunk. */
static void nobody_gives_up_pages_for_another_order(struct check *t)
{
	CHECK_EQ(t, first_order(t, 7), 0);
	CHECK_EQ(t, first_order(t, 0), 6);
}

/* A request with an unknown effort is refused. */
static void an_unknown_effort_is_refused(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 3, TTMPOOL_EFFORT_COUNT);
	CHECK(t, pages);
	CHECK_EQ(t, pages_take(pages), -EINVAL);
	CHECK(t, rig_close(t, rig));
}

/* The system knows how many pooled pages it could get, which excludes the reserves. When
 * the pools have ended, it knows that there are none, whatever was reserved. */
static void the_system_knows_what_it_could_have(struct check *t)
{
	struct rig *rig = two_pools(t, 0);
	struct pages *pages;

	CHECK(t, rig);
	pages = some(t, rig, 7, TTMPOOL_RETRY_MAYFAIL);
	CHECK(t, pages && others_have(rig, 64));
	CHECK_EQ(t, spare(t), 64);
	CHECK_EQ(t, pages_take(pages), 0);
	CHECK_EQ(t, spare(t), 64);
	CHECK_EQ(t, pages_give(pages), 0);
	CHECK_EQ(t, spare(t), 71);
	ttmpool_pool_reserve(&rig->pool[1], 60);
	CHECK_EQ(t, spare(t), 11);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 1);
	CHECK_EQ(t, spare(t), 10);
	CHECK(t, rig_close(t, rig));
	CHECK_EQ(t, spare(t), 0);
}

CHECK_SUITE(effort, CHECK_CASE(a_request_that_may_fail_ends_nobody),
	    CHECK_CASE(a_request_that_may_not_fail_ends_somebody),
	    CHECK_CASE(pooled_pages_go_before_anybody_ends),
	    CHECK_CASE(nobody_ends_for_a_large_chunk),
	    CHECK_CASE(who_does_not_wait_has_the_addresses_of_kept_pages),
	    CHECK_CASE(who_does_not_wait_has_what_is_there),
	    CHECK_CASE(who_does_not_wait_asks_nobody),
	    CHECK_CASE(who_does_not_wait_asks_nobody_for_descriptors),
	    CHECK_CASE(the_budget_makes_no_room_for_who_does_not_wait),
	    CHECK_CASE(others_give_up_pages_for_the_good_order),
	    CHECK_CASE(nobody_gives_up_pages_for_another_order),
	    CHECK_CASE(an_unknown_effort_is_refused),
	    CHECK_CASE(the_system_knows_what_it_could_have));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 4096, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_effort, &config);
}
