// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Hand-over on a machine of two nodes (S12): which pages stay in place, which are copied,
 * and what happens if there is no memory for the copy; and a shrinker that runs while the
 * swapper does (S7).
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define SEED 0x42

static struct buffer *plain_ready(struct check *t, struct rig *rig, size_t n,
				  bool unmapped)
{
	return buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .unmapped = unmapped,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
}

/* Add a second pool: of a device with that mask, or of that node. */
static bool open_second(struct check *t, struct rig *rig, uint64_t mask,
			int node)
{
	struct tpsim_device_config dev_config = { .node = TTMPOOL_NODE_ANY,
						  .dma_mask = mask };
	struct ttmpool_pool_config config = { .name = "second", .node = node };

	rig->dev[1] = tpsim_device_create(check_machine(t), &dev_config);
	config.dev = rig->dev[1];
	if (!config.dev || ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config))
		return false;
	rig->nr_pools = 2;
	return true;
}

/* An anonymous buffer of 64 pages that was handed over to the second pool. */
static struct buffer *handed_over(struct check *t, struct rig *rig,
				  struct ttmpool_owner *owner)
{
	struct buffer *a = plain_ready(t, rig, 64, false);
	struct buffer *b = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = 64,
					 .owner = owner,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_UNCACHED });

	if (!a || !b || ttmpool_to_anonymous(&a->be) ||
	    ttmpool_handover(&a->be, &b->be))
		return NULL;
	return b;
}

/* A pool that wants pages of its own node gets a copy of far pages there. */
static void s12_what_is_far_is_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;
	int near;

	CHECK(t, rig);
	b = plain_ready(t, rig, 1, false);
	CHECK(t, b);
	near = tpos_page_node(rig->dev[0], b->pages[0]);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, open_second(t, rig, 0, 1 - near));
	b = handed_over(t, rig, NULL);
	CHECK(t, b);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 64 << 12);
	CHECK_EQ(t, tpos_page_node(rig->dev[1], b->pages[63]), 1 - near);
	CHECK(t, buffer_is_stamped(t, b, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer with 64 pages of the first device's node, handed over to the second pool,
 * which wants the other node. */
static struct buffer *far_away(struct check *t, struct rig *rig)
{
	struct buffer *b = plain_ready(t, rig, 1, false);
	int near;

	if (!b)
		return NULL;
	near = tpos_page_node(rig->dev[0], b->pages[0]);
	if (ttmpool_unpopulate(&b->be) || !open_second(t, rig, 0, 1 - near))
		return NULL;
	return handed_over(t, rig, NULL);
}

/* Are the pages the device's, in place and without a copy? */
static bool has_stayed(struct check *t, struct rig *rig, struct buffer *b)
{
	return b->be.tt.state == TTMPOOL_TT_POPULATED &&
	       !rig->pool[1].stats.bytes_copied &&
	       tpos_page_node(rig->dev[1], b->pages[63]) != rig->pool[1].node &&
	       buffer_is_stamped(t, b, SEED) && rig_is_quiet(t, rig);
}

/* If the wanted node has no free pages, a copy would be as far away, so none is made. */
static void s12_far_pages_stay_if_there_are_no_near_ones(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	b = far_away(t, rig);
	CHECK(t, b);
	tpsim_ram_hold(check_machine(t), rig->pool[1].node, 8);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, has_stayed(t, rig, b));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A far chunk with a poisoned page cannot be copied, and need not be: it stays where it
 * is, and becomes the device's again. */
static void f56_what_is_far_and_poisoned_stays(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	b = far_away(t, rig);
	CHECK(t, b);
	tpsim_page_poison(check_machine(t), b->pages[5]);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK(t, has_stayed(t, rig, b));
	ttmpool_manager_set_pool_limit(&rig->mgr, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 1);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* No pooled page goes at the page budget for a copy that would only be nearer. */
static void s12_a_copy_for_nearness_costs_nobody_anything(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager_stats stats;
	struct buffer *b, *other;

	CHECK(t, rig);
	b = far_away(t, rig);
	other = plain_ready(t, rig, 64, false);
	CHECK(t, b && other);
	CHECK_EQ(t, ttmpool_unpopulate(&other->be), 0);
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK(t, stats.pages_pooled >= 64);
	ttmpool_manager_set_page_budget(&rig->mgr, stats.pages);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, stats.pages_pooled);
	CHECK(t, has_stayed(t, rig, b));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Any other failure of the copy is returned, and the buffer is as it was. */
static void s12_a_copy_that_fails_otherwise_is_told(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	b = far_away(t, rig);
	CHECK(t, b);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = UINT_MAX,
						.error = -EIO });
	CHECK_EQ(t, ttmpool_to_device(&b->be), -EIO);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 64 << 12);
	CHECK(t, buffer_is_stamped(t, b, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

#define LOW_MASK ((1u << 24) - 1)

static struct buffer *cached_buffer(struct check *t, struct rig *rig, int pool,
				    size_t n)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = pool,
					 .num_pages = n,
					 .unmapped = true,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_CACHED });
}

/* An anonymous buffer of three pages that was handed over to the second pool, whose
 * device reaches the page in the middle, but neither the first nor the last. */
static struct buffer *reached_in_the_middle(struct check *t, struct rig *rig)
{
	struct buffer *high[2], *low[2], *three[2];

	rig->pool[0].policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	for (int i = 0; i < 2; i++) {
		high[i] = cached_buffer(t, rig, 0, 1);
		low[i] = cached_buffer(t, rig, i, 1);
		three[i] = cached_buffer(t, rig, i, 3);
		if (!three[i] || ttmpool_populate(&high[i]->be))
			return NULL;
	}
	if (ttmpool_populate(&low[1]->be) ||
	    ttmpool_to_anonymous(&low[1]->be) ||
	    ttmpool_handover(&low[1]->be, &low[0]->be))
		return NULL;
	if (ttmpool_unpopulate(&high[0]->be) || ttmpool_drop(&low[0]->be) ||
	    ttmpool_unpopulate(&high[1]->be))
		return NULL;
	if (ttmpool_populate(&three[0]->be) ||
	    rig->pool[0].stats.pages_hit != 3 ||
	    !buffer_stamp(t, three[0], SEED) ||
	    ttmpool_to_anonymous(&three[0]->be) ||
	    ttmpool_handover(&three[0]->be, &three[1]->be))
		return NULL;
	return three[1];
}

/* If a move back to the device fails after some pages were copied, the copies are
 * ordinary pages like the others, and are counted so. */
static void s12_half_a_way_back_is_still_anonymous(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, LOW_MASK, TTMPOOL_NODE_ANY));
	b = reached_in_the_middle(t, rig);
	CHECK(t, b);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 2,
						.times = UINT_MAX });
	CHECK_EQ(t, ttmpool_to_device(&b->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 1 << 12);
	CHECK_EQ(t, rig->pool[1].stats.pages_anonymous, 3);
	CHECK(t, buffer_is_stamped(t, b, SEED));
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 2 << 12);
	CHECK_EQ(t, rig->pool[1].stats.pages_anonymous, 0);
	CHECK(t, buffer_is_stamped(t, b, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A poisoned page that has to be copied, because the device does not reach it, is not
 * read: the buffer stays anonymous. */
static void
f56_what_is_out_of_reach_and_poisoned_stays_anonymous(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, LOW_MASK, TTMPOOL_NODE_ANY));
	b = handed_over(t, rig, NULL);
	CHECK(t, b);
	tpsim_page_poison(check_machine(t), b->pages[5]);
	CHECK_EQ(t, ttmpool_to_device(&b->be), -EFAULT);
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_drop(&b->be), 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 1);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* If there is no memory for the copy, the buffer stays anonymous, and whole. */
static void s12_no_memory_for_a_copy_loses_nothing(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *b;

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, (1 << 24) - 1, TTMPOOL_NODE_ANY));
	b = handed_over(t, rig, NULL);
	CHECK(t, b);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_PAGES_ALLOC,
						.nth = 1,
						.times = UINT_MAX });
	CHECK_EQ(t, ttmpool_to_device(&b->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_ANONYMOUS);
	CHECK(t, buffer_is_stamped(t, b, SEED) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	CHECK(t, buffer_is_stamped(t, b, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A page of unknown caching is not insertable in the swap cache. */
static void s08_a_page_of_unknown_caching_is_not_insertable(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_fault no_way = { .call = TPSIM_CALL_CACHING_RESET,
				      .nth = 1,
				      .times = UINT_MAX };
	struct buffer *buf;

	CHECK(t, rig);
	buf = plain_ready(t, rig, 1, false);
	CHECK(t, buf);
	tpsim_fault_plan(check_machine(t), &no_way);
	no_way.call = TPSIM_CALL_DMA_MAP;
	tpsim_fault_plan(check_machine(t), &no_way);
	CHECK(t, ttmpool_to_anonymous(&buf->be) < 0);
	CHECK(t, !ttmpool_page_insertable(&rig->pool[0], buf->pages[0]));
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, ttmpool_page_insertable(&rig->pool[0], buf->pages[0]));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The swap-in of a buffer without addresses can be interrupted like any other. */
static void s07_a_buffer_without_addresses_can_be_interrupted(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = plain_ready(t, rig, 77, true);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_signal_after(check_machine(t), 70);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -EINTR);
	tpsim_signal_clear(check_machine(t));
	CHECK_EQ(t, buffer_pages(buf), 64);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the first chunk of such a buffer finds no room in the store, the buffer is as it
 * was. */
static void s07_a_buffer_without_addresses_is_restored(struct check *t)
{
	static const struct tpsim_fault full = { .call = TPSIM_CALL_STORE_WRITE,
						 .nth = 2 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = plain_ready(t, rig, 64, true);
	CHECK(t, buf);
	tpsim_fault_plan(check_machine(t), &full);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, buffer_is_of(t, buf, TTMPOOL_WRITE_COMBINED));
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages of a pool without policy.verify are handed over to a pool with it. Their
 * descriptors have no place for the name of the last owner; the pool takes them as they
 * are. */
static void s12_what_has_no_place_for_a_name_is_handed_over(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .policy = &policy };
	struct ttmpool_owner owner;
	struct buffer *b;

	CHECK(t, rig);
	policy.verify = true;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config), 0);
	rig->nr_pools = 2;
	ttmpool_owner_init(&owner, "named");
	b = handed_over(t, rig, &owner);
	CHECK(t, b);
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_IN_USE), 64);
	CHECK_EQ(t, ttmpool_drop(&b->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_pooled, 64);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

static unsigned long swapped_within;

static void unlock_and_shrink(struct ttmpool_backend *be)
{
	swapped_within = ttmpool_manager_shrink_scan(be->pool->mgr, 8, true);
	buffer_plain.unlock(be);
}

/* A thread whose swap-out makes the system ask for pages swaps out another buffer then. */
static void s07_the_shrinker_works_within_a_swap_out(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_backend_funcs funcs = buffer_plain;
	struct buffer *bufs[2];

	CHECK(t, rig);
	funcs.unlock = unlock_and_shrink;
	for (int i = 0; i < 2; i++) {
		bufs[i] =
			buffer_open(t, rig,
				    &(struct buffer_config){ .num_pages = 8,
							     .funcs = &funcs });
		CHECK(t, bufs[i]);
		CHECK_EQ(t, ttmpool_populate(&bufs[i]->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&bufs[i]->be), 0);
	}
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 8), 8);
	CHECK_EQ(t, swapped_within, 8);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, bufs[i]->be.tt.state, TTMPOOL_TT_SWAPPED);
		ttmpool_lru_remove(&bufs[i]->be);
		CHECK_EQ(t, ttmpool_drop(&bufs[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* Pages that are swapped in far from the wanted node are counted once, and are not copied
 * within that node. */
static void s06_what_comes_back_far_is_counted_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	struct buffer *b;

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, 0, 1));
	ttmpool_owner_init(&owner, "client");
	b = buffer_ready(t, rig,
			 &(struct buffer_config){ .pool = 1,
						  .num_pages = 8,
						  .owner = &owner,
						  .caching = TTMPOOL_CACHED,
						  .funcs = &buffer_plain },
			 SEED);
	CHECK(t, b);
	CHECK_EQ(t, ttmpool_swapout(&b->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_ram_hold(check_machine(t), 1, 0);
	CHECK_EQ(t, ttmpool_swapin(&b->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, tpos_page_node(rig->dev[1], b->pages[0]), 0);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED), 8);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* Pages that another device's pool had allocated were pooled here while the mask was
 * wider. Once they are beyond the mask again, they go to the system. */
static void f57_what_was_handed_over_by_a_wider_mask_goes(struct check *t)
{
	static const uint64_t narrow = (1u << 24) - 1;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_CACHED,
				       .num_pages = 64 };
	tpos_page_t *pages[64];
	struct buffer *b;

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, narrow, TTMPOOL_NODE_ANY));
	rig->pool[1].policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = true;
	b = handed_over(t, rig, NULL);
	CHECK(t, b);
	tpsim_device_set_mask(rig->dev[1], 0);
	CHECK_EQ(t, ttmpool_drop(&b->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_pooled, 64);
	tpsim_device_set_mask(rig->dev[1], narrow);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[1], &req, pages, NULL), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_hit, 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[1], pages, 64, TTMPOOL_CACHED),
		 0);
	CHECK(t, rig_close(t, rig));
}

#define LARGE (4096 + 512) /* pages: 18 MiB */

/* Who has an address that a large buffer lacks, and who needs many in the meantime. */
struct others {
	struct buffer *holder;
	struct buffer *other;
	bool came;
	int err;
};

static void need_addresses(void *arg)
{
	struct others *others = arg;

	if (others->came)
		return;
	others->came = true;
	others->err = buffer_cycle(others->other);
	if (ttmpool_unpopulate(&others->holder->be))
		others->err = -EBUSY;
}

/* A large coherent buffer that sleeps for addresses on its way back to its device holds
 * none meanwhile: all that are free serve others. */
static void s06_a_copy_that_waits_holds_no_addresses(struct check *t)
{
	struct rig *rig = rig_open(
		t, &(struct rig_config){ .mapped_limit = LARGE << 12 });
	struct others others = { .came = false };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = LARGE,
					 .funcs = &buffer_coherent,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
	others.other = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = LARGE - 1,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && others.other && !ttmpool_to_anonymous(&buf->be));
	others.holder = plain_ready(t, rig, 1, false);
	CHECK(t, others.holder);
	buf->be.wait_ms = 10000;
	tpsim_while_waiting(check_machine(t), need_addresses, &others);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	tpsim_while_waiting(check_machine(t), NULL, NULL);
	CHECK(t, others.came);
	CHECK_EQ(t, others.err, 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

#define NEAR 4000 /* pages that are free on the node that is near */

/* A large buffer that is far, and for which its pool's node has not room enough, gets pages
 * of that node once at most before it goes to the device where it is. */
static void s12_a_copy_for_nearness_is_tried_once(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_counters before, after;
	struct buffer *a, *b;

	CHECK(t, rig);
	a = plain_ready(t, rig, 3 * 4096, false);
	CHECK(t, a);
	CHECK(t, open_second(t, rig, 0,
			     1 - tpos_page_node(rig->dev[0], a->pages[0])));
	b = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = 3 * 4096,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, b && !ttmpool_to_anonymous(&a->be));
	CHECK_EQ(t, ttmpool_handover(&a->be, &b->be), 0);
	tpsim_ram_hold(check_machine(t), rig->pool[1].node, NEAR);
	tpsim_counters(check_machine(t), &before);
	CHECK_EQ(t, ttmpool_to_device(&b->be), 0);
	tpsim_counters(check_machine(t), &after);
	tpsim_ram_release(check_machine(t));
	CHECK(t, after.pages_allocated - before.pages_allocated <= NEAR);
	CHECK(t, after.bytes_cleared_alloc - before.bytes_cleared_alloc <=
			 (uint64_t)NEAR << 12);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(handover, CHECK_CASE(s12_what_is_far_is_copied),
	    CHECK_CASE(s12_far_pages_stay_if_there_are_no_near_ones),
	    CHECK_CASE(f56_what_is_far_and_poisoned_stays),
	    CHECK_CASE(s12_a_copy_for_nearness_costs_nobody_anything),
	    CHECK_CASE(s12_a_copy_that_fails_otherwise_is_told),
	    CHECK_CASE(s06_what_comes_back_far_is_counted_once),
	    CHECK_CASE(f56_what_is_out_of_reach_and_poisoned_stays_anonymous),
	    CHECK_CASE(s12_no_memory_for_a_copy_loses_nothing),
	    CHECK_CASE(s12_half_a_way_back_is_still_anonymous),
	    CHECK_CASE(s08_a_page_of_unknown_caching_is_not_insertable),
	    CHECK_CASE(s07_a_buffer_without_addresses_can_be_interrupted),
	    CHECK_CASE(s07_a_buffer_without_addresses_is_restored),
	    CHECK_CASE(s12_what_has_no_place_for_a_name_is_handed_over),
	    CHECK_CASE(s07_the_shrinker_works_within_a_swap_out),
	    CHECK_CASE(s06_a_copy_that_waits_holds_no_addresses),
	    CHECK_CASE(s12_a_copy_for_nearness_is_tried_once),
	    CHECK_CASE(f57_what_was_handed_over_by_a_wider_mask_goes));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .nr_nodes = 2,
						    .ram_pages = 32768 };

	return check_main(argc, argv, &check_suite_handover, &config);
}
