// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Real memory pressure: the kernel calls the shrinker, from whatever context it is in,
 * while both CPUs populate.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "check_ktap.h"
#include "rig_buffer.h"

#define NR_WORKERS 2
#define ROUNDS     300

struct worker {
	struct task_struct *task;
	struct completion done;
	struct buffer *bufs[8];
	int refused;
	int wrong; /* the first error that is not allowed */
};

static void worker_excuses(struct worker *worker, int err, int excuse)
{
	if (err && err == excuse)
		worker->refused++;
	else if (err && !worker->wrong)
		worker->wrong = err;
}

/* Only -ENOMEM may result from pressure. */
static void worker_round(struct worker *worker, int round)
{
	struct buffer *buf = worker->bufs[round % 8];

	if (buf->be.tt.state == TTMPOOL_TT_POPULATED)
		worker_excuses(worker, ttmpool_unpopulate(&buf->be), 0);
	else
		worker_excuses(worker, ttmpool_populate(&buf->be), -ENOMEM);
}

static int worker_run(void *data)
{
	struct worker *worker = data;

	for (int round = 0; round < ROUNDS; round++)
		worker_round(worker, round);
	for (int i = 0; i < 8; i++)
		if (worker->bufs[i]->be.tt.state == TTMPOOL_TT_POPULATED)
			worker_excuses(worker,
				       ttmpool_unpopulate(&worker->bufs[i]->be),
				       0);
	complete(&worker->done);
	while (!kthread_should_stop())
		schedule_timeout_interruptible(1);
	return 0;
}

/* kthread_stop() makes signal_pending() true (TIF_NOTIFY_SIGNAL), which would end a large
 * populate with -EINTR: so it is called only when the thread is done. */
static int worker_end(struct worker *worker)
{
	wait_for_completion(&worker->done);
	kthread_stop(worker->task);
	put_task_struct(worker->task);
	return worker->wrong;
}

static bool worker_start(struct check *t, struct rig *rig,
			 struct worker *worker, int cpu)
{
	for (int i = 0; i < 8; i++) {
		worker->bufs[i] = buffer_open(
			t, rig,
			&(struct buffer_config){
				.num_pages = 100 + 300 * i,
				.caching = i % 2 ? TTMPOOL_UNCACHED
						 : TTMPOOL_WRITE_COMBINED });
		if (!worker->bufs[i])
			return false;
	}
	init_completion(&worker->done);
	worker->task = kthread_create(worker_run, worker, "ttmpool-%d", cpu);
	if (IS_ERR(worker->task))
		return false;
	kthread_bind(worker->task, cpu);
	get_task_struct(worker->task);
	wake_up_process(worker->task);
	return true;
}

static unsigned long pages_shrunk(struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages_shrunk;
}

/* Is enough memory free, or pooled and reclaimable, for other users? Otherwise the kernel
 * would kill a process for its own threads. */
static bool leaves_something(struct rig *rig)
{
	struct ttmpool_manager_stats stats;
	struct sysinfo info;

	ttmpool_manager_stats(&rig->mgr, &stats);
	si_meminfo(&info);
	return stats.pages_pooled > SZ_8M >> PAGE_SHIFT ||
	       info.freeram > SZ_16M >> PAGE_SHIFT;
}

/*
 * Take memory until the shrinker has given up @enough pages, or hardly any is left; then
 * free it all. As long as reclaim gets anywhere, the allocation is retried, because
 * another CPU may have taken what was freed.
 */
static void squeeze(struct rig *rig, unsigned long enough)
{
	unsigned long until = pages_shrunk(rig) + enough;
	struct page *page, *after;
	LIST_HEAD(taken);

	while (pages_shrunk(rig) < until && leaves_something(rig)) {
		page = alloc_page(GFP_KERNEL | __GFP_RETRY_MAYFAIL |
				  __GFP_NOWARN);
		if (!page)
			break;
		list_add(&page->lru, &taken);
		cond_resched();
	}
	list_for_each_entry_safe(page, after, &taken, lru)
	{
		list_del(&page->lru);
		__free_page(page);
	}
}

/*
 * The system may still be reclaiming on another CPU, and pages that it has taken from
 * their bins are not counted for a moment. With nothing pooled it takes no more, and what
 * it has taken is gone when the mutex is free.
 */
static void let_reclaim_end(struct rig *rig)
{
	ttmpool_pool_drain(&rig->pool[0]);
	tpos_mutex_lock(&rig->mgr.reclaim);
	tpos_mutex_unlock(&rig->mgr.reclaim);
}

/* When the system is short of memory, the shrinker gives up pooled pages, while both CPUs
 * populate; counters stay right, and no page is lost. */
static void the_shrinker_works_under_pressure(struct check *t)
{
	struct worker *workers = check_zalloc(t, NR_WORKERS * sizeof(*workers));
	/* Of a kind that no worker asks for, so that there is always some to give up. */
	struct ttmpool_request spare = { .source = TTMPOOL_COHERENT,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .num_pages = SZ_32M >> PAGE_SHIFT };
	struct rig *rig;
	int wrong = 0;

	if (strcmp(check_mode(), "pressure")) {
		check_skip(t, "too much memory to run short of");
		return;
	}
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig && workers);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &spare, true), 0);
	for (int i = 0; i < NR_WORKERS; i++)
		CHECK(t, worker_start(t, rig, &workers[i], i));
	for (int i = 0; i < 5; i++)
		squeeze(rig, SZ_2M >> PAGE_SHIFT);
	for (int i = 0; i < NR_WORKERS; i++)
		wrong = worker_end(&workers[i]) ?: wrong;
	CHECK_EQ(t, wrong, 0);
	CHECK(t, pages_shrunk(rig) > 0);
	let_reclaim_end(rig);
	CHECK(t, rig_close(t, rig));
}

/* Pooled pages are given up before an allocation fails. */
static void pooled_pages_go_before_an_allocation_fails(struct check *t)
{
	struct rig *rig;
	struct buffer *buf;

	if (strcmp(check_mode(), "pressure")) {
		check_skip(t, "too much memory to run short of");
		return;
	}
	rig = rig_open(t, &(struct rig_config){});
	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = SZ_32M >> PAGE_SHIFT,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK(t, rig_stats(rig).pages_pooled >= SZ_32M >> PAGE_SHIFT);
	squeeze(rig, SZ_16M >> PAGE_SHIFT);
	CHECK(t, pages_shrunk(rig) >= SZ_16M >> PAGE_SHIFT);
	let_reclaim_end(rig);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(linux_pressure, CHECK_CASE(the_shrinker_works_under_pressure),
	    CHECK_CASE(pooled_pages_go_before_an_allocation_fails));
