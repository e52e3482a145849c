// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that give pages which are not theirs, while the owners take these and give them
 * back: pages of another pool (f53), whose descriptors are freed meanwhile, and pages of
 * an outdated array (f54), which are being handed out or given back. Such gives are
 * refused, nothing is read that has been freed, and no owner is disturbed. This also runs
 * under ThreadSanitizer, which knows each unlocked read of a descriptor.
 */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include <ttmpool/runs.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define ROUNDS 400
#define MOST   700 /* chunks: more than are handled under one hold of a lock */

/**
 * struct scene - an owner that has pages, and an intruder that gives them back
 * @pool: the pool of the pages
 * @wrong: the pool that the intruder gives them to
 * @caching: of all pages
 * @n: the number of pages that the owner has at a time
 * @lent: the first of them
 * @array: the outdated array of the intruder, or NULL
 * @be: a buffer of the intruder, or NULL
 * @over: the intruder may stop
 * @taken: how often a pool accepted what the intruder gave
 * @owned: how often the wrong pool claimed a page of the owner
 */
struct scene {
	struct rig *rig;
	struct ttmpool_pool *pool;
	struct ttmpool_pool *wrong;
	enum ttmpool_caching caching;
	size_t n;
	_Atomic(tpos_page_t *) lent;
	tpos_page_t **array;
	struct ttmpool_backend *be;
	atomic_bool over;
	size_t taken;
	size_t owned;
	const char *failed;
};

/* Give a page of another pool, which may be freed at any time. */
static void *give_to_the_wrong_pool(void *arg)
{
	struct scene *scene = arg;

	while (!scene->over) {
		tpos_page_t *page = atomic_load_explicit(&scene->lent,
							 memory_order_relaxed);

		if (!page)
			continue;
		scene->taken += !ttmpool_pool_give(scene->wrong, &page, 1,
						   scene->caching);
		scene->owned += ttmpool_pool_owns(scene->wrong, page);
		scene->owned += ttmpool_page_insertable(scene->wrong, page);
	}
	return NULL;
}

/* Swap out a buffer of the wrong pool, in whose array that page stands. */
static void *swap_out_of_the_wrong_pool(void *arg)
{
	struct scene *scene = arg;
	struct ttmpool_backend *be = scene->be;

	while (!scene->over) {
		tpos_page_t *page = atomic_load_explicit(&scene->lent,
							 memory_order_relaxed);
		tpos_page_t *was = be->tt.pages[0];

		if (!page)
			continue;
		be->tt.pages[0] = page;
		scene->taken += ttmpool_swapout(be, 1) != -EINVAL;
		be->tt.pages[0] = was;
	}
	return NULL;
}

/* Give an outdated array: all of it, and pages here and there. */
static void *give_by_an_array_of_old(void *arg)
{
	struct scene *scene = arg;

	while (!scene->over) {
		scene->taken +=
			!ttmpool_pool_give_ticket(scene->wrong, scene->array,
						  scene->n, scene->caching, 2);
		for (size_t i = scene->n; i--; i = i / 2 + i / 4)
			scene->taken += !ttmpool_pool_give(scene->wrong,
							   scene->array + i, 1,
							   scene->caching);
		sched_yield();
	}
	return NULL;
}

/* Take pages and give them back: with a ticket, or as runs. */
static const char *have_pages(struct scene *scene, tpos_page_t **pages, int i)
{
	struct ttmpool_request req = { .caching = scene->caching,
				       .num_pages = scene->n,
				       .ticket = 4 + 2 * (uint32_t)i };
	struct ttmpool_runs runs;

	if (scene->array && i % 4 == 3) {
		if (ttmpool_runs_take(scene->pool, &req, false, &runs))
			return "a run could not be had";
		sched_yield();
		return ttmpool_runs_give(&runs) ? "a run is gone" : NULL;
	}
	if (ttmpool_pool_take(scene->pool, &req, pages, NULL))
		return "pages could not be had";
	atomic_store_explicit(&scene->lent, pages[0], memory_order_relaxed);
	if (i % 8 == 5)
		sched_yield();
	return ttmpool_pool_give_ticket(scene->pool, pages, scene->n,
					scene->caching, req.ticket)
		       ? "pages are gone"
		       : NULL;
}

static bool scene_plays(struct check *t, struct scene *scene,
			void *(*other)(void *), int rounds)
{
	tpos_page_t **pages = check_zalloc(t, MOST * sizeof(*pages));
	pthread_t thread;

	if (!pages || pthread_create(&thread, NULL, other, scene))
		return false;
	for (int i = 0; i < rounds && !scene->failed; i++)
		scene->failed = have_pages(scene, pages, i);
	scene->over = true;
	pthread_join(thread, NULL);
	if (scene->failed)
		check_fail(t, __FILE__, __LINE__, scene->failed, NULL);
	return !scene->failed;
}

/* A page that is given to the wrong pool is refused, whatever its own pool does with it
 * meanwhile: cached pages go to the system, with their descriptors. */
static void f53_a_page_of_another_pool_may_go_meanwhile(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct scene scene = { .caching = TTMPOOL_CACHED, .n = 1 };

	CHECK(t, rig);
	scene.rig = rig;
	scene.pool = &rig->pool[0];
	scene.wrong = &rig->pool[1];
	CHECK(t, scene_plays(t, &scene, give_to_the_wrong_pool, 10 * ROUNDS));
	CHECK_EQ(t, scene.taken, 0);
	CHECK_EQ(t, scene.owned, 0);
	CHECK_EQ(t, rig_stats(rig).takes, 10 * ROUNDS);
	CHECK(t, rig_close(t, rig));
}

/* Nor is such a page swapped out with a buffer of the wrong pool, in whose array it
 * stands. */
static void f53_a_page_of_another_pool_is_not_swapped_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer_config config = { .pool = 1,
					.num_pages = 2,
					.caching = TTMPOOL_CACHED };
	struct scene scene = { .caching = TTMPOOL_CACHED, .n = 1 };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 3);
	CHECK(t, buf);
	scene.rig = rig;
	scene.pool = &rig->pool[0];
	scene.be = &buf->be;
	CHECK(t,
	      scene_plays(t, &scene, swap_out_of_the_wrong_pool, 10 * ROUNDS));
	CHECK_EQ(t, scene.taken, 0);
	CHECK(t, buffer_is_stamped(t, buf, 3));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A page is also refused if both pools hand out pages, which move from one to the other
 * with their descriptors: a page that is given to the wrong pool may belong to it by now,
 * and be in use. */
static void f53_a_descriptor_may_be_the_other_pools_next(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct scene scene[2];
	pthread_t threads[2];
	tpos_page_t *page;

	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		scene[i] = (struct scene){ .rig = rig,
					   .pool = &rig->pool[i],
					   .wrong = &rig->pool[!i],
					   .caching = TTMPOOL_CACHED,
					   .n = 1 };
		CHECK_EQ(t,
			 pthread_create(&threads[i], NULL,
					give_to_the_wrong_pool, &scene[i]),
			 0);
	}
	for (int i = 0; i < 8 * ROUNDS && !scene[0].failed; i++)
		scene[0].failed = have_pages(&scene[i % 2], &page, i);
	for (int i = 0; i < 2; i++) {
		scene[i].over = true;
		pthread_join(threads[i], NULL);
	}
	CHECK(t, !scene[0].failed);
	CHECK_EQ(t, scene[0].taken + scene[1].taken, 0);
	CHECK(t, rig_close(t, rig));
}

/* Give pages by the outdated array of a buffer of many chunks, whose pages are pooled,
 * taken and given back, as pages and as runs. */
static void play_old(struct check *t, enum ttmpool_caching caching, size_t n,
		     unsigned int max_order)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_request req = { .caching = caching,
				       .num_pages = n,
				       .ticket = 2 };
	struct scene scene = { .caching = caching, .n = n };
	struct rig *rig;

	policy.max_order = max_order;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	scene.array = check_zalloc(t, n * sizeof(*scene.array));
	CHECK(t, rig && scene.array);
	scene.rig = rig;
	scene.pool = scene.wrong = &rig->pool[0];
	CHECK_EQ(t, ttmpool_pool_take(scene.pool, &req, scene.array, NULL), 0);
	CHECK_EQ(t,
		 ttmpool_pool_give_ticket(scene.pool, scene.array, n, caching,
					  2),
		 0);
	CHECK(t, scene_plays(t, &scene, give_by_an_array_of_old, ROUNDS));
	CHECK_EQ(t, scene.taken, 0);
	CHECK_EQ(t, rig_stats(rig).pages_in_use, 0);
	CHECK(t, rig_close(t, rig));
}

/* A give with an outdated array takes no page of a buffer that is being handed out or
 * given back. */
static void f54_an_array_of_old_takes_nothing_on_its_way(struct check *t)
{
	play_old(t, TTMPOOL_WRITE_COMBINED, MOST, 0);
	CHECK(t, !t->failed);
	play_old(t, TTMPOOL_WRITE_COMBINED, 33, 4);
	CHECK(t, !t->failed);
	play_old(t, TTMPOOL_CACHED, 3, 2);
}

CHECK_SUITE(threads_stale,
	    CHECK_CASE(f53_a_page_of_another_pool_may_go_meanwhile),
	    CHECK_CASE(f53_a_page_of_another_pool_is_not_swapped_out),
	    CHECK_CASE(f53_a_descriptor_may_be_the_other_pools_next),
	    CHECK_CASE(f54_an_array_of_old_takes_nothing_on_its_way));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 4096,
						    .threads = true };

	return check_main(argc, argv, &check_suite_threads_stale, &config);
}
