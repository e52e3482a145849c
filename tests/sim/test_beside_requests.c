// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Requests for pages, whose buffers have to be swapped out, beside calls of the shrinker (S6).
 */

#include "crew.h"

static struct buffer *wants;

static unsigned long populate(struct ttmpool_manager *mgr, unsigned long pages)
{
	return wants->be.pool->mgr != mgr || ttmpool_populate(&wants->be)
		       ? 0
		       : pages;
}

/* Takes as many pages, and gives them back. */
static unsigned long take_some(struct ttmpool_manager *mgr, unsigned long pages)
{
	struct ttmpool_request req = { .num_pages = pages };
	tpos_page_t *taken[PAGES];

	(void)mgr;
	if (ttmpool_pool_take(wants->be.pool, &req, taken, NULL))
		return 0;
	return ttmpool_pool_give(wants->be.pool, taken, pages, req.caching)
		       ? 0
		       : pages;
}

/* A request for pages within the budget is not refused because the shrinker has the only
 * buffer that could leave: it waits until pages of that one have left. */
static void s06_a_request_waits_for_the_shrinker(struct check *t)
{
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	wants = buffer_open(t, crew.rig, &config);
	CHECK(t, wants);
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, PAGES));
	CHECK(t, crew_begins(&crew, 1, populate, PAGES) && crew_waits(1));
	CHECK_EQ(t, crew_goes_on(0), PAGES);
	CHECK_EQ(t, crew_goes_on(1), PAGES);
	CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
	CHECK(t, crew_close(t, &crew));
}

/* If the pages that the shrinker got back are not enough, the request swaps out the rest. */
static void s06_a_request_gets_what_the_shrinker_leaves(struct check *t)
{
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	wants = buffer_open(t, crew.rig, &config);
	CHECK(t, wants);
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 1));
	CHECK(t, crew_begins(&crew, 1, populate, PAGES) && crew_waits(1));
	CHECK_EQ(t, crew_goes_on(0), 1);
	CHECK_EQ(t, crew_goes_on(1), PAGES);
	CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
	CHECK(t, crew_close(t, &crew));
}

/* Three requests wait for the buffer that the shrinker has. Returns whether nobody is woken
 * meanwhile, and all of them are served after that. */
static bool three_wait_quietly(struct crew *crew)
{
	bool good = crew_holds(crew, 0, 0, crew_shrink, PAGES);

	for (int i = 1; i < 4; i++)
		good &= crew_begins(crew, i, take_some, PAGES / 4) &&
			crew_waits(i);
	crew_wakes = 0;
	good &= crew_waits(1) && crew_waits(2) && crew_waits(3) && !crew_wakes;
	good &= crew_goes_on(0) == PAGES;
	for (int i = 1; i < 4; i++)
		good &= crew_goes_on(i) == PAGES / 4;
	return good;
}

/* Requests that wait for the same buffer of the shrinker do not wake each other. */
static void s06_who_waits_for_the_shrinker_wakes_nobody(struct check *t)
{
	struct buffer_config config = { .num_pages = PAGES / 4,
					.funcs = &buffer_plain };
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	wants = buffer_open(t, crew.rig, &config);
	CHECK(t, wants);
	CHECK(t, three_wait_quietly(&crew));
	CHECK(t, crew_close(t, &crew));
}

/* Such a buffer also serves a request, if the older one cannot leave, because somebody has
 * written to its array. */
static void s06_a_request_looks_at_all(struct check *t)
{
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };
	tpos_page_t *first;

	for (int how = LOCKED; how < NR_DISTURBANCES; how++) {
		struct crew crew;

		CHECK(t, crew_open_pools(t, &crew, 2, 2));
		wants = buffer_open(t, crew.rig, &config);
		CHECK(t, wants);
		first = crew.buf[0]->pages[0];
		crew.buf[0]->pages[0] = crew.buf[0]->pages[1];
		CHECK(t, crew_holds(&crew, 0, 0, populate, PAGES));
		CHECK_EQ(t, crew_disturb(&crew, (enum crew_disturbance)how), 0);
		CHECK_EQ(t, crew_goes_on(0), PAGES);
		CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
		crew.buf[0]->pages[0] = first;
		CHECK(t, crew_close(t, &crew));
	}
}

/* Requests that wait for the shrinker do not wake each other either if they find a buffer that
 * cannot leave. */
static void s06_who_finds_a_bad_buffer_wakes_nobody(struct check *t)
{
	struct buffer_config config = { .num_pages = PAGES / 4,
					.funcs = &buffer_plain };
	struct crew crew;
	tpos_page_t *first;

	CHECK(t, crew_open(t, &crew, 2));
	wants = buffer_open(t, crew.rig, &config);
	CHECK(t, wants);
	first = crew_spoil(crew.buf[1]);
	CHECK(t, three_wait_quietly(&crew));
	crew.buf[1]->pages[0] = first;
	CHECK(t, crew_close(t, &crew));
}

CHECK_SUITE(beside_requests, CHECK_CASE(s06_a_request_waits_for_the_shrinker),
	    CHECK_CASE(s06_a_request_gets_what_the_shrinker_leaves),
	    CHECK_CASE(s06_who_waits_for_the_shrinker_wakes_nobody),
	    CHECK_CASE(s06_a_request_looks_at_all),
	    CHECK_CASE(s06_who_finds_a_bad_buffer_wakes_nobody));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_beside_requests, &config);
}
