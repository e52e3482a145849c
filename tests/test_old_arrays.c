// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Stale arrays (f54): pages that were given back and now belong to another buffer. A
 * caller that gives, moves or drops them by an old array is refused, and the report
 * differs from that for a double give of pages that are free.
 */

#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 5

/* The library's own functions; and buffer_plain, which stands for a driver's. */
#define STOCK_FUNCS                                   \
	{                                             \
		&ttmpool_backend_plain, &buffer_plain \
	}

/**
 * struct old - a buffer that was given back, and one that has its pages now
 * @rig: with two pools
 * @from: EMPTY
 * @to: populated, and stamped
 * @pages: the pages that @from had
 */
struct old {
	struct rig *rig;
	struct buffer *from;
	struct buffer *to;
	tpos_page_t **pages;
};

static struct buffer *open_buffer(struct check *t, struct rig *rig,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

static void copy_pages(tpos_page_t **to, tpos_page_t **from)
{
	for (size_t i = 0; i < N; i++)
		to[i] = from[i];
}

/* Are these the same pages? */
static bool same_pages(tpos_page_t **a, tpos_page_t **b)
{
	for (size_t i = 0; i < N; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

static struct old *old_open(struct check *t,
			    const struct ttmpool_backend_funcs *funcs)
{
	struct old *old = check_zalloc(t, sizeof(*old));

	if (!old)
		return NULL;
	old->rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	old->pages = check_zalloc(t, N * sizeof(*old->pages));
	if (!old->rig || !old->pages)
		return NULL;
	old->from = open_buffer(t, old->rig, funcs);
	old->to = open_buffer(t, old->rig, funcs);
	if (!old->from || !old->to || ttmpool_populate(&old->from->be))
		return NULL;
	copy_pages(old->pages, old->from->pages);
	if (ttmpool_unpopulate(&old->from->be) ||
	    ttmpool_populate(&old->to->be) || !buffer_stamp(t, old->to, SEED) ||
	    !same_pages(old->pages, old->to->pages))
		return NULL;
	return old;
}

/* Restore the old array and state of @from, which are stale. */
static void old_return(struct old *old, enum ttmpool_tt_state state)
{
	copy_pages(old->from->pages, old->pages);
	old->from->be.tt.state = state;
}

/* Make @from empty again, as it really is. */
static void old_end(struct old *old)
{
	for (size_t i = 0; i < N; i++)
		old->from->pages[i] = NULL;
	old->from->be.tt.state = TTMPOOL_TT_EMPTY;
}

static bool old_close(struct check *t, struct old *old)
{
	return buffer_is_stamped(t, old->to, SEED) &&
	       !ttmpool_unpopulate(&old->to->be) && rig_close(t, old->rig);
}

/* Were exactly @times calls refused as stale, and nothing else, with no change? */
static bool is_stale(struct check *t, struct old *old, size_t times)
{
	struct ttmpool_pool_stats stats = rig_stats(old->rig);

	return stats.refused[TTMPOOL_REPORT_STALE] == times &&
	       check_reports(t, TTMPOOL_REPORT_STALE) == times &&
	       !stats.refused[TTMPOOL_REPORT_DOUBLE] &&
	       stats.pages_in_use == N &&
	       old->to->be.tt.state == TTMPOOL_TT_POPULATED;
}

static int swapout(struct ttmpool_backend *be)
{
	return ttmpool_swapout(be, TTMPOOL_ALL_PAGES);
}

/* No operation of a buffer moves or gives back pages that it had and another buffer has
 * now. */
static void f54_no_verb_takes_what_another_has_by_now(struct check *t)
{
	static int (*const verbs[])(struct ttmpool_backend * be) = {
		ttmpool_unpopulate, ttmpool_drop, ttmpool_to_anonymous, swapout
	};
	static const struct ttmpool_backend_funcs *const funcs[] = STOCK_FUNCS;

	for (int f = 0; f < 2; f++) {
		struct old *old = old_open(t, funcs[f]);
		size_t told = check_reports(t, TTMPOOL_REPORT_STALE);

		CHECK(t, old);
		for (size_t i = 0; i < 4; i++) {
			old_return(old, TTMPOOL_TT_POPULATED);
			CHECK_EQ(t, verbs[i](&old->from->be), -EINVAL);
			CHECK_EQ(t, old->from->be.tt.state,
				 TTMPOOL_TT_POPULATED);
			old_end(old);
			CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_STALE),
				 told + i + 1);
			CHECK(t, rig_is_quiet(t, old->rig));
			CHECK(t, buffer_is_stamped(t, old->to, SEED));
		}
		CHECK_EQ(t, rig_stats(old->rig).refused[TTMPOOL_REPORT_STALE],
			 4);
		CHECK_EQ(t, rig_stats(old->rig).pages_in_use, N);
		CHECK(t, old_close(t, old));
	}
}

/* An anonymous buffer with a stale array is neither handed over nor made ready for the
 * device. */
static void f54_nothing_of_old_is_handed_over(struct check *t)
{
	struct old *old = old_open(t, &ttmpool_backend_plain);
	struct buffer *third;

	CHECK(t, old);
	third = open_buffer(t, old->rig, &ttmpool_backend_plain);
	CHECK(t, third);
	old_return(old, TTMPOOL_TT_ANONYMOUS);
	CHECK_EQ(t, ttmpool_handover(&old->from->be, &third->be), -EINVAL);
	CHECK_EQ(t, third->be.tt.state, TTMPOOL_TT_EMPTY);
	CHECK(t, is_stale(t, old, 1));
	CHECK_EQ(t, ttmpool_to_device(&old->from->be), -EINVAL);
	CHECK(t, is_stale(t, old, 2));
	CHECK_EQ(t, old->from->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	old_end(old);
	CHECK(t, old_close(t, old));
}

/* After a handover the first buffer cannot drop the pages: they have the ticket of the
 * second buffer, in the same pool. */
static void f54_what_was_handed_over_is_not_given_back(struct check *t)
{
	static const struct ttmpool_backend_funcs *const funcs[] = STOCK_FUNCS;

	for (int f = 0; f < 2; f++) {
		struct old *old = old_open(t, funcs[f]);

		CHECK(t, old);
		CHECK_EQ(t, ttmpool_to_anonymous(&old->to->be), 0);
		CHECK_EQ(t, ttmpool_handover(&old->to->be, &old->from->be), 0);
		copy_pages(old->to->pages, old->pages);
		old->to->be.tt.state = TTMPOOL_TT_ANONYMOUS;
		CHECK_EQ(t, ttmpool_drop(&old->to->be), -EINVAL);
		CHECK_EQ(t, rig_stats(old->rig).refused[TTMPOOL_REPORT_STALE],
			 1);
		for (size_t i = 0; i < N; i++)
			old->to->pages[i] = NULL;
		old->to->be.tt.state = TTMPOOL_TT_EMPTY;
		CHECK_EQ(t, ttmpool_to_device(&old->from->be), 0);
		CHECK(t, buffer_is_stamped(t, old->from, SEED));
		CHECK_EQ(t, ttmpool_unpopulate(&old->from->be), 0);
		CHECK(t, rig_close(t, old->rig));
	}
}

/* A give without a ticket cannot give pages that were taken with one. */
static void f54_an_array_alone_gives_nothing_of_a_buffer(struct check *t)
{
	struct old *old = old_open(t, &ttmpool_backend_plain);
	struct ttmpool_pool *pool;

	CHECK(t, old);
	pool = &old->rig->pool[0];
	CHECK_EQ(t,
		 ttmpool_pool_give(pool, old->pages, N, TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK(t, is_stale(t, old, 1));
	CHECK_EQ(t,
		 ttmpool_pool_give(pool, old->pages + 20, 1,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK(t, is_stale(t, old, 2));
	CHECK(t, old_close(t, old));
}

/* A driver whose unpopulate does not know tickets gives its arrays as before, and a
 * caller with a ticket of its own cannot give them. */
static void f54_a_driver_need_not_know_of_tickets(struct check *t)
{
	struct old *old = old_open(t, &buffer_plain);
	struct ttmpool_pool *pool;

	CHECK(t, old);
	pool = &old->rig->pool[0];
	CHECK_EQ(t,
		 ttmpool_pool_give_ticket(pool, old->pages, N,
					  TTMPOOL_WRITE_COMBINED,
					  ttmpool_pool_new_ticket(pool)),
		 -EINVAL);
	CHECK(t, is_stale(t, old, 1));
	CHECK_EQ(t,
		 ttmpool_pool_give(pool, old->pages, N, TTMPOOL_WRITE_COMBINED),
		 0);
	for (size_t i = 0; i < N; i++)
		old->to->pages[i] = NULL;
	old->to->be.tt.state = TTMPOOL_TT_EMPTY;
	CHECK(t, rig_close(t, old->rig));
}

/* A buffer keeps its ticket when a populate fails: its stale array still differs from
 * pages that a driver took without a ticket. */
static void f54_a_failed_populate_makes_nobody_another(struct check *t)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N };
	struct old *old = old_open(t, &ttmpool_backend_plain);
	struct ttmpool_pool *pool;

	CHECK(t, old);
	pool = &old->rig->pool[0];
	ttmpool_manager_set_page_budget(&old->rig->mgr, N);
	CHECK_EQ(t, ttmpool_populate(&old->from->be), -ENOMEM);
	ttmpool_manager_set_page_budget(&old->rig->mgr, TTMPOOL_NO_LIMIT);
	CHECK_EQ(t, ttmpool_unpopulate(&old->to->be), 0);
	CHECK_EQ(t, ttmpool_pool_take(pool, &req, old->to->pages, NULL), 0);
	CHECK(t, same_pages(old->pages, old->to->pages));
	old_return(old, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, ttmpool_unpopulate(&old->from->be), -EINVAL);
	CHECK_EQ(t, rig_stats(old->rig).refused[TTMPOOL_REPORT_STALE], 1);
	old_end(old);
	CHECK_EQ(t,
		 ttmpool_pool_give(pool, old->to->pages, N,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	for (size_t i = 0; i < N; i++)
		old->to->pages[i] = NULL;
	CHECK(t, rig_close(t, old->rig));
}

CHECK_SUITE(old_arrays, CHECK_CASE(f54_no_verb_takes_what_another_has_by_now),
	    CHECK_CASE(f54_nothing_of_old_is_handed_over),
	    CHECK_CASE(f54_what_was_handed_over_is_not_given_back),
	    CHECK_CASE(f54_an_array_alone_gives_nothing_of_a_buffer),
	    CHECK_CASE(f54_a_driver_need_not_know_of_tickets),
	    CHECK_CASE(f54_a_failed_populate_makes_nobody_another));
