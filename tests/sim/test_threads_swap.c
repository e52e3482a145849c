// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that swap each other's buffers out (S7). Each thread has its own buffers with
 * their own locks, which the swapper tries; whenever the thread uses a buffer again,
 * every byte must be there. This also runs under helgrind and ThreadSanitizer.
 */

#include <pthread.h>
#include <sched.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WORKERS   3
#define SHRINKERS 2
#define OWN       3
#define PAGES     13
#define ROUNDS    40

/* A buffer with a lock that other threads may try. */
struct shared {
	struct ttmpool_backend be;
	tpos_page_t *pages[PAGES];
	tpos_dma_addr_t dma_addr[PAGES];
	pthread_mutex_t lock;
};

struct worker {
	struct check *t;
	struct shared own[OWN];
	unsigned char byte;
	const char *wrong;
};

static bool shared_trylock(struct ttmpool_backend *be)
{
	struct shared *shared = ttmpool_list_entry(be, struct shared, be);

	return !pthread_mutex_trylock(&shared->lock);
}

static void shared_unlock(struct ttmpool_backend *be)
{
	pthread_mutex_unlock(&ttmpool_list_entry(be, struct shared, be)->lock);
}

static struct ttmpool_backend_funcs shared_funcs(void)
{
	struct ttmpool_backend_funcs funcs = ttmpool_backend_plain;

	funcs.trylock = shared_trylock;
	funcs.unlock = shared_unlock;
	return funcs;
}

static bool shared_open(struct shared *shared, struct ttmpool_pool *pool,
			const struct ttmpool_backend_funcs *funcs)
{
	struct ttmpool_backend_config config = {
		.pool = pool,
		.funcs = funcs,
		.pages = shared->pages,
		.dma_addr = shared->dma_addr,
		.num_pages = PAGES,
		.caching = TTMPOOL_WRITE_COMBINED,
	};

	pthread_mutex_init(&shared->lock, NULL);
	return !ttmpool_backend_init(&shared->be, &config);
}

static bool each_page(struct worker *w, struct shared *shared,
		      bool (*call)(struct check *t, tpos_page_t *page,
				   enum ttmpool_caching caching,
				   unsigned char byte))
{
	for (size_t i = 0; i < PAGES; i++)
		if (!call(w->t, shared->pages[i], TTMPOOL_WRITE_COMBINED,
			  (unsigned char)(w->byte + i)))
			return false;
	return true;
}

/* Memory is short from time to time, so a populate or a swap-in is retried until it
 * succeeds. */
static int retried(int (*call)(struct shared *shared), struct shared *shared)
{
	int err;

	while ((err = call(shared)) == -ENOMEM) {
		pthread_mutex_unlock(&shared->lock);
		sched_yield();
		pthread_mutex_lock(&shared->lock);
	}
	return err;
}

static int get_pages(struct shared *shared)
{
	if (shared->be.tt.state == TTMPOOL_TT_EMPTY)
		return ttmpool_populate(&shared->be);
	return shared->be.tt.state == TTMPOOL_TT_POPULATED
		       ? 0
		       : ttmpool_swapin(&shared->be, TTMPOOL_ALL_PAGES);
}

static void use(struct worker *w, struct shared *shared)
{
	bool fresh;

	pthread_mutex_lock(&shared->lock);
	fresh = shared->be.tt.state == TTMPOOL_TT_EMPTY;
	if (retried(get_pages, shared))
		w->wrong = "no pages";
	else if (fresh && !each_page(w, shared, check_fill))
		w->wrong = "cannot write";
	else if (!each_page(w, shared, check_holds))
		w->wrong = "bytes are lost";
	if (fresh)
		ttmpool_lru_add(&shared->be);
	else
		ttmpool_lru_touch(&shared->be);
	pthread_mutex_unlock(&shared->lock);
}

static void end(struct worker *w, struct shared *shared)
{
	pthread_mutex_lock(&shared->lock);
	ttmpool_lru_remove(&shared->be);
	if (shared->be.tt.state != TTMPOOL_TT_EMPTY &&
	    ttmpool_drop(&shared->be))
		w->wrong = "cannot be dropped";
	pthread_mutex_unlock(&shared->lock);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !w->wrong; i++) {
		use(w, &w->own[i % OWN]);
		if (i % 7 == 6)
			end(w, &w->own[i % OWN]);
	}
	for (int i = 0; i < OWN; i++)
		end(w, &w->own[i]);
	return NULL;
}

static void *shrink(void *arg)
{
	struct ttmpool_manager *mgr = arg;

	for (int i = 0; i < ROUNDS; i++) {
		ttmpool_manager_shrink_scan(mgr, 4, true);
		ttmpool_manager_shrink_count(mgr, true);
	}
	return NULL;
}

/* Three threads have nine buffers, and there is room for five: no byte is lost, and all
 * threads are served. */
static void s07_threads_swap_each_other_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){
					      .page_budget = 5 * PAGES,
					      .pool_limit = 2 * PAGES,
				      });
	struct worker *workers = check_zalloc(t, WORKERS * sizeof(*workers));
	struct ttmpool_backend_funcs funcs = shared_funcs();
	pthread_t threads[WORKERS], shrinkers[SHRINKERS];

	CHECK(t, rig && workers);
	for (int i = 0; i < WORKERS; i++) {
		workers[i].t = t;
		workers[i].byte = (unsigned char)(40 * i + 1);
		for (int j = 0; j < OWN; j++)
			CHECK(t, shared_open(&workers[i].own[j], &rig->pool[0],
					     &funcs));
	}
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, &workers[i]);
	for (int i = 0; i < SHRINKERS; i++)
		pthread_create(&shrinkers[i], NULL, shrink, &rig->mgr);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(threads[i], NULL);
	for (int i = 0; i < SHRINKERS; i++)
		pthread_join(shrinkers[i], NULL);
	for (int i = 0; i < WORKERS; i++)
		CHECK(t, !workers[i].wrong);
	CHECK(t, rig_close(t, rig));
}

struct meeting {
	struct ttmpool_manager *mgr;
	struct shared *shared;
};

static struct meeting meeting;

/* The swapper keeps the buffer locked until another thread has taken it off the list. */
static void unlock_when_removed(struct ttmpool_backend *be)
{
	bool removed = false;

	while (!removed) {
		tpos_spin_lock(&meeting.mgr->lock);
		removed = ttmpool_list_empty(&be->lru);
		tpos_spin_unlock(&meeting.mgr->lock);
		sched_yield();
	}
	shared_unlock(be);
}

static void *swap_others(void *arg)
{
	ttmpool_manager_swapout(arg, 1);
	return NULL;
}

/* A thread that takes a buffer off the list during its swap-out waits for the end of
 * that, so that it can destroy the buffer. */
static void s07_removing_waits_for_the_swapper(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_backend_funcs funcs = shared_funcs();
	struct shared *shared = check_zalloc(t, sizeof(*shared));
	bool victim = false;
	pthread_t swapper;

	CHECK(t, rig && shared);
	funcs.unlock = unlock_when_removed;
	meeting = (struct meeting){ &rig->mgr, shared };
	CHECK(t, shared_open(shared, &rig->pool[0], &funcs));
	CHECK_EQ(t, ttmpool_populate(&shared->be), 0);
	CHECK_EQ(t, ttmpool_lru_add(&shared->be), 0);
	pthread_create(&swapper, NULL, swap_others, &rig->mgr);
	while (!victim) {
		tpos_spin_lock(&rig->mgr.lock);
		victim = shared->be.lru_victim;
		tpos_spin_unlock(&rig->mgr.lock);
		sched_yield();
	}
	ttmpool_lru_remove(&shared->be);
	tpos_spin_lock(&rig->mgr.lock);
	victim = shared->be.lru_victim;
	tpos_spin_unlock(&rig->mgr.lock);
	CHECK(t, !victim);
	CHECK_EQ(t, shared->be.pages_stored > 0, true);
	pthread_join(swapper, NULL);
	CHECK_EQ(t, ttmpool_drop(&shared->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(threads_swap, CHECK_CASE(s07_threads_swap_each_other_out),
	    CHECK_CASE(s07_removing_waits_for_the_swapper));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_threads_swap, &config);
}
