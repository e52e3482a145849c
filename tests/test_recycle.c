// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Recycling: S10. Cached pages are freed at once, the others are pooled; a pooled page
 * needs no caching change and no mapping when it is handed out again.
 */

#include "rig.h"

static struct pages *pages_of(struct check *t, struct rig *rig,
			      enum ttmpool_caching caching, size_t n)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = n, .caching = caching });
}

/* Cached plain pages go back to the system when they are given back. */
static void s10_cached_pages_are_freed_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *buf;

	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_CACHED, 9);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

static bool is_recycled(struct check *t, struct rig *rig,
			enum ttmpool_caching caching)
{
	struct pages *buf = pages_of(t, rig, caching, 9);
	struct ttmpool_pool_stats before, after;

	if (!buf || pages_cycle(buf))
		return false;
	before = rig_stats(rig);
	if (pages_cycle(buf))
		return false;
	after = rig_stats(rig);
	return before.pages_fresh == after.pages_fresh &&
	       after.pages_hit == before.pages_hit + 9;
}

/* Write-combined and uncached pages are handed out again. */
static void s10_wc_and_uc_pages_are_recycled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, is_recycled(t, rig, TTMPOOL_WRITE_COMBINED));
	CHECK(t, is_recycled(t, rig, TTMPOOL_UNCACHED));
	CHECK(t, rig_close(t, rig));
}

/* A policy that keeps mappings keeps those that do not bounce; a mapping that takes slots
 * of the bounce buffer ends, since others may need them. This holds for a buffer of one
 * chunk or several, and for primed pages. */
static void s10_mappings_that_bounce_are_not_kept(struct check *t)
{
	static const size_t sizes[] = { 1, 9 };
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.keep_mapped = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		struct pages *buf =
			pages_of(t, rig, TTMPOOL_WRITE_COMBINED, sizes[i]);
		bool bounces;

		CHECK(t, buf && !pages_take(buf));
		bounces = rig_stats(rig).pages_bounced;
		CHECK_EQ(t, pages_give(buf), 0);
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &buf->req, true),
			 0);
		CHECK_EQ(t, rig_stats(rig).bytes_mapped,
			 bounces ? 0
				 : (2 * sizes[i])
					   << rig->pool[0].info.page_shift);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* Coherent pages are expensive to get, and are recycled whatever their caching. */
static void s10_coherent_pages_are_recycled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *buf;

	CHECK(t, rig);
	buf = pages_open(t, rig,
			 &(struct pages_config){ .num_pages = 9,
						 .source = TTMPOOL_COHERENT,
						 .caching = TTMPOOL_CACHED });
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 9);
	CHECK(t, rig_close(t, rig));
}

/* The policy decides which cachings are pooled. */
static void s10_the_policy_decides_what_is_recycled(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *cached, *wc;
	struct rig *rig;

	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_WRITE_COMBINED] = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	cached = pages_of(t, rig, TTMPOOL_CACHED, 3);
	wc = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 5);
	CHECK(t, cached && wc);
	CHECK_EQ(t, pages_cycle(cached), 0);
	CHECK_EQ(t, pages_cycle(wc), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 3);
	CHECK(t, rig_close(t, rig));
}

/* A recycled buffer costs no caching change and, if mappings are kept, no mapping. */
static void s10_a_hit_costs_no_flush_and_no_map(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats before, after;
	struct pages *buf;

	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 37);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	before = rig_stats(rig);
	CHECK_EQ(t, pages_cycle(buf), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.caching_batches, before.caching_batches);
	if (rig->pool[0].policy.keep_mapped) {
		CHECK_EQ(t, after.maps, before.maps);
		CHECK_EQ(t, after.unmaps, before.unmaps);
		CHECK_EQ(t, after.maps_kept, 3);
	}
	CHECK(t, rig_close(t, rig));
}

/* Without keep_mapped, a pooled chunk is not mapped. */
static void s10_mappings_end_where_the_policy_keeps_none(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 37);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK_EQ(t, rig_stats(rig).unmap_batches, 1);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 37);
	CHECK_EQ(t, pages_take(buf), 0);
	CHECK(t, pages_fill(t, buf, 0x3c));
	CHECK(t, check_device_holds(t, rig->dev[0], buf->dma_addr[36], 0x3c));
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* One populate changes the caching of all its fresh pages in one batch, even if it also
 * gets pooled pages. */
static void s10_a_mixed_populate_is_one_caching_batch(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats before, after;
	struct pages *small, *large;

	CHECK(t, rig);
	small = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 21);
	large = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 127);
	CHECK(t, small && large);
	CHECK_EQ(t, pages_cycle(small), 0);
	before = rig_stats(rig);
	CHECK_EQ(t, pages_take(large), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.pages_hit - before.pages_hit, 21);
	CHECK_EQ(t, after.caching_batches, before.caching_batches + 1);
	CHECK_EQ(t, after.caching_pages, before.caching_pages + 106);
	CHECK(t, pages_are_of(t, large, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, pages_give(large), 0);
	CHECK(t, rig_close(t, rig));
}

/* A drain of no more than a slice is one caching batch and at most one unmap batch. */
static void s10_a_drain_is_one_batch(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats before, after;
	struct pages *wc, *uc;

	CHECK(t, rig);
	wc = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 47);
	uc = pages_of(t, rig, TTMPOOL_UNCACHED, 15);
	CHECK(t, wc && uc);
	CHECK_EQ(t, pages_cycle(wc), 0);
	CHECK_EQ(t, pages_cycle(uc), 0);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 62);
	after = rig_stats(rig);
	CHECK_EQ(t, after.caching_batches, before.caching_batches + 1);
	CHECK(t, after.unmap_batches <= before.unmap_batches + 1);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* The chunk that was given back last is handed out first. */
static void s10_the_newest_chunk_goes_out_first(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *a, *b;
	tpos_page_t *last;

	CHECK(t, rig);
	a = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 1);
	b = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 1);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_take(b), 0);
	last = a->pages[0];
	CHECK_EQ(t, pages_give(b), 0);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, pages_take(b), 0);
	CHECK(t, b->pages[0] == last);
	CHECK_EQ(t, pages_give(b), 0);
	CHECK(t, rig_close(t, rig));
}

/* Each chunk lies in the buffer at a multiple of its own size. */
static void s10_chunks_are_aligned_within_the_buffer(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool;
	struct pages *buf;
	size_t i = 0, n;

	CHECK(t, rig);
	pool = &rig->pool[0];
	/* Pool single pages and chunks of four, so that the buffer gets a mix. */
	for (int k = 0; k < 2; k++) {
		buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 5);
		CHECK(t, buf);
		CHECK_EQ(t, pages_cycle(buf), 0);
	}
	buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 90);
	CHECK(t, buf);
	CHECK_EQ(t, pages_take(buf), 0);
	while (i < 90) {
		CHECK(t, ttmpool_pool_owns(pool, buf->pages[i]));
		for (n = 1; i + n < 90; n++)
			if (ttmpool_pool_owns(pool, buf->pages[i + n]))
				break;
		CHECK_EQ(t, i % n, 0);
		i += n;
	}
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* No chunk is larger than the policy's largest order. */
static void s10_no_chunk_is_larger_than_the_policy_says(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.max_order = 2;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_UNCACHED, 64);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
				    TTMPOOL_UNCACHED, 2),
		 16);
	CHECK(t, rig_close(t, rig));
}

/* A request with an unknown source or caching, or with an impossible number of pages, is
 * refused. */
static void s10_a_request_of_nothing_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .num_pages = 1 };
	tpos_page_t *page = NULL;

	CHECK(t, rig);
	req.source = TTMPOOL_SOURCE_COUNT;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page, NULL),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), -EINVAL);
	req.source = TTMPOOL_PLAIN;
	req.caching = TTMPOOL_CACHING_UNKNOWN;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page, NULL),
		 -EINVAL);
	req.caching = TTMPOOL_CACHED;
	req.num_pages = 0;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page, NULL),
		 -EINVAL);
	req.num_pages = (size_t)-1;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page, NULL),
		 -E2BIG);
	CHECK(t, !page);
	CHECK(t, rig_close(t, rig));
}

/* A pool without a device, or with an impossible node or order, is refused. */
static void s10_a_pool_of_nothing_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config good, bad;
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));

	CHECK(t, rig && pool);
	good = (struct ttmpool_pool_config){ .dev = rig->dev[0],
					     .node = TTMPOOL_NODE_ANY,
					     .policy = &policy };
	bad = good;
	bad.dev = NULL;
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &bad), -EINVAL);
	bad = good;
	bad.node = TTMPOOL_NODE_OF_DEVICE - 1;
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &bad), -EINVAL);
	policy.max_order = TTMPOOL_NR_ORDERS;
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &good), -EINVAL);
	policy.max_order = TTMPOOL_NR_ORDERS - 1;
	CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &good), 0);
	CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	CHECK(t, rig_close(t, rig));
}

/* With refill, a populate that changes the caching of pages leaves one spare chunk of
 * each missing order, changed in the same batch. */
static void s10_a_refill_rides_along_with_a_conversion(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_stats stats;
	struct pages *buf;
	struct rig *rig;

	policy.refill = true;
	policy.max_order = 4;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 16);
	CHECK(t, buf);
	CHECK_EQ(t, pages_take(buf), 0);
	stats = rig_stats(rig);
	CHECK_EQ(t, stats.caching_batches, 1);
	CHECK_EQ(t, stats.pages_pooled, 1 + 2 + 4 + 8);
	CHECK_EQ(t, stats.pages_fresh, 16 + 15);
	for (unsigned int order = 0; order < 4; order++)
		CHECK_EQ(t,
			 ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
					    TTMPOOL_WRITE_COMBINED, order),
			 1);
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* A refill makes only chunks of missing orders, and no more pages than the buffer itself
 * has. */
static void s10_a_refill_makes_only_what_is_missing(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *eight, *seven;
	struct rig *rig;

	policy.max_order = 1;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	eight = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 8);
	seven = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 7);
	CHECK(t, eight && seven);
	CHECK_EQ(t, pages_cycle(eight), 0);
	rig->pool[0].policy.refill = true;
	rig->pool[0].max_order[TTMPOOL_PLAIN] = 4;
	CHECK_EQ(t, pages_take(seven), 0);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 8 + 1 + (1 + 4));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 2 + (1 + 4));
	CHECK_EQ(t, pages_give(seven), 0);
	CHECK(t, rig_close(t, rig));
}

/* The next buffer of an odd size finds its odd pages among the spare chunks. */
static void s10_a_refill_serves_the_next_odd_size(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *even, *odd;
	struct rig *rig;

	policy.refill = true;
	policy.max_order = 4;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	even = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 16);
	odd = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 16 + 8 + 2 + 1);
	CHECK(t, even && odd);
	CHECK_EQ(t, pages_cycle(even), 0);
	CHECK_EQ(t, pages_cycle(odd), 0);
	CHECK_EQ(t, rig_stats(rig).caching_batches, 1);
	CHECK(t, rig_close(t, rig));
}

/* A refill makes no spare pages if the budget or the pool limit has no room for them. */
static void s10_a_refill_stays_within_limit_and_budget(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .policy = &policy };
	struct pages *buf;
	struct rig *rig;

	policy.refill = true;
	policy.max_order = 4;
	for (int i = 0; i < 2; i++) {
		config.page_budget = i ? 0 : 16 + 14;
		config.pool_limit = i ? 14 : 0;
		rig = rig_open(t, &config);
		CHECK(t, rig);
		buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 16);
		CHECK(t, buf);
		CHECK_EQ(t, pages_take(buf), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
		CHECK_EQ(t, pages_give(buf), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Chunks that the policy does not recycle are not refilled either. */
static void s10_what_is_not_recycled_is_not_refilled(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.refill = true;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_WRITE_COMBINED] = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = pages_of(t, rig, TTMPOOL_WRITE_COMBINED, 5);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(recycle, CHECK_CASE(s10_mappings_that_bounce_are_not_kept),
	    CHECK_CASE(s10_a_refill_rides_along_with_a_conversion),
	    CHECK_CASE(s10_a_refill_makes_only_what_is_missing),
	    CHECK_CASE(s10_a_refill_serves_the_next_odd_size),
	    CHECK_CASE(s10_a_refill_stays_within_limit_and_budget),
	    CHECK_CASE(s10_what_is_not_recycled_is_not_refilled),
	    CHECK_CASE(s10_cached_pages_are_freed_at_once),
	    CHECK_CASE(s10_wc_and_uc_pages_are_recycled),
	    CHECK_CASE(s10_coherent_pages_are_recycled),
	    CHECK_CASE(s10_the_policy_decides_what_is_recycled),
	    CHECK_CASE(s10_a_hit_costs_no_flush_and_no_map),
	    CHECK_CASE(s10_mappings_end_where_the_policy_keeps_none),
	    CHECK_CASE(s10_a_mixed_populate_is_one_caching_batch),
	    CHECK_CASE(s10_a_drain_is_one_batch),
	    CHECK_CASE(s10_the_newest_chunk_goes_out_first),
	    CHECK_CASE(s10_chunks_are_aligned_within_the_buffer),
	    CHECK_CASE(s10_no_chunk_is_larger_than_the_policy_says),
	    CHECK_CASE(s10_a_request_of_nothing_is_refused),
	    CHECK_CASE(s10_a_pool_of_nothing_is_refused));
