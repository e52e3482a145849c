// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping out when there is hardly any memory (S7): what is freed first, what is split,
 * and what stays where it is; and moves between devices that do not reach the same memory
 * (S12).
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define SEED 0x42

static struct buffer *plain_ready(struct check *t, struct rig *rig, size_t n)
{
	return buffer_ready(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED },
		SEED);
}

/* Open a rig with one buffer of @n pages. */
static struct buffer *alone(struct check *t, struct rig **rig, size_t n)
{
	*rig = rig_open(t, &(struct rig_config){ 0 });
	return *rig ? plain_ready(t, *rig, n) : NULL;
}

/* A buffer, and 16 reserved pages of another kind in the pool. */
static struct buffer *ready_beside_reserve(struct check *t, struct rig *rig)
{
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 16 };
	struct buffer *buf = plain_ready(t, rig, 64);

	return buf && !ttmpool_pool_prepare(&rig->pool[0], &req) ? buf : NULL;
}

/* Let the store have no memory for the @nth page that is written, @times times. */
static void plan_short_store(struct check *t, unsigned long nth,
			     unsigned int times)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_WRITE,
						.nth = nth,
						.times = times,
						.error = -ENOMEM });
}

/* Is the buffer where it was before, and as it was? */
static bool has_stayed(struct check *t, struct rig *rig, struct buffer *buf,
		       enum ttmpool_caching caching)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return buf->be.tt.state == TTMPOOL_TT_POPULATED && !ledger.stores &&
	       buffer_is_of(t, buf, caching) &&
	       buffer_is_stamped(t, buf, SEED) &&
	       ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig);
}

/* Does the buffer come back whole? */
static bool comes_back(struct check *t, struct rig *rig, struct buffer *buf)
{
	return !ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES) &&
	       buffer_is_stamped(t, buf, SEED) && rig_is_quiet(t, rig) &&
	       !ttmpool_unpopulate(&buf->be);
}

/* If the store has no memory, pages that are already stored are freed before a chunk is
 * split. */
static void s07_the_store_gets_what_was_freed(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 77);

	CHECK(t, buf);
	plan_short_store(t, 66, 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).splits, 0);
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* Pooled pages go, even reserved ones, before a chunk is split. */
static void s07_the_store_gets_what_is_reserved(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready_beside_reserve(t, rig);
	CHECK(t, buf);
	plan_short_store(t, 10, 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, rig_stats(rig).splits, 0);
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* Reserved pages also go for the memory of the store itself. */
static void s07_the_store_is_made_of_what_is_reserved(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready_beside_reserve(t, rig);
	CHECK(t, buf);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_STORE_CREATE,
						.nth = 1 });
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* If nothing else helps, a chunk is halved until its stored part can be freed: here 8
 * pages of 64, with three splits. */
static void s07_a_chunk_is_split_when_nothing_else_helps(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 64);

	CHECK(t, buf);
	plan_short_store(t, 10, 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).splits, 3);
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* Parts of a chunk that was split can be used and pooled like other chunks. */
static void s07_parts_of_a_chunk_are_as_good_as_any(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 64);

	CHECK(t, buf);
	plan_short_store(t, 10, 1);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	CHECK_EQ(t, buffer_pages(buf), 48); /* and the part being stored */
	CHECK(t, rig_is_quiet(t, rig));
	CHECK(t, comes_back(t, rig, buf));
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 64);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 64);
	CHECK(t, rig_close(t, rig));
}

/* If the store has no memory for the first page, and none can be freed, nothing has left,
 * and the buffer is unchanged. */
static void s07_no_room_at_all_loses_nothing(struct check *t)
{
	struct ttmpool_pool_stats before;
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 64);

	CHECK(t, buf);
	plan_short_store(t, 1, UINT_MAX);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, has_stayed(t, rig, buf, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, rig_stats(rig).unmaps, before.unmaps);
	CHECK_EQ(t, rig_stats(rig).caching_batches, before.caching_batches);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If there is no memory for the descriptor of a half, the chunk stays whole and resident,
 * and becomes the device's again. */
static void s07_a_split_without_memory_loses_nothing(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 64);

	CHECK(t, buf);
	plan_short_store(t, 10, UINT_MAX);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_ZALLOC,
						.nth = 2,
						.times = UINT_MAX });
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, rig_stats(rig).splits, 1);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, has_stayed(t, rig, buf, TTMPOOL_WRITE_COMBINED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A coherent chunk cannot be split, so it stays. */
static void s07_a_coherent_chunk_is_not_split(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig,
			   &(struct buffer_config){ .num_pages = 64,
						    .funcs = &buffer_coherent },
			   SEED);
	CHECK(t, buf);
	plan_short_store(t, 10, UINT_MAX);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK(t, has_stayed(t, rig, buf, TTMPOOL_UNCACHED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A full store keeps what it has; the rest stays resident, and all of it comes back. */
static void s07_a_full_store_leaves_the_rest_resident(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_ledger ledger;
	struct buffer *a, *b;

	CHECK(t, rig);
	a = plain_ready(t, rig, 512);
	b = plain_ready(t, rig, 600); /* 512, 64, 16, 8 */
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_swapout(&a->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapout(&b->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	CHECK_EQ(t, b->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buffer_pages(b), 600 - (1030 - 512));
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.store_pages, 1030);
	CHECK(t, comes_back(t, rig, b));
	CHECK(t, comes_back(t, rig, a));
	CHECK(t, rig_close(t, rig));
}

/* A buffer can be dropped half way in or out. */
static void s07_a_buffer_can_be_dropped_half_way(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_ledger ledger;
	struct buffer *buf;

	CHECK(t, rig);
	for (unsigned long n = 1; n < 77; n += 15) {
		buf = plain_ready(t, rig, 77);
		CHECK(t, buf);
		tpsim_signal_after(check_machine(t), n);
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES),
			 -EINTR);
		tpsim_signal_clear(check_machine(t));
		CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
		tpsim_ledger(check_machine(t), &ledger);
		CHECK_EQ(t, ledger.stores, 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* If there is too little memory for the whole buffer at once, it comes back in parts. */
static void s07_a_buffer_comes_back_in_parts(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 77);

	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, 40);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK(t, buffer_pages(buf) >= 38 && buffer_pages(buf) <= 40);
	CHECK(t, rig_is_quiet(t, rig));
	ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* Pages that could not be made write-back are stored all the same, and quarantined. */
static void s07_pages_of_unknown_caching_are_stored(struct check *t)
{
	struct ttmpool_manager_stats stats;
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 8);

	CHECK(t, buf);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	tpsim_fault_clear(check_machine(t));
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 8);
	CHECK(t, comes_back(t, rig, buf));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* If pages can be made neither write-back nor the device's again, the buffer is PARTIAL:
 * all its contents are in pages, and a swap-in makes it the device's again. */
static void s12_a_move_that_cannot_be_undone_is_partial(struct check *t)
{
	struct rig *rig;
	struct buffer *buf = alone(t, &rig, 8);

	CHECK(t, buf);
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
						.nth = 1,
						.times = UINT_MAX });
	CHECK(t, ttmpool_to_anonymous(&buf->be) < 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buffer_pages(buf), 8);
	CHECK(t, rig_is_quiet(t, rig));
	tpsim_fault_clear(check_machine(t));
	CHECK(t, comes_back(t, rig, buf) && rig_close(t, rig));
}

/* Add a second pool, of a device with other needs. */
static bool open_second(struct check *t, struct rig *rig, uint64_t mask,
			unsigned int max_order)
{
	struct tpsim_device_config dev_config = { .node = TTMPOOL_NODE_ANY,
						  .dma_mask = mask };
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .name = "second",
					      .node = TTMPOOL_NODE_ANY,
					      .policy = &policy };

	policy.max_order = max_order;
	rig->dev[1] = tpsim_device_create(check_machine(t), &dev_config);
	config.dev = rig->dev[1];
	if (!config.dev || ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config))
		return false;
	rig->nr_pools = 2;
	return true;
}

/* Hand a buffer of 64 pages over to the second pool; returns how many pages were
 * copied. */
static long hand_over(struct check *t, struct rig *rig)
{
	struct buffer_config config = { .pool = 1,
					.num_pages = 64,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_UNCACHED };
	struct buffer *a = plain_ready(t, rig, 64);
	struct buffer *b = buffer_open(t, rig, &config);
	uint64_t copied;

	if (!a || !b || ttmpool_to_anonymous(&a->be) ||
	    ttmpool_handover(&a->be, &b->be) || ttmpool_to_device(&b->be) ||
	    !buffer_is_stamped(t, b, SEED) || !rig_is_quiet(t, rig) ||
	    ttmpool_unpopulate(&b->be))
		return -1;
	copied = rig->pool[1].stats.bytes_copied;
	return (long)(copied >> rig->pool[1].info.page_shift);
}

/* If a device reaches only low memory, pages beyond it are copied to low pages. */
static void s12_what_a_device_does_not_reach_is_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, (1 << 24) - 1, 9));
	CHECK_EQ(t, hand_over(t, rig), 64);
	CHECK(t, rig_close(t, rig));
}

/* A device that reaches all memory gets the pages themselves. */
static void s12_what_a_device_reaches_is_not_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, 0, 9));
	CHECK_EQ(t, hand_over(t, rig), 0);
	CHECK(t, rig_close(t, rig));
}

/* If a chunk is too large for one mapping of the device, its contents are copied to
 * smaller chunks. */
static void s12_chunks_too_large_for_a_device_are_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	CHECK(t, open_second(t, rig, 0, 3));
	CHECK_EQ(t, hand_over(t, rig), 64);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(swap_short, CHECK_CASE(s07_the_store_gets_what_was_freed),
	    CHECK_CASE(s07_the_store_gets_what_is_reserved),
	    CHECK_CASE(s07_the_store_is_made_of_what_is_reserved),
	    CHECK_CASE(s07_a_chunk_is_split_when_nothing_else_helps),
	    CHECK_CASE(s07_parts_of_a_chunk_are_as_good_as_any),
	    CHECK_CASE(s07_no_room_at_all_loses_nothing),
	    CHECK_CASE(s07_a_split_without_memory_loses_nothing),
	    CHECK_CASE(s07_a_coherent_chunk_is_not_split),
	    CHECK_CASE(s07_a_full_store_leaves_the_rest_resident),
	    CHECK_CASE(s07_a_buffer_can_be_dropped_half_way),
	    CHECK_CASE(s07_a_buffer_comes_back_in_parts),
	    CHECK_CASE(s07_pages_of_unknown_caching_are_stored),
	    CHECK_CASE(s12_a_move_that_cannot_be_undone_is_partial),
	    CHECK_CASE(s12_what_a_device_does_not_reach_is_copied),
	    CHECK_CASE(s12_what_a_device_reaches_is_not_copied),
	    CHECK_CASE(s12_chunks_too_large_for_a_device_are_copied));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 16384,
						    .store_pages = 1030 };

	return check_main(argc, argv, &check_suite_swap_short, &config);
}
