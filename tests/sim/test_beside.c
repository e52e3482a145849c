// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that swap buffers out for others at the same time (S7): calls of the shrinker, beside
 * each other and beside a swap-out that a driver wants.
 */

#include "crew.h"

/* While one thread swaps a buffer out, for whatever reason, the shrinker swaps out others for
 * another thread. */
static void s07_the_shrinker_swaps_out_beside_others(struct check *t)
{
	unsigned long (*calls[])(
		struct ttmpool_manager * mgr,
		unsigned long pages) = { ttmpool_manager_swapout, crew_shrink };

	for (int i = 0; i < 2; i++) {
		struct crew crew;

		CHECK(t, crew_open(t, &crew, 2));
		CHECK(t, crew_holds(&crew, 0, 0, calls[i], PAGES));
		CHECK_EQ(t, crew_shrink(&crew.rig->mgr, PAGES), PAGES);
		CHECK_EQ(t, crew_stored(&crew, 1), PAGES);
		CHECK_EQ(t, crew_goes_on(0), PAGES);
		CHECK(t, crew_close(t, &crew));
	}
}

/* The shrinker does not wait for a buffer that another thread swaps out, even if there is no
 * other one. */
static void s07_the_shrinker_waits_for_nobody(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	CHECK(t, crew_holds(&crew, 0, 0, ttmpool_manager_swapout, PAGES));
	CHECK_EQ(t, crew_shrink(&crew.rig->mgr, PAGES), 0);
	CHECK_EQ(t, crew_goes_on(0), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* Of two buffers that left half at the same time, the older one is the next, whichever came
 * back first. */
static void s07_who_comes_back_is_as_old_as_before(struct check *t)
{
	for (int first = 0; first < 2; first++) {
		struct crew crew;

		CHECK(t, crew_open(t, &crew, 3));
		CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 2));
		CHECK(t, crew_holds(&crew, 1, 1, crew_shrink, 3));
		CHECK_EQ(t, crew_goes_on(first), (unsigned int)(2 + first));
		CHECK_EQ(t, crew_goes_on(!first), (unsigned int)(3 - first));
		CHECK(t, ttmpool_manager_is_valid(&crew.rig->mgr));
		CHECK_EQ(t, crew_shrink(&crew.rig->mgr, PAGES - 2), PAGES - 2);
		CHECK_EQ(t, crew_stored(&crew, 0), PAGES);
		CHECK_EQ(t, crew_stored(&crew, 1), 3);
		CHECK_EQ(t, crew_stored(&crew, 2), 0);
		CHECK(t, crew_close(t, &crew));
	}
}

/* A buffer that was used while a part of it was swapped out is the newest when it comes
 * back. */
static void s07_who_is_used_meanwhile_is_the_newest(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 3));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 2));
	ttmpool_lru_touch(&crew.buf[0]->be);
	CHECK_EQ(t, crew_goes_on(0), 2);
	CHECK(t, ttmpool_manager_is_valid(&crew.rig->mgr));
	CHECK_EQ(t, crew_shrink(&crew.rig->mgr, 2 * PAGES), 2 * PAGES);
	CHECK_EQ(t, crew_stored(&crew, 0), 2);
	CHECK(t, crew_close(t, &crew));
}

/* Of two buffers that were used one after the other, the second is newer, also if the first
 * one was being swapped out. */
static void s07_who_is_used_later_is_newer(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 2));
	ttmpool_lru_touch(&crew.buf[0]->be);
	ttmpool_lru_touch(&crew.buf[1]->be);
	CHECK_EQ(t, crew_goes_on(0), 2);
	CHECK_EQ(t, crew_shrink(&crew.rig->mgr, PAGES - 2), PAGES - 2);
	CHECK_EQ(t, crew_stored(&crew, 0), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* Whoever wants all pages out finds them out when the call returns, also those of a buffer
 * that the shrinker had a part of. */
static void s07_a_swap_out_of_all_leaves_none(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 3));
	CHECK(t, crew_begins(&crew, 1, ttmpool_manager_swapout,
			     TTMPOOL_ALL_PAGES) &&
			 crew_waits(1));
	CHECK_EQ(t, crew_goes_on(0), 3);
	CHECK_EQ(t, crew_goes_on(1), 2 * PAGES - 3);
	CHECK_EQ(t, crew_stored(&crew, 0), PAGES);
	CHECK_EQ(t, crew_stored(&crew, 1), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* A swap-out waits for a buffer that another thread has, in such a call; a signal ends the wait. */
static bool a_signal_ends_the_wait_for(
	struct check *t,
	unsigned long (*call)(struct ttmpool_manager *mgr, unsigned long pages))
{
	struct crew crew;
	bool ended;

	if (!crew_open(t, &crew, 1) || !crew_holds(&crew, 0, 0, call, PAGES) ||
	    !crew_begins(&crew, 1, ttmpool_manager_swapout, PAGES) ||
	    !crew_waits(1))
		return false;
	tpsim_signal_after(check_machine(t), 1);
	ended = crew_ends(1);
	tpsim_signal_clear(check_machine(t));
	return ended && !crew_goes_on(1) && crew_goes_on(0) == PAGES &&
	       crew_close(t, &crew);
}

/* A signal ends that wait. */
static void s07_a_signal_ends_the_wait_for_the_shrinker(struct check *t)
{
	CHECK(t, a_signal_ends_the_wait_for(t, crew_shrink));
}

/* A swap-out of all pages does not wait for a buffer that somebody used after it began. */
static void s07_a_swap_out_of_all_ends(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, PAGES));
	CHECK(t, crew_holds(&crew, 1, 1, crew_shrink, PAGES));
	CHECK(t, crew_begins(&crew, 2, ttmpool_manager_swapout,
			     TTMPOOL_ALL_PAGES));
	crew_until_one_follows(&crew);
	ttmpool_lru_touch(&crew.buf[1]->be);
	CHECK_EQ(t, crew_goes_on(0), PAGES);
	CHECK(t, crew_ends(2));
	CHECK_EQ(t, crew_goes_on(2), 0);
	CHECK_EQ(t, crew_goes_on(1), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* A swap-out of all pages waits for a buffer that was busy for a moment when it looked at it, and
 * that another thread swaps out then. */
static void s07_a_swap_out_of_all_waits_for_who_was_busy(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open_pools(t, &crew, 3, 2));
	crew_lock(&crew, 1, 2);
	CHECK(t, crew_holds(&crew, 0, 2, ttmpool_manager_swapout,
			    TTMPOOL_ALL_PAGES));
	crew_release(&crew, 1, 2);
	CHECK(t, crew_holds(&crew, 1, 1, crew_shrink, PAGES));
	crew_lets_go(0);
	CHECK(t, crew_waits(0));
	CHECK_EQ(t, crew_goes_on(1), PAGES);
	CHECK_EQ(t, crew_goes_on(0), 2 * PAGES);
	CHECK_EQ(t, crew_stored(&crew, 1), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* A signal ends the wait for another swap-out for a driver, too. */
static void s07_a_signal_ends_the_wait_for_a_swap_out(struct check *t)
{
	CHECK(t, a_signal_ends_the_wait_for(t, ttmpool_manager_swapout));
}

/* The shrinker does not count what another thread is swapping out. */
static void s07_what_is_leaving_does_not_count(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 3));
	CHECK_EQ(t, ttmpool_manager_shrink_count(&crew.rig->mgr, true), PAGES);
	ttmpool_manager_stats(&crew.rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_swappable, 2 * PAGES);
	CHECK_EQ(t, crew_goes_on(0), 3);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&crew.rig->mgr, true),
		 2 * PAGES - 3);
	CHECK(t, crew_close(t, &crew));
}

/* A swap-out of all pages that waited for a buffer ends if the store then fails. */
static void s07_a_swap_out_of_all_ends_with_the_store(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, PAGES));
	CHECK(t, crew_begins(&crew, 1, ttmpool_manager_swapout,
			     TTMPOOL_ALL_PAGES));
	crew_until_one_follows(&crew);
	crew_store_fails = true;
	CHECK_EQ(t, crew_goes_on(0), 0);
	CHECK(t, crew_ends(1));
	crew_store_fails = false;
	CHECK_EQ(t, crew_goes_on(1), PAGES);
	CHECK_EQ(t, crew_stored(&crew, 0), 0);
	CHECK(t, crew_close(t, &crew));
}

/* A buffer that another thread locked or used for a moment, or tried in vain, during a swap-out
 * of all pages is swapped out all the same. */
static void s07_a_swap_out_of_all_looks_at_all(struct check *t)
{
	for (int how = LOCKED; how < NR_DISTURBANCES; how++) {
		struct crew crew;

		CHECK(t, crew_open_pools(t, &crew, 2, 2));
		CHECK(t, crew_holds(&crew, 0, 0, ttmpool_manager_swapout,
				    TTMPOOL_ALL_PAGES));
		CHECK_EQ(t, crew_disturb(&crew, (enum crew_disturbance)how), 0);
		CHECK_EQ(t, crew_goes_on(0), 2 * PAGES);
		CHECK(t, crew_close(t, &crew));
	}
}

static struct ttmpool_backend *leaves;

static unsigned long take_off(struct ttmpool_manager *mgr, unsigned long pages)
{
	ttmpool_lru_remove(leaves);
	return leaves->pool->mgr == mgr ? pages : 0;
}

static bool is_off(struct rig *rig, struct ttmpool_backend *be)
{
	bool off;

	tpos_spin_lock(&rig->mgr.lock);
	off = ttmpool_list_empty(&be->lru);
	tpos_spin_unlock(&rig->mgr.lock);
	return off;
}

/* A buffer that is used while a thread takes it off the list, and waits for its swap-out, does
 * not return to the list. */
static void s07_who_is_taken_off_stays_off(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	leaves = &crew.buf[0]->be;
	CHECK(t, crew_holds(&crew, 0, 0, crew_shrink, 1));
	CHECK(t, crew_begins(&crew, 1, take_off, 1));
	while (!is_off(crew.rig, leaves))
		crew_pause_ms(1);
	ttmpool_lru_touch(leaves);
	CHECK(t, is_off(crew.rig, leaves));
	CHECK_EQ(t, crew_goes_on(0), 1);
	CHECK_EQ(t, crew_goes_on(1), 1);
	CHECK(t, is_off(crew.rig, leaves));
	CHECK(t, crew_close(t, &crew));
}

/* The buffer that its owner brings back each time that the other one leaves. */
static struct crew *seesaw;
static int turns;

static void bring_back(struct ttmpool_backend *be)
{
	struct ttmpool_backend *other =
		&seesaw->buf[be == &seesaw->buf[0]->be]->be;

	if (other->tt.state != TTMPOOL_TT_SWAPPED || ++turns > 100)
		return;
	if (ttmpool_swapin(other, TTMPOOL_ALL_PAGES))
		turns = 1000;
}

/* A swap-out of all pages ends, though owners bring their buffers back all the time. */
static void s07_what_is_brought_back_need_not_leave_again(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open_pools(t, &crew, 2, 2));
	seesaw = &crew;
	turns = 0;
	crew.funcs.vacate = bring_back;
	CHECK_EQ(t, ttmpool_manager_swapout(&crew.rig->mgr, TTMPOOL_ALL_PAGES),
		 2 * PAGES);
	CHECK_EQ(t, turns, 1);
	CHECK(t, crew_close(t, &crew));
}

CHECK_SUITE(beside, CHECK_CASE(s07_the_shrinker_swaps_out_beside_others),
	    CHECK_CASE(s07_the_shrinker_waits_for_nobody),
	    CHECK_CASE(s07_who_comes_back_is_as_old_as_before),
	    CHECK_CASE(s07_who_is_used_meanwhile_is_the_newest),
	    CHECK_CASE(s07_who_is_used_later_is_newer),
	    CHECK_CASE(s07_a_swap_out_of_all_leaves_none),
	    CHECK_CASE(s07_a_signal_ends_the_wait_for_the_shrinker),
	    CHECK_CASE(s07_a_swap_out_of_all_ends),
	    CHECK_CASE(s07_a_swap_out_of_all_ends_with_the_store),
	    CHECK_CASE(s07_a_swap_out_of_all_waits_for_who_was_busy),
	    CHECK_CASE(s07_a_signal_ends_the_wait_for_a_swap_out),
	    CHECK_CASE(s07_what_is_leaving_does_not_count),
	    CHECK_CASE(s07_a_swap_out_of_all_looks_at_all),
	    CHECK_CASE(s07_who_is_taken_off_stays_off),
	    CHECK_CASE(s07_what_is_brought_back_need_not_leave_again));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_beside, &config);
}
