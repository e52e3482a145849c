// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Tickets (f54): a number with which pages are taken, and which the caller must show when
 * it gives them back. So a caller with an old array cannot give pages that are another's
 * by now.
 */

#include "rig.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

/**
 * struct taken - pages that were taken without a buffer
 */
struct taken {
	struct rig *rig;
	struct ttmpool_pool *pool;
	tpos_page_t *pages[2 * N];
};

static struct taken *take_with(struct check *t, uint32_t ticket,
			       unsigned int max_order)
{
	struct taken *taken = check_zalloc(t, sizeof(*taken));
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N,
				       .ticket = ticket };
	struct ttmpool_policy policy = rig_policy(t);

	if (!taken)
		return NULL;
	policy.max_order = max_order;
	taken->rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	if (!taken->rig)
		return NULL;
	taken->pool = &taken->rig->pool[0];
	return ttmpool_pool_take(taken->pool, &req, taken->pages, NULL) ? NULL
									: taken;
}

static int give(struct taken *taken, size_t first, size_t n, uint32_t ticket)
{
	return ttmpool_pool_give_ticket(taken->pool, taken->pages + first, n,
					TTMPOOL_WRITE_COMBINED, ticket);
}

/* Pages that were taken with a ticket can be given back with that ticket only, in parts
 * or all at once. */
static void f54_pages_go_back_with_their_ticket_alone(struct check *t)
{
	static const uint32_t others[] = { 0, 2, 42, 44, 0xffffffff };
	struct taken *taken = take_with(t, 43u * 2, 4);

	CHECK(t, taken);
	for (size_t i = 0; i < 5; i++) {
		CHECK_EQ(t, give(taken, 0, N, others[i]), -EINVAL);
		CHECK_EQ(t, give(taken, 16, 4, others[i]), -EINVAL);
		CHECK_EQ(t, give(taken, 20, 1, others[i]), -EINVAL);
		CHECK_EQ(t, rig_stats(taken->rig).refused[TTMPOOL_REPORT_STALE],
			 3 * (i + 1));
	}
	CHECK_EQ(t, rig_stats(taken->rig).pages_in_use, N);
	CHECK_EQ(t, give(taken, 16, 4, 86), 0);
	CHECK_EQ(t, give(taken, 0, 16, 86), 0);
	CHECK_EQ(t, give(taken, 20, 1, 86), 0);
	CHECK_EQ(t, give(taken, 20, 1, 86), -EINVAL);
	CHECK_EQ(t, rig_stats(taken->rig).refused[TTMPOOL_REPORT_DOUBLE], 1);
	CHECK(t, rig_close(t, taken->rig));
}

/* Pages that were taken without a ticket are given back without one, and not with one. */
static void f54_pages_without_a_ticket_need_none(struct check *t)
{
	struct taken *taken = take_with(t, 0, 4);

	CHECK(t, taken);
	CHECK_EQ(t, give(taken, 0, N, 2), -EINVAL);
	CHECK_EQ(t, give(taken, 0, N, ttmpool_pool_new_ticket(taken->pool)),
		 -EINVAL);
	CHECK_EQ(t, rig_stats(taken->rig).refused[TTMPOOL_REPORT_STALE], 2);
	CHECK_EQ(t,
		 ttmpool_pool_give(taken->pool, taken->pages, N,
				   TTMPOOL_WRITE_COMBINED),
		 0);
	CHECK(t, rig_close(t, taken->rig));
}

/* An array whose second half has another ticket is refused as a whole, though its pages
 * were handed out one after another. */
static void f54_half_an_array_of_old_is_none(struct check *t)
{
	struct taken *taken = take_with(t, 2, 0);
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N,
				       .ticket = 4 };

	CHECK(t, taken);
	CHECK_EQ(t,
		 ttmpool_pool_take(taken->pool, &req, taken->pages + N, NULL),
		 0);
	CHECK_EQ(t, give(taken, 0, 2 * N, 2), -EINVAL);
	CHECK_EQ(t, give(taken, 0, 2 * N, 4), -EINVAL);
	CHECK_EQ(t, give(taken, N - 1, 2, 2), -EINVAL);
	CHECK_EQ(t, rig_stats(taken->rig).refused[TTMPOOL_REPORT_STALE], 3);
	CHECK_EQ(t, rig_stats(taken->rig).pages_in_use, 2 * N);
	CHECK_EQ(t, give(taken, N, N, 4), 0);
	CHECK_EQ(t, give(taken, 0, N, 2), 0);
	CHECK(t, rig_close(t, taken->rig));
}

/* The pool's own tickets are odd, and each differs from the one before. */
static void f54_no_two_tickets_are_alike(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	uint32_t before = 0;

	CHECK(t, rig);
	for (int i = 0; i < 100; i++) {
		uint32_t ticket = ttmpool_pool_new_ticket(&rig->pool[0]);

		CHECK(t, ticket % 2 && ticket != before);
		before = ticket;
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(tickets, CHECK_CASE(f54_pages_go_back_with_their_ticket_alone),
	    CHECK_CASE(f54_pages_without_a_ticket_need_none),
	    CHECK_CASE(f54_half_an_array_of_old_is_none),
	    CHECK_CASE(f54_no_two_tickets_are_alike));
