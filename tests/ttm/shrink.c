// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * TTM's buffer objects are shrunk, purged, swapped out, and populated again, on the
 * kernel's own ttm.ko and on the one with the drop-in. The module checks every byte of a
 * buffer that returns. It writes one line for each part to the kernel's log:
 *
 *     calm      there is memory; signals interrupt some of the populates
 *     short     nearly all memory is held, so that backups run out of it
 *     tight     more buffers than memory: the system's own shrinker, which is called
 *               in the middle of an allocation, backs them up
 *     end       nothing is left: NR_GPU_ACTIVE and NR_GPU_RECLAIM are as at the start
 *
 * Only xe calls ttm_bo_shrink(), and its hardware cannot be emulated.
 */

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sched/signal.h>
#include <linux/shrinker.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include <drm/ttm/ttm_backup.h>
#include <drm/ttm/ttm_device.h>

#include "shrink.h"

#define NR_BUFFERS 96
#define NR_KINDS   16

static const size_t sizes[] = { 1, 3, 75, 512, 700, 1029 };

static struct shrink_buffer *buffers[NR_BUFFERS];
static struct shrink_tally tally;
static struct rnd_state rnd;
static unsigned int rounds = 100;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "of each part");

static u32 choose(u32 n)
{
	return prandom_u32_state(&rnd) % n;
}

static void report(const char *part)
{
	pr_info("shrink: %s: shrinks=%llu pages=%llu partial=%llu refused=%llu "
		"purges=%llu swapouts=%llu restores=%llu failed=%llu MiB=%llu "
		"wrong=%llu inconsistent=%llu\n",
		part, tally.shrinks, tally.pages, tally.partial, tally.refused,
		tally.purges, tally.swapouts, tally.restores, tally.failed,
		tally.bytes >> 20, tally.wrong, tally.inconsistent);
	memset(&tally, 0, sizeof(tally));
}

/* The caller has locked the buffer. If TTM moved nothing, its contents are checked. */
static void shrink_one(struct shrink_buffer *buf, bool purge, bool writeback)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };
	long pages;

	if (!ttm_bo_shrink_suitable(&buf->bo, &ctx) || !buf->bo.ttm->backup)
		return;
	pages = ttm_bo_shrink(&ctx, &buf->bo,
			      (struct ttm_bo_shrink_flags){
				      .purge = purge, .writeback = writeback });
	if (pages <= 0) {
		tally.refused++;
		if (ttm_tt_is_populated(buf->bo.ttm))
			shrink_look(buf, &tally);
		return;
	}
	if (purge) {
		buf->seed = 0;
		tally.purges++;
		return;
	}
	tally.shrinks++;
	tally.pages += pages;
	tally.partial += pages < buf->bo.ttm->num_pages;
}

/* The caller has locked the buffer. A buffer that returns is checked; one without
 * contents is filled. */
static void bring_back(struct shrink_buffer *buf, bool interruptible)
{
	struct ttm_operation_ctx ctx = { .interruptible = interruptible,
					 .gfp_retry_mayfail = true };

	if (ttm_bo_populate(&buf->bo, &ctx)) {
		tally.failed++;
		return;
	}
	tally.restores++;
	shrink_look(buf, &tally);
	if (!buf->seed || !choose(8))
		shrink_write(buf, 1 + choose(U32_MAX));
}

/* Choose one buffer at random: shrink it, populate it, or replace it by another one. */
static void step(bool signals)
{
	unsigned int i = choose(NR_BUFFERS);
	struct shrink_buffer *buf = buffers[i];
	u32 what = choose(16);

	if (!buf || !what) {
		if (buf)
			shrink_buffer_close(buf);
		buffers[i] = shrink_buffer_open(
			choose(NR_KINDS), sizes[choose(ARRAY_SIZE(sizes))]);
		return;
	}
	dma_resv_lock(buf->bo.base.resv, NULL);
	if (what < 7) {
		shrink_one(buf, what == 1, what & 1);
	} else {
		if (signals && what > 13)
			send_sig(SIGUSR1, current, 0);
		bring_back(buf, signals && what > 11);
		flush_signals(current);
	}
	dma_resv_unlock(buf->bo.base.resv);
}

static void swap_one(void)
{
	struct ttm_operation_ctx ctx = { .no_wait_gpu = true };

	tally.swapouts += ttm_device_swapout(shrink_bdev(), &ctx, GFP_KERNEL) >
			  0;
}

static void go(bool signals)
{
	for (unsigned int i = 0; i < rounds * 8; i++) {
		step(signals);
		if (!choose(8))
			swap_one();
		cond_resched();
	}
}

static void close_all(void)
{
	for (unsigned int i = 0; i < NR_BUFFERS; i++) {
		if (buffers[i])
			shrink_buffer_close(buffers[i]);
		buffers[i] = NULL;
	}
}

/* Hold all free pages but a little, so that nobody can reclaim them. */
static void hold(struct list_head *held, unsigned long leave)
{
	while (global_zone_page_state(NR_FREE_PAGES) > leave) {
		struct page *page = alloc_page(GFP_NOWAIT | __GFP_NOWARN);

		if (!page)
			break;
		list_add(&page->lru, held);
	}
}

static void let_go(struct list_head *held)
{
	struct page *page, *after;

	list_for_each_entry_safe(page, after, held, lru)
	{
		list_del(&page->lru);
		__free_page(page);
	}
}

static void go_short(void)
{
	LIST_HEAD(held);

	for (unsigned int i = 0; i < 4; i++) {
		hold(&held, 2048 >> i);
		for (unsigned int j = 0; j < rounds; j++)
			step(false);
		let_go(&held);
	}
}

/* The functions of the system's shrinker; they answer as xe's do. */
static unsigned long count(struct shrinker *shrinker, struct shrink_control *sc)
{
	return 1024;
}

static unsigned long scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	u64 before = tally.pages;

	if (!(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	for (unsigned int i = 0;
	     i < NR_BUFFERS && tally.pages - before < sc->nr_to_scan; i++) {
		struct shrink_buffer *buf = READ_ONCE(buffers[i]);

		if (!buf || !dma_resv_trylock(buf->bo.base.resv))
			continue;
		shrink_one(buf, false,
			   current_is_kswapd() && sc->gfp_mask & __GFP_IO);
		dma_resv_unlock(buf->bo.base.resv);
	}
	return tally.pages - before ?: SHRINK_STOP;
}

/* Make more buffers than there is memory, and end none meanwhile, as the shrinker uses
 * them. */
static void go_tight(void)
{
	struct shrinker *shrinker = shrinker_alloc(0, "ttm_shrink");

	if (!shrinker)
		return;
	for (unsigned int i = 0; i < NR_BUFFERS; i++)
		WRITE_ONCE(buffers[i], shrink_buffer_open(i % 8, 1029));
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	for (unsigned int i = 0; i < NR_BUFFERS + rounds; i++) {
		struct shrink_buffer *buf = buffers[i * 29 % NR_BUFFERS];

		if (!buf)
			continue;
		dma_resv_lock(buf->bo.base.resv, NULL);
		bring_back(buf, false);
		dma_resv_unlock(buf->bo.base.resv);
	}
	shrinker_free(shrinker);
}

static void report_statistics(const char *when)
{
	pr_info("shrink: %s: active=%lu reclaim=%lu\n", when,
		global_node_page_state(NR_GPU_ACTIVE),
		global_node_page_state(NR_GPU_RECLAIM));
}

static int run(void *done)
{
	allow_signal(SIGUSR1);
	prandom_seed_state(&rnd, 86);
	report_statistics("before");
	go(true);
	report("calm");
	go_short();
	report("short");
	close_all();
	go_tight();
	report("tight");
	report_statistics("meanwhile");
	close_all();
	complete(done);
	return 0;
}

static int __init shrink_init(void)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;
	int err = shrink_device_open();

	if (err)
		return err;
	task = kthread_run(run, &done, "ttm_shrink");
	err = PTR_ERR_OR_ZERO(task);
	/* an interruptible wait does not count as a hung task */
	while (!err && wait_for_completion_interruptible(&done))
		;
	shrink_device_close();
	report_statistics("after");
	pr_info("shrink: end\n");
	return err;
}

static void __exit shrink_exit(void)
{
}

module_init(shrink_init);
module_exit(shrink_exit);
MODULE_DESCRIPTION("TTM's buffer objects, shrunk and brought back");
MODULE_LICENSE("Dual MIT/GPL");
