// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Which pages leave a pool, and in which order, when something went wrong before (S11,
 * S6): pages that the hardware has poisoned, and requests that failed when they already
 * had pooled pages.
 */

#include "check_cmocka.h"
#include "rig.h"

#define WC   TTMPOOL_WRITE_COMBINED
#define UC   TTMPOOL_UNCACHED
#define MOST 1024

static tpos_page_t *page[MOST];
static tpos_dma_addr_t addr[MOST];

/* Runs once, when pages are mapped; then that mapping fails. */
static void (*meanwhile)(void);

int __real_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);
int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks);

int __wrap_tpos_dma_map(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	void (*fn)(void) = meanwhile;

	if (!fn)
		return __real_tpos_dma_map(dev, chunks);
	meanwhile = NULL;
	fn();
	return -EIO;
}

static int take(struct ttmpool_pool *pool, enum ttmpool_caching caching,
		size_t n, size_t at, bool mapped)
{
	struct ttmpool_request req = { .caching = caching, .num_pages = n };

	return ttmpool_pool_take(pool, &req, page + at,
				 mapped ? addr + at : NULL);
}

/* Take @n single pages, from index @at on. */
static bool take_singles(struct ttmpool_pool *pool, size_t n, size_t at)
{
	for (size_t i = at; i < at + n; i++)
		if (take(pool, WC, 1, i, false))
			return false;
	return true;
}

static bool give_singles(struct ttmpool_pool *pool, size_t n, size_t at)
{
	for (size_t i = at; i < at + n; i++)
		if (ttmpool_pool_give(pool, &page[i], 1, WC))
			return false;
	return true;
}

/* A rig of single pages: @n are pooled in the first pool, of which the @bad oldest are
 * poisoned. */
static struct rig *open_poisoned(struct check *t, size_t n, size_t bad,
				 unsigned long page_budget)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
						.page_budget = page_budget,
						.policy = &policy });
	if (!rig || !take_singles(&rig->pool[0], n, 0) ||
	    !give_singles(&rig->pool[0], n, 0))
		return NULL;
	for (size_t i = 0; i < bad; i++)
		tpsim_page_poison(check_machine(t), page[i]);
	return rig;
}

static unsigned long had(struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages;
}

static bool close_poisoned(struct check *t, struct rig *rig)
{
	return rig_is_quiet(t, rig) &&
	       !ttmpool_manager_purge_quarantine(&rig->mgr) &&
	       rig_close(t, rig);
}

/* As many pages leave as were asked for, though the oldest are poisoned and do not: for
 * the system, and when a pool is drained. */
static void f56_others_leave_in_place_of_poisoned_pages(struct check *t)
{
	struct rig *rig = open_poisoned(t, 100, 30, 0);

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 1);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 20, false), 20);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 30);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 49);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 49);
	CHECK(t, close_poisoned(t, rig));
}

/* When the budget is lowered, pooled pages go until it holds, though poisoned pages stay,
 * and count. */
static void f56_a_lowered_budget_holds_beside_poisoned_pages(struct check *t)
{
	static const size_t bad[] = { 1, 4, 40 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct rig *rig = open_poisoned(t, 100, bad[i], 0);

		CHECK(t, rig);
		ttmpool_manager_set_page_budget(&rig->mgr, 96);
		CHECK(t, had(rig) <= 96);
		CHECK(t, close_poisoned(t, rig));
	}
}

/* A request within the budget gets its pages, from another pool or from the reserve of
 * its own, though the oldest of these pages are poisoned. */
static void f56_poisoned_pages_are_no_reason_to_refuse(struct check *t)
{
	for (int own = 0; own < 2; own++) {
		struct rig *rig = open_poisoned(t, 6, 2, 6);
		struct ttmpool_pool *pool;

		CHECK(t, rig);
		pool = &rig->pool[!own];
		ttmpool_pool_reserve(&rig->pool[0], own ? 6 : 0);
		CHECK_EQ(t, take(pool, UC, 1, 10, false), 0);
		CHECK_EQ(t, ttmpool_pool_give(pool, page + 10, 1, UC), 0);
		ttmpool_pool_reserve(&rig->pool[0], 0);
		CHECK(t, close_poisoned(t, rig));
	}
}

static void nothing(void)
{
}

/* A request that fails does not change the age of the pooled pages that it had: the
 * oldest pages of the pool still leave first. Some of them were mapped before, some are
 * clear, and some are in larger chunks. */
static void s11_a_failed_take_makes_nothing_younger(struct check *t)
{
	static const size_t order[] = { 0, 1, 0, 0, 2, 0, 1, 0, 0, 2 };
	enum {
		N = sizeof(order) / sizeof(*order)
	};
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool;

	CHECK(t, rig);
	pool = &rig->pool[0];
	for (size_t i = 0; i < N; i++)
		CHECK_EQ(t, take(pool, WC, 1u << order[i], 4 * i, i % 3 == 1),
			 0);
	for (size_t i = 0; i < N; i++) {
		CHECK_EQ(t,
			 ttmpool_pool_give(pool, page + 4 * i, 1u << order[i],
					   WC),
			 0);
		if (i == 5)
			ttmpool_pool_scrub(pool, 4);
	}
	meanwhile = nothing;
	CHECK_EQ(t, take(pool, WC, 17, 100, true), -EIO);
	CHECK(t, rig_is_quiet(t, rig));
	for (size_t i = 0; i < N; i++) {
		CHECK(t, tpos_page_chunk(pool->dev, page[4 * i]));
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false),
			 1u << order[i]);
		CHECK(t, !tpos_page_chunk(pool->dev, page[4 * i]));
	}
	CHECK(t, rig_close(t, rig));
}

static struct ttmpool_pool *busy_pool;

static void others_give(void)
{
	give_singles(busy_pool, 300, 10);
	ttmpool_pool_scrub(busy_pool, 300);
}

/* Hundreds of younger pages are pooled while a failing request has some pages. These are
 * still older than pages that come back later, and the lists agree. */
static void s11_a_failed_take_goes_back_among_many(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	busy_pool = &rig->pool[0];
	CHECK(t, take_singles(busy_pool, 310, 0));
	CHECK(t, give_singles(busy_pool, 9, 0));
	meanwhile = others_give;
	CHECK_EQ(t, take(busy_pool, WC, 9, 500, true), -EIO);
	CHECK(t, give_singles(busy_pool, 1, 9));
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 309, false), 309);
	CHECK(t, tpos_page_chunk(busy_pool->dev, page[9]));
	CHECK(t, rig_close(t, rig));
}

/* If mappings are not kept, pooled pages that were mapped for a request that then failed
 * do not stay mapped. */
static void s13_what_was_mapped_in_vain_is_not_kept(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct tpsim_ledger ledger;
	struct rig *rig;

	policy.keep_mapped = false;
	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	CHECK_EQ(t, take(&rig->pool[0], WC, 4, 0, true), 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, 4, WC), 0);
	meanwhile = nothing;
	CHECK_EQ(t, take(&rig->pool[0], WC, 9, 0, true), -EIO);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1 });
	CHECK_EQ(t, take(&rig->pool[0], WC, 9, 0, true), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.mappings, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 4);
	CHECK(t, rig_close(t, rig));
}

/* The low mark of a pool or of a device may be any number of bytes, not only a multiple
 * of the page size. */
static void s06_a_low_mark_may_be_any_number(struct check *t)
{
	const uint64_t limit = 64ull * 4096, low = 5000;

	for (int shared = 0; shared < 2; shared++) {
		struct ttmpool_iova iova;
		struct rig *rig;

		CHECK_EQ(t, ttmpool_iova_init(&iova, limit, low), 0);
		rig = rig_open(t, &(struct rig_config){
					  .mapped_limit = shared ? 0 : limit,
					  .mapped_low = shared ? 0 : low,
					  .iova = shared ? &iova : NULL });
		CHECK(t, rig);
		for (size_t i = 0; i < 64; i++)
			CHECK_EQ(t, take(&rig->pool[0], WC, 1, i, true), 0);
		CHECK(t, give_singles(&rig->pool[0], 64, 0));
		CHECK_EQ(t, take(&rig->pool[0], UC, 1, 0, true), 0);
		CHECK_EQ(t, rig_stats(rig).bytes_mapped, 2 * 4096);
		CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, 1, UC), 0);
		CHECK(t, rig_close(t, rig));
		ttmpool_iova_fini(&iova);
	}
}

/* The limit of the pool itself, or of its device, is 100 pages, and 60 mapped pages of
 * the pool are in use; the other pool of the device keeps 20 mapped. */
static struct rig *open_limited(struct check *t, bool shared,
				struct ttmpool_iova *iova,
				enum ttmpool_source source)
{
	const uint64_t limit = 100ull * 4096;
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_request req = { .source = source,
				       .caching = WC,
				       .num_pages = 60 };
	struct rig *rig;

	policy.max_order = 0;
	if (ttmpool_iova_init(iova, shared ? limit : 0, shared ? limit : 0))
		return NULL;
	rig = rig_open(t,
		       &(struct rig_config){ .nr_pools = 2,
					     .mapped_limit = shared ? 0 : limit,
					     .iova = iova,
					     .policy = &policy });
	if (!rig || ttmpool_pool_take(&rig->pool[0], &req, page, addr))
		return NULL;
	req.num_pages = 20;
	if (ttmpool_pool_take(&rig->pool[1], &req, page + 60, addr + 60) ||
	    ttmpool_pool_give(&rig->pool[1], page + 60, 20, WC))
		return NULL;
	return rig;
}

static uint64_t mapped_by_all(struct rig *rig)
{
	struct ttmpool_pool_stats other;

	ttmpool_pool_stats(&rig->pool[1], &other);
	return (rig_stats(rig).bytes_mapped + other.bytes_mapped) / 4096;
}

/* If the limit would not admit a request even if all kept mappings ended, none ends;
 * otherwise only as many end as the request needs. */
static void s06_no_mapping_ends_in_vain(struct check *t)
{
	for (int i = 0; i < 4; i++) {
		enum ttmpool_source source = (enum ttmpool_source)(i & 1);
		struct ttmpool_request req = { .source = source,
					       .caching = UC };
		bool shared = i & 2;
		struct ttmpool_iova iova;
		struct rig *rig = open_limited(t, shared, &iova, source);
		struct ttmpool_pool *pool;

		CHECK(t, rig);
		pool = &rig->pool[0];
		CHECK_EQ(t, ttmpool_pool_give(pool, page, 10, WC), 0);
		req.num_pages = 51;
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, page + 100, addr),
			 -ENOSPC);
		CHECK_EQ(t, mapped_by_all(rig), 80);
		req.num_pages = 50;
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, page + 100, addr), 0);
		CHECK_EQ(t, mapped_by_all(rig), (shared ? 100 : 120));
		CHECK_EQ(t, ttmpool_pool_give(pool, page + 100, 50, UC), 0);
		CHECK_EQ(t, ttmpool_pool_give(pool, page + 10, 50, WC), 0);
		CHECK(t, rig_close(t, rig));
		ttmpool_iova_fini(&iova);
	}
}

/* Mappings that another pool of the device has reserved do not end, and no mapping ends
 * for a request that would need those, too. */
static void s06_what_is_reserved_makes_no_room(struct check *t)
{
	struct ttmpool_request req = { .caching = UC, .num_pages = 31 };
	struct ttmpool_iova iova;
	struct rig *rig = open_limited(t, true, &iova, TTMPOOL_PLAIN);

	CHECK(t, rig);
	ttmpool_pool_reserve(&rig->pool[1], 10);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, page + 100, addr),
		 -ENOSPC);
	CHECK_EQ(t, mapped_by_all(rig), 80);
	req.num_pages = 30;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, page + 100, addr),
		 0);
	CHECK_EQ(t, mapped_by_all(rig), 100);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page + 100, 30, UC), 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], page, 60, WC), 0);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(&iova);
}

CHECK_SUITE(leaving, CHECK_CASE(f56_others_leave_in_place_of_poisoned_pages),
	    CHECK_CASE(f56_a_lowered_budget_holds_beside_poisoned_pages),
	    CHECK_CASE(f56_poisoned_pages_are_no_reason_to_refuse),
	    CHECK_CASE(s11_a_failed_take_makes_nothing_younger),
	    CHECK_CASE(s11_a_failed_take_goes_back_among_many),
	    CHECK_CASE(s13_what_was_mapped_in_vain_is_not_kept),
	    CHECK_CASE(s06_a_low_mark_may_be_any_number),
	    CHECK_CASE(s06_no_mapping_ends_in_vain),
	    CHECK_CASE(s06_what_is_reserved_makes_no_room));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 4096, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_leaving, &config);
}
