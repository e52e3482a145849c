// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that swap buffers out for others at the same time (S7): calls of the shrinker, beside
 * each other and beside a request. A thread is held up with the buffer that it has, in
 * vacate, which a driver may have to wait in.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define PAGES 8
#define PARTY 16 /* buffers that leave together */

static atomic_bool store_fails; /* for all buffers */
static atomic_int wakes;

int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
void __real_tpos_wake(struct tpos_wait *wait);
void __wrap_tpos_wake(struct tpos_wait *wait);

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	return store_fails ? -ENOMEM
			   : __real_tpos_store_write(store, index, from);
}

void __wrap_tpos_wake(struct tpos_wait *wait)
{
	wakes++;
	__real_tpos_wake(wait);
}

static void pause_ms(long ms)
{
	struct timespec time = { 0, ms * 1000000L };

	nanosleep(&time, NULL);
}

/* A thread at work: it stops with its buffer until it may go on. */
struct worker {
	struct ttmpool_manager *mgr;
	struct ttmpool_backend *be;
	unsigned long (*call)(struct ttmpool_manager *mgr, unsigned long pages);
	unsigned long wanted;
	unsigned long got;
	pthread_t thread;
	atomic_bool arrived, may_go;
	atomic_bool done;
};

#define WORKERS 20

static struct worker workers[WORKERS];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

static bool is_assigned(const struct worker *w,
			const struct ttmpool_backend *be)
{
	bool yes;

	pthread_mutex_lock(&guard);
	yes = w->be == be;
	pthread_mutex_unlock(&guard);
	return yes;
}

static void hold_up(struct ttmpool_backend *be)
{
	for (int i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		if (!is_assigned(w, be) || w->arrived)
			continue;
		w->arrived = true;
		while (!w->may_go)
			pause_ms(1);
	}
}

/* The lock of a buffer; who has it also sees what was done under it before. */
static bool crew_trylock(struct ttmpool_backend *be)
{
	struct buffer *buf = ttmpool_list_entry(be, struct buffer, be);
	bool got;

	pthread_mutex_lock(&guard);
	got = !buf->locked;
	buf->locked = true;
	pthread_mutex_unlock(&guard);
	return got;
}

static void crew_unlock(struct ttmpool_backend *be)
{
	pthread_mutex_lock(&guard);
	ttmpool_list_entry(be, struct buffer, be)->locked = false;
	pthread_mutex_unlock(&guard);
}

static unsigned long shrink(struct ttmpool_manager *mgr, unsigned long pages)
{
	return ttmpool_manager_shrink_scan(mgr, pages, true);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	w->got = w->call(w->mgr, w->wanted);
	w->done = true;
	return NULL;
}

/* The buffers of a test, the oldest first. */
struct crew {
	struct rig *rig;
	struct ttmpool_backend_funcs funcs;
	struct buffer *buf[WORKERS * PARTY];
	int n;
	int turns;
};

/* With two pools, the buffers are of the one and the other by turns, so that no two of them
 * leave together. */
static bool crew_open_pools(struct check *t, struct crew *crew, int n,
			    int pools)
{
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &crew->funcs,
					.caching = TTMPOOL_WRITE_COMBINED };

	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config rig = { .page_budget = (size_t)n * PAGES,
				  .nr_pools = pools,
				  .policy = &policy };

	for (int i = 0; i < WORKERS; i++)
		workers[i] = (struct worker){ 0 };
	store_fails = false;
	policy.max_order =
		0; /* single pages, so that a buffer leaves bit by bit */
	crew->funcs = buffer_plain;
	crew->funcs.vacate = hold_up;
	crew->funcs.trylock = crew_trylock;
	crew->funcs.unlock = crew_unlock;
	crew->n = n;
	crew->turns = 0;
	crew->rig = rig_open(t, &rig);
	for (int i = 0; crew->rig && i < n; i++) {
		config.pool = i % pools;
		crew->buf[i] = buffer_ready(t, crew->rig, &config,
					    (unsigned char)(i + 1));
		if (!crew->buf[i] || ttmpool_lru_add(&crew->buf[i]->be))
			return false;
	}
	return crew->rig;
}

static bool crew_open(struct check *t, struct crew *crew, int n)
{
	return crew_open_pools(t, crew, n, 1);
}

/* Nothing was lost, and nothing is left. */
static bool crew_close(struct check *t, struct crew *crew)
{
	bool good = ttmpool_manager_is_valid(&crew->rig->mgr);

	for (int i = 0; i < crew->n; i++) {
		struct ttmpool_backend *be = &crew->buf[i]->be;

		ttmpool_lru_remove(be);
		good &= be->tt.state == TTMPOOL_TT_POPULATED ||
			!ttmpool_swapin(be, TTMPOOL_ALL_PAGES);
		good &= buffer_is_stamped(t, crew->buf[i],
					  (unsigned char)(i + 1));
		good &= !ttmpool_drop(be);
	}
	return good && rig_close(t, crew->rig);
}

static bool begins(struct crew *crew, int worker,
		   unsigned long (*call)(struct ttmpool_manager *mgr,
					 unsigned long pages),
		   unsigned long pages)
{
	struct worker *w = &workers[worker];

	w->mgr = &crew->rig->mgr;
	w->call = call;
	w->wanted = pages;
	return !pthread_create(&w->thread, NULL, work, w);
}

/* Another thread begins, and is held up with the @i-th buffer. */
static bool holds(struct crew *crew, int worker, int i,
		  unsigned long (*call)(struct ttmpool_manager *mgr,
					unsigned long pages),
		  unsigned long pages)
{
	struct worker *w = &workers[worker];

	pthread_mutex_lock(&guard);
	w->be = &crew->buf[i]->be;
	pthread_mutex_unlock(&guard);
	if (!begins(crew, worker, call, pages))
		return false;
	while (!w->arrived && !w->done)
		pause_ms(1);
	return !w->done;
}

/* Returns how many pages the thread that was held up has got. */
static unsigned long goes_on(int worker)
{
	workers[worker].may_go = true;
	pthread_join(workers[worker].thread, NULL);
	return workers[worker].got;
}

static size_t stored(const struct crew *crew, int i)
{
	return crew->buf[i]->be.pages_stored;
}

/* While one thread swaps a buffer out, for whatever reason, the shrinker swaps out others for
 * another thread. */
static void s07_the_shrinker_swaps_out_beside_others(struct check *t)
{
	unsigned long (*calls[])(
		struct ttmpool_manager * mgr,
		unsigned long pages) = { ttmpool_manager_swapout, shrink };

	for (int i = 0; i < 2; i++) {
		struct crew crew;

		CHECK(t, crew_open(t, &crew, 2));
		CHECK(t, holds(&crew, 0, 0, calls[i], PAGES));
		CHECK_EQ(t, shrink(&crew.rig->mgr, PAGES), PAGES);
		CHECK_EQ(t, stored(&crew, 1), PAGES);
		CHECK_EQ(t, goes_on(0), PAGES);
		CHECK(t, crew_close(t, &crew));
	}
}

/* The shrinker does not wait for a buffer that another thread swaps out, even if there is no
 * other one. */
static void s07_the_shrinker_waits_for_nobody(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	CHECK(t, holds(&crew, 0, 0, ttmpool_manager_swapout, PAGES));
	CHECK_EQ(t, shrink(&crew.rig->mgr, PAGES), 0);
	CHECK_EQ(t, goes_on(0), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* Of two buffers that left half at the same time, the older one is the next, whichever came
 * back first. */
static void s07_who_comes_back_is_as_old_as_before(struct check *t)
{
	for (int first = 0; first < 2; first++) {
		struct crew crew;

		CHECK(t, crew_open(t, &crew, 3));
		CHECK(t, holds(&crew, 0, 0, shrink, 2));
		CHECK(t, holds(&crew, 1, 1, shrink, 3));
		CHECK_EQ(t, goes_on(first), (unsigned int)(2 + first));
		CHECK_EQ(t, goes_on(!first), (unsigned int)(3 - first));
		CHECK(t, ttmpool_manager_is_valid(&crew.rig->mgr));
		CHECK_EQ(t, shrink(&crew.rig->mgr, PAGES - 2), PAGES - 2);
		CHECK_EQ(t, stored(&crew, 0), PAGES);
		CHECK_EQ(t, stored(&crew, 1), 3);
		CHECK_EQ(t, stored(&crew, 2), 0);
		CHECK(t, crew_close(t, &crew));
	}
}

/* A buffer that was used while a part of it was swapped out is the newest when it comes
 * back. */
static void s07_who_is_used_meanwhile_is_the_newest(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 3));
	CHECK(t, holds(&crew, 0, 0, shrink, 2));
	ttmpool_lru_touch(&crew.buf[0]->be);
	CHECK_EQ(t, goes_on(0), 2);
	CHECK(t, ttmpool_manager_is_valid(&crew.rig->mgr));
	CHECK_EQ(t, shrink(&crew.rig->mgr, 2 * PAGES), 2 * PAGES);
	CHECK_EQ(t, stored(&crew, 0), 2);
	CHECK(t, crew_close(t, &crew));
}

static struct buffer *wants;

static unsigned long populate(struct ttmpool_manager *mgr, unsigned long pages)
{
	return wants->be.pool->mgr != mgr || ttmpool_populate(&wants->be)
		       ? 0
		       : pages;
}

/* Is the thread still at work after a while? */
static bool waits(int worker)
{
	for (int ms = 0; ms < 150 && !workers[worker].done; ms++)
		pause_ms(1);
	return !workers[worker].done;
}

static bool ends(int worker)
{
	for (int ms = 0; ms < 20000 && !workers[worker].done; ms++)
		pause_ms(1);
	return workers[worker].done;
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

/* Waits until a thread waits for the buffers of others. */
static void until_one_follows(struct crew *crew)
{
	while (!tpos_atomic_read(&crew->rig->mgr.lru.followers.waiting))
		pause_ms(1);
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
	CHECK(t, holds(&crew, 0, 0, shrink, PAGES));
	CHECK(t, begins(&crew, 1, populate, PAGES) && waits(1));
	CHECK_EQ(t, goes_on(0), PAGES);
	CHECK_EQ(t, goes_on(1), PAGES);
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
	CHECK(t, holds(&crew, 0, 0, shrink, 1));
	CHECK(t, begins(&crew, 1, populate, PAGES) && waits(1));
	CHECK_EQ(t, goes_on(0), 1);
	CHECK_EQ(t, goes_on(1), PAGES);
	CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
	CHECK(t, crew_close(t, &crew));
}

/* Whoever wants all pages out finds them out when the call returns, also those of a buffer
 * that the shrinker had a part of. */
static void s07_a_swap_out_of_all_leaves_none(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, holds(&crew, 0, 0, shrink, 3));
	CHECK(t, begins(&crew, 1, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES) &&
			 waits(1));
	CHECK_EQ(t, goes_on(0), 3);
	CHECK_EQ(t, goes_on(1), 2 * PAGES - 3);
	CHECK_EQ(t, stored(&crew, 0), PAGES);
	CHECK_EQ(t, stored(&crew, 1), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* A signal ends that wait. */
static void s07_a_signal_ends_the_wait_for_the_shrinker(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 1));
	CHECK(t, holds(&crew, 0, 0, shrink, PAGES));
	CHECK(t, begins(&crew, 1, ttmpool_manager_swapout, PAGES) && waits(1));
	tpsim_signal_after(check_machine(t), 1);
	CHECK(t, !waits(1) || !waits(1));
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, goes_on(1), 0);
	CHECK_EQ(t, goes_on(0), PAGES);
	CHECK(t, crew_close(t, &crew));
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
	CHECK(t, holds(&crew, 0, 0, shrink, PAGES));
	for (int i = 1; i < 4; i++)
		CHECK(t, begins(&crew, i, take_some, PAGES / 4) && waits(i));
	wakes = 0;
	CHECK(t, waits(1) && waits(2) && waits(3));
	CHECK_EQ(t, wakes, 0);
	CHECK_EQ(t, goes_on(0), PAGES);
	for (int i = 1; i < 4; i++)
		CHECK_EQ(t, goes_on(i), PAGES / 4);
	CHECK(t, crew_close(t, &crew));
}

/* A swap-out of all pages does not wait for a buffer that somebody used after it began. */
static void s07_a_swap_out_of_all_ends(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, holds(&crew, 0, 0, shrink, PAGES));
	CHECK(t, holds(&crew, 1, 1, shrink, PAGES));
	CHECK(t, begins(&crew, 2, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES));
	until_one_follows(&crew);
	ttmpool_lru_touch(&crew.buf[1]->be);
	CHECK_EQ(t, goes_on(0), PAGES);
	CHECK(t, ends(2));
	CHECK_EQ(t, goes_on(2), 0);
	CHECK_EQ(t, goes_on(1), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* What happens to a buffer while a round is at work on another one. */
enum disturbance {
	LOCKED,
	USED,
	IN_VAIN,
	NR_DISTURBANCES
};

/* Returns how many pages of it have left. */
static unsigned long disturb(struct crew *crew, enum disturbance how)
{
	struct buffer *buf = crew->buf[1];
	unsigned long got;

	if (how == USED) {
		ttmpool_lru_touch(&buf->be);
		return 0;
	}
	if (how == LOCKED)
		crew_trylock(&buf->be);
	store_fails = how == IN_VAIN;
	got = shrink(&crew->rig->mgr, 1);
	store_fails = false;
	if (how == LOCKED)
		crew_unlock(&buf->be);
	return got;
}

/* A buffer that another thread locked or used for a moment, or tried in vain, during a swap-out
 * of all pages is swapped out all the same. */
static void s07_a_swap_out_of_all_looks_at_all(struct check *t)
{
	for (int how = LOCKED; how < NR_DISTURBANCES; how++) {
		struct crew crew;

		CHECK(t, crew_open_pools(t, &crew, 2, 2));
		CHECK(t, holds(&crew, 0, 0, ttmpool_manager_swapout,
			       TTMPOOL_ALL_PAGES));
		CHECK_EQ(t, disturb(&crew, (enum disturbance)how), 0);
		CHECK_EQ(t, goes_on(0), 2 * PAGES);
		CHECK(t, crew_close(t, &crew));
	}
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
		CHECK(t, holds(&crew, 0, 0, populate, PAGES));
		CHECK_EQ(t, disturb(&crew, (enum disturbance)how), 0);
		CHECK_EQ(t, goes_on(0), PAGES);
		CHECK_EQ(t, ttmpool_unpopulate(&wants->be), 0);
		crew.buf[0]->pages[0] = first;
		CHECK(t, crew_close(t, &crew));
	}
}

/* Of two buffers that were used one after the other, the second is newer, also if the first
 * one was being swapped out. */
static void s07_who_is_used_later_is_newer(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open(t, &crew, 2));
	CHECK(t, holds(&crew, 0, 0, shrink, 2));
	ttmpool_lru_touch(&crew.buf[0]->be);
	ttmpool_lru_touch(&crew.buf[1]->be);
	CHECK_EQ(t, goes_on(0), 2);
	CHECK_EQ(t, shrink(&crew.rig->mgr, PAGES - 2), PAGES - 2);
	CHECK_EQ(t, stored(&crew, 0), PAGES);
	CHECK(t, crew_close(t, &crew));
}

/* Many threads whose store has failed bring back all that they had: that takes no long walk
 * under the lock, however many they are. */
static void s11_many_come_back_in_short_steps(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	struct tpsim_counters counters;

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	for (int i = 0; i < WORKERS; i++)
		CHECK(t, holds(crew, i, i * PARTY, shrink, PARTY * PAGES));
	store_fails = true;
	for (int i = 0; i < WORKERS; i++)
		CHECK_EQ(t, goes_on(i), 0);
	store_fails = false;
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
	CHECK(t, holds(crew, 0, 0, shrink, 1));
	for (int i = 0; i < WORKERS * PARTY; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK_EQ(t, goes_on(0), 1);
	CHECK(t, ttmpool_manager_is_valid(&crew->rig->mgr));
	tpsim_counters(check_machine(t), &counters);
	CHECK(t, counters.longest_hold <= 256);
	CHECK_EQ(t, shrink(&crew->rig->mgr, PAGES), PAGES);
	CHECK_EQ(t, stored(crew, 1), PAGES);
	CHECK(t, crew_close(t, crew));
}

/* A thread that looks whether others have a buffer that it may wait for does not look at all
 * that they have. */
static void s11_many_victims_take_no_long_walk(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	struct tpsim_counters counters;

	CHECK(t, crew && crew_open(t, crew, 10 * PARTY));
	for (int i = 0; i < 10; i++)
		CHECK(t, holds(crew, i, i * PARTY, shrink, PARTY * PAGES));
	CHECK(t, begins(crew, 10, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES));
	until_one_follows(crew);
	for (int i = PARTY; i < 10 * PARTY; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK_EQ(t, goes_on(0), PARTY * PAGES);
	CHECK(t, ends(10));
	tpsim_counters(check_machine(t), &counters);
	CHECK(t, counters.longest_hold <= 256);
	for (int i = 1; i < 11; i++)
		goes_on(i);
	CHECK(t, crew_close(t, crew));
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
	CHECK(t, holds(&crew, 0, 0, shrink, 1));
	CHECK(t, begins(&crew, 1, take_off, 1));
	while (!is_off(crew.rig, leaves))
		pause_ms(1);
	ttmpool_lru_touch(leaves);
	CHECK(t, is_off(crew.rig, leaves));
	CHECK_EQ(t, goes_on(0), 1);
	CHECK_EQ(t, goes_on(1), 1);
	CHECK(t, is_off(crew.rig, leaves));
	CHECK(t, crew_close(t, &crew));
}

/* Makes the array of a buffer one that the library did not leave there, so that the buffer
 * cannot leave. Returns the entry that was changed. */
static tpos_page_t *spoil(struct buffer *buf)
{
	tpos_page_t *first = buf->pages[0];

	buf->pages[0] = buf->pages[1];
	return first;
}

/* A buffer that left half is the next, though all others were used after the round began. */
static void s07_half_a_buffer_is_the_next_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && crew_open_pools(t, crew, WORKERS * PARTY, 2));
	CHECK(t, holds(crew, 0, 0, shrink, PAGES + 2));
	for (int i = 1; i < crew->n; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK_EQ(t, goes_on(0), PAGES + 2);
	CHECK_EQ(t, shrink(&crew->rig->mgr, PAGES - 2), PAGES - 2);
	CHECK_EQ(t, stored(crew, 1), PAGES);
	CHECK_EQ(t, stored(crew, 2), 0);
	CHECK(t, crew_close(t, crew));
}

static void lock_some(struct crew *crew, int begin, int end)
{
	for (int i = begin; i < end; i++)
		crew_trylock(&crew->buf[i]->be);
}

static void unlock_some(struct crew *crew, int begin, int end)
{
	for (int i = begin; i < end; i++)
		crew_unlock(&crew->buf[i]->be);
}

/* The buffers that were to leave with one that cannot leave do so without it, behind many that
 * are locked. */
static void s07_a_bad_buffer_hides_nobody_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));
	tpos_page_t *first;

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	first = spoil(crew->buf[200]);
	CHECK(t, holds(crew, 0, 0, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES));
	for (int i = PARTY; i < crew->n; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	lock_some(crew, PARTY, 200);
	CHECK_EQ(t, goes_on(0), (size_t)(PARTY + crew->n - 201) * PAGES);
	unlock_some(crew, PARTY, 200);
	crew->buf[200]->pages[0] = first;
	CHECK(t, crew_close(t, crew));
}

/* A buffer that comes back among those that another round has looked at is looked at by that
 * round. */
static void s07_who_comes_back_among_many_is_seen(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && crew_open(t, crew, WORKERS * PARTY));
	CHECK(t, holds(crew, 0, 0, shrink, 1));
	ttmpool_lru_touch(&crew->buf[0]->be);
	lock_some(crew, 1, 201);
	CHECK(t,
	      holds(crew, 1, 201, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES));
	CHECK_EQ(t, goes_on(0), 1);
	CHECK_EQ(t, goes_on(1), (size_t)(crew->n - 200) * PAGES - 1);
	unlock_some(crew, 1, 201);
	CHECK_EQ(t, stored(crew, 0), PAGES);
	CHECK(t, crew_close(t, crew));
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
	first = spoil(crew.buf[1]);
	CHECK(t, holds(&crew, 0, 0, shrink, PAGES));
	for (int i = 1; i < 4; i++)
		CHECK(t, begins(&crew, i, take_some, PAGES / 4) && waits(i));
	wakes = 0;
	CHECK(t, waits(1) && waits(2) && waits(3));
	CHECK_EQ(t, wakes, 0);
	CHECK_EQ(t, goes_on(0), PAGES);
	for (int i = 1; i < 4; i++)
		CHECK_EQ(t, goes_on(i), PAGES / 4);
	crew.buf[1]->pages[0] = first;
	CHECK(t, crew_close(t, &crew));
}

/* The buffer that its owner brings back each time that the other one leaves. */
static struct crew *seesaw;

static void bring_back(struct ttmpool_backend *be)
{
	struct ttmpool_backend *other =
		&seesaw->buf[be == &seesaw->buf[0]->be]->be;

	if (other->tt.state != TTMPOOL_TT_SWAPPED || ++seesaw->turns > 100)
		return;
	if (ttmpool_swapin(other, TTMPOOL_ALL_PAGES))
		seesaw->turns = 1000;
}

/* A swap-out of all pages ends, though owners bring their buffers back all the time. */
static void s07_what_is_brought_back_need_not_leave_again(struct check *t)
{
	struct crew crew;

	CHECK(t, crew_open_pools(t, &crew, 2, 2));
	seesaw = &crew;
	crew.funcs.vacate = bring_back;
	CHECK_EQ(t, ttmpool_manager_swapout(&crew.rig->mgr, TTMPOOL_ALL_PAGES),
		 2 * PAGES);
	CHECK_EQ(t, crew.turns, 1);
	CHECK(t, crew_close(t, &crew));
}

/* A swap-out of all pages waits for old buffers that others have, also among many that were
 * used meanwhile. */
static void s07_old_victims_are_found_among_many(struct check *t)
{
	struct crew *crew = check_zalloc(t, sizeof(*crew));

	CHECK(t, crew && crew_open(t, crew, 10 * PARTY));
	for (int i = 0; i < 10; i++)
		CHECK(t, holds(crew, i, i * PARTY, shrink, PARTY * PAGES));
	CHECK(t, begins(crew, 10, ttmpool_manager_swapout, TTMPOOL_ALL_PAGES));
	until_one_follows(crew);
	for (int i = PARTY; i < 10 * PARTY; i++)
		ttmpool_lru_touch(&crew->buf[i]->be);
	CHECK(t, waits(10) && waits(10));
	for (int i = 0; i < 11; i++)
		goes_on(i);
	CHECK(t, crew_close(t, crew));
}

CHECK_SUITE(beside, CHECK_CASE(s07_the_shrinker_swaps_out_beside_others),
	    CHECK_CASE(s07_the_shrinker_waits_for_nobody),
	    CHECK_CASE(s07_who_comes_back_is_as_old_as_before),
	    CHECK_CASE(s07_who_is_used_meanwhile_is_the_newest),
	    CHECK_CASE(s06_a_request_waits_for_the_shrinker),
	    CHECK_CASE(s06_a_request_gets_what_the_shrinker_leaves),
	    CHECK_CASE(s07_a_swap_out_of_all_leaves_none),
	    CHECK_CASE(s07_a_signal_ends_the_wait_for_the_shrinker),
	    CHECK_CASE(s06_who_waits_for_the_shrinker_wakes_nobody),
	    CHECK_CASE(s07_a_swap_out_of_all_ends),
	    CHECK_CASE(s07_a_swap_out_of_all_looks_at_all),
	    CHECK_CASE(s06_a_request_looks_at_all),
	    CHECK_CASE(s07_who_is_used_later_is_newer),
	    CHECK_CASE(s11_many_come_back_in_short_steps),
	    CHECK_CASE(s11_many_used_later_take_no_long_walk),
	    CHECK_CASE(s11_many_victims_take_no_long_walk),
	    CHECK_CASE(s07_who_is_taken_off_stays_off),
	    CHECK_CASE(s07_half_a_buffer_is_the_next_among_many),
	    CHECK_CASE(s07_a_bad_buffer_hides_nobody_among_many),
	    CHECK_CASE(s07_who_comes_back_among_many_is_seen),
	    CHECK_CASE(s06_who_finds_a_bad_buffer_wakes_nobody),
	    CHECK_CASE(s07_what_is_brought_back_need_not_leave_again),
	    CHECK_CASE(s07_old_victims_are_found_among_many));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_beside, &config);
}
