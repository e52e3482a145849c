// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Everything at once (f05, f35, f41): some threads populate, move and drop buffers;
 * others shrink, swap out, change limits, and tear down pools of the same manager. The
 * threads check what they can know while they run; the rest is checked when they are
 * done. This also runs under helgrind and ThreadSanitizer.
 */

#include <pthread.h>
#include <sched.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WORKERS 2
#define N       13 /* chunks of 8, 4 and 1 pages */
#define ROUNDS  40

struct worker {
	struct check *t;
	struct rig *rig;
	struct ttmpool_backend be;
	tpos_page_t *pages[N];
	tpos_dma_addr_t dma_addr[N];
	pthread_mutex_t lock;
	unsigned char byte;
	unsigned long interrupted; /* failed attempts to bring it in */
	const char *wrong;
};

static bool worker_trylock(struct ttmpool_backend *be)
{
	return !pthread_mutex_trylock(
		&ttmpool_list_entry(be, struct worker, be)->lock);
}

static void worker_unlock(struct ttmpool_backend *be)
{
	pthread_mutex_unlock(&ttmpool_list_entry(be, struct worker, be)->lock);
}

static int worker_bind(struct ttmpool_backend *be)
{
	return be->tt.state == TTMPOOL_TT_POPULATED ? 0 : -EINVAL;
}

static void worker_unbind(struct ttmpool_backend *be)
{
	(void)be;
}

static int worker_populate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.populate(be);
}

static int worker_unpopulate(struct ttmpool_backend *be)
{
	return ttmpool_backend_plain.unpopulate(be);
}

static const struct ttmpool_backend_funcs worker_funcs = {
	.name = "of a worker",
	.populate = worker_populate,
	.unpopulate = worker_unpopulate,
	.bind = worker_bind,
	.unbind = worker_unbind,
	.movable = true,
	.source = TTMPOOL_PLAIN,
	.trylock = worker_trylock,
	.unlock = worker_unlock,
};

static bool worker_open(struct worker *w, struct check *t, struct rig *rig,
			unsigned char byte)
{
	struct ttmpool_backend_config config = {
		.pool = &rig->pool[0],
		.funcs = &worker_funcs,
		.pages = w->pages,
		.dma_addr = w->dma_addr,
		.num_pages = N,
		.caching = TTMPOOL_WRITE_COMBINED,
	};

	w->t = t;
	w->rig = rig;
	w->byte = byte;
	pthread_mutex_init(&w->lock, NULL);
	return !ttmpool_backend_init(&w->be, &config);
}

static bool each_page(struct worker *w, unsigned char byte,
		      bool (*call)(struct check *t, tpos_page_t *page,
				   enum ttmpool_caching caching,
				   unsigned char byte))
{
	for (size_t i = 0; i < N; i++)
		if (!call(w->t, w->pages[i], TTMPOOL_WRITE_COMBINED, byte))
			return false;
	return true;
}

/* Bring the buffer in, because the swapper may have swapped it out; memory may be short
 * for a while. */
static int bring_in(struct worker *w)
{
	int err = 0;

	while (w->be.tt.state != TTMPOOL_TT_POPULATED) {
		err = w->be.tt.state == TTMPOOL_TT_EMPTY
			      ? ttmpool_populate(&w->be)
			      : ttmpool_swapin(&w->be, TTMPOOL_ALL_PAGES);
		if (err && err != -ENOMEM)
			return err;
		if (!err)
			continue;
		w->interrupted++;
		pthread_mutex_unlock(&w->lock);
		sched_yield();
		pthread_mutex_lock(&w->lock);
	}
	return 0;
}

/* Use a buffer from populate to drop, and release its lock between the steps. */
static const char *live(struct worker *w)
{
	if (bring_in(w))
		return "no pages";
	if (!each_page(w, 0, check_holds))
		return "another owner's bytes";
	if (!each_page(w, w->byte, check_fill) || ttmpool_lru_add(&w->be))
		return "not listed";
	for (int i = 0; i < 4; i++) {
		pthread_mutex_unlock(&w->lock);
		sched_yield();
		pthread_mutex_lock(&w->lock);
		if (bring_in(w) || ttmpool_bind(&w->be))
			return "not bound";
		pthread_mutex_unlock(&w->lock);
		sched_yield();
		pthread_mutex_lock(&w->lock);
		if (w->be.tt.state != TTMPOOL_TT_BOUND)
			return "moved while it was bound";
		if (!each_page(w, w->byte, check_holds))
			return "bytes are lost";
		ttmpool_unbind(&w->be);
		if (i % 2)
			check_any(ttmpool_swapout(&w->be, 5));
		ttmpool_lru_touch(&w->be);
	}
	return NULL;
}

static void *work(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < ROUNDS && !w->wrong; i++) {
		pthread_mutex_lock(&w->lock);
		w->wrong = live(w);
		ttmpool_lru_remove(&w->be);
		if (ttmpool_drop(&w->be))
			w->wrong = "cannot be dropped";
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

static void *shrink(void *arg)
{
	struct ttmpool_manager *mgr = &((struct rig *)arg)->mgr;

	for (int i = 0; i < 4 * ROUNDS; i++) {
		ttmpool_manager_shrink_scan(mgr, 3, i % 2);
		ttmpool_manager_shrink_count(mgr, true);
		if (i % 4 == 3)
			ttmpool_manager_swapout(mgr, 6);
		sched_yield();
	}
	return NULL;
}

/* Raise and lower limits, and start and end a pool of the manager that hands out
 * pages. */
static void *disturb(void *arg)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 3 };
	struct rig *rig = arg;
	struct ttmpool_pool_config config = { .name = "passing",
					      .dev = rig->dev[1],
					      .node = TTMPOOL_NODE_ANY };
	tpos_page_t *pages[3];
	struct ttmpool_pool pool;

	for (int i = 0; i < ROUNDS; i++) {
		ttmpool_manager_set_pool_limit(&rig->mgr, i % 3 ? 2 * N : 0);
		if (ttmpool_pool_init(&pool, &rig->mgr, &config))
			return "no pool";
		if (!ttmpool_pool_take(&pool, &req, pages, NULL) &&
		    ttmpool_pool_give(&pool, pages, 3, TTMPOOL_UNCACHED))
			return "a give was refused";
		ttmpool_pool_scrub(&rig->pool[0], 4);
		if (ttmpool_pool_fini(&pool))
			return "pages were in use";
		sched_yield();
	}
	return NULL;
}

/* Run the workers, and two other threads at the same time; true if nothing went wrong. */
static bool run(struct check *t, struct rig *rig, void *(*first)(void *),
		void *(*second)(void *))
{
	struct worker *workers = check_zalloc(t, WORKERS * sizeof(*workers));
	pthread_t threads[WORKERS], others[2];
	const char *wrong = NULL;
	void *(*const fns[2])(void *) = { first, second };
	void *result;

	for (int i = 0; i < WORKERS; i++)
		if (!worker_open(&workers[i], t, rig,
				 (unsigned char)(17 * i + 1)))
			return false;
	for (int i = 0; i < WORKERS; i++)
		pthread_create(&threads[i], NULL, work, &workers[i]);
	for (int i = 0; i < 2; i++)
		pthread_create(&others[i], NULL, fns[i], rig);
	for (int i = 0; i < WORKERS; i++) {
		pthread_join(threads[i], NULL);
		wrong = wrong ? wrong : workers[i].wrong;
	}
	for (int i = 0; i < 2; i++) {
		pthread_join(others[i], &result);
		wrong = wrong ? wrong : result;
	}
	if (wrong)
		check_fail(t, __FILE__, __LINE__, wrong, NULL);
	return !wrong;
}

static struct rig *open_rig(struct check *t, unsigned long budget)
{
	return rig_open(t, &(struct rig_config){ .nr_pools = 2,
						 .page_budget = budget,
						 .pool_limit = 2 * N });
}

/* Shrinkers that run at every step of a buffer's life take free and idle pages, and no
 * page that is in use. */
static void f05_shrinkers_beside_everything(struct check *t)
{
	struct rig *rig = open_rig(t, 0);

	CHECK(t, rig && run(t, rig, shrink, shrink));
	CHECK(t, rig_close(t, rig));
}

/* Pools start and end and limits change, while other threads work with the same
 * manager. */
static void f35_teardown_and_limits_beside_everything(struct check *t)
{
	struct rig *rig = open_rig(t, 4 * N);

	CHECK(t, rig && run(t, rig, disturb, disturb));
	CHECK(t, rig_close(t, rig));
}

/* There is room for one buffer and a half, so each worker swaps the other's buffer out:
 * at any time there is one copy of each page, and it is the right one. */
static void f41_swapping_beside_everything(struct check *t)
{
	struct rig *rig = open_rig(t, N + N / 2);

	CHECK(t, rig && run(t, rig, shrink, disturb));
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(faults_threads, CHECK_CASE(f05_shrinkers_beside_everything),
	    CHECK_CASE(f35_teardown_and_limits_beside_everything),
	    CHECK_CASE(f41_swapping_beside_everything));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .threads = true };

	return check_main(argc, argv, &check_suite_faults_threads, &config);
}
