// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Ownership: S9. The pool knows its pages. A give of anything but what the pool has
 * handed out is refused, counted and reported, and changes nothing.
 */

#include "rig.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

struct taken {
	struct rig *rig;
	tpos_page_t *pages[2 * N];
};

static struct taken *take_some(struct check *t, int nr_pools)
{
	struct taken *taken = check_zalloc(t, sizeof(*taken));
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N };

	if (taken)
		taken->rig = rig_open(
			t, &(struct rig_config){ .nr_pools = nr_pools });
	if (!taken || !taken->rig ||
	    ttmpool_pool_take(&taken->rig->pool[0], &req, taken->pages, NULL))
		return NULL;
	return taken;
}

static int give(struct taken *taken, tpos_page_t **pages, size_t n)
{
	return ttmpool_pool_give(&taken->rig->pool[0], pages, n,
				 TTMPOOL_WRITE_COMBINED);
}

/* Was the give refused once, as @kind, with all pages still in use? */
static bool was_refused(struct check *t, struct taken *taken,
			enum ttmpool_report_kind kind)
{
	struct ttmpool_pool_stats stats = rig_stats(taken->rig);

	return stats.refused[kind] == 1 && check_reports(t, kind) == 1 &&
	       stats.pages_in_use == N && stats.gives == 0 &&
	       rig_is_quiet(t, taken->rig);
}

/* Give the pages back for good; true if all went well. */
static bool done(struct check *t, struct taken *taken)
{
	return !give(taken, taken->pages, N) && rig_close(t, taken->rig);
}

/* A page of the system that was never in a pool is refused. */
static void s09_a_foreign_page_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);
	tpos_page_t *kept;

	CHECK(t, taken);
	kept = taken->pages[20];
	taken->pages[20] = check_page_of_system(t);
	CHECK_EQ(t, give(taken, taken->pages, N), -EINVAL);
	taken->pages[20] = kept;
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_FOREIGN));
	CHECK(t, done(t, taken));
}

/* A pointer that is no page is refused, and not followed. */
static void s09_what_is_no_page_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);
	tpos_page_t *bad[2];

	CHECK(t, taken);
	bad[0] = NULL;
	CHECK_EQ(t, give(taken, bad, 1), -EINVAL);
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_FOREIGN));
	bad[0] = (tpos_page_t *)(void *)bad;
	CHECK_EQ(t, give(taken, bad, 1), -EINVAL);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 2);
	CHECK(t, done(t, taken));
}

/* A page of another device's pool is refused. */
static void s09_another_pools_page_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 2);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	tpos_page_t *kept, *other;
	struct rig *rig;

	CHECK(t, taken);
	rig = taken->rig;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &req, &other, NULL), 0);
	kept = taken->pages[0];
	taken->pages[0] = other;
	CHECK_EQ(t, give(taken, taken->pages, N), -EINVAL);
	taken->pages[0] = kept;
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_FOREIGN));
	CHECK(t, !ttmpool_pool_owns(&rig->pool[0], other));
	CHECK(t, ttmpool_pool_owns(&rig->pool[1], other));
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[1], &other, 1,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK(t, done(t, taken));
}

/* Of the pages from the first one on in memory, the pool owns only the first of each of
 * its chunks. */
static void f52_no_neighbour_is_taken_for_ours(struct check *t)
{
	struct taken *taken = take_some(t, 1);
	struct ttmpool_pool *pool;
	size_t owned = 0, refused = 0;

	CHECK(t, taken);
	pool = &taken->rig->pool[0];
	for (size_t i = 0; i < 64; i++) {
		tpos_page_t *page = tpos_page_nth(taken->pages[0], i);

		if (ttmpool_pool_owns(pool, page)) {
			owned++;
			continue;
		}
		CHECK_EQ(t, give(taken, &page, 1), -EINVAL);
		refused++;
	}
	CHECK(t, owned && owned <= 3);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), refused);
	CHECK(t, done(t, taken));
}

/* Pages that were given back cannot be given back again. */
static void s09_a_double_give_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, taken->pages, N), 0);
	CHECK_EQ(t, give(taken, taken->pages, N), -EINVAL);
	CHECK_EQ(t, rig_stats(taken->rig).refused[TTMPOOL_REPORT_DOUBLE], 1);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_DOUBLE), 1);
	CHECK_EQ(t, rig_stats(taken->rig).pages_pooled, N);
	CHECK(t, !ttmpool_pool_owns(&taken->rig->pool[0], taken->pages[0]));
	CHECK(t, rig_close(t, taken->rig));
}

/* A chunk that is named twice in one array is refused, and stays in use. */
static void s09_a_page_named_twice_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	for (int i = 0; i < N; i++)
		taken->pages[N + i] = taken->pages[i];
	CHECK_EQ(t, give(taken, taken->pages, 2 * N), -EINVAL);
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_DOUBLE));
	CHECK(t, done(t, taken));
}

/* A page from the middle of a chunk is not accepted as a chunk. */
static void s09_the_middle_of_a_chunk_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, taken->pages + 1, N - 1), -EINVAL);
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_FOREIGN));
	CHECK(t, !ttmpool_pool_owns(&taken->rig->pool[0], taken->pages[1]));
	CHECK(t, done(t, taken));
}

/* The beginning of a chunk is not accepted as a chunk. */
static void s09_a_part_of_a_chunk_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, taken->pages, 15), -EINVAL);
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_WRONG_ORDER));
	CHECK(t, done(t, taken));
}

/* The last page of a chunk must be at its place in the array. */
static void s09_a_chunk_out_of_order_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);
	tpos_page_t *last;

	CHECK(t, taken);
	last = taken->pages[15];
	taken->pages[15] = taken->pages[14];
	CHECK_EQ(t, give(taken, taken->pages, N), -EINVAL);
	taken->pages[15] = last;
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_WRONG_ORDER));
	CHECK(t, done(t, taken));
}

/* In a large chunk the pool checks the last page, and with checks enabled every page. */
static void s09_each_page_of_a_large_chunk_is_looked_at(struct check *t)
{
	const int step = TPOS_CHECK_LEVEL > 0 ? 9 : 63;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 64 };
	tpos_page_t *pages[64], *right;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages, NULL), 0);
	for (int i = 0; i < 64; i += step) {
		right = pages[i];
		pages[i] = pages[i ^ 1];
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[0], pages, 64,
					   TTMPOOL_WRITE_COMBINED),
			 -EINVAL);
		pages[i] = right;
	}
	CHECK_EQ(t,
		 rig_stats(rig).refused[TTMPOOL_REPORT_WRONG_ORDER] +
			 rig_stats(rig).refused[TTMPOOL_REPORT_FOREIGN],
		 1 + 63 / step);
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 64,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK(t, rig_close(t, rig));
}

/* A give must name the caching of its pages. */
static void s09_a_give_of_another_caching_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t,
		 ttmpool_pool_give(&taken->rig->pool[0], taken->pages, N,
				   TTMPOOL_CACHED),
		 -EINVAL);
	CHECK(t, was_refused(t, taken, TTMPOOL_REPORT_WRONG_CACHING));
	CHECK(t, done(t, taken));
}

/* A give with an unknown caching is refused, for one page and for more. */
static void s09_a_give_of_no_caching_is_refused(struct check *t)
{
	const enum ttmpool_caching none[] = { TTMPOOL_CACHING_UNKNOWN,
					      (enum ttmpool_caching)17 };
	struct taken *taken = take_some(t, 1);
	unsigned int n = sizeof(none) / sizeof(*none);

	CHECK(t, taken);
	for (unsigned int i = 0; i < n; i++) {
		struct ttmpool_pool *pool = &taken->rig->pool[0];

		CHECK_EQ(t,
			 ttmpool_pool_give(pool, &taken->pages[20], 1, none[i]),
			 -EINVAL);
		CHECK_EQ(t, ttmpool_pool_give(pool, taken->pages, N, none[i]),
			 -EINVAL);
	}
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRONG_CACHING), 2 * n);
	CHECK(t, done(t, taken));
}

/* Whole chunks may be given back one by one, in any order. */
static void s09_chunks_may_come_back_in_any_order(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, taken->pages + 16, 4), 0);
	CHECK_EQ(t, give(taken, taken->pages + 20, 1), 0);
	CHECK_EQ(t, give(taken, taken->pages, 16), 0);
	CHECK(t, rig_close(t, taken->rig));
}

/* A give of no page returns -EINVAL, since it is an error of the caller. */
static void s09_a_give_of_nothing_is_refused(struct check *t)
{
	struct taken *taken = take_some(t, 1);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, taken->pages, 0), -EINVAL);
	CHECK(t, done(t, taken));
}

/* If a give has more chunks than are checked under one lock, all of them are refused
 * together. */
static void s09_a_long_refused_give_changes_nothing(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	tpos_page_t **pages = check_zalloc(t, 601 * sizeof(*pages));

	CHECK(t, rig && pages);
	for (int i = 0; i < 600; i++)
		CHECK_EQ(
			t,
			ttmpool_pool_take(&rig->pool[0], &req, pages + i, NULL),
			0);
	pages[600] = pages[0];
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 601,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, rig_stats(rig).pages_in_use, 600);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 600,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK(t, rig_close(t, rig));
}

/* Every kind of finding has a name of its own, and unknown kinds share another one. */
static void s09_every_finding_has_a_name(struct check *t)
{
	const char *unknown = ttmpool_report_name(TTMPOOL_REPORT_KIND_COUNT);

	for (int i = 0; i < TTMPOOL_REPORT_KIND_COUNT; i++) {
		const char *name =
			ttmpool_report_name((enum ttmpool_report_kind)i);

		CHECK(t, name && name != unknown);
		for (int j = 0; j < i; j++)
			CHECK(t, name != ttmpool_report_name(
						 (enum ttmpool_report_kind)j));
	}
}

/* Single pages that were handed out in a row, but to two owners and both mapped and
 * unmapped, come back in one array, and each account is settled. */
static void s09_neighbours_of_two_owners_come_back_together(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 3 };
	struct ttmpool_owner *owners = check_zalloc(t, 2 * sizeof(*owners));
	tpos_dma_addr_t dma_addr[3];
	tpos_page_t *pages[9];
	struct rig *rig;

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig && owners);
	for (int i = 0; i < 2; i++)
		ttmpool_owner_init(&owners[i], "one of two");
	req.owner = &owners[0];
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages, dma_addr), 0);
	req.owner = &owners[1];
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages + 3, dma_addr),
		 0);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages + 6, NULL), 0);
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages, 9,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK_EQ(t, rig_stats(rig).pages_in_use, 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, ttmpool_owner_pages(&owners[i], TTMPOOL_MAPPED), 0);
		CHECK_EQ(t, ttmpool_owner_fini(&owners[i]), 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(give, CHECK_CASE(s09_a_foreign_page_is_refused),
	    CHECK_CASE(s09_what_is_no_page_is_refused),
	    CHECK_CASE(s09_another_pools_page_is_refused),
	    CHECK_CASE(f52_no_neighbour_is_taken_for_ours),
	    CHECK_CASE(s09_a_double_give_is_refused),
	    CHECK_CASE(s09_a_page_named_twice_is_refused),
	    CHECK_CASE(s09_the_middle_of_a_chunk_is_refused),
	    CHECK_CASE(s09_a_part_of_a_chunk_is_refused),
	    CHECK_CASE(s09_a_chunk_out_of_order_is_refused),
	    CHECK_CASE(s09_each_page_of_a_large_chunk_is_looked_at),
	    CHECK_CASE(s09_a_give_of_another_caching_is_refused),
	    CHECK_CASE(s09_a_give_of_no_caching_is_refused),
	    CHECK_CASE(s09_chunks_may_come_back_in_any_order),
	    CHECK_CASE(s09_neighbours_of_two_owners_come_back_together),
	    CHECK_CASE(s09_a_give_of_nothing_is_refused),
	    CHECK_CASE(s09_a_long_refused_give_changes_nothing),
	    CHECK_CASE(s09_every_finding_has_a_name));
