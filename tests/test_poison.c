// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pages that the hardware has poisoned (f56), under the default policy, in every way in
 * which pages are handed out or leave. The next owner of such a page would lose its data,
 * or crash the machine.
 */

#include <ttmpool/magazine.h>
#include <ttmpool/runs.h>

#include "rig.h"

#define ROOM 8

/* What is taken, and what is done to it while it is pooled. */
struct way {
	size_t num_pages;
	enum ttmpool_source source;
	bool scrubbed;
};

static const struct way ways[] = {
	{ .num_pages = 1 },
	{ .num_pages = 1, .scrubbed = true },
	{ .num_pages = 21 },
	{ .num_pages = 21, .scrubbed = true },
	{ .num_pages = 64 },
	{ .num_pages = 64, .scrubbed = true },
	{ .num_pages = 1, .source = TTMPOOL_COHERENT },
	{ .num_pages = 21, .source = TTMPOOL_COHERENT },
};

#define NR_WAYS (sizeof(ways) / sizeof(*ways))

static struct pages *open_way(struct check *t, struct rig *rig,
			      const struct way *way)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = way->num_pages,
					.source = way->source,
					.caching = TTMPOOL_WRITE_COMBINED });
}

static bool have_page(const struct pages *some, const tpos_page_t *page)
{
	for (size_t i = 0; i < some->req.num_pages; i++)
		if (some->pages[i] == page)
			return true;
	return false;
}

/* A page that is poisoned while it is pooled is not handed out, clean or dirty, in a
 * chunk of any size, and of either source. */
static void f56_a_poisoned_page_is_not_handed_out(struct check *t)
{
	for (size_t i = 0; i < NR_WAYS; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct pages *some;
		tpos_page_t *bad;

		CHECK(t, rig);
		some = open_way(t, rig, &ways[i]);
		CHECK(t, some && !pages_take(some));
		CHECK(t, pages_fill(t, some, 0x5a));
		bad = some->pages[ways[i].num_pages / 2];
		CHECK_EQ(t, pages_give(some), 0);
		if (ways[i].scrubbed)
			ttmpool_pool_scrub(&rig->pool[0], (size_t)-1);
		if (!check_poison(t, bad)) {
			CHECK(t, rig_close(t, rig));
			return;
		}
		CHECK_EQ(t, pages_take(some), 0);
		CHECK(t, !have_page(some, bad) && pages_hold(t, some, 0));
		CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), i + 1);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* When dirty pages are cleared ahead of time, those of a poisoned chunk are not cleared, and
 * do not count. */
static void f56_what_is_poisoned_does_not_count_as_cleared(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;
	size_t sound = 65;

	CHECK(t, rig);
	some = open_way(t, rig, &(struct way){ .num_pages = 65 });
	CHECK(t, some && !pages_take(some));
	if (check_poison(t, some->pages[3]))
		sound -= ttmpool_chunk_pages(
			tpos_page_chunk(rig->dev[0], some->pages[0]));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, ttmpool_pool_scrub(some->pool, (size_t)-1), sound);
	CHECK(t, rig_is_quiet(t, rig));
	ttmpool_pool_drain(some->pool);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A page that is poisoned while it is in use can be given back, and is not handed out
 * again. */
static void f56_what_was_poisoned_in_use_is_not_handed_out(struct check *t)
{
	for (size_t i = 0; i < NR_WAYS; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct pages *some;
		tpos_page_t *bad;

		CHECK(t, rig);
		some = open_way(t, rig, &ways[i]);
		CHECK(t, some && !pages_take(some));
		bad = some->pages[0];
		check_poison(t, bad);
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, pages_take(some), 0);
		CHECK(t, !have_page(some, bad) || !tpos_page_is_poisoned(bad));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A chunk with a poisoned page goes into quarantine instead of to the system; all other
 * chunks leave. */
static void f56_a_poisoned_page_does_not_leave(struct check *t)
{
	for (size_t i = 0; i < NR_WAYS; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct ttmpool_chunk *chunk;
		struct pages *some;
		size_t n;

		CHECK(t, rig);
		some = open_way(t, rig, &ways[i]);
		CHECK(t, some && !pages_take(some));
		chunk = tpos_page_chunk(rig->dev[0], some->pages[0]);
		n = ttmpool_chunk_pages(chunk);
		if (!check_poison(t, some->pages[n - 1])) {
			CHECK_EQ(t, pages_give(some), 0);
			CHECK(t, rig_close(t, rig));
			return;
		}
		CHECK_EQ(t, pages_give(some), 0);
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), i + 1);
		CHECK_EQ(t, rig_stats(rig).pages_quarantined, n);
		CHECK_EQ(t, check_pages_out(t), n);
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A poisoned page is not handed out in runs. */
static void f56_a_poisoned_page_is_in_no_run(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 21 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_runs runs;
	struct ttmpool_chunk *chunk;
	tpos_page_t *bad;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_runs_take(&rig->pool[0], &req, true, &runs), 0);
	bad = ttmpool_chunk_of(runs.chunks.prev)->page;
	CHECK_EQ(t, ttmpool_runs_give(&runs), 0);
	check_poison(t, bad);
	CHECK_EQ(t, ttmpool_runs_take(&rig->pool[0], &req, true, &runs), 0);
	ttmpool_for_each_chunk(chunk, &runs.chunks)
		CHECK(t, chunk->page != bad || !tpos_page_is_poisoned(bad));
	CHECK_EQ(t, ttmpool_runs_give(&runs), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A magazine does not get a pooled page that is poisoned. */
static void f56_a_poisoned_page_is_in_no_magazine(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunks[ROOM], *out[ROOM / 2];
	struct ttmpool_magazine_config config = {
		.caching = TTMPOOL_WRITE_COMBINED,
		.mapped = true,
		.chunks = chunks,
		.room = ROOM,
	};
	struct ttmpool_magazine mag;
	struct ttmpool_owner owner;
	struct pages *some;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "ring");
	config.pool = &rig->pool[0];
	config.owner = &owner;
	some = open_way(t, rig, &ways[0]);
	CHECK(t, some && !pages_cycle(some));
	check_poison(t, some->pages[0]);
	CHECK_EQ(t, ttmpool_magazine_init(&mag, &config), 0);
	CHECK_EQ(t, ttmpool_magazine_get(&mag, out, ROOM / 2), 0);
	for (size_t i = 0; i < ROOM / 2; i++)
		CHECK(t, !tpos_page_is_poisoned(out[i]->page));
	CHECK_EQ(t, ttmpool_magazine_put(&mag, out, ROOM / 2), 0);
	ttmpool_magazine_fini(&mag);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A scrub does not write to a poisoned page: it quarantines the chunk and clears the
 * others. */
static void f56_a_poisoned_page_is_not_cleared(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct pages *some;
	size_t n;

	CHECK(t, rig);
	some = open_way(t, rig, &ways[2]);
	CHECK(t, some && !pages_take(some));
	chunk = tpos_page_chunk(rig->dev[0], some->pages[0]);
	n = ttmpool_chunk_pages(chunk);
	CHECK_EQ(t, pages_give(some), 0);
	if (check_poison(t, some->pages[n - 1])) {
		ttmpool_pool_scrub(&rig->pool[0], (size_t)-1);
		CHECK_EQ(t, rig_stats(rig).bytes_cleared,
			 (some->req.num_pages - n)
				 << rig->pool[0].info.page_shift);
		CHECK_EQ(t, rig_stats(rig).pages_pooled,
			 some->req.num_pages - n);
		CHECK_EQ(t, rig_stats(rig).pages_quarantined, n);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* If all pooled pages are poisoned, a scrub clears nothing. */
static void f56_a_scrub_of_nothing_else_clears_nothing(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_way(t, rig, &ways[0]);
	CHECK(t, some && !pages_cycle(some));
	if (check_poison(t, some->pages[0])) {
		ttmpool_pool_scrub(&rig->pool[0], (size_t)-1);
		CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
		CHECK_EQ(t, rig_stats(rig).pages_quarantined, 1);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A take fails if the budget has no room for pages in place of a poisoned one. */
static void f56_nobody_gets_it_for_want_of_others(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 21 });
	struct pages *some;

	CHECK(t, rig);
	some = open_way(t, rig, &ways[2]);
	CHECK(t, some && !pages_cycle(some));
	if (check_poison(t, some->pages[20])) {
		CHECK_EQ(t, pages_take(some), -ENOMEM);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		CHECK_EQ(t, pages_cycle(some), 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(poison, CHECK_CASE(f56_a_poisoned_page_is_not_handed_out),
	    CHECK_CASE(f56_what_was_poisoned_in_use_is_not_handed_out),
	    CHECK_CASE(f56_what_is_poisoned_does_not_count_as_cleared),
	    CHECK_CASE(f56_a_poisoned_page_does_not_leave),
	    CHECK_CASE(f56_a_poisoned_page_is_in_no_run),
	    CHECK_CASE(f56_a_poisoned_page_is_in_no_magazine),
	    CHECK_CASE(f56_a_poisoned_page_is_not_cleared),
	    CHECK_CASE(f56_a_scrub_of_nothing_else_clears_nothing),
	    CHECK_CASE(f56_nobody_gets_it_for_want_of_others));
