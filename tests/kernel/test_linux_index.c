// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * The lookup of a page's chunk while others use it: a page is given to the wrong pool,
 * while its own pool frees the descriptor (f53). In a kernel with KASAN, an access to
 * freed memory is reported, and in one with KCSAN, a race.
 */

#include <linux/kthread.h>
#include <linux/sched.h>

#include "check_ktap.h"
#include "rig.h"

#define ROUNDS 3000

/**
 * struct wrong - a thread that gives pages that it does not own
 * @pool: the pool that it gives them to
 * @lent: the page; or NULL
 * @given: how often it gave one
 * @taken: how often the pool accepted or claimed one
 */
struct wrong {
	struct ttmpool_pool *pool;
	struct page *lent;
	unsigned long given;
	unsigned long taken;
};

static int give_to_the_wrong_pool(void *data)
{
	struct wrong *wrong = data;

	while (!kthread_should_stop()) {
		struct page *page = READ_ONCE(wrong->lent);

		if (page) {
			wrong->given++;
			wrong->taken += !ttmpool_pool_give(wrong->pool, &page,
							   1, TTMPOOL_CACHED);
			wrong->taken += ttmpool_pool_owns(wrong->pool, page);
			wrong->taken +=
				ttmpool_page_insertable(wrong->pool, page);
		}
		cond_resched();
	}
	return 0;
}

/* Cached pages are not pooled: each round frees a descriptor, and allocates a new one. */
static int take_and_give(struct ttmpool_pool *pool, struct wrong *wrong)
{
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 1 };
	struct page *page;
	int err = ttmpool_pool_take(pool, &req, &page, NULL);

	if (err)
		return err;
	WRITE_ONCE(wrong->lent, page);
	cond_resched();
	return ttmpool_pool_give(pool, &page, 1, TTMPOOL_CACHED);
}

/* The give is refused, and disturbs no other caller. */
static void f53_a_page_of_another_pool_may_go_meanwhile(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct wrong wrong = {};
	struct task_struct *task;
	int err = 0, rounds = 0;

	CHECK(t, rig);
	wrong.pool = &rig->pool[1];
	task = kthread_run(give_to_the_wrong_pool, &wrong, "wrong pool");
	CHECK(t, !IS_ERR(task));
	/* If processors take turns, it may take long until the thread runs. */
	for (; !err && (rounds < ROUNDS || !READ_ONCE(wrong.given)); rounds++)
		err = take_and_give(&rig->pool[0], &wrong);
	kthread_stop(task);
	CHECK_EQ(t, err, 0);
	CHECK(t, wrong.given);
	CHECK_EQ(t, wrong.taken, 0);
	CHECK_EQ(t, rig_stats(rig).takes, rounds);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_index,
	    CHECK_CASE(f53_a_page_of_another_pool_may_go_meanwhile));
