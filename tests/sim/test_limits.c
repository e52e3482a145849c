// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Limits and reserves are exact (S11): in which order pages leave, how many at once, and
 * what that costs. The tests that need threads are in test_limits_threads.c.
 */

#include <limits.h>

#include <ttmpool/magazine.h>
#include <ttmpool/runs.h>

#include "check_cmocka.h"
#include "rig.h"

#define MOST 64

/* What the port was asked to free. */
static struct {
	struct tpsim_machine *machine;
	size_t largest;   /* pages of the largest batch that was freed */
	unsigned long ns; /* when the first batch was freed */
	struct ttmpool_manager *mgr; /* to be scanned within the next free */
	unsigned long got_within;
} freed;

void __real_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);
void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks);

void __wrap_tpos_pages_free(tpos_device_t *dev, struct ttmpool_list *chunks)
{
	struct ttmpool_chunk *chunk;
	struct tpsim_counters now;
	size_t pages = 0;

	ttmpool_for_each_chunk(chunk, chunks)
		pages += ttmpool_chunk_pages(chunk);
	if (pages > freed.largest)
		freed.largest = pages;
	if (freed.machine && !freed.ns) {
		tpsim_counters(freed.machine, &now);
		freed.ns = (unsigned long)now.ns;
	}
	if (freed.mgr) {
		struct ttmpool_manager *mgr = freed.mgr;

		freed.mgr = NULL;
		freed.got_within = ttmpool_manager_shrink_scan(mgr, 100, false);
	}
	__real_tpos_pages_free(dev, chunks);
}

/**
 * struct shelf - chunks that a case has taken, and gives back one by one
 * @pages: the first page of each chunk
 * @n: the number of chunks
 */
struct shelf {
	struct ttmpool_pool *pool;
	tpos_page_t *pages[MOST];
	int n;
};

/* Take @n single pages; mapped ones, if @mapped. */
static bool shelf_take(struct shelf *shelf, struct ttmpool_pool *pool, int n,
		       bool mapped)
{
	struct ttmpool_request one = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 1 };
	tpos_dma_addr_t addr;

	shelf->pool = pool;
	for (shelf->n = 0; shelf->n < n; shelf->n++)
		if (ttmpool_pool_take(pool, &one, &shelf->pages[shelf->n],
				      mapped ? &addr : NULL))
			return false;
	return true;
}

static bool shelf_give(struct shelf *shelf, int from, int to)
{
	for (int i = from; i < to; i++)
		if (ttmpool_pool_give(shelf->pool, &shelf->pages[i], 1,
				      TTMPOOL_WRITE_COMBINED))
			return false;
	return true;
}

static bool is_gone(const struct shelf *shelf, int i)
{
	return !tpos_page_chunk(shelf->pool->dev, shelf->pages[i]);
}

/* Do the pages leave one after the other, in the order in which they were taken? */
static bool leaves_in_order(struct shelf *shelf)
{
	for (int i = 0; i < shelf->n; i++) {
		if (is_gone(shelf, i) ||
		    ttmpool_manager_shrink_scan(shelf->pool->mgr, 1, false) !=
			    1 ||
		    !is_gone(shelf, i))
			return false;
	}
	return true;
}

/* End the oldest @n kept mappings, by a request for pages of another caching. */
static bool give_up(struct ttmpool_pool *pool, size_t n)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = n };
	tpos_dma_addr_t addr[MOST];
	tpos_page_t *pages[MOST];

	return !ttmpool_pool_take(pool, &req, pages, addr) &&
	       !ttmpool_pool_give(pool, pages, n, TTMPOOL_CACHED);
}

static struct rig *single_rig(struct check *t, uint64_t mapped_limit)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.max_order = 0;
	return rig_open(t, &(struct rig_config){ .nr_pools = 2,
						 .mapped_limit = mapped_limit,
						 .policy = &policy });
}

/* Pages leave in the order in which they were given back, even if some of them were
 * cleared or unmapped later, in any combination. */
static void
s11_what_is_scrubbed_or_unmapped_is_as_old_as_before(struct check *t)
{
	static const struct {
		size_t scrub, unmap, then_scrub;
	} done[] = { { 0, 5, 0 },  { 5, 0, 0 }, { 3, 5, 0 },  { 5, 3, 0 },
		     { 0, 4, 6 },  { 2, 6, 9 }, { 12, 7, 0 }, { 4, 4, 4 },
		     { 0, 12, 5 }, { 9, 12, 3 } };

	for (size_t i = 0; i < sizeof(done) / sizeof(*done); i++) {
		struct rig *rig = single_rig(t, 12ull * 4096);
		struct ttmpool_pool *pool;
		struct shelf shelf;

		CHECK(t, rig);
		pool = &rig->pool[0];
		CHECK(t, shelf_take(&shelf, pool, 12, true));
		CHECK(t, shelf_give(&shelf, 0, 12));
		if (done[i].scrub)
			ttmpool_pool_scrub(pool, done[i].scrub);
		if (done[i].unmap)
			CHECK(t, give_up(pool, done[i].unmap));
		if (done[i].then_scrub)
			ttmpool_pool_scrub(pool, done[i].then_scrub);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK(t, leaves_in_order(&shelf));
		CHECK(t, rig_close(t, rig));
	}
}

/* Pages that are cleared after younger pages were pooled clear still leave in the order
 * in which they were given back. */
static void s11_what_is_scrubbed_is_older_than_what_came_clear(struct check *t)
{
	struct rig *rig = single_rig(t, 0);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 4 };
	struct shelf shelf;

	CHECK(t, rig);
	CHECK(t, shelf_take(&shelf, &rig->pool[0], 6, true));
	CHECK(t, shelf_give(&shelf, 0, 3));
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK(t, shelf_give(&shelf, 3, 6));
	CHECK_EQ(t, ttmpool_pool_scrub(&rig->pool[0], 4), 4);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 3, false), 3);
	CHECK(t, is_gone(&shelf, 2) && !is_gone(&shelf, 3));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 4, false), 4);
	CHECK(t, !is_gone(&shelf, 3));
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 1);
	CHECK(t, is_gone(&shelf, 3) && !is_gone(&shelf, 4));
	CHECK(t, rig_close(t, rig));
}

/* Requests for single pages are served from pages that were cleared while younger clear
 * pages were pooled: none is allocated again or cleared twice. */
static void s10_what_was_scrubbed_serves_single_pages(struct check *t)
{
	struct rig *rig = single_rig(t, 0);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 4 };
	struct ttmpool_pool_stats before, after;
	struct shelf shelf;

	CHECK(t, rig);
	CHECK(t, shelf_take(&shelf, &rig->pool[0], 3, true));
	CHECK(t, shelf_give(&shelf, 0, 3));
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK_EQ(t, ttmpool_pool_scrub(&rig->pool[0], 3), 3);
	ttmpool_pool_stats(&rig->pool[0], &before);
	CHECK(t, shelf_take(&shelf, &rig->pool[0], 7, true));
	ttmpool_pool_stats(&rig->pool[0], &after);
	CHECK_EQ(t, after.pages_hit, before.pages_hit + 7);
	CHECK_EQ(t, after.bytes_cleared, before.bytes_cleared);
	CHECK_EQ(t, after.maps_kept, before.maps_kept + 7);
	CHECK(t, shelf_give(&shelf, 0, 7));
	CHECK(t, rig_close(t, rig));
}

/* The order holds after any number of gives to the pools of a manager. */
static void s11_the_oldest_leave_first_for_ever(struct check *t)
{
	static const long later[] = { 1L << 31, UINT32_MAX,
				      (long)UINT32_MAX + 2, 1L << 40 };

	for (size_t i = 0; i < sizeof(later) / sizeof(*later); i++) {
		struct rig *rig = single_rig(t, 0);
		struct shelf shelf;

		CHECK(t, rig);
		CHECK(t, shelf_take(&shelf, &rig->pool[0], 6, true));
		CHECK(t, shelf_give(&shelf, 0, 2));
		ttmpool_pool_scrub(&rig->pool[0], 2);
		tpos_atomic_add_return(later[i], &rig->mgr.gives);
		CHECK(t, shelf_give(&shelf, 2, 4));
		tpos_atomic_add_return(later[i], &rig->mgr.gives);
		CHECK(t, shelf_give(&shelf, 4, 6));
		CHECK(t, leaves_in_order(&shelf));
		CHECK(t, rig_close(t, rig));
	}
}

/* Pool one chunk of @large pages, and @singles single pages, in the order that
 * @large_first says. */
static bool pool_mix(struct check *t, struct rig *rig, size_t large,
		     int singles, bool large_first)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = large };
	tpos_page_t *pages[MOST];
	struct shelf shelf;

	(void)t;
	if (ttmpool_pool_take(&rig->pool[0], &req, pages, NULL) ||
	    !shelf_take(&shelf, &rig->pool[0], singles, false))
		return false;
	if (!large_first && !shelf_give(&shelf, 0, singles))
		return false;
	if (ttmpool_pool_give(&rig->pool[0], pages, large,
			      TTMPOOL_WRITE_COMBINED))
		return false;
	return !large_first || shelf_give(&shelf, 0, singles);
}

/* Pages over a reserve can leave, whichever chunk is the oldest and however large it is:
 * as many as whole chunks make up. */
static void s11_what_is_over_a_reserve_can_be_had(struct check *t)
{
	static const struct {
		bool large_first;
		int singles;
		size_t reserve, asked, got;
	} cases[] = {
		{ true, 15, 16, 8, 8 },    { true, 15, 16, 100, 15 },
		{ true, 15, 15, 100, 16 }, { true, 1, 1, 100, 16 },
		{ false, 1, 1, 100, 16 },  { false, 1, 1, 1, 1 },
		{ false, 1, 1, 2, 16 },    { true, 1, 1, 1, 16 },
		{ false, 3, 10, 100, 3 },  { false, 20, 30, 100, 6 },
		{ false, 20, 4, 100, 32 }, { false, 3, 3, 10, 16 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		for (int by_limit = 0; by_limit < 2; by_limit++) {
			struct rig *rig =
				rig_open(t, &(struct rig_config){ 0 });
			unsigned long had;

			CHECK(t, rig);
			CHECK(t, pool_mix(t, rig, 16, cases[i].singles,
					  cases[i].large_first));
			ttmpool_pool_reserve(&rig->pool[0], cases[i].reserve);
			had = (unsigned long)rig_stats(rig).pages_pooled;
			CHECK_EQ(t,
				 ttmpool_manager_shrink_count(&rig->mgr, false),
				 had - cases[i].reserve);
			if (by_limit && cases[i].asked < 100)
				ttmpool_manager_set_page_budget(
					&rig->mgr, had - cases[i].asked);
			else if (by_limit)
				ttmpool_manager_set_pool_limit(&rig->mgr, 0);
			else
				ttmpool_manager_shrink_scan(
					&rig->mgr, cases[i].asked, false);
			CHECK_EQ(t, had - rig_stats(rig).pages_pooled,
				 cases[i].got);
			ttmpool_manager_set_page_budget(&rig->mgr,
							TTMPOOL_NO_LIMIT);
			CHECK(t, rig_is_quiet(t, rig));
			CHECK(t, rig_close(t, rig));
		}
	}
}

/* A populate gets room in the page budget from the pages over another pool's reserve, and
 * from all pooled pages of its own pool. */
static void s11_a_reserve_serves_its_own_pool(struct check *t)
{
	struct ttmpool_request wc = { .caching = TTMPOOL_WRITE_COMBINED,
				      .num_pages = 32 };
	struct ttmpool_request cached = { .caching = TTMPOOL_CACHED,
					  .num_pages = 8 };
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .page_budget = 32 });
	tpos_page_t *pages[8];

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &wc), 0);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &cached, pages, NULL),
		 -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 32);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &cached, pages, NULL), 0);
	CHECK(t, rig_stats(rig).pages_pooled <= 24);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], pages, 8, TTMPOOL_CACHED),
		 0);
	CHECK(t, rig_close(t, rig));
}

/* Reserved pages and their mappings do not go for a mapping of another pool of the
 * device, but they do for one of their own pool. */
static void s06_a_reserve_keeps_its_mappings(struct check *t)
{
	for (int source = 0; source < TTMPOOL_SOURCE_COUNT; source++) {
		struct ttmpool_request req = {
			.source = (enum ttmpool_source)source,
			.caching = TTMPOOL_WRITE_COMBINED,
			.num_pages = 20,
		};
		struct ttmpool_request other = { .caching = TTMPOOL_CACHED,
						 .num_pages = 4 };
		struct ttmpool_iova iova;
		tpos_page_t *pages[20];
		tpos_dma_addr_t addr[20];
		struct ttmpool_policy policy = rig_policy(t);
		struct rig *rig;

		policy.max_order = 1;
		CHECK_EQ(t, ttmpool_iova_init(&iova, 20 * 4096, 0), 0);
		rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
							.iova = &iova,
							.policy = &policy });
		CHECK(t, rig);
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
		ttmpool_pool_reserve(&rig->pool[0], 16);
		CHECK_EQ(t, ttmpool_iova_pages(&iova), 20);
		/* The four pages that are not reserved can go; no more. */
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[1], &other, pages, addr),
			 0);
		CHECK_EQ(t, ttmpool_iova_pages(&iova), 20);
		other.num_pages = 1;
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[1], &other, pages + 3,
					   addr + 3),
			 -ENOSPC);
		CHECK(t, rig_stats(rig).pages_pooled >= 16);
		CHECK_EQ(t, rig_stats(rig).bytes_mapped, 16 * 4096);
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[1], pages, 4,
					   TTMPOOL_CACHED),
			 0);
		/* For a request to its own pool, all of them go. */
		other.num_pages = 20;
		CHECK_EQ(t,
			 ttmpool_pool_take(&rig->pool[0], &other, pages, addr),
			 0);
		CHECK_EQ(t,
			 ttmpool_pool_give(&rig->pool[0], pages, 20,
					   TTMPOOL_CACHED),
			 0);
		CHECK(t, rig_close(t, rig));
		ttmpool_iova_fini(&iova);
	}
}

static unsigned long locks_taken(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return (unsigned long)counters.locks_taken;
}

/* If one pool has reserved all that the pool limit admits, pages that come back to
 * another pool are not pooled, and this costs few locks. Pages that the reserve lacks are
 * pooled. */
static void s11_a_limit_below_a_reserve_is_cheap(struct check *t)
{
	struct rig *rig = single_rig(t, 0);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 32 };
	struct ttmpool_pool_stats stats;
	struct shelf shelf;
	unsigned long locks;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	ttmpool_manager_set_pool_limit(&rig->mgr, 16);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 32);
	CHECK(t, shelf_take(&shelf, &rig->pool[1], 8, true));
	locks = locks_taken(t);
	CHECK(t, shelf_give(&shelf, 0, 8));
	CHECK(t, locks_taken(t) - locks <= 8 * 10);
	ttmpool_pool_stats(&rig->pool[1], &stats);
	CHECK_EQ(t, stats.pages_pooled, 0);
	CHECK_EQ(t, stats.pages_released, 8);
	/* The reserve is filled up again, but not beyond its size. */
	CHECK(t, shelf_take(&shelf, &rig->pool[0], 8, true));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 24);
	CHECK(t, shelf_give(&shelf, 0, 8));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 32);
	CHECK(t, rig_close(t, rig));
}

/* Pages over the pool limit that are no longer reserved go at once. */
static void s11_a_reserve_that_ends_is_trimmed(struct check *t)
{
	struct rig *rig = single_rig(t, 0);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 32 };

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 32);
	ttmpool_pool_reserve(&rig->pool[0], 16);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 16);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, rig_close(t, rig));
}

/* Beside the first pool of a rig, one that has single pages. */
static bool open_single(struct check *t, struct rig *rig)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .policy = &policy };

	policy.max_order = 0;
	config.dev = rig->dev[1] = rig->dev[0];
	if (ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config))
		return false;
	rig->nr_pools = 2;
	return true;
}

/* When the pool limit is exceeded, no pages of a pool go in place of an older chunk of
 * another pool that is too large for the rest of what shall go. */
static void s11_nothing_younger_goes_for_the_slack(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 7 * 512 };
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .pool_limit = 4096 });
	struct pages_config config = { .pool = 1,
				       .num_pages = 512,
				       .caching = TTMPOOL_UNCACHED };
	struct pages *some, *more;

	CHECK(t, rig && open_single(t, rig));
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	some = pages_open(t, rig, &config);
	config.num_pages = 510;
	more = pages_open(t, rig, &config);
	CHECK(t, some && !pages_take(some));
	CHECK(t, more && !pages_take(more));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 7 * 512);
	CHECK_EQ(t, pages_give(more), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_pooled, 512 + 510);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 6 * 512);
	CHECK(t, rig_close(t, rig));
}

/* Pages are given up in slices of 1024, each with one caching change; the first slice is
 * free before a third of the time has passed. */
static void s11_what_is_given_up_goes_in_slices(struct check *t)
{
	enum {
		LIMIT,
		BUDGET,
		SCAN,
		DRAIN,
		WAYS
	};
	const size_t pages = 5000;

	for (int way = 0; way < WAYS; way++) {
		struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
					       .num_pages = pages };
		struct rig *rig = single_rig(t, 0);
		struct tpsim_counters before, after;

		CHECK(t, rig);
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
		tpsim_counters(check_machine(t), &before);
		freed.largest = 0;
		freed.ns = 0;
		freed.machine = check_machine(t);
		if (way == LIMIT)
			ttmpool_manager_set_pool_limit(&rig->mgr, 0);
		else if (way == BUDGET)
			ttmpool_manager_set_page_budget(&rig->mgr, 0);
		else if (way == SCAN)
			ttmpool_manager_shrink_scan(&rig->mgr, pages, false);
		else
			ttmpool_pool_drain(&rig->pool[0]);
		tpsim_counters(check_machine(t), &after);
		freed.machine = NULL;
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
		CHECK_EQ(t, freed.largest, 1024);
		CHECK_EQ(t, after.caching_batches - before.caching_batches,
			 (pages + 1023) / 1024);
		CHECK(t, freed.ns - before.ns < (after.ns - before.ns) / 3);
		CHECK(t, rig_close(t, rig));
	}
}

/* A scan from within a reclaim, as when the reclaim has to allocate, does not wait, and
 * gets pages that are still pooled. */
static void s11_a_scan_within_a_reclaim_has_what_is_left(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 3000 };

	for (int way = 0; way < 3; way++) {
		struct rig *rig = single_rig(t, 0);

		CHECK(t, rig);
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
		freed.mgr = &rig->mgr;
		freed.got_within = 0;
		if (way == 0)
			ttmpool_manager_set_pool_limit(&rig->mgr, 0);
		else if (way == 1)
			ttmpool_manager_set_page_budget(&rig->mgr, 0);
		else
			ttmpool_manager_shrink_scan(&rig->mgr, 3000, false);
		CHECK_EQ(t, freed.got_within, 100);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A chunk that is larger than what is asked for goes whole, and less is asked for next: a
 * scan frees at most one chunk more than it was asked for. */
static void
s11_the_shrinker_takes_little_more_than_it_is_asked_for(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 6144 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	CHECK_EQ(t, tpsim_shrink(check_machine(t), 129), 512);
	CHECK_EQ(t, tpsim_shrink(check_machine(t), 1024), 1024);
	CHECK_EQ(t, tpsim_shrink(check_machine(t), 1025), 1536);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 6144 - 3072);
	CHECK(t, rig_close(t, rig));
}

/* Counting the pages that could be given up takes no lock of a pool. */
static void s11_a_count_asks_no_pool(struct check *t)
{
	enum {
		POOLS = 40
	};
	struct ttmpool_pool *pools = check_zalloc(t, POOLS * sizeof(*pools));
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .node = TTMPOOL_NODE_ANY,
					      .policy = &policy };
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 4 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	unsigned long locks;

	CHECK(t, rig && pools);
	policy.max_order = 0;
	config.dev = rig->dev[0];
	for (int i = 0; i < POOLS; i++) {
		CHECK_EQ(t, ttmpool_pool_init(&pools[i], &rig->mgr, &config),
			 0);
		CHECK_EQ(t, ttmpool_pool_prime(&pools[i], &req, false), 0);
		ttmpool_pool_reserve(&pools[i], (size_t)i % 6);
	}
	locks = locks_taken(t);
	/* Of six pools with four pages each, the reserves keep 0, 1, 2, 3, 4 and 4
	 * pages. */
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false),
		 6 * 10 + 4 + 3 + 2 + 1);
	CHECK_EQ(t, locks_taken(t), locks);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1000, false), 70);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 0);
	for (int i = 0; i < POOLS; i++)
		CHECK_EQ(t, ttmpool_pool_fini(&pools[i]), 0);
	CHECK(t, rig_close(t, rig));
}

/* Give back an array of single pages, one by one and in another order, so that no two
 * neighbours in a list came together. */
static bool give_singly(struct ttmpool_pool *pool, tpos_page_t **pages,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (ttmpool_pool_give(pool, &pages[i * 7 % n], 1,
				      TTMPOOL_UNCACHED))
			return false;
	return true;
}

/* Every operation on many chunks; the machine counts the steps that are made while a
 * spinlock is held, and complains of too many. */
static bool work_on_many(struct rig *rig, tpos_page_t **pages,
			 tpos_dma_addr_t *addr, size_t n)
{
	struct ttmpool_pool *pool = &rig->pool[0];
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = n };
	struct ttmpool_runs runs;

	for (int round = 0; round < 4; round++) {
		if (ttmpool_pool_take(pool, &req, pages, addr) ||
		    !give_singly(pool, pages, n))
			return false;
		if (round == 0)
			ttmpool_pool_scrub(pool, n);
		else if (round == 1)
			ttmpool_pool_drain(pool);
		else if (round == 2)
			ttmpool_manager_set_pool_limit(&rig->mgr, 10);
		else
			ttmpool_manager_set_page_budget(&rig->mgr, 10);
		ttmpool_manager_set_pool_limit(&rig->mgr, TTMPOOL_NO_LIMIT);
		ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	}
	if (ttmpool_pool_take(pool, &req, pages, addr) ||
	    ttmpool_pool_give(pool, pages, n, TTMPOOL_CACHED) != -EINVAL)
		return false;
	pages[n] = pages[0];
	if (ttmpool_pool_give(pool, pages, n + 1, TTMPOOL_UNCACHED) !=
		    -EINVAL ||
	    ttmpool_pool_give(pool, pages, n, TTMPOOL_UNCACHED) ||
	    ttmpool_runs_take(pool, &req, true, &runs) ||
	    ttmpool_runs_give(&runs))
		return false;
	return ttmpool_manager_shrink_scan(&rig->mgr, n, false) == n;
}

/* No operation holds a spinlock while it works on a long list. */
static void s11_no_spinlock_is_held_for_a_long_list(struct check *t)
{
	const size_t n = 2999;
	tpos_page_t **pages = check_zalloc(t, (n + 1) * sizeof(*pages));
	tpos_dma_addr_t *addr = check_zalloc(t, n * sizeof(*addr));

	CHECK(t, pages && addr);
	for (int careful = 0; careful < 2; careful++) {
		struct ttmpool_policy policy = rig_policy(t);
		struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
					       .num_pages = n };
		struct rig *rig;

		policy.max_order = 0;
		policy.verify = careful;
		rig = rig_open(t, &(struct rig_config){ .policy = &policy });
		CHECK(t, rig);
		CHECK(t, work_on_many(rig, pages, addr, n));
		/* This includes the teardown, of pooled pages and of pages in use. */
		CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, pages, addr),
			 0);
		CHECK(t, give_singly(&rig->pool[0], pages, n / 2));
		CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), n - n / 2);
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		rig->nr_pools = 0;
		CHECK(t, rig_close(t, rig));
	}
}

/* Nor is a spinlock held while many kept mappings end, or while a magazine gives up many
 * chunks. */
static void s06_no_spinlock_is_held_for_many_mappings(struct check *t)
{
	const size_t n = 2999;
	struct ttmpool_chunk **chunks = check_zalloc(t, n * sizeof(*chunks));
	struct ttmpool_chunk **got = check_zalloc(t, n * sizeof(*got));
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = n };
	struct ttmpool_magazine_config config = { .caching = TTMPOOL_UNCACHED,
						  .mapped = true,
						  .room = n };
	struct rig *rig = single_rig(t, n * 4096ull);
	struct ttmpool_owner owner;
	struct ttmpool_magazine mag;
	tpos_page_t *page;
	tpos_dma_addr_t addr;

	CHECK(t, rig && chunks && got);
	rig->pool[0].mapped_low = 4096;
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	req.caching = TTMPOOL_CACHED;
	req.num_pages = 1;
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &req, &page, &addr), 0);
	CHECK_EQ(t, rig_stats(rig).unmaps, n - 1);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], &page, 1, TTMPOOL_CACHED),
		 0);
	ttmpool_owner_init(&owner, "many");
	config.pool = &rig->pool[0];
	config.owner = &owner;
	config.chunks = chunks;
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, got, n / 2), 0);
	CHECK_EQ(t, ttmpool_magazine_put(&mag, got, n / 2), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, n);
	CHECK(t, rig_close(t, rig));
}

struct visits {
	struct rig *rig;
	unsigned int of[2];
};

/* Pages can be taken from a pool during its visit, because it is not locked. */
static void visit(struct ttmpool_pool *pool, void *arg)
{
	struct visits *visits = arg;
	struct shelf shelf;

	if (shelf_take(&shelf, pool, 1, true) && shelf_give(&shelf, 0, 1) &&
	    ttmpool_pool_drain(pool) == 1)
		visits->of[pool == &visits->rig->pool[1]]++;
}

/* Each pool is visited once; without pools nothing is visited. */
static void each_pool_is_visited(struct check *t)
{
	struct rig *rig = single_rig(t, 0);
	struct visits visits = { .rig = rig };

	CHECK(t, rig);
	ttmpool_manager_each_pool(&rig->mgr, visit, &visits);
	CHECK_EQ(t, visits.of[0], 1);
	CHECK_EQ(t, visits.of[1], 1);
	while (rig->nr_pools)
		CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[--rig->nr_pools]), 0);
	ttmpool_manager_each_pool(&rig->mgr, visit, &visits);
	CHECK_EQ(t, visits.of[0] + visits.of[1], 2);
	CHECK(t, rig_close(t, rig));
}

static unsigned long quarantined(struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages_quarantined;
}

/* Pages that are quarantined instead of freed are not reported to the system as given
 * up. */
static void s11_what_is_quarantined_has_not_been_given_up(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 8 };
	struct ttmpool_manager_stats stats;
	struct rig *rig = single_rig(t, 0);

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1,
						.times = 1 });
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = 1 });
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 4, false), 0);
	CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
	CHECK_EQ(t, quarantined(rig), 4);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 4);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_shrunk, 0);
	/* When they are repaired, they are reported. */
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 4, false), 4);
	CHECK_EQ(t, quarantined(rig), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 4);
	CHECK(t, rig_close(t, rig));
}

/* The pool tries to repair quarantined pages a few at a time, and less and less often;
 * when they can be repaired, all of them are in the end. */
static void f24_what_cannot_be_repaired_is_not_tried_for_ever(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1000 };
	struct tpsim_machine *machine = check_machine(t);
	struct tpsim_fault fault = { .nth = 1, .times = UINT_MAX };
	struct rig *rig = single_rig(t, 0);
	unsigned long calls, most = 0, all;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	fault.call = TPSIM_CALL_CACHING_SET;
	tpsim_fault_plan(machine, &fault);
	fault.call = TPSIM_CALL_CACHING_RESET;
	tpsim_fault_plan(machine, &fault);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 0);
	CHECK_EQ(t, quarantined(rig), 1000);
	all = tpsim_fault_calls(machine, TPSIM_CALL_CACHING_SET);
	for (int i = 0; i < 1000; i++) {
		calls = tpsim_fault_calls(machine, TPSIM_CALL_CACHING_SET);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 8, false),
			 0);
		calls = tpsim_fault_calls(machine, TPSIM_CALL_CACHING_SET) -
			calls;
		if (calls > most)
			most = calls;
	}
	CHECK(t, most <= 4);
	all = tpsim_fault_calls(machine, TPSIM_CALL_CACHING_SET) - all;
	CHECK(t, all <= 120);
	CHECK(t, tpsim_fault_clear(machine) > 0);
	for (int i = 0; i < 3000 && quarantined(rig); i++)
		ttmpool_manager_shrink_scan(&rig->mgr, 8, false);
	CHECK_EQ(t, quarantined(rig), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that a teardown has quarantined cannot be given up: if a request lacks more than
 * all other pages that could go, it is refused, and none of them goes. */
static void s06_what_is_quarantined_makes_no_room(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .page_budget = 100 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 30 };
	struct pages *strays, *some;

	CHECK(t, rig);
	strays = pages_open(
		t, rig, &(struct pages_config){ .pool = 1, .num_pages = 40 });
	some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = 80,
					.caching = TTMPOOL_UNCACHED });
	CHECK(t, strays && some && !pages_take(strays));
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[--rig->nr_pools]), 40);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, false), 0);
	CHECK_EQ(t, pages_take(some), -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 30);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK_EQ(t, pages_cycle(some), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(limits, CHECK_CASE(s06_what_is_quarantined_makes_no_room),
	    CHECK_CASE(s11_what_is_scrubbed_or_unmapped_is_as_old_as_before),
	    CHECK_CASE(s11_what_is_scrubbed_is_older_than_what_came_clear),
	    CHECK_CASE(s10_what_was_scrubbed_serves_single_pages),
	    CHECK_CASE(s11_the_oldest_leave_first_for_ever),
	    CHECK_CASE(s11_what_is_over_a_reserve_can_be_had),
	    CHECK_CASE(s11_a_reserve_serves_its_own_pool),
	    CHECK_CASE(s06_a_reserve_keeps_its_mappings),
	    CHECK_CASE(s11_a_limit_below_a_reserve_is_cheap),
	    CHECK_CASE(s11_a_reserve_that_ends_is_trimmed),
	    CHECK_CASE(s11_nothing_younger_goes_for_the_slack),
	    CHECK_CASE(s11_what_is_given_up_goes_in_slices),
	    CHECK_CASE(s11_a_scan_within_a_reclaim_has_what_is_left),
	    CHECK_CASE(s11_the_shrinker_takes_little_more_than_it_is_asked_for),
	    CHECK_CASE(s11_a_count_asks_no_pool),
	    CHECK_CASE(s11_no_spinlock_is_held_for_a_long_list),
	    CHECK_CASE(s06_no_spinlock_is_held_for_many_mappings),
	    CHECK_CASE(each_pool_is_visited),
	    CHECK_CASE(s11_what_is_quarantined_has_not_been_given_up),
	    CHECK_CASE(f24_what_cannot_be_repaired_is_not_tried_for_ever));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 16384 };

	return check_main(argc, argv, &check_suite_limits, &config);
}
