// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Stock (S10): small cached chunks that a pool keeps although it does not recycle cached
 * pages.
 */

#include "check_cmocka.h"
#include "rig.h"

#define STOCK 3
#define MOST  40

/* A pool with a stock of STOCK chunks for each order. */
static struct rig *stock_open(struct check *t, const struct rig_config *like)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = *like;

	policy.stock = STOCK;
	config.policy = &policy;
	return rig_open(t, &config);
}

static struct pages *cached_of(struct check *t, struct rig *rig, size_t n)
{
	return pages_open(t, rig,
			  &(struct pages_config){ .num_pages = n,
						  .caching = TTMPOOL_CACHED });
}

/* Populates @count buffers of @n pages, and gives all of them back. */
static bool come_and_go(struct check *t, struct rig *rig, size_t n, int count)
{
	struct pages *bufs[MOST];

	for (int i = 0; i < count; i++) {
		bufs[i] = cached_of(t, rig, n);
		if (!bufs[i] || pages_take(bufs[i]))
			return false;
	}
	for (int i = 0; i < count; i++)
		if (pages_give(bufs[i]))
			return false;
	return true;
}

/* Takes a buffer of @n pages, and returns how many of them were pooled. The buffer goes back. */
static size_t hits(struct check *t, struct rig *rig, size_t n)
{
	uint64_t before = rig_stats(rig).pages_hit;

	if (!come_and_go(t, rig, n, 1))
		return (size_t)-1;
	return (size_t)(rig_stats(rig).pages_hit - before);
}

/* Of each order up to TTMPOOL_STOCK_ORDER, as many chunks stay as the policy says, and of
 * larger ones none. */
static void s10_a_stock_is_bounded_for_each_order(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });
	uint64_t pooled = 0;

	CHECK(t, rig);
	for (unsigned int order = 0; order <= TTMPOOL_STOCK_ORDER + 1;
	     order++) {
		CHECK(t, come_and_go(t, rig, (size_t)1 << order, STOCK + 2));
		if (order <= TTMPOOL_STOCK_ORDER)
			pooled += (uint64_t)STOCK << order;
		CHECK_EQ(t, rig_stats(rig).pages_pooled, pooled);
		CHECK_EQ(t, check_pages_out(t), pooled);
	}
	CHECK(t, rig_close(t, rig));
}

/* What is in the stock serves the next buffers of its size, with its mapping, and costs the
 * system nothing. */
static void s10_a_stock_serves_buffers_of_its_size(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int order = 0; order <= TTMPOOL_STOCK_ORDER; order++) {
		size_t n = (size_t)1 << order;
		struct ttmpool_pool_stats before;

		CHECK(t, come_and_go(t, rig, n, 1));
		before = rig_stats(rig);
		CHECK_EQ(t, hits(t, rig, n), n);
		CHECK_EQ(t, rig_stats(rig).pages_fresh, before.pages_fresh);
		CHECK_EQ(t, rig_stats(rig).maps, before.maps);
		CHECK_EQ(t, rig_stats(rig).unmaps, before.unmaps);
	}
	CHECK(t, rig_close(t, rig));
}

/* A buffer that is not one chunk goes to the system as a whole. */
static void s10_no_stock_is_made_of_larger_buffers(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, come_and_go(t, rig, 3, 2));
	CHECK(t, come_and_go(t, rig, 32, 2));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK(t, rig_close(t, rig));
}

/* A larger buffer is not made of the pieces in a stock: it gets from it only chunks that it
 * would have anyway. */
static void s10_no_larger_buffer_is_made_of_a_stock(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int order = 0; order < TTMPOOL_STOCK_ORDER; order++)
		CHECK(t, come_and_go(t, rig, (size_t)1 << order, STOCK));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 15 * STOCK);
	CHECK_EQ(t, hits(t, rig, 16), 0);
	CHECK_EQ(t, hits(t, rig, 32), 0);
	CHECK_EQ(t, hits(t, rig, 33), 1);
	CHECK_EQ(t, hits(t, rig, 39), 7);
	CHECK(t, rig_close(t, rig));
}

/* If the policy recycles cached pages, there is no stock: larger buffers are made of what is
 * pooled. */
static void s10_recycled_pages_are_no_stock(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.stock = STOCK;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	CHECK(t, come_and_go(t, rig, 8, 2 * STOCK));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 16 * STOCK);
	CHECK_EQ(t, hits(t, rig, 16), 16);
	CHECK(t, rig_close(t, rig));
}

/* Where the system has no large chunks, a stock serves them nevertheless. */
static void s10_a_stock_serves_where_memory_is_in_pieces(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int order = 0; order < TTMPOOL_STOCK_ORDER; order++)
		CHECK(t, come_and_go(t, rig, (size_t)1 << order, STOCK));
	tpsim_ram_fragment(check_machine(t), 0);
	CHECK_EQ(t, hits(t, rig, 32), 32);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* A stock also serves a request for which the page budget has no room beside it. */
static void s10_a_stock_serves_where_the_budget_is_short(struct check *t)
{
	struct rig *rig =
		stock_open(t, &(struct rig_config){ .page_budget = 32 });

	CHECK(t, rig);
	for (unsigned int order = 0; order < TTMPOOL_STOCK_ORDER; order++)
		CHECK(t, come_and_go(t, rig, (size_t)1 << order, 2));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 30);
	CHECK(t, hits(t, rig, 32) >= 16);
	CHECK(t, rig_close(t, rig));
}

/* A stock is pooled as anything else: within the pool limit, counted for the shrinker, and
 * given up to it. */
static void s11_a_stock_goes_to_the_system(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, come_and_go(t, rig, 8, STOCK));
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 8 * STOCK);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 8, false), 8);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8 * (STOCK - 1));
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, come_and_go(t, rig, 8, STOCK));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages of a stock are clear when they are handed out again. */
static void s10_a_stock_is_handed_out_clear(struct check *t)
{
	struct rig *rig = stock_open(t, &(struct rig_config){ 0 });
	struct pages *buf;

	CHECK(t, rig);
	buf = cached_of(t, rig, 4);
	CHECK(t, buf && !pages_take(buf));
	CHECK(t, pages_fill(t, buf, 0xa5));
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK_EQ(t, pages_take(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 4);
	CHECK(t, pages_hold(t, buf, 0));
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the pool checks each page that comes back, or keeps no mappings, a mapped chunk that
 * comes back goes to the system. */
static void s10_what_needs_work_is_not_kept_in_stock(struct check *t)
{
	for (int verify = 0; verify < 2; verify++) {
		struct ttmpool_policy policy = rig_policy(t);
		struct rig *rig;

		policy.stock = STOCK;
		policy.verify = verify;
		policy.keep_mapped = verify;
		rig = rig_open(t, &(struct rig_config){ .policy = &policy });
		CHECK(t, rig);
		CHECK(t, come_and_go(t, rig, 4, 2));
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Only cached pages have a stock; others are recycled or not, as the policy says. */
static void s10_other_pages_have_no_stock(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.stock = STOCK;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_WRITE_COMBINED] = false;
	policy.recycle[TTMPOOL_COHERENT][TTMPOOL_CACHED] = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		struct pages *buf = pages_open(
			t, rig,
			&(struct pages_config){
				.num_pages = 4,
				.source = i ? TTMPOOL_COHERENT : TTMPOOL_PLAIN,
				.caching = i ? TTMPOOL_CACHED
					     : TTMPOOL_WRITE_COMBINED });

		CHECK(t, buf);
		CHECK_EQ(t, pages_cycle(buf), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(stock, CHECK_CASE(s10_a_stock_is_bounded_for_each_order),
	    CHECK_CASE(s10_a_stock_serves_buffers_of_its_size),
	    CHECK_CASE(s10_no_stock_is_made_of_larger_buffers),
	    CHECK_CASE(s10_no_larger_buffer_is_made_of_a_stock),
	    CHECK_CASE(s10_what_needs_work_is_not_kept_in_stock),
	    CHECK_CASE(s10_recycled_pages_are_no_stock),
	    CHECK_CASE(s10_a_stock_serves_where_memory_is_in_pieces),
	    CHECK_CASE(s10_a_stock_serves_where_the_budget_is_short),
	    CHECK_CASE(s11_a_stock_goes_to_the_system),
	    CHECK_CASE(s10_a_stock_is_handed_out_clear),
	    CHECK_CASE(s10_other_pages_have_no_stock));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_stock, &config);
}
