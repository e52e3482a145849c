// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A thread that finds another one swapping out follows it (S7), until its deadline or until a
 * signal that ends its request. The other thread is held up in the store meanwhile.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES 16

static atomic_bool holds, arrived;

int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000L };

	nanosleep(&time, NULL);
}

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	arrived = true;
	while (holds)
		pause_ms(1);
	return __real_tpos_store_write(store, index, from);
}

/* The one at work, and one that follows. */
struct pair {
	struct rig *rig;
	struct buffer *idle, *buf;
	pthread_t worker, follower;
	atomic_bool done;
	atomic_int err;
};

static void *swap_out(void *arg)
{
	struct pair *pair = arg;

	ttmpool_manager_swapout(&pair->rig->mgr, PAGES);
	return NULL;
}

static void *populate(void *arg)
{
	struct pair *pair = arg;

	/* read by the other threads before this one is joined */
	pair->err = ttmpool_populate(&pair->buf->be);
	pair->done = true;
	return NULL;
}

/* One thread is held up at swapping out. Another one populates a buffer, and has to wait for
 * that. */
static bool pair_work(struct check *t, struct pair *pair, unsigned int wait_ms,
		      bool killable)
{
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain };

	*pair = (struct pair){ 0 };
	pair->rig = rig_open(t, &(struct rig_config){ .page_budget = PAGES });
	if (!pair->rig)
		return false;
	pair->idle = buffer_ready(t, pair->rig, &config, 1);
	pair->buf = buffer_open(t, pair->rig, &config);
	if (!pair->idle || !pair->buf || ttmpool_lru_add(&pair->idle->be))
		return false;
	pair->buf->be.wait_ms = wait_ms;
	pair->buf->be.killable = killable;
	arrived = false;
	holds = true;
	if (pthread_create(&pair->worker, NULL, swap_out, pair))
		return false;
	while (!arrived)
		pause_ms(1);
	return true;
}

static bool pair_follow(struct pair *pair)
{
	return !pthread_create(&pair->follower, NULL, populate, pair);
}

static bool pair_begin(struct check *t, struct pair *pair, unsigned int wait_ms,
		       bool killable)
{
	return pair_work(t, pair, wait_ms, killable) && pair_follow(pair);
}

static bool follows(struct pair *pair)
{
	for (int ms = 0; ms < 150 && !pair->done; ms++)
		pause_ms(1);
	return !pair->done;
}

/* Returns whether the follower gives up while the other thread is still at work. */
static bool gives_up(struct pair *pair)
{
	for (int ms = 0; ms < 20000 && !pair->done; ms++)
		pause_ms(1);
	return pair->done;
}

static bool pair_end(struct check *t, struct pair *pair)
{
	bool good;

	holds = false;
	good = !pthread_join(pair->worker, NULL);
	good &= !pthread_join(pair->follower, NULL);
	tpsim_signal_clear(check_machine(t));
	ttmpool_lru_remove(&pair->idle->be);
	good &= !ttmpool_drop(&pair->idle->be);
	if (!pair->err)
		good &= !ttmpool_unpopulate(&pair->buf->be);
	return good && rig_close(t, pair->rig);
}

/* The deadline of the request ends the wait for another swap-out. */
static void s06_who_follows_waits_as_long_as_he_may(struct check *t)
{
	struct pair pair;

	CHECK(t, pair_begin(t, &pair, 50, false));
	CHECK(t, gives_up(&pair));
	CHECK_EQ(t, pair.err, -ETIMEDOUT);
	CHECK(t, pair_end(t, &pair));
}

/* A signal ends it; if the request is killable, a kill does. */
static void s06_a_signal_ends_following(struct check *t)
{
	for (int killable = 0; killable < 2; killable++) {
		struct pair pair;

		CHECK(t, pair_begin(t, &pair, 0, killable));
		CHECK(t, follows(&pair));
		if (killable)
			tpsim_kill_after(check_machine(t), 1);
		else
			tpsim_signal_after(check_machine(t), 1);
		CHECK(t, gives_up(&pair));
		CHECK_EQ(t, pair.err, -EINTR);
		CHECK(t, pair_end(t, &pair));
	}
}

/* A kill that comes before the thread begins to follow ends it as well, at any moment. */
static void s06_a_kill_ends_it_before_it_follows(struct check *t)
{
	for (unsigned int nth = 1; nth <= 6; nth++) {
		struct pair pair;

		CHECK(t, pair_work(t, &pair, 0, true));
		tpsim_kill_after(check_machine(t), nth);
		CHECK(t, pair_follow(&pair) && gives_up(&pair));
		CHECK_EQ(t, pair.err, -EINTR);
		CHECK(t, pair_end(t, &pair));
	}
}

/* A signal other than a kill does not end it if the request is killable. */
static void s06_other_signals_do_not_end_following(struct check *t)
{
	for (int wait_ms = 0; wait_ms <= 10000; wait_ms += 10000) {
		struct pair pair;

		CHECK(t, pair_begin(t, &pair, (unsigned int)wait_ms, true));
		tpsim_signal_after(check_machine(t), 1);
		CHECK(t, follows(&pair));
		tpsim_signal_clear(check_machine(t));
		holds = false;
		CHECK(t, gives_up(&pair));
		CHECK_EQ(t, pair.err, 0);
		CHECK(t, pair_end(t, &pair));
	}
}

/* The deadline ends it then as well. */
static void s06_the_deadline_ends_following_with_other_signals(struct check *t)
{
	struct pair pair;

	CHECK(t, pair_work(t, &pair, 50, true));
	tpsim_signal_after(check_machine(t), 1);
	CHECK(t, pair_follow(&pair) && gives_up(&pair));
	CHECK_EQ(t, pair.err, -ETIMEDOUT);
	CHECK(t, pair_end(t, &pair));
}

/* And a kill that comes later. */
static void s06_a_kill_ends_following_after_other_signals(struct check *t)
{
	struct pair pair;

	CHECK(t, pair_work(t, &pair, 0, true));
	tpsim_signal_after(check_machine(t), 1);
	CHECK(t, pair_follow(&pair) && follows(&pair));
	tpsim_kill_after(check_machine(t), 1);
	CHECK(t, gives_up(&pair));
	CHECK_EQ(t, pair.err, -EINTR);
	CHECK(t, pair_end(t, &pair));
}

CHECK_SUITE(follow, CHECK_CASE(s06_who_follows_waits_as_long_as_he_may),
	    CHECK_CASE(s06_a_signal_ends_following),
	    CHECK_CASE(s06_a_kill_ends_it_before_it_follows),
	    CHECK_CASE(s06_other_signals_do_not_end_following),
	    CHECK_CASE(s06_the_deadline_ends_following_with_other_signals),
	    CHECK_CASE(s06_a_kill_ends_following_after_other_signals));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 16384,
						    .threads = true };

	return check_main(argc, argv, &check_suite_follow, &config);
}
