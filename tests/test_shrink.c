// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Shrinking: S11. The system's shrinker can get the pooled pages, limits act at once, and
 * the reserve stays.
 */

#include "rig.h"

static struct pages *uc_pages(struct check *t, struct rig *rig, int pool,
			      size_t n)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .pool = pool,
					.num_pages = n,
					.caching = TTMPOOL_UNCACHED });
}

/* Pool @n single pages; true if that went well. */
static bool pool_singles(struct check *t, struct rig *rig, int pool, int n)
{
	struct pages **bufs = check_zalloc(t, (size_t)n * sizeof(*bufs));

	for (int i = 0; i < n; i++) {
		bufs[i] = uc_pages(t, rig, pool, 1);
		if (!bufs[i] || pages_take(bufs[i]))
			return false;
	}
	for (int i = 0; i < n; i++)
		if (pages_give(bufs[i]))
			return false;
	return true;
}

/* The shrinker counts pooled pages, but not pages in use. */
static void s11_the_count_is_what_is_pooled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *a, *b;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 0);
	a = uc_pages(t, rig, 0, 17);
	b = uc_pages(t, rig, 0, 40);
	CHECK(t, a && b);
	CHECK_EQ(t, pages_take(a), 0);
	CHECK_EQ(t, pages_cycle(b), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 40);
	CHECK_EQ(t, pages_give(a), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 57);
	CHECK(t, rig_close(t, rig));
}

/* A scan returns pages to the system, write-back, and says how many. */
static void s11_a_scan_gives_pages_to_the_system(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *buf;
	tpos_page_t *page;

	CHECK(t, rig);
	buf = uc_pages(t, rig, 0, 1);
	CHECK(t, buf);
	CHECK_EQ(t, pages_take(buf), 0);
	page = buf->pages[0];
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK_EQ(t, check_caching(t, page), TTMPOOL_UNCACHED);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 1);
	CHECK_EQ(t, check_caching(t, page), TTMPOOL_CACHED);
	CHECK_EQ(t, check_pages_out(t), 0);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_shrunk, 1);
	CHECK(t, rig_close(t, rig));
}

/* A scan for nothing, for everything, and of an empty pool returns the right number. */
static void s11_a_scan_of_any_size_is_safe(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 5, true), 0);
	CHECK(t, pool_singles(t, rig, 0, 10));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 0, true), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 3, true), 3);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 7);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	CHECK(t, rig_close(t, rig));
}

/* A scan of a manager without pools releases nothing. */
static void s11_a_scan_without_pools_is_safe(struct check *t)
{
	struct ttmpool_manager *mgr = check_zalloc(t, sizeof(*mgr));
	struct ttmpool_manager_config config = { .system = t->system };

	CHECK(t, mgr);
	CHECK_EQ(t, ttmpool_manager_init(mgr, &config), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 100, true), 0);
	CHECK_EQ(t, ttmpool_manager_fini(mgr), 0);
	config.system = NULL;
	CHECK_EQ(t, ttmpool_manager_init(mgr, &config), -EINVAL);
}

/* The chunk that was given back first leaves first. */
static void s11_the_oldest_chunk_leaves_first(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *old, *middle, *young;
	tpos_page_t *page;

	CHECK(t, rig);
	old = uc_pages(t, rig, 0, 1);
	middle = uc_pages(t, rig, 0, 4);
	young = uc_pages(t, rig, 0, 1);
	CHECK(t, old && middle && young);
	CHECK_EQ(t, pages_take(old), 0);
	CHECK_EQ(t, pages_take(young), 0);
	CHECK_EQ(t, pages_take(middle), 0);
	page = young->pages[0];
	CHECK_EQ(t, pages_give(old), 0);
	CHECK_EQ(t, pages_give(middle), 0);
	CHECK_EQ(t, pages_give(young), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 1);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 4);
	CHECK_EQ(t, pages_take(old), 0);
	CHECK(t, old->pages[0] == page);
	CHECK_EQ(t, pages_give(old), 0);
	CHECK(t, rig_close(t, rig));
}

static uint64_t pooled_in(struct rig *rig, int pool)
{
	struct ttmpool_pool_stats stats;

	ttmpool_pool_stats(&rig->pool[pool], &stats);
	return stats.pages_pooled;
}

/* The pool whose chunks are the oldest gives first, whichever pool it is. */
static void s11_the_oldest_pool_gives_first(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		int old = i / 2, young = 1 - old;

		CHECK(t, pool_singles(t, rig, old, 10));
		CHECK(t, pool_singles(t, rig, young, 10));
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 4, true), 4);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 6, true), 6);
		CHECK_EQ(t, pooled_in(rig, old), 0);
		CHECK_EQ(t, pooled_in(rig, young), 10);
	}
	CHECK(t, rig_close(t, rig));
}

/* If one pool does not have enough, the next one gives the rest. */
static void s11_every_pool_gives(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });

	CHECK(t, rig);
	CHECK(t, pool_singles(t, rig, 0, 10));
	CHECK(t, pool_singles(t, rig, 1, 10));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 4, true), 4);
	CHECK_EQ(t, pooled_in(rig, 0), 6);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 14, true), 14);
	CHECK_EQ(t, pooled_in(rig, 1), 2);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 2);
	CHECK(t, rig_close(t, rig));
}

/* The reserve is not counted, and no scan touches it. */
static void s11_a_reserve_is_kept_from_the_shrinker(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	ttmpool_pool_reserve(&rig->pool[0], 6);
	CHECK(t, pool_singles(t, rig, 0, 10));
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 4);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 4);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 6);
	/* The pool is above the limit, so a prime has no room. */
	CHECK_EQ(t,
		 ttmpool_pool_prime(
			 &rig->pool[0],
			 &(struct ttmpool_request){ .caching = TTMPOOL_UNCACHED,
						    .num_pages = 1 },
			 false),
		 -ENOMEM);
	/* Pages that are no longer reserved go, since the limit has no room for them. */
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK(t, rig_close(t, rig));
}

/* A chunk that is partly below the reserve stays whole. */
static void s11_a_reserve_is_not_cut_into(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *buf;

	CHECK(t, rig);
	ttmpool_pool_reserve(&rig->pool[0], 3);
	buf = uc_pages(t, rig, 0, 8);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK(t, rig_close(t, rig));
}

/* A lower pool limit releases pages before the call returns. */
static void s11_a_lower_limit_acts_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, pool_singles(t, rig, 0, 64));
	ttmpool_manager_set_pool_limit(&rig->mgr, 40);
	CHECK(t, rig_stats(rig).pages_pooled <= 40);
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* A pool at its limit is trimmed in batches, not by one chunk at each give. */
static void s11_a_limit_is_trimmed_with_hysteresis(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .pool_limit = 64 });
	struct ttmpool_pool_stats before, after;

	CHECK(t, rig);
	CHECK(t, pool_singles(t, rig, 0, 64));
	before = rig_stats(rig);
	CHECK(t, pool_singles(t, rig, 0, 128));
	after = rig_stats(rig);
	CHECK(t, after.pages_pooled <= 64);
	/* 64 were fresh, with a batch each; 64 were more than the limit. */
	CHECK(t, after.pages_released - before.pages_released >= 64);
	CHECK(t, after.caching_batches - before.caching_batches <= 64 + 8);
	CHECK(t, rig_close(t, rig));
}

/* A pool whose oldest chunk is larger than the rest of a trim must not keep all its pages
 * while another pool loses all that it gets. */
static void s11_a_large_chunk_does_not_protect_its_pool(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .pool_limit = 4096 });
	struct pages *large, *small, *busy;
	struct ttmpool_pool_stats before, after;

	CHECK(t, rig);
	large = uc_pages(t, rig, 0, 7 * 512);
	small = uc_pages(t, rig, 0, 416);
	busy = uc_pages(t, rig, 1, 300);
	CHECK(t, large && small && busy);
	CHECK_EQ(t, pages_take(large), 0);
	CHECK_EQ(t, pages_take(small), 0);
	CHECK_EQ(t, pages_give(large), 0);
	CHECK_EQ(t, pages_give(small), 0);
	for (int i = 0; i < 8; i++) {
		ttmpool_pool_stats(&rig->pool[1], &before);
		CHECK_EQ(t, pages_take(busy), 0);
		CHECK_EQ(t, pages_give(busy), 0);
	}
	ttmpool_pool_stats(&rig->pool[1], &after);
	CHECK_EQ(t, after.pages_fresh, before.pages_fresh);
	CHECK_EQ(t, after.pages_pooled, 300);
	CHECK(t, rig_close(t, rig));
}

/* A buffer larger than the limit is not pooled, and drives no pooled page out. */
static void s11_what_exceeds_the_limit_is_not_pooled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .pool_limit = 32 });
	struct pages *big;

	CHECK(t, rig);
	CHECK(t, pool_singles(t, rig, 0, 16));
	big = uc_pages(t, rig, 0, 100);
	CHECK(t, big);
	CHECK_EQ(t, pages_take(big), 0);
	CHECK(t, pool_singles(t, rig, 0, 16));
	CHECK_EQ(t, pages_give(big), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 16);
	CHECK(t, rig_close(t, rig));
}

/* With a limit of zero, nothing is pooled. */
static void s11_a_limit_of_nothing_pools_nothing(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .pool_nothing = true });
	struct pages *buf;

	CHECK(t, rig);
	buf = uc_pages(t, rig, 0, 12);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* A primed pool serves its first populate without a caching change or a map. */
static void s11_a_primed_pool_serves_at_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 42 };
	struct ttmpool_pool_stats before, after;
	struct pages *buf;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	before = rig_stats(rig);
	CHECK_EQ(t, before.pages_pooled, 42);
	buf = uc_pages(t, rig, 0, 42);
	CHECK(t, buf);
	CHECK_EQ(t, pages_take(buf), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.pages_hit, 42);
	CHECK_EQ(t, after.caching_batches, before.caching_batches);
	CHECK_EQ(t, after.bytes_cleared, 0);
	if (rig->pool[0].policy.keep_mapped)
		CHECK_EQ(t, after.maps, before.maps);
	CHECK(t, pages_hold(t, buf, 0));
	CHECK_EQ(t, pages_give(buf), 0);
	CHECK(t, rig_close(t, rig));
}

/* With a policy that keeps no mappings, prime makes none. */
static void s11_prime_maps_nothing_that_is_not_kept(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 4 };
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK_EQ(t, rig_stats(rig).maps, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 4);
	CHECK(t, rig_close(t, rig));
}

/* Prime refuses pages that would not be kept, because of the policy or the limit. */
static void s11_prime_refuses_what_would_not_be_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .pool_limit = 10 });
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 4 };

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -EINVAL);
	req.caching = TTMPOOL_UNCACHED;
	req.num_pages = 11;
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -ENOMEM);
	req.num_pages = 10;
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	req.num_pages = 1;
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -ENOMEM);
	ttmpool_manager_set_pool_limit(&rig->mgr, 5);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prime and its refill together stay within the pool limit. */
static void s11_a_prime_with_refill_stays_within_the_limit(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 16 };
	struct rig_config config = { .policy = &policy, .pool_limit = 16 + 14 };
	struct rig *rig;

	policy.refill = true;
	policy.max_order = 4;
	rig = rig_open(t, &config);
	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 16);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(shrink, CHECK_CASE(s11_the_count_is_what_is_pooled),
	    CHECK_CASE(s11_a_scan_gives_pages_to_the_system),
	    CHECK_CASE(s11_a_scan_of_any_size_is_safe),
	    CHECK_CASE(s11_a_scan_without_pools_is_safe),
	    CHECK_CASE(s11_the_oldest_chunk_leaves_first),
	    CHECK_CASE(s11_the_oldest_pool_gives_first),
	    CHECK_CASE(s11_every_pool_gives),
	    CHECK_CASE(s11_a_reserve_is_kept_from_the_shrinker),
	    CHECK_CASE(s11_a_reserve_is_not_cut_into),
	    CHECK_CASE(s11_a_lower_limit_acts_at_once),
	    CHECK_CASE(s11_a_limit_is_trimmed_with_hysteresis),
	    CHECK_CASE(s11_a_large_chunk_does_not_protect_its_pool),
	    CHECK_CASE(s11_what_exceeds_the_limit_is_not_pooled),
	    CHECK_CASE(s11_a_limit_of_nothing_pools_nothing),
	    CHECK_CASE(s11_a_primed_pool_serves_at_once),
	    CHECK_CASE(s11_prime_maps_nothing_that_is_not_kept),
	    CHECK_CASE(s11_prime_refuses_what_would_not_be_kept),
	    CHECK_CASE(s11_a_prime_with_refill_stays_within_the_limit));
