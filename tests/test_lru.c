// SPDX-License-Identifier: GPL-2.0 OR MIT
/* The swapper's list (S7): which buffers are on it, which may be, and which are swapped
 * out. */

#include "rig_buffer.h"

#define CROWD 70 /* more than the swapper tries in one go */

static struct buffer *buffer_of(struct check *t, struct rig *rig,
				const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 2, .funcs = funcs });
}

/* A buffer without a trylock cannot be on the list, and to touch or remove a buffer that
 * is not on the list does nothing. */
static void s07_only_who_can_be_locked_is_listed(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, &ttmpool_backend_plain);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), -EOPNOTSUPP);
	ttmpool_lru_touch(&buf->be);
	ttmpool_lru_remove(&buf->be);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK(t, rig_close(t, rig));
}

/* A backend with only one of trylock and unlock is refused. */
static void s07_half_a_lock_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_backend_funcs funcs = buffer_plain;

	CHECK(t, rig);
	funcs.unlock = NULL;
	CHECK(t, !buffer_of(t, rig, &funcs));
	funcs = buffer_plain;
	funcs.trylock = NULL;
	CHECK(t, !buffer_of(t, rig, &funcs));
	CHECK(t, rig_close(t, rig));
}

/* A manager cannot end while a buffer with pages is on the list, even if its pool has
 * ended. */
static void s07_a_manager_keeps_who_is_listed(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	CHECK(t, ttmpool_pool_fini(&rig->pool[0]) > 0);
	rig->nr_pools = 0;
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	ttmpool_lru_remove(&buf->be);
	CHECK(t, rig_close(t, rig));
}

/* A buffer cannot end while it is on the list, even if it is empty. */
static void s07_who_is_listed_does_not_end(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, &buffer_plain);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	CHECK_EQ(t, ttmpool_backend_fini(&buf->be), -EBUSY);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	rig->nr_pools = 0;
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_backend_fini(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pages that could be swapped out are counted right in every state, and a touch does
 * not change the count. */
static void s07_what_could_go_is_counted(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager_stats stats;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_open(t, rig,
			  &(struct buffer_config){ .num_pages = 5, /* 4 and 1 */
						   .funcs = &buffer_plain });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
	for (int step = 0; step < 6; step++) {
		static const unsigned long counts[] = { 5, 0, 5, 5, 1, 0 };
		int err = step == 0   ? ttmpool_populate(&buf->be)
			  : step == 1 ? ttmpool_bind(&buf->be)
			  : step == 2 ? ttmpool_unbind(&buf->be)
			  : step == 3 ? ttmpool_to_anonymous(&buf->be)
				      : ttmpool_swapout(&buf->be, 1);

		CHECK_EQ(t, err, 0);
		ttmpool_lru_touch(&buf->be);
		ttmpool_manager_stats(&rig->mgr, &stats);
		CHECK_EQ(t, stats.pages_swappable, counts[step]);
		CHECK(t, rig_is_quiet(t, rig));
	}
	ttmpool_lru_remove(&buf->be);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The swapper finds the one buffer that is not busy, however many others are. */
static void s07_a_crowd_of_busy_buffers_hides_nobody(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer **bufs = check_zalloc(t, CROWD * sizeof(*bufs));

	CHECK(t, rig && bufs);
	for (int i = 0; i < CROWD; i++) {
		bufs[i] = buffer_of(t, rig, &buffer_plain);
		CHECK(t, bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&bufs[i]->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&bufs[i]->be), 0);
		bufs[i]->locked = i < CROWD - 1;
	}
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 2);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 0);
	CHECK_EQ(t, bufs[CROWD - 1]->be.tt.state, TTMPOOL_TT_SWAPPED);
	for (int i = 0; i < CROWD; i++) {
		ttmpool_lru_remove(&bufs[i]->be);
		CHECK_EQ(t, ttmpool_drop(&bufs[i]->be), 0);
	}
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 0);
	CHECK(t, rig_close(t, rig));
}

/* @n populated buffers of two chunks (4 and 1), the first one the oldest. */
static bool queue(struct check *t, struct rig *rig, struct buffer **bufs, int n)
{
	for (int i = 0; i < n; i++) {
		bufs[i] = buffer_ready(
			t, rig,
			&(struct buffer_config){
				.num_pages = 5,
				.funcs = &buffer_plain,
				.caching = TTMPOOL_WRITE_COMBINED },
			(unsigned char)i);
		if (!bufs[i] || ttmpool_lru_add(&bufs[i]->be))
			return false;
	}
	return true;
}

static bool end_queue(struct buffer **bufs, int n)
{
	bool good = true;

	for (int i = 0; i < n; i++) {
		ttmpool_lru_remove(&bufs[i]->be);
		good &= !ttmpool_drop(&bufs[i]->be);
	}
	return good;
}

/* If the scans ask for one page at a time, the oldest buffer leaves completely before the
 * next one begins. */
static void s07_a_victim_goes_on_leaving(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *bufs[3];

	CHECK(t, rig && queue(t, rig, bufs, 3));
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 4);
		CHECK_EQ(t, bufs[i]->be.tt.state, TTMPOOL_TT_PARTIAL);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, true), 1);
		CHECK_EQ(t, bufs[i]->be.tt.state, TTMPOOL_TT_SWAPPED);
		for (int j = i + 1; j < 3; j++)
			CHECK_EQ(t, bufs[j]->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, rig_is_quiet(t, rig));
	}
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, ttmpool_swapin(&bufs[i]->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, bufs[i], (unsigned char)i));
	}
	CHECK(t, end_queue(bufs, 3));
	CHECK(t, rig_close(t, rig));
}

/* Small buffers are unmapped in one batch, and become write-back in one; no more of them
 * leave than the request needs. */
static void s07_small_buffers_leave_in_one_batch(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats before, after;
	struct buffer *bufs[5];

	CHECK(t, rig && queue(t, rig, bufs, 5));
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 16), 19);
	after = rig_stats(rig);
	CHECK_EQ(t, after.unmap_batches - before.unmap_batches, 1);
	CHECK_EQ(t, after.caching_batches - before.caching_batches, 1);
	CHECK_EQ(t, bufs[2]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, bufs[3]->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, bufs[4]->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, buffer_is_stamped(t, bufs[4], 4) && rig_is_quiet(t, rig));
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(t, ttmpool_swapin(&bufs[i]->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, bufs[i], (unsigned char)i));
	}
	CHECK(t, end_queue(bufs, 5));
	CHECK(t, rig_close(t, rig));
}

/* A buffer that was swapped in or unbound counts as just used: it becomes the newest. */
static void s07_what_comes_back_is_the_newest(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *bufs[3];

	CHECK(t, rig && queue(t, rig, bufs, 3));
	CHECK_EQ(t, ttmpool_swapout(&bufs[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_bind(&bufs[1]->be), 0);
	CHECK_EQ(t, ttmpool_swapin(&bufs[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_unbind(&bufs[1]->be), 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 5), 5);
	CHECK_EQ(t, bufs[2]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 5), 5);
	CHECK_EQ(t, bufs[0]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, bufs[1]->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, end_queue(bufs, 3));
	CHECK(t, rig_close(t, rig));
}

/* The same holds for a buffer of which only a part had left and comes back. */
static void s07_who_gets_a_part_back_is_the_newest(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *bufs[2];

	CHECK(t, rig && queue(t, rig, bufs, 2));
	CHECK_EQ(t, ttmpool_swapout(&bufs[0]->be, 1), 0);
	CHECK_EQ(t, bufs[0]->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, ttmpool_swapin(&bufs[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 5), 5);
	CHECK_EQ(t, bufs[0]->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, bufs[1]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK(t, end_queue(bufs, 2));
	CHECK(t, rig_close(t, rig));
}

/* The number of buffers that were vacated, by their state at that time. */
static int vacated[TTMPOOL_TT_STATE_COUNT];

static void note_vacated(struct ttmpool_backend *be)
{
	if (ttmpool_list_entry(be, struct buffer, be)->locked)
		vacated[be->tt.state]++;
}

/* The swapper calls vacate for a buffer under its lock, before anything has moved, and
 * only for buffers that it swaps out. */
static void s07_who_leaves_is_vacated_first(struct check *t)
{
	struct ttmpool_backend_funcs funcs = buffer_plain;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf[3];

	CHECK(t, rig);
	memset(vacated, 0, sizeof(vacated));
	funcs.vacate = note_vacated;
	for (int i = 0; i < 3; i++) {
		buf[i] = buffer_of(t, rig, &funcs);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	buf[0]->locked = true;
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 2);
	CHECK_EQ(t, vacated[TTMPOOL_TT_POPULATED], 1);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 100), 2);
	CHECK_EQ(t, vacated[TTMPOOL_TT_POPULATED], 2);
	for (int i = 0; i < 3; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
	}
	CHECK_EQ(t, vacated[TTMPOOL_TT_SWAPPED], 0);
	CHECK(t, rig_close(t, rig));
}

static bool valid_within;

static void look_within(struct ttmpool_backend *be)
{
	valid_within = ttmpool_manager_is_valid(be->pool->mgr);
}

/* The lists are in order also while a buffer is being swapped out. */
static void s07_the_lists_are_valid_during_a_swap_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_backend_funcs funcs = buffer_plain;
	struct buffer *bufs[2];

	CHECK(t, rig);
	funcs.vacate = look_within;
	for (int i = 0; i < 2; i++) {
		bufs[i] = buffer_of(t, rig, &funcs);
		CHECK(t, bufs[i] && !ttmpool_populate(&bufs[i]->be));
		CHECK_EQ(t, ttmpool_lru_add(&bufs[i]->be), 0);
	}
	valid_within = false;
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 2), 2);
	CHECK(t, valid_within);
	for (int i = 0; i < 2; i++) {
		ttmpool_lru_remove(&bufs[i]->be);
		CHECK_EQ(t, ttmpool_drop(&bufs[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(lru, CHECK_CASE(s07_the_lists_are_valid_during_a_swap_out),
	    CHECK_CASE(s07_only_who_can_be_locked_is_listed),
	    CHECK_CASE(s07_half_a_lock_is_refused),
	    CHECK_CASE(s07_a_manager_keeps_who_is_listed),
	    CHECK_CASE(s07_who_is_listed_does_not_end),
	    CHECK_CASE(s07_what_could_go_is_counted),
	    CHECK_CASE(s07_a_crowd_of_busy_buffers_hides_nobody),
	    CHECK_CASE(s07_a_victim_goes_on_leaving),
	    CHECK_CASE(s07_small_buffers_leave_in_one_batch),
	    CHECK_CASE(s07_what_comes_back_is_the_newest),
	    CHECK_CASE(s07_who_gets_a_part_back_is_the_newest),
	    CHECK_CASE(s07_who_leaves_is_vacated_first));
