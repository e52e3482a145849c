// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Errors that a driver can make (f19, f26 to f36): pages of another pool, pages twice,
 * parts of chunks, pointers that are no pages, impossible numbers. The library refuses
 * them before it changes anything, and reports them.
 */

#include "rig_buffer.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

struct pair {
	struct rig *rig;
	struct buffer *buf[2];
};

/* Two pools, and a populated buffer on each. */
static struct pair *open_pair(struct check *t)
{
	struct pair *pair = check_zalloc(t, sizeof(*pair));

	if (!pair)
		return NULL;
	pair->rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	for (int i = 0; pair->rig && i < 2; i++)
		pair->buf[i] = buffer_ready(
			t, pair->rig,
			&(struct buffer_config){
				.pool = i,
				.num_pages = N,
				.funcs = &buffer_plain,
				.caching = TTMPOOL_WRITE_COMBINED },
			(unsigned char)(i + 1));
	return pair->buf[0] && pair->buf[1] ? pair : NULL;
}

static bool close_pair(struct check *t, struct pair *pair)
{
	bool good = true;

	for (unsigned char i = 0; i < 2; i++)
		good &= buffer_is_stamped(t, pair->buf[i], i + 1) &&
			!ttmpool_unpopulate(&pair->buf[i]->be);
	return rig_close(t, pair->rig) && good;
}

/* Exchange the page arrays of both buffers. */
static void swap_arrays(struct pair *pair)
{
	tpos_page_t **pages = pair->buf[0]->be.tt.pages;

	pair->buf[0]->be.tt.pages = pair->buf[1]->be.tt.pages;
	pair->buf[1]->be.tt.pages = pages;
}

static int swapout(struct ttmpool_backend *be)
{
	return ttmpool_swapout(be, TTMPOOL_ALL_PAGES);
}

/* No operation of one pool accepts a page of another. */
static void f19_another_devices_pages_are_refused(struct check *t)
{
	static int (*const verbs[])(struct ttmpool_backend * be) = {
		ttmpool_unpopulate, ttmpool_drop, ttmpool_to_anonymous, swapout
	};
	struct pair *pair = open_pair(t);
	struct ttmpool_pool *pool;

	CHECK(t, pair);
	for (int i = 0; i < 8; i++) {
		struct ttmpool_backend *be = &pair->buf[i % 2]->be;

		swap_arrays(pair);
		CHECK_EQ(t, verbs[i / 2](be), -EINVAL);
		swap_arrays(pair);
		CHECK_EQ(t, be->tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, rig_is_quiet(t, pair->rig));
	}
	for (int i = 0; i < 2; i++) {
		pool = &pair->rig->pool[!i];
		CHECK_EQ(t,
			 ttmpool_pool_give(pool, pair->buf[i]->pages, N,
					   TTMPOOL_WRITE_COMBINED),
			 -EINVAL);
		CHECK(t, !ttmpool_pool_owns(pool, pair->buf[i]->pages[0]));
		CHECK(t,
		      !ttmpool_page_insertable(pool, pair->buf[i]->pages[0]));
	}
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 10);
	CHECK(t, close_pair(t, pair));
}

/* Is this give refused, and is everything unchanged? */
static bool is_refused(struct check *t, struct pair *pair, size_t first,
		       size_t n, enum ttmpool_caching caching)
{
	uint64_t in_use = rig_stats(pair->rig).pages_in_use;

	return ttmpool_pool_give(&pair->rig->pool[0],
				 pair->buf[0]->pages + first, n,
				 caching) == -EINVAL &&
	       rig_stats(pair->rig).pages_in_use == in_use &&
	       rig_is_quiet(t, pair->rig);
}

/* Does a chunk begin here, or does the array end? All other pages are inside a chunk. */
static bool is_boundary(const struct pair *pair, size_t i)
{
	return i == N ||
	       ttmpool_pool_owns(&pair->rig->pool[0], pair->buf[0]->pages[i]);
}

/* A give of any part of the array that is not whole chunks, or with any caching but the
 * right one, is refused. */
static void f26_no_piece_and_no_other_caching(struct check *t)
{
	struct pair *pair = open_pair(t);
	int refused = 0;

	CHECK(t, pair);
	for (size_t first = 0; first < N; first++)
		for (size_t end = first + 1; end <= N; end++) {
			if (is_boundary(pair, first) && is_boundary(pair, end))
				continue;
			CHECK(t, is_refused(t, pair, first, end - first,
					    TTMPOOL_WRITE_COMBINED));
			refused++;
		}
	CHECK(t, refused);
	for (int c = 0; c <= TTMPOOL_CACHING_COUNT; c++)
		if (c != TTMPOOL_WRITE_COMBINED)
			CHECK(t, is_refused(t, pair, 0, N,
					    (enum ttmpool_caching)c));
	CHECK(t, is_refused(t, pair, 0, N, (enum ttmpool_caching) - 1));
	CHECK(t, close_pair(t, pair));
}

/* With checks enabled, a chunk whose array has one of its pages in a wrong place is
 * refused, too. */
static void f26_no_other_order(struct check *t)
{
	struct pair *pair = open_pair(t);
	tpos_page_t **pages, *first;

	CHECK(t, pair);
	pages = pair->buf[0]->pages;
	for (size_t i = 1; i < 14 && TPOS_CHECK_LEVEL > 0; i++) {
		first = pages[i];
		pages[i] = pages[14];
		CHECK(t, is_refused(t, pair, 0, N, TTMPOOL_WRITE_COMBINED));
		pages[i] = first;
	}
	CHECK(t, close_pair(t, pair));
}

/* The same pages cannot be given back twice, neither in one call nor in two. */
static void f28_nothing_is_given_twice(struct check *t)
{
	struct pair *pair = open_pair(t);
	tpos_page_t **twice = check_zalloc(t, 2 * N * sizeof(*twice));
	struct ttmpool_pool *pool;

	CHECK(t, pair && twice);
	pool = &pair->rig->pool[0];
	for (size_t i = 0; i < N; i++)
		twice[i] = twice[N + i] = pair->buf[0]->pages[i];
	CHECK_EQ(t,
		 ttmpool_pool_give(pool, twice, 2 * N, TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, ttmpool_unpopulate(&pair->buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&pair->buf[0]->be), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give(pool, twice, N, TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_DOUBLE), 2);
	/* The pages are handed out anew; the old array does not matter any more. */
	CHECK_EQ(t, ttmpool_populate(&pair->buf[0]->be), 0);
	CHECK(t, buffer_stamp(t, pair->buf[0], 1));
	CHECK(t, close_pair(t, pair));
}

/* A pointer that is no page of a pool is refused, whatever it points to. */
static void f29_what_is_not_ours_is_refused(struct check *t)
{
	struct pair *pair = open_pair(t);
	tpos_page_t *strange[5];
	size_t told;

	CHECK(t, pair);
	strange[0] = NULL;
	strange[1] = check_page_of_system(t);
	strange[2] = (tpos_page_t *)(void *)&strange;
	strange[3] = (tpos_page_t *)(void *)pair->rig;
	strange[4] =
		(tpos_page_t *)(void *)((char *)pair->buf[0]->pages[0] + 1);
	for (size_t i = 0; i < 5; i++) {
		told = check_reports(t, TTMPOOL_REPORT_FOREIGN);
		CHECK_EQ(t,
			 ttmpool_pool_give(&pair->rig->pool[0], &strange[i], 1,
					   TTMPOOL_WRITE_COMBINED),
			 -EINVAL);
		CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), told + 1);
		CHECK(t, !ttmpool_pool_owns(&pair->rig->pool[0], strange[i]));
		CHECK(t, !ttmpool_page_insertable(&pair->rig->pool[0],
						  strange[i]));
	}
	CHECK(t, close_pair(t, pair));
}

/* Impossible numbers of pages are refused: none, the largest number, and numbers that
 * overflow when they are counted in bytes. */
static void f31_no_number_of_pages_overflows(struct check *t)
{
	struct pair *pair = open_pair(t);
	const size_t most = (size_t)-1;
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED };
	struct ttmpool_backend_config config = { .funcs = &buffer_plain };
	const size_t sizes[] = { most,
				 most / 2,
				 most / 2 + 1,
				 most / 4096,
				 most / 4096 + 1,
				 most / 8 + 1,
				 most / 2 / 4096 + 1 };
	struct ttmpool_backend be;
	tpos_page_t *page;

	CHECK(t, pair);
	config.pool = &pair->rig->pool[0];
	config.pages = &page;
	req.num_pages = 0;
	CHECK_EQ(t, ttmpool_pool_take(config.pool, &req, &page, NULL), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_prime(config.pool, &req, true), -EINVAL);
	CHECK_EQ(t, ttmpool_backend_init(&be, &config), -EINVAL);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		req.num_pages = config.num_pages = sizes[i];
		CHECK_EQ(t, ttmpool_pool_take(config.pool, &req, &page, NULL),
			 -E2BIG);
		CHECK_EQ(t, ttmpool_pool_prime(config.pool, &req, true),
			 -E2BIG);
		CHECK_EQ(t, ttmpool_pool_prepare(config.pool, &req), -E2BIG);
		CHECK_EQ(t, ttmpool_backend_init(&be, &config), -E2BIG);
	}
	CHECK(t, close_pair(t, pair));
}

/* Each function refuses arguments that name nothing. */
static void f32_what_names_nothing_is_refused(struct check *t)
{
	struct pair *pair = open_pair(t);
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_ANY };
	struct ttmpool_request req = { .num_pages = 1 };
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool *pool, *other = check_zalloc(t, sizeof(*other));
	struct ttmpool_owner owner;
	tpos_page_t *page = NULL;

	CHECK(t, pair && other);
	pool = &pair->rig->pool[0];
	CHECK_EQ(t, ttmpool_pool_take(pool, &req, NULL, NULL), -EINVAL);
	CHECK_EQ(t, ttmpool_pool_give(pool, NULL, 1, TTMPOOL_CACHED), -EINVAL);
	for (int wrong = -1; wrong <= 99; wrong += 100) {
		req.caching = (enum ttmpool_caching)wrong;
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, &page, NULL),
			 -EINVAL);
		req.caching = TTMPOOL_CACHED;
		req.source = (enum ttmpool_source)wrong;
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, &page, NULL),
			 -EINVAL);
		CHECK_EQ(t, ttmpool_pool_count(pool, req.source, 0, 0), 0);
		CHECK_EQ(t,
			 ttmpool_pool_count(pool, 0,
					    (enum ttmpool_caching)wrong, 0),
			 0);
		req.source = TTMPOOL_PLAIN;
		CHECK(t, ttmpool_report_name((enum ttmpool_report_kind)wrong));
		CHECK(t, ttmpool_tt_state_name((enum ttmpool_tt_state)wrong));
	}
	CHECK(t, !page);
	CHECK_EQ(t, ttmpool_pool_count(pool, 0, 0, TTMPOOL_NR_ORDERS), 0);
	ttmpool_owner_init(&owner, "nobody");
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_ACCOUNT_COUNT), 0);
	CHECK_EQ(t, ttmpool_pool_init(other, &pair->rig->mgr, &config),
		 -EINVAL);
	config.dev = pair->rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(other, NULL, &config), -EINVAL);
	config.policy = &policy;
	for (unsigned int bits = 0; bits < 32; bits++) {
		policy.max_order = bits ? 1u << bits : 11;
		if (policy.max_order >= TTMPOOL_NR_ORDERS)
			CHECK_EQ(t,
				 ttmpool_pool_init(other, &pair->rig->mgr,
						   &config),
				 -EINVAL);
	}
	CHECK(t, close_pair(t, pair));
}

/* The end of a pool returns the number of pages that a buffer still has, and reports
 * them; the pages stay in quarantine until the caller purges it. */
static void f34_teardown_tells_what_was_left(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	struct buffer *buf, *busy;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "leaky");
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 1,
					 .owner = &owner,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	busy = buffer_open(
		t, rig,
		&(struct buffer_config){ .funcs = &buffer_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf && busy && !ttmpool_populate(&buf->be));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, buffer_cycle(busy), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), -EBUSY);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 1);
	rig->nr_pools = 0;
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_IN_USE), 1);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK_EQ(t, check_pages_out(t), 1);
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* With a pool limit of zero, pooled pages are released and pages in use stay, while
 * buffers come and go. */
static void f36_a_limit_of_nothing_while_busy(struct check *t)
{
	struct pair *pair = open_pair(t);
	struct ttmpool_manager *mgr;
	struct buffer *more;

	CHECK(t, pair);
	mgr = &pair->rig->mgr;
	more = buffer_open(
		t, pair->rig,
		&(struct buffer_config){ .num_pages = N,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, more);
	for (unsigned long limit = 0; limit < 3 * N; limit += N / 2) {
		CHECK_EQ(t, buffer_cycle(more), 0);
		ttmpool_manager_set_pool_limit(mgr, limit);
		CHECK(t, rig_stats(pair->rig).pages_pooled <= limit);
		CHECK_EQ(t, buffer_cycle(more), 0);
		CHECK(t, rig_stats(pair->rig).pages_pooled <= limit);
		CHECK_EQ(t, rig_stats(pair->rig).pages_in_use, N);
		ttmpool_manager_set_pool_limit(mgr, 0);
		CHECK_EQ(t, rig_stats(pair->rig).pages_pooled, 0);
		CHECK(t, rig_is_quiet(t, pair->rig));
		ttmpool_manager_set_pool_limit(mgr, TTMPOOL_NO_LIMIT);
	}
	CHECK(t, close_pair(t, pair));
}

/* This case is the first: a kernel logs only ten findings in five seconds, and the other
 * cases here make hundreds. */
CHECK_SUITE(faults_abuse, CHECK_CASE(f34_teardown_tells_what_was_left),
	    CHECK_CASE(f19_another_devices_pages_are_refused),
	    CHECK_CASE(f26_no_piece_and_no_other_caching),
	    CHECK_CASE(f26_no_other_order),
	    CHECK_CASE(f28_nothing_is_given_twice),
	    CHECK_CASE(f29_what_is_not_ours_is_refused),
	    CHECK_CASE(f31_no_number_of_pages_overflows),
	    CHECK_CASE(f32_what_names_nothing_is_refused),
	    CHECK_CASE(f36_a_limit_of_nothing_while_busy));
