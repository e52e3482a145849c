// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Threads that give what is not theirs, while those whose it is take it and give it
 * back: another pool's pages, whose descriptors end meanwhile (f53). They are refused,
 * nothing is read that is not there any more, and nobody else is disturbed.
 * Run under ThreadSanitizer, too, to which each unlocked look at a descriptor is known.
 */

#include <pthread.h>
#include <stdatomic.h>

#include "check_cmocka.h"
#include "rig.h"

#define ROUNDS 400

/**
 * struct scene - one who has pages, and one who should not
 * @pool: whose pages they are
 * @wrong: where the other one gives them
 * @caching: of all of them
 * @lent: the first of them
 * @over: he may stop
 * @taken: times that he was believed
 * @owned: times that a page of his seemed to be where he would have given it
 */
struct scene {
	struct rig *rig;
	struct ttmpool_pool *pool;
	struct ttmpool_pool *wrong;
	enum ttmpool_caching caching;
	_Atomic(tpos_page_t *) lent;
	atomic_bool over;
	size_t taken;
	size_t owned;
	const char *failed;
};

/* Of a page that is another pool's, and may go at any time. */
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

/* Who has a page again and again. */
static const char *have_page(struct scene *scene)
{
	struct ttmpool_request req = { .caching = scene->caching,
				       .num_pages = 1 };
	tpos_page_t *page;

	if (ttmpool_pool_take(scene->pool, &req, &page, NULL))
		return "no page could be had";
	atomic_store_explicit(&scene->lent, page, memory_order_relaxed);
	return ttmpool_pool_give(scene->pool, &page, 1, scene->caching)
		       ? "a page is gone"
		       : NULL;
}

static bool scene_plays(struct check *t, struct scene *scene,
			void *(*other)(void *), int rounds)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, other, scene))
		return false;
	for (int i = 0; i < rounds && !scene->failed; i++)
		scene->failed = have_page(scene);
	scene->over = true;
	pthread_join(thread, NULL);
	if (scene->failed)
		check_fail(t, __FILE__, __LINE__, scene->failed, NULL);
	return !scene->failed;
}

/* A page that is given to the wrong pool is refused, whatever its own pool does with
 * it meanwhile: cached pages go to the system, with their descriptors. */
static void f53_a_page_of_another_pool_may_go_meanwhile(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct scene scene = { .caching = TTMPOOL_CACHED };

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

CHECK_SUITE(threads_stale,
	    CHECK_CASE(f53_a_page_of_another_pool_may_go_meanwhile));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 4096,
						    .threads = true };

	return check_main(argc, argv, &check_suite_threads_stale, &config);
}
