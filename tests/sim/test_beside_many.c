// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Many threads that swap out many buffers at the same time (S7, S11): no lock is held for a walk
 * past all of them, and none of them is forgotten.
 */

#include "crew.h"

/* Many threads whose store has failed bring back all that they had: that takes no long walk
 * under the lock, however many they are. */
static void s11_many_come_back_in_short_steps(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	struct tpsim_counters counters;

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	for (int i = 0; i < WORKERS; i++)
		CHECK(t, crew_holds(crew, i, i * PARTY, crew_shrink,
				    PARTY * PAGES));
	crew_store_fails = true;
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(t, crew_goes_on(i), 0);
	crew_store_fails = false;
	tpsim_counters(check_machine(t), &counters);
	CHECK(t, counters.longest_hold <= 256);
	CHECK(t, crew_close(t, crew));
}

/* A buffer that was used while it was swapped out, and before many others were, comes back in
 * short steps as well; it is only known to be older than some of them. */
static void s11_many_used_later_take_no_long_walk(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	struct tpsim_counters counters;

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	CHECK(t, crew_holds(crew, 0, 0, crew_shrink, 1));
	for (int i = 0; i < WORKERS * PARTY; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK_EQ(t, crew_goes_on(0), 1);
	CHECK(t, ttmpool_manager_is_valid(&crew->rig->mgr));
	tpsim_counters(check_machine(t), &counters);
	CHECK(t, counters.longest_hold <= 256);
	CHECK_EQ(t, crew_shrink(&crew->rig->mgr, PAGES), PAGES);
	CHECK_EQ(t, crew_stored(crew, 1), PAGES);
	CHECK(t, crew_close(t, crew));
}

/* Ten threads of the shrinker have all buffers, and a swap-out of all pages waits for them. Then
 * all buffers but those of the first thread are used. */
static bool all_are_held(struct check *t, struct crew *crew)
{
	bool good = crew_open(t, crew, 10 * PARTY);

	for (int i = 0; good && i < 10; i++)
		good = crew_holds(crew, i, i * PARTY, crew_shrink,
				  PARTY * PAGES);
	good = good && crew_begins(crew, 10, ttmpool_manager_swapout,
				   TTMPOOL_ALL_PAGES);
	if (!good)
		return false;
	crew_until_one_follows(crew);
	for (int i = PARTY; i < 10 * PARTY; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	return true;
}

/* A thread that looks whether others have a buffer that it may wait for does not look at all
 * that they have. */
static void s11_many_victims_take_no_long_walk(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	struct tpsim_counters counters;

	CHECK(t, crew && all_are_held(t, crew));
	CHECK_EQ(t, crew_goes_on(0), PARTY * PAGES);
	CHECK(t, crew_ends(10));
	tpsim_counters(check_machine(t), &counters);
	CHECK(t, counters.longest_hold <= 256);
	for (int i = 1; i < 11; i++)
		crew_goes_on(i);
	CHECK(t, crew_close(t, crew));
}

/* A buffer that left half is the next, though all others were used after the round began. */
static void s07_half_a_buffer_is_the_next_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && crew_open_pools(t, crew, WORKERS * PARTY, 2));
	CHECK(t, crew_holds(crew, 0, 0, crew_shrink, PAGES + 2));
	for (int i = 1; i < crew->n; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK_EQ(t, crew_goes_on(0), PAGES + 2);
	CHECK_EQ(t, crew_shrink(&crew->rig->mgr, PAGES - 2), PAGES - 2);
	CHECK_EQ(t, crew_stored(crew, 1), PAGES);
	CHECK_EQ(t, crew_stored(crew, 2), 0);
	CHECK(t, crew_close(t, crew));
}

/* The buffers that were to leave with one that cannot leave do so without it, behind many that
 * are locked. */
static void s07_a_bad_buffer_hides_nobody_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	tpos_page_t *first;

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	first = crew_spoil(crew->buf[200]);
	CHECK(t, crew_holds(crew, 0, 0, ttmpool_manager_swapout,
			    TTMPOOL_ALL_PAGES));
	for (int i = PARTY; i < crew->n; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	crew_lock(crew, PARTY, 200);
	CHECK_EQ(t, crew_goes_on(0), (size_t)(PARTY + crew->n - 201) * PAGES);
	crew_release(crew, PARTY, 200);
	crew->buf[200]->pages[0] = first;
	CHECK(t, crew_close(t, crew));
}

/* A buffer that comes back among those that another round has looked at is looked at by that
 * round. */
static void s07_who_comes_back_among_many_is_seen(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	CHECK(t, crew_holds(crew, 0, 0, crew_shrink, 1));
	ttmpool_lru_touch(&crew->buf[0]->be);
	crew_lock(crew, 1, 201);
	CHECK(t, crew_holds(crew, 1, 201, ttmpool_manager_swapout,
			    TTMPOOL_ALL_PAGES));
	CHECK_EQ(t, crew_goes_on(0), 1);
	CHECK_EQ(t, crew_goes_on(1), (size_t)(crew->n - 200) * PAGES - 1);
	crew_release(crew, 1, 201);
	CHECK_EQ(t, crew_stored(crew, 0), PAGES);
	CHECK(t, crew_close(t, crew));
}

/* A swap-out of all pages waits for old buffers that others have, also among many that were
 * used meanwhile. */
static void s07_old_victims_are_found_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && all_are_held(t, crew));
	CHECK(t, crew_waits(10) && crew_waits(10));
	for (int i = 0; i < 11; i++)
		crew_goes_on(i);
	CHECK(t, crew_close(t, crew));
}

CHECK_SUITE(beside_many, CHECK_CASE(s11_many_come_back_in_short_steps),
	    CHECK_CASE(s11_many_used_later_take_no_long_walk),
	    CHECK_CASE(s11_many_victims_take_no_long_walk),
	    CHECK_CASE(s07_half_a_buffer_is_the_next_among_many),
	    CHECK_CASE(s07_a_bad_buffer_hides_nobody_among_many),
	    CHECK_CASE(s07_who_comes_back_among_many_is_seen),
	    CHECK_CASE(s07_old_victims_are_found_among_many));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_beside_many, &config);
}
