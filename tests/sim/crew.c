// SPDX-License-Identifier: GPL-2.0 OR MIT
/* Threads that swap buffers out at the same time, each held up with the buffer that it has. */

#include <time.h>

#include "crew.h"

atomic_bool crew_store_fails;
atomic_int crew_wakes;

int __real_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from);
void __real_tpos_wake(struct tpos_wait *wait);
void __wrap_tpos_wake(struct tpos_wait *wait);

int __wrap_tpos_store_write(tpos_store_t *store, size_t index,
			    const struct tpos_span *from)
{
	return crew_store_fails ? -ENOMEM
				: __real_tpos_store_write(store, index, from);
}

void __wrap_tpos_wake(struct tpos_wait *wait)
{
	crew_wakes++;
	__real_tpos_wake(wait);
}

void crew_pause_ms(long ms)
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
			crew_pause_ms(1);
	}
}

/* The mutex orders what two threads do to a buffer, one after the other. */
bool crew_trylock(struct ttmpool_backend *be)
{
	struct buffer *buf = ttmpool_list_entry(be, struct buffer, be);
	bool got;

	pthread_mutex_lock(&guard);
	got = !buf->locked;
	buf->locked = true;
	pthread_mutex_unlock(&guard);
	return got;
}

void crew_unlock(struct ttmpool_backend *be)
{
	pthread_mutex_lock(&guard);
	ttmpool_list_entry(be, struct buffer, be)->locked = false;
	pthread_mutex_unlock(&guard);
}

unsigned long crew_shrink(struct ttmpool_manager *mgr, unsigned long pages)
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

/* With two pools, the buffers are of the one and the other by turns, so that no two of them
 * leave together. */
bool crew_open_pools(struct check *t, struct crew *crew, int n, int pools)
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
	crew_store_fails = false;
	policy.max_order =
		0; /* single pages, so that a buffer leaves bit by bit */
	crew->funcs = buffer_plain;
	crew->funcs.vacate = hold_up;
	crew->funcs.trylock = crew_trylock;
	crew->funcs.unlock = crew_unlock;
	crew->n = n;
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

bool crew_open(struct check *t, struct crew *crew, int n)
{
	return crew_open_pools(t, crew, n, 1);
}

/* Nothing was lost, and nothing is left. */
bool crew_close(struct check *t, struct crew *crew)
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

bool crew_begins(struct crew *crew, int worker,
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
bool crew_holds(struct crew *crew, int worker, int i,
		unsigned long (*call)(struct ttmpool_manager *mgr,
				      unsigned long pages),
		unsigned long pages)
{
	struct worker *w = &workers[worker];

	pthread_mutex_lock(&guard);
	w->be = &crew->buf[i]->be;
	pthread_mutex_unlock(&guard);
	if (!crew_begins(crew, worker, call, pages))
		return false;
	while (!w->arrived && !w->done)
		crew_pause_ms(1);
	return !w->done;
}

void crew_lets_go(int worker)
{
	workers[worker].may_go = true;
}

/* Returns how many pages the thread that was held up has got. */
unsigned long crew_goes_on(int worker)
{
	crew_lets_go(worker);
	pthread_join(workers[worker].thread, NULL);
	return workers[worker].got;
}

size_t crew_stored(const struct crew *crew, int i)
{
	return crew->buf[i]->be.pages_stored;
}

/* Is the thread still at work after a while? */
bool crew_waits(int worker)
{
	for (int ms = 0; ms < 150 && !workers[worker].done; ms++)
		crew_pause_ms(1);
	return !workers[worker].done;
}

bool crew_ends(int worker)
{
	for (int ms = 0; ms < 20000 && !workers[worker].done; ms++)
		crew_pause_ms(1);
	return workers[worker].done;
}

/* Waits until a thread waits for the buffers of others. */
void crew_until_one_follows(struct crew *crew)
{
	while (!tpos_atomic_read(&crew->rig->mgr.lru.followers.waiting))
		crew_pause_ms(1);
}

/* Makes the array of a buffer one that the library did not leave there, so that the buffer
 * cannot leave. Returns the entry that was changed. */
tpos_page_t *crew_spoil(struct buffer *buf)
{
	tpos_page_t *first = buf->pages[0];

	buf->pages[0] = buf->pages[1];
	return first;
}

void crew_lock(struct crew *crew, int begin, int end)
{
	for (int i = begin; i < end; i++)
		crew_trylock(&crew->buf[i]->be);
}

void crew_release(struct crew *crew, int begin, int end)
{
	for (int i = begin; i < end; i++)
		crew_unlock(&crew->buf[i]->be);
}

/* Returns how many pages of it have left. */
unsigned long crew_disturb(struct crew *crew, enum crew_disturbance how)
{
	struct buffer *buf = crew->buf[1];
	unsigned long got;

	if (how == USED) {
		ttmpool_lru_touch(&buf->be);
		return 0;
	}
	if (how == LOCKED)
		crew_trylock(&buf->be);
	crew_store_fails = how == IN_VAIN;
	got = crew_shrink(&crew->rig->mgr, 1);
	crew_store_fails = false;
	if (how == LOCKED)
		crew_unlock(&buf->be);
	return got;
}
