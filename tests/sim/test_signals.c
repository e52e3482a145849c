// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Signals (S6): what a signal that is pending ends of a large request, and what it leaves
 * alone; of getting pages, of clearing, copying and moving them.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"
#include "space.h"

static uint64_t pages_got(struct check *t)
{
	struct tpsim_counters counters;

	tpsim_counters(check_machine(t), &counters);
	return counters.pages_allocated;
}

#define LARGE 4096 /* pages: eight times 2 MiB */

/* Ask for a large buffer, by one of the ways in. */
static int ask_for(struct check *t, struct rig *rig, int way, bool killable)
{
	struct ttmpool_request req = { .source = way == 1 ? TTMPOOL_COHERENT
							  : TTMPOOL_PLAIN,
				       .caching = TTMPOOL_UNCACHED,
				       .num_pages = LARGE,
				       .killable = killable };
	tpos_page_t **pages = check_zalloc(t, LARGE * sizeof(*pages));
	struct buffer *buf = buffer_of(t, rig, LARGE, 0);
	struct ttmpool_runs runs;

	if (!pages || !buf)
		return -ENOENT;
	buf->be.killable = killable;
	switch (way) {
	case 0:
	case 1:
		return ttmpool_pool_take(&rig->pool[0], &req, pages, NULL);
	case 2:
		return ttmpool_runs_take(&rig->pool[0], &req, true, &runs);
	case 3:
		return ttmpool_pool_prime(&rig->pool[0], &req, true);
	default:
		return ttmpool_populate(&buf->be);
	}
}

/* A task with a signal does not go on to get all of a large buffer; one whose request
 * says so is ended by a signal that kills alone. What it had got goes back. */
static void s06_a_signal_ends_a_large_request(struct check *t)
{
	for (int i = 0; i < 10; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		bool killable = i % 2;
		uint64_t got;

		CHECK(t, rig);
		got = pages_got(t);
		if (killable)
			tpsim_kill_after(check_machine(t), 2);
		else
			tpsim_signal_after(check_machine(t), 2);
		CHECK_EQ(t, ask_for(t, rig, i / 2, killable), -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, pages_got(t) - got, 1024);
		CHECK_EQ(t, check_pages_out(t), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A signal that does not kill lets a request go on that says so; and a small request
 * does not ask for one. */
static void s06_what_a_signal_does_not_end(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *large, *small;

	CHECK(t, rig);
	large = buffer_of(t, rig, LARGE, 0);
	small = buffer_of(t, rig, 512, 0);
	CHECK(t, large && small);
	large->be.killable = true;
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&large->be), 0);
	CHECK_EQ(t, ttmpool_populate(&small->be), 0);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_unpopulate(&large->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&small->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Nor does it end a swap-out or a swap-in of a buffer that says so; one that kills does. */
static void s06_what_a_signal_does_not_end_of_a_move(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, 64, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	buf->be.killable = true;
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Nor does it go on to clear what was pooled: 16 MiB, and no more. What is clear then is
 * pooled like that. */
static void s06_a_signal_ends_the_clearing_of_pages(struct check *t)
{
	for (int killable = 0; killable < 2; killable++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *large;

		CHECK(t, rig);
		large = buffer_of(t, rig, 3 * LARGE, 0);
		CHECK(t, large && !buffer_cycle(large));
		large->be.killable = killable;
		if (killable)
			tpsim_kill_after(check_machine(t), 1);
		else
			tpsim_signal_after(check_machine(t), 1);
		CHECK_EQ(t, ttmpool_populate(&large->be), -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, rig_stats(rig).bytes_cleared, 16 << 20);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 3 * LARGE);
		CHECK_EQ(t, buffer_cycle(large), 0);
		CHECK_EQ(t, rig_stats(rig).bytes_cleared, 48 << 20);
		CHECK(t, rig_close(t, rig));
	}
}

/* A signal ends the copying of a coherent buffer on its way back after 16 MiB, but does not
 * end that of a small one. Either is whole then, and comes back. */
static void s06_a_signal_ends_the_copying_of_pages(struct check *t)
{
	for (int i = 0; i < 4; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		bool large = i / 2;
		struct buffer *buf;
		uint64_t copied;

		CHECK(t, rig);
		buf = buffer_ready(
			t, rig,
			&(struct buffer_config){
				.num_pages = large ? LARGE + 512 : 64,
				.funcs = &buffer_coherent,
				.caching = TTMPOOL_UNCACHED },
			7);
		CHECK(t, buf);
		buf->be.killable = i % 2;
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		copied = rig_stats(rig).bytes_copied;
		if (buf->be.killable)
			tpsim_kill_after(check_machine(t), large ? 8 : 1);
		else
			tpsim_signal_after(check_machine(t), large ? 8 : 1);
		CHECK_EQ(t, ttmpool_to_device(&buf->be), large ? -EINTR : 0);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, rig_stats(rig).bytes_copied - copied,
			 large ? 16 << 20 : 64 << 12);
		if (large)
			CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
		CHECK(t, buffer_is_stamped(t, buf, 7));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A task that is being killed does not go on to make room for its pages. */
static void s06_a_killed_task_makes_no_more_room(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 64 });
	struct buffer *buf, *other;

	CHECK(t, rig);
	other = buffer_of(t, rig, 64, 0);
	buf = buffer_of(t, rig, 64, 0);
	CHECK(t, other && buf && !buffer_cycle(other));
	buf->be.tt.caching = TTMPOOL_UNCACHED;
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(signals, CHECK_CASE(s06_a_signal_ends_a_large_request),
	    CHECK_CASE(s06_what_a_signal_does_not_end),
	    CHECK_CASE(s06_what_a_signal_does_not_end_of_a_move),
	    CHECK_CASE(s06_a_signal_ends_the_clearing_of_pages),
	    CHECK_CASE(s06_a_signal_ends_the_copying_of_pages),
	    CHECK_CASE(s06_a_killed_task_makes_no_more_room));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 98304 };

	return check_main(argc, argv, &check_suite_signals, &config);
}
