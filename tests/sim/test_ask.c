// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Requests for which buffers are swapped out (S6, S7). A signal that interrupts the
 * request ends the swap-out, and no other signal does. So does the deadline of the
 * request, which includes the time of the swap-out. If no buffer can be swapped out, the
 * request does not search again at once.
 */

#include <stdlib.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define BUDGET 32
#define SEED   5
#define MANY   200

/* The number of milliseconds that it takes to store a page. */
static struct tpsim_machine *slow;
static unsigned int slow_ms;

int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	if (slow_ms)
		tpsim_pass_time(slow, slow_ms);
	return __real_tpos_store_write(store, index, from);
}

static unsigned long tries;

static bool counting_trylock(struct ttmpool_backend *be)
{
	tries++;
	return buffer_plain.trylock(be);
}

static struct ttmpool_backend_funcs counting;

/* An idle buffer of @pages on the swapper's list, and a budget for no page more. */
static struct rig *open_full(struct check *t, size_t pages,
			     struct buffer **idle)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = BUDGET,
						  .pool_nothing = true });

	counting = buffer_plain;
	counting.trylock = counting_trylock;
	*idle = rig ? buffer_ready(t, rig,
				   &(struct buffer_config){
					   .num_pages = pages,
					   .funcs = &counting,
					   .caching = TTMPOOL_WRITE_COMBINED },
				   SEED)
		    : NULL;
	if (!*idle || ttmpool_lru_add(&(*idle)->be))
		return NULL;
	tries = 0;
	return rig;
}

static struct buffer *asks_for(struct check *t, struct rig *rig, size_t pages,
			       unsigned int wait_ms)
{
	struct buffer *buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = pages,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });

	if (buf)
		buf->be.wait_ms = wait_ms;
	return buf;
}

/* Are the bytes of the idle buffer where they were, or do they come back from the
 * store? */
static bool close_full(struct check *t, struct rig *rig, struct buffer *idle)
{
	bool good = true;

	ttmpool_lru_remove(&idle->be);
	if (idle->be.tt.state != TTMPOOL_TT_POPULATED)
		good &= !ttmpool_swapin(&idle->be, TTMPOOL_ALL_PAGES);
	good &= buffer_is_stamped(t, idle, SEED);
	good &= !ttmpool_unpopulate(&idle->be);
	return good && rig_close(t, rig);
}

/* A populate that would swap out for its pages returns -EINTR after a signal, and not
 * -ENOMEM; a killable one gets its pages in spite of the signal. */
static void s06_a_signal_that_counts_ends_a_populate_that_swaps(struct check *t)
{
	for (int i = 0; i < 4; i++) {
		bool killable = i % 2;
		struct buffer *idle, *buf;
		struct rig *rig = open_full(t, BUDGET, &idle);

		CHECK(t, rig);
		buf = asks_for(t, rig, BUDGET, i / 2 ? 1000 : 0);
		CHECK(t, buf);
		buf->be.killable = killable;
		tpsim_signal_after(check_machine(t), 1);
		CHECK_EQ(t, ttmpool_populate(&buf->be), killable ? 0 : -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, idle->be.tt.state,
			 killable ? TTMPOOL_TT_SWAPPED : TTMPOOL_TT_POPULATED);
		CHECK(t, !killable || !ttmpool_unpopulate(&buf->be));
		CHECK(t, close_full(t, rig, idle));
	}
}

/* A signal also ends a search in which one buffer after the other is busy. */
static void s06_a_signal_ends_the_search_for_buffers(struct check *t)
{
	struct buffer_config config = { .funcs = &counting };
	struct buffer *busy[MANY], *buf;
	struct rig *rig = open_full(t, 1, &busy[0]);

	CHECK(t, rig);
	ttmpool_manager_set_page_budget(&rig->mgr, MANY);
	busy[0]->locked = true;
	for (size_t i = 1; i < MANY; i++) {
		busy[i] = buffer_ready(t, rig, &config, SEED);
		CHECK(t, busy[i] && !ttmpool_lru_add(&busy[i]->be));
		busy[i]->locked = true;
	}
	buf = asks_for(t, rig, 1, 0);
	CHECK(t, buf);
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK(t, tries < MANY);
	for (size_t i = 1; i < MANY; i++) {
		ttmpool_lru_remove(&busy[i]->be);
		CHECK_EQ(t, ttmpool_unpopulate(&busy[i]->be), 0);
	}
	CHECK(t, close_full(t, rig, busy[0]));
}

/* A killable move goes on in spite of signals other than a kill. */
static void s07_other_signals_do_not_end_a_killable_move(struct check *t)
{
	struct buffer *idle;
	struct rig *rig = open_full(t, BUDGET, &idle);

	CHECK(t, rig);
	idle->be.killable = true;
	tpsim_signal_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&idle->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&idle->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapout(&idle->be, TTMPOOL_ALL_PAGES), -EINTR);
	CHECK_EQ(t, idle->be.tt.state, TTMPOOL_TT_POPULATED);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_swapout(&idle->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_kill_after(check_machine(t), 1);
	CHECK_EQ(t, ttmpool_swapin(&idle->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK(t, close_full(t, rig, idle));
}

/* A populate that swaps out to a slow store for its pages takes no longer than its
 * wait_ms; with 0 or without a limit it goes on until it has the pages. */
static void s06_a_wait_includes_the_swap_out(struct check *t)
{
	const unsigned int waits[] = { 100, 0, TTMPOOL_WAIT_FOREVER };

	slow = check_machine(t);
	for (size_t i = 0; i < 3; i++) {
		struct buffer *idle, *buf;
		struct rig *rig = open_full(t, BUDGET, &idle);
		uint64_t begin = tpos_now_ms(slow);

		CHECK(t, rig);
		buf = asks_for(t, rig, BUDGET, waits[i]);
		CHECK(t, buf);
		slow_ms = 10;
		CHECK_EQ(t, ttmpool_populate(&buf->be), i ? 0 : -ETIMEDOUT);
		slow_ms = 0;
		CHECK(t, i || tpos_now_ms(slow) - begin <= 110);
		CHECK(t, !i || !ttmpool_unpopulate(&buf->be));
		CHECK(t, close_full(t, rig, idle));
	}
}

/* While the request waits, a page comes back and is taken again, many times. */
static unsigned int to_and_fro;

static void page_to_and_fro(void *arg)
{
	if (to_and_fro++ < MANY && (pages_give(arg) || pages_take(arg)))
		abort();
}

/* Each page that comes back wakes the request that waits for pages. The request does not
 * examine busy buffers again at each wake, but only after a while. */
static void s06_who_is_woken_does_not_look_at_busy_buffers(struct check *t)
{
	struct buffer *idle, *buf;
	struct rig *rig = open_full(t, BUDGET - 1, &idle);
	struct pages *one;

	CHECK(t, rig);
	one = pages_open(
		t, rig,
		&(struct pages_config){ .caching = TTMPOOL_WRITE_COMBINED });
	buf = asks_for(t, rig, 2, 1000);
	CHECK(t, one && buf && !pages_take(one));
	idle->locked = true;
	to_and_fro = 0;
	tpsim_while_waiting(check_machine(t), page_to_and_fro, one);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ETIMEDOUT);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK(t, rig_stats(rig).waits > MANY);
	CHECK(t, tries <= 11);
	CHECK_EQ(t, pages_give(one), 0);
	CHECK(t, close_full(t, rig, idle));
}

CHECK_SUITE(ask,
	    CHECK_CASE(s06_a_signal_that_counts_ends_a_populate_that_swaps),
	    CHECK_CASE(s06_a_signal_ends_the_search_for_buffers),
	    CHECK_CASE(s07_other_signals_do_not_end_a_killable_move),
	    CHECK_CASE(s06_a_wait_includes_the_swap_out),
	    CHECK_CASE(s06_who_is_woken_does_not_look_at_busy_buffers));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = {
		.ram_pages = 16384, .iommu = TPSIM_IOMMU_STRICT
	};

	return check_main(argc, argv, &check_suite_ask, &config);
}
