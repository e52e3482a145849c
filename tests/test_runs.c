// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Runs: a buffer's pages as contiguous pieces (S3), for callers that need no entry for
 * each page.
 */

#include <ttmpool/runs.h>

#include "rig.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

/* A pool, and pages of it as runs. */
struct taken {
	struct rig *rig;
	struct ttmpool_runs runs;
	struct ttmpool_request req;
};

static struct taken *open_site(struct check *t, const struct rig_config *config)
{
	struct taken *taken = check_zalloc(t, sizeof(*taken));

	if (!taken)
		return NULL;
	taken->rig = rig_open(t, config);
	taken->req =
		(struct ttmpool_request){ .caching = TTMPOOL_WRITE_COMBINED,
					  .num_pages = N };
	return taken->rig ? taken : NULL;
}

static int take(struct taken *taken)
{
	return ttmpool_runs_take(&taken->rig->pool[0], &taken->req, true,
				 &taken->runs);
}

static struct taken *take_some(struct check *t)
{
	struct taken *taken = open_site(t, &(struct rig_config){ 0 });

	return taken && !take(taken) ? taken : NULL;
}

/* Give the runs back for good; true if all went well. */
static bool done(struct check *t, struct taken *taken)
{
	return !ttmpool_runs_give(&taken->runs) && rig_close(t, taken->rig);
}

/* Runs have all requested pages, in chunks that are mapped and have the requested
 * caching. */
static void s03_runs_have_all_the_pages(struct check *t)
{
	struct taken *taken = take_some(t);
	struct ttmpool_chunk *chunk;
	size_t pages = 0;

	CHECK(t, taken);
	ttmpool_for_each_chunk(chunk, &taken->runs.chunks) {
		pages += ttmpool_chunk_pages(chunk);
		CHECK_EQ(t, chunk->caching, TTMPOOL_WRITE_COMBINED);
		CHECK(t, chunk->flags & TTMPOOL_CHUNK_MAPPED);
	}
	CHECK_EQ(t, pages, N);
	CHECK_EQ(t, taken->runs.num_pages, N);
	CHECK_EQ(t, rig_stats(taken->rig).pages_in_use, N);
	CHECK(t, rig_is_quiet(t, taken->rig));
	CHECK(t, done(t, taken));
}

/* The second time, the runs come from the pool, with their caching, and no page is
 * fresh. */
static void s03_runs_are_recycled(struct check *t)
{
	struct taken *taken = take_some(t);
	struct ttmpool_pool_stats first, second;

	CHECK(t, taken);
	first = rig_stats(taken->rig);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), 0);
	CHECK(t, rig_is_quiet(t, taken->rig));
	CHECK_EQ(t, take(taken), 0);
	second = rig_stats(taken->rig);
	CHECK_EQ(t, second.pages_fresh, first.pages_fresh);
	CHECK_EQ(t, second.caching_batches, first.caching_batches);
	CHECK_EQ(t, second.pages_hit, N);
	CHECK(t, done(t, taken));
}

/* The run entries contain every page once, with the address of its chunk. */
static void s03_runs_can_be_written_down(struct check *t)
{
	struct taken *taken = take_some(t);
	struct ttmpool_run run[N];
	size_t n, pages = 0;

	CHECK(t, taken);
	n = ttmpool_runs_fill(&taken->runs, run, N);
	CHECK(t, n >= 1 && n <= N);
	for (size_t i = 0; i < n; i++) {
		struct ttmpool_chunk *chunk =
			tpos_page_chunk(taken->rig->dev[0], run[i].page);

		CHECK(t, chunk);
		CHECK_EQ(t, run[i].dma_addr, tpos_dma_address(&chunk->dma));
		pages += run[i].num_pages;
	}
	CHECK_EQ(t, pages, N);
	CHECK(t, done(t, taken));
}

/* If the array of entries is too short, the function fills it and returns how many
 * entries it needs. */
static void s03_too_little_room_is_told(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_run run[2] = { { .num_pages = 0 }, { .num_pages = 77 } };
	struct taken *taken;
	size_t n;

	policy.max_order = 0;
	taken = open_site(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, taken);
	CHECK_EQ(t, take(taken), 0);
	n = ttmpool_runs_fill(&taken->runs, run, 1);
	CHECK(t, n >= 1 && n <= N);
	CHECK(t, run[0].num_pages >= 1);
	CHECK_EQ(t, run[1].num_pages, 77);
	CHECK(t, n > 1 || run[0].num_pages == N);
	CHECK_EQ(t, ttmpool_runs_fill(&taken->runs, run, 0), n);
	CHECK(t, done(t, taken));
}

/* Does a chunk begin where the one before it ends, in memory and for the device? */
static bool goes_on(const struct ttmpool_chunk *before,
		    const struct ttmpool_chunk *chunk, uint64_t page_size)
{
	return chunk->page == tpos_page_nth(before->page, 1) &&
	       tpos_dma_address(&chunk->dma) ==
		       tpos_dma_address(&before->dma) + page_size;
}

/* Pages that follow each other on the list but not in memory are separate runs. */
static void s03_what_lies_apart_is_not_one_run(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	static const int order_of_return[] = { 1, 0, 2 };
	struct ttmpool_chunk *chunk, *before = NULL;
	struct ttmpool_run run[3];
	tpos_page_t *pages[3];
	struct taken *taken;
	size_t runs = 0;

	policy.max_order = 0;
	taken = open_site(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, taken);
	taken->req.num_pages = 3;
	CHECK_EQ(t,
		 ttmpool_pool_take(&taken->rig->pool[0], &taken->req, pages,
				   NULL),
		 0);
	/* The page that was given back last is handed out first. */
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t,
			 ttmpool_pool_give(&taken->rig->pool[0],
					   &pages[order_of_return[i]], 1,
					   TTMPOOL_WRITE_COMBINED),
			 0);
	CHECK_EQ(t, take(taken), 0);
	ttmpool_for_each_chunk(chunk, &taken->runs.chunks) {
		runs += !before ||
			!goes_on(before, chunk,
				 1u << taken->rig->pool[0].info.page_shift);
		before = chunk;
	}
	CHECK_EQ(t, ttmpool_runs_fill(&taken->runs, run, 3), runs);
	CHECK(t, run[0].page == pages[2]);
	CHECK(t, done(t, taken));
}

/* Runs without addresses are not mapped, and their entries have the address 0. */
static void s03_runs_need_not_be_mapped(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_run run[N];
	struct taken *taken;

	policy.max_order = 0;
	taken = open_site(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, taken);
	CHECK_EQ(t,
		 ttmpool_runs_take(&taken->rig->pool[0], &taken->req, false,
				   &taken->runs),
		 0);
	CHECK(t, ttmpool_runs_fill(&taken->runs, run, N) >= 1);
	CHECK_EQ(t, run[0].dma_addr, 0);
	CHECK_EQ(t, rig_stats(taken->rig).bytes_mapped, 0);
	CHECK(t, done(t, taken));
}

/* Runs cannot be given back twice. */
static void s09_runs_are_given_back_once(struct check *t)
{
	struct taken *taken = take_some(t);

	CHECK(t, taken);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), 0);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), -EINVAL);
	CHECK_EQ(t, rig_stats(taken->rig).gives, 1);
	CHECK(t, rig_close(t, taken->rig));
}

/* Pages that runs had can be handed out in an array next, and come back in it. */
static void s09_what_runs_had_goes_in_an_array_next(struct check *t)
{
	struct taken *taken = take_some(t);
	tpos_dma_addr_t addr[N];
	tpos_page_t *pages[N];

	CHECK(t, taken);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), 0);
	CHECK_EQ(t,
		 ttmpool_pool_take(&taken->rig->pool[0], &taken->req, pages,
				   addr),
		 0);
	CHECK_EQ(t, rig_stats(taken->rig).pages_hit, N);
	CHECK_EQ(t,
		 ttmpool_pool_give(&taken->rig->pool[0], pages, N,
				   taken->req.caching),
		 0);
	CHECK(t, rig_close(t, taken->rig));
}

/* A page of runs in an array is refused as foreign: it must be given back as runs. */
static void s09_a_page_of_runs_is_refused_in_an_array(struct check *t)
{
	struct taken *taken = take_some(t);
	tpos_page_t *page;

	CHECK(t, taken);
	page = ttmpool_chunk_of(taken->runs.chunks.prev)->page;
	CHECK_EQ(t,
		 ttmpool_pool_give(&taken->rig->pool[0], &page, 1,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 1);
	CHECK(t, !ttmpool_page_insertable(&taken->rig->pool[0], page));
	CHECK(t, rig_is_quiet(t, taken->rig));
	CHECK(t, done(t, taken));
}

/* A request that cannot be served leaves runs without pages. */
static void s03_a_refused_request_leaves_no_runs(struct check *t)
{
	struct taken *taken =
		open_site(t, &(struct rig_config){ .page_budget = N - 1 });

	CHECK(t, taken);
	CHECK_EQ(t, take(taken), -ENOMEM);
	CHECK_EQ(t, ttmpool_runs_fill(&taken->runs, NULL, 0), 0);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), -EINVAL);
	taken->req.num_pages = 0;
	CHECK_EQ(t, take(taken), -EINVAL);
	CHECK(t, rig_close(t, taken->rig));
}

/* Runs with a wrong page count, pool or chunk flag are not valid. */
static void s09_runs_that_disagree_are_not_valid(struct check *t)
{
	struct taken *taken = take_some(t);
	struct ttmpool_pool *pool, *other;
	struct ttmpool_chunk *chunk;

	CHECK(t, taken);
	pool = &taken->rig->pool[0];
	other = &taken->rig->pool[1];
	chunk = ttmpool_chunk_of(taken->runs.chunks.next);
	taken->runs.num_pages++;
	CHECK(t, !ttmpool_pool_is_valid(pool));
	taken->runs.num_pages--;
	taken->runs.pool = other;
	CHECK(t, !ttmpool_pool_is_valid(pool));
	taken->runs.pool = pool;
	chunk->flags ^= TTMPOOL_CHUNK_HELD;
	CHECK(t, !ttmpool_pool_is_valid(pool));
	chunk->flags ^= TTMPOOL_CHUNK_HELD;
	CHECK(t, done(t, taken));
}

/* When a pool is torn down with runs in use, they are reported, and have no pages any
 * more. */
static void s09_teardown_reports_runs_in_use(struct check *t)
{
	struct taken *taken = take_some(t);

	CHECK(t, taken);
	CHECK_EQ(t, ttmpool_pool_fini(&taken->rig->pool[0]), N);
	taken->rig->nr_pools = 0;
	CHECK(t, check_reports(t, TTMPOOL_REPORT_IN_USE) >= 1);
	CHECK_EQ(t, ttmpool_runs_give(&taken->runs), -EINVAL);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&taken->rig->mgr), 0);
	CHECK(t, rig_close(t, taken->rig));
}

CHECK_SUITE(runs, CHECK_CASE(s03_runs_have_all_the_pages),
	    CHECK_CASE(s03_runs_are_recycled),
	    CHECK_CASE(s03_runs_can_be_written_down),
	    CHECK_CASE(s03_too_little_room_is_told),
	    CHECK_CASE(s03_what_lies_apart_is_not_one_run),
	    CHECK_CASE(s03_runs_need_not_be_mapped),
	    CHECK_CASE(s03_a_refused_request_leaves_no_runs),
	    CHECK_CASE(s09_runs_are_given_back_once),
	    CHECK_CASE(s09_what_runs_had_goes_in_an_array_next),
	    CHECK_CASE(s09_a_page_of_runs_is_refused_in_an_array),
	    CHECK_CASE(s09_runs_that_disagree_are_not_valid),
	    CHECK_CASE(s09_teardown_reports_runs_in_use));
