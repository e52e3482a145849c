// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Addresses that a batch shares, if the kernel supports that and the IOMMU is strict
 * (compat_iova_link.c): which pages are cut off, which are not, and when addresses come
 * back.
 *
 * Otherwise each chunk is mapped by itself, and what these cases say of shared addresses
 * is skipped.
 */

#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/kprobes.h>
#include <linux/kthread.h>

#include "shares.h"
#include "ttmpool_system.h"

/* The IOMMU's driver logs only a few faults in this time, and the following cases need
 * theirs to be logged. */
#define QUIET_MS 5000

/* When the unmap of some pages of a batch returns, the device is cut off from these,
 * whether they share addresses with the others or not, even in lazy mode; and it is not
 * cut off from the others. */
static void f17_a_part_of_a_batch_is_cut_off_at_once(struct check *t)
{
	struct batch *batch = batch_open(t);
	struct ttmpool_list some;

	CHECK(t, batch);
	for (int i = 0; i < 4; i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
	ttmpool_list_init(&some);
	ttmpool_list_move_tail(&batch->all[2].link, &some);
	ttmpool_list_move_tail(&batch->all[1].link, &some);
	CHECK_EQ(t, ttmpool_chunk_shares(&batch->all[0]), shares(batch->dev));
	if (translates(t, batch->dev)) {
		check_provoke(batch->dev, batch->all[2].dma.addr);
		CHECK(t, !batch_stale_store_arrives(batch, &some, false));
		CHECK_EQ(t,
			 edu_store(edu_of(batch->dev), batch->all[3].dma.addr),
			 0);
		CHECK(t, !memchr_inv(page_address(batch->all[3].page), 0x66,
				     EDU_TRANSFER));
		msleep(QUIET_MS);
	} else {
		tpos_dma_unmap(batch->dev, &some, false);
	}
	tpos_dma_unmap(batch->dev, &batch->chunks, false);
	ttmpool_list_splice(&some, &batch->chunks);
	batch_free(batch);
}

/* All addresses of a batch come back with its last page, and each page is counted, in
 * whatever order they are unmapped. */
static void addresses_come_back_with_the_last_page(struct check *t)
{
	static const int order[] = { 3, 0, 4, 1, 2 };
	struct batch *batch = batch_open(t);
	struct ttmpool_list one, gone;
	dma_addr_t first;

	CHECK(t, batch);
	ttmpool_list_init(&one);
	ttmpool_list_init(&gone);
	for (int i = 0; i < 5; i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, i == 0));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
	if (!shares(batch->dev)) {
		check_skip(t, "no addresses are shared here");
		CHECK_EQ(t, tpos_dma_unmap(batch->dev, &batch->chunks, false),
			 6);
		batch_free(batch);
		return;
	}
	first = batch->all[0].dma.addr;
	for (int i = 0; i < 5; i++) {
		struct ttmpool_chunk *chunk = &batch->all[order[i]];

		CHECK_EQ(t, chunk->dma.addr - first,
			 order[i] ? (order[i] + 1) * PAGE_SIZE : 0);
		ttmpool_list_move_tail(&chunk->link, &one);
		CHECK_EQ(t, tpos_dma_unmap(batch->dev, &one, false),
			 i == 4 ? 6 : 0);
		ttmpool_list_splice(&one, &gone);
	}
	ttmpool_list_splice(&gone, &batch->chunks);
	batch_free(batch);
}

/* Each chunk that shares addresses is at a multiple of its size, in whatever order the
 * batch has them, so that a device can use its own large page table entries. */
static void what_shares_is_aligned_to_its_size(struct check *t)
{
	static const unsigned int orders[] = { 0, 3, 3, 0, 1, 2, 0, 0 };
	struct batch *batch = batch_open(t);
	int sharing = 0;

	CHECK(t, batch);
	for (int i = 0; i < ARRAY_SIZE(orders); i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, orders[i]));
	CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
	for (int i = 0; i < batch->n; i++) {
		struct ttmpool_chunk *chunk = &batch->all[i];

		if (!ttmpool_chunk_shares(chunk))
			continue;
		sharing++;
		CHECK_EQ(t, chunk->dma.addr & (ttmpool_chunk_bytes(chunk) - 1),
			 0);
	}
	CHECK_EQ(t, sharing >= 6, shares(batch->dev));
	if (!sharing)
		check_skip(t, "no addresses are shared here");
	CHECK_EQ(t, tpos_dma_unmap(batch->dev, &batch->chunks, false), 26);
	batch_free(batch);
}

/* Does what the device writes to a chunk's address arrive in its first page? */
static bool is_reached(struct batch *batch, struct ttmpool_chunk *chunk)
{
	char *bytes = page_address(chunk->page);

	memset(bytes, 0, EDU_TRANSFER);
	return !edu_store(edu_of(batch->dev), chunk->dma.addr) &&
	       !memchr_inv(bytes, 0x66, EDU_TRANSFER);
}

static atomic_t links;

/* Have the third page linked where the first one is, through the fourth argument of
 * dma_iova_link(); this returns -EADDRINUSE. */
static int spoil_third_link(struct kprobe *probe, struct pt_regs *regs)
{
#ifdef CONFIG_X86_64
	if (atomic_inc_return(&links) == 3)
		regs->cx = 0;
#endif
	return 0;
}

/* Can a link be spoilt on this machine? */
static bool can_spoil(struct device *dev)
{
	return shares(dev) && IS_ENABLED(CONFIG_KPROBES) &&
	       IS_ENABLED(CONFIG_X86_64);
}

static int map_with_a_spoilt_link(struct batch *batch, bool *spoilt)
{
	static struct kprobe probe = { .symbol_name = "dma_iova_link",
				       .pre_handler = spoil_third_link };
	int err;

	probe.addr = NULL;
	probe.flags = 0;

	atomic_set(&links, 0);
	*spoilt = !register_kprobe(&probe);
	err = tpos_dma_map(batch->dev, &batch->chunks);
	if (*spoilt)
		unregister_kprobe(&probe);
	*spoilt &= atomic_read(&links) == 3;
	return err;
}

/* If one page of a range cannot be linked, the range is undone, the port does not try it
 * again, and each page of the batch is mapped by itself. */
static void f51_a_range_that_fails_half_way_is_undone(struct check *t)
{
	struct batch *batch = batch_open(t);
	bool spoilt;

	CHECK(t, batch);
	for (int i = 0; i < 5; i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	CHECK_EQ(t, map_with_a_spoilt_link(batch, &spoilt), 0);
	CHECK_EQ(t, spoilt, can_spoil(batch->dev));
	if (!spoilt)
		check_skip(t, "no link of a shared range can be spoilt here");
	CHECK(t, !spoilt || !edu_fill(edu_of(batch->dev), 0x66));
	for (int i = 0; spoilt && i < 5; i++) {
		CHECK(t, !ttmpool_chunk_shares(&batch->all[i]));
		CHECK(t, is_reached(batch, &batch->all[i]));
	}
	CHECK_EQ(t, tpos_dma_unmap(batch->dev, &batch->chunks, false), 5);
	batch_free(batch);
}

/**
 * struct unmapper - a thread that unmaps chunks of a batch, one by one
 * @dev: of the batch
 * @mine: the chunks
 * @gone: the chunks that it has unmapped
 * @back: how many pages of addresses have come back by that
 * @ended: it has unmapped all. A thread that is stopped before that may never have run.
 */
struct unmapper {
	struct device *dev;
	struct ttmpool_list mine;
	struct ttmpool_list gone;
	size_t back;
	struct completion ended;
};

static int unmapper_run(void *data)
{
	struct unmapper *me = data;
	struct ttmpool_list one;

	ttmpool_list_init(&one);
	while (!ttmpool_list_empty(&me->mine)) {
		ttmpool_list_move_tail(me->mine.next, &one);
		me->back += tpos_dma_unmap(me->dev, &one, false);
		ttmpool_list_splice(&one, &me->gone);
	}
	complete(&me->ended);
	while (!kthread_should_stop())
		schedule_timeout_uninterruptible(1);
	return 0;
}

/* Two threads unmap every second page each. */
static size_t unmap_by_two(struct batch *batch)
{
	struct unmapper two[2] = {};
	struct task_struct *task[2];

	for (int i = 0; i < 2; i++) {
		two[i].dev = batch->dev;
		init_completion(&two[i].ended);
		ttmpool_list_init(&two[i].mine);
		ttmpool_list_init(&two[i].gone);
	}
	for (int i = 0; i < batch->n; i++)
		ttmpool_list_move_tail(&batch->all[i].link, &two[i % 2].mine);
	for (int i = 0; i < 2; i++)
		task[i] = kthread_run(unmapper_run, &two[i], "ttmpool-unmap");
	for (int i = 0; i < 2; i++) {
		if (!IS_ERR(task[i])) {
			wait_for_completion(&two[i].ended);
			kthread_stop(task[i]);
		}
		ttmpool_list_splice(&two[i].mine, &batch->chunks);
		ttmpool_list_splice(&two[i].gone, &batch->chunks);
	}
	return two[0].back + two[1].back;
}

/* If two threads unmap neighbours at the same time, each page is counted, and all
 * addresses come back. */
static void neighbours_may_be_unmapped_at_once(struct check *t)
{
	struct batch *batch = batch_open(t);

	CHECK(t, batch);
	for (int i = 0; i < ARRAY_SIZE(batch->all); i++)
		CHECK(t, batch_add(batch, TTMPOOL_PLAIN, 0));
	for (int i = 0; i < 50; i++) {
		CHECK_EQ(t, tpos_dma_map(batch->dev, &batch->chunks), 0);
		CHECK_EQ(t, unmap_by_two(batch), ARRAY_SIZE(batch->all));
	}
	batch_free(batch);
}

CHECK_SUITE(linux_iova, CHECK_CASE(what_shares_is_aligned_to_its_size),
	    CHECK_CASE(f17_a_part_of_a_batch_is_cut_off_at_once),
	    CHECK_CASE(f51_a_range_that_fails_half_way_is_undone),
	    CHECK_CASE(neighbours_may_be_unmapped_at_once),
	    CHECK_CASE(addresses_come_back_with_the_last_page));
