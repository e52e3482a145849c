// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Calls into the system that fail (f01 to f24), each kind at every place where it is
 * made, once and for good. The sweep does this for every operation; here each case states
 * the effects of one kind of failure.
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

static struct buffer *open_buffer(struct check *t, struct rig *rig,
				  bool coherent)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .funcs = coherent ? &buffer_coherent
							   : &buffer_plain });
}

static void plan(struct check *t, enum tpsim_call call, unsigned long nth,
		 unsigned int times, size_t after)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = call,
						.nth = nth,
						.times = times,
						.after = after });
}

static unsigned long unplan(struct check *t)
{
	return tpsim_fault_clear(check_machine(t));
}

/* No page, address or mapping of the buffer, of its pool or of the machine is in use, and
 * no descriptor except what the pools of the device share. */
static bool is_as_before(struct check *t, struct rig *rig, struct buffer *buf)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	for (size_t i = 0; i < N; i++)
		if (buf->pages[i] || buf->dma_addr[i])
			return false;
	return buf->be.tt.state == TTMPOOL_TT_EMPTY && rig_is_quiet(t, rig) &&
	       !ledger.pages_plain && !ledger.pages_coherent &&
	       !ledger.mappings && ledger.descriptors == 1 &&
	       !ledger.pages_not_write_back;
}

/* Let a call fail from the n-th on: the populate returns @err, and everything is as
 * before. Returns false if the call was never made, or at the first thing that is
 * wrong. */
static bool fails_for_good(struct check *t, struct rig *rig, struct buffer *buf,
			   enum tpsim_call call, unsigned long nth, int err)
{
	int got;

	plan(t, call, nth, UINT_MAX, 0);
	got = ttmpool_populate(&buf->be);
	return unplan(t) && got == err && is_as_before(t, rig, buf);
}

/* The allocation of a fresh page fails, at any page: the pool tries a smaller order, and
 * if there is none either, everything is as before. */
static void f01_an_allocation_fails_at_any_page(struct check *t)
{
	static const enum tpsim_call calls[] = { TPSIM_CALL_PAGES_ALLOC,
						 TPSIM_CALL_COHERENT_ALLOC };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int i = 0; i < 6; i++) {
		struct buffer *buf = open_buffer(t, rig, i % 2);
		uint64_t fallbacks = rig_stats(rig).fallbacks;

		CHECK(t, buf);
		CHECK(t, fails_for_good(t, rig, buf, calls[i % 2], 1 + i / 2,
					-ENOMEM));
		plan(t, calls[i % 2], 1 + i / 2, 1, 0);
		CHECK_EQ(t, ttmpool_populate(&buf->be),
			 i / 2 < 2 ? 0 : -ENOMEM);
		CHECK_EQ(t, unplan(t), 1);
		CHECK(t, i / 2 == 2 || rig_stats(rig).fallbacks > fallbacks);
		if (i / 2 < 2)
			CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* In fragmented memory, single pages serve, and the fallbacks are counted. */
static void f02_memory_in_pieces_serves(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	tpsim_ram_fragment(check_machine(t), 0);
	buf = open_buffer(t, rig, false);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, rig_stats(rig).fallbacks, 4);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 0),
		 N);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* The allocation of a descriptor fails, of any chunk: everything is as before. */
static void f03_a_descriptor_fails_at_any_chunk(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int i = 0; i < 6; i++) {
		struct buffer *buf = open_buffer(t, rig, i % 2);

		CHECK(t, buf);
		CHECK(t, fails_for_good(t, rig, buf, TPSIM_CALL_ZALLOC,
					1 + i / 2, -ENOMEM));
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* A populate finds memory short, and the system calls the shrinker of the manager that is
 * populating: the shrinker frees pages, and does not wait for the populate. */
static void f04_a_populate_shrinks_itself(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct tpsim_counters counters;
	struct buffer *buf, *hoard;

	CHECK(t, rig);
	buf = open_buffer(t, rig, false);
	CHECK(t, buf);
	for (int i = 0; i < 4; i++) {
		hoard = buffer_open(
			t, rig,
			&(struct buffer_config){ .num_pages = 64,
						 .pool = 1,
						 .caching = TTMPOOL_UNCACHED });
		CHECK(t, hoard && !buffer_cycle(hoard));
		tpsim_ram_hold(check_machine(t), TTMPOOL_NODE_ANY, 0);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		tpsim_counters(check_machine(t), &counters);
		CHECK(t, counters.shrinks > (uint64_t)i);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		tpsim_ram_release(check_machine(t));
		ttmpool_pool_drain(&rig->pool[0]);
		ttmpool_pool_drain(&rig->pool[1]);
	}
	CHECK(t, rig_close(t, rig));
}

/* The mapping of any chunk of a batch fails: no chunk of the batch is mapped. */
static void f10_a_mapping_fails_at_any_chunk(struct check *t)
{
	static const int errors[] = { -ENOSPC, -ENOMEM, -EIO };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, false);
	CHECK(t, buf);
	for (size_t i = 0; i < 9; i++) {
		tpsim_fault_plan(
			check_machine(t),
			&(struct tpsim_fault){ .call = TPSIM_CALL_DMA_MAP,
					       .nth = 1,
					       .times = UINT_MAX,
					       .after = i / 3,
					       .error = errors[i % 3] });
		CHECK_EQ(t, ttmpool_populate(&buf->be), errors[i % 3]);
		CHECK(t, unplan(t) && is_as_before(t, rig, buf));
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* A caching change fails after any number of chunks: the whole batch is write-back again,
 * and so is every page of the system. */
static void f23_a_caching_change_fails_half_way(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (size_t i = 0; i < 6; i++) {
		struct buffer *buf = open_buffer(t, rig, i % 2);

		CHECK(t, buf);
		plan(t, TPSIM_CALL_CACHING_SET, 1, UINT_MAX, i / 2);
		CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
		CHECK(t, unplan(t) && is_as_before(t, rig, buf));
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

static unsigned long quarantined(struct rig *rig)
{
	struct ttmpool_manager_stats stats;

	ttmpool_manager_stats(&rig->mgr, &stats);
	return stats.pages_quarantined;
}

/* If the rollback also fails, after any number of chunks, the pages that are not known to
 * be write-back are quarantined, counted and reported, and the shrinker tries again. */
static void f24_a_roll_back_fails_half_way(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (size_t i = 0; i < 18; i++) {
		struct buffer *buf = open_buffer(t, rig, i % 2);
		size_t told = check_reports(t, TTMPOOL_REPORT_QUARANTINED);

		CHECK(t, buf);
		plan(t, TPSIM_CALL_CACHING_SET, 1, UINT_MAX, i / 2 / 3);
		plan(t, TPSIM_CALL_CACHING_RESET, 1, UINT_MAX, i / 2 % 3);
		CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
		CHECK(t, rig_is_quiet(t, rig) && !buf->pages[0]);
		CHECK_EQ(t, quarantined(rig) > 0,
			 check_reports(t, TTMPOOL_REPORT_QUARANTINED) > told);
		ttmpool_manager_shrink_scan(&rig->mgr, 0, false);
		CHECK(t, rig_is_quiet(t, rig));
		CHECK(t, unplan(t) > 0);
		ttmpool_manager_shrink_scan(&rig->mgr, 0, false);
		CHECK_EQ(t, quarantined(rig), 0);
		CHECK(t, is_as_before(t, rig, buf));
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, check_reports(t, TTMPOOL_REPORT_QUARANTINED) > 0);
	CHECK(t, rig_close(t, rig));
}

/* Before a populate is refused because the budget is full, the pool tries again to make
 * the quarantined pages write-back. */
static void f24_a_full_budget_tries_the_quarantine(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .page_budget = N });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, false);
	CHECK(t, buf);
	plan(t, TPSIM_CALL_CACHING_SET, 1, UINT_MAX, 1);
	plan(t, TPSIM_CALL_CACHING_RESET, 1, UINT_MAX, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	CHECK(t, quarantined(rig) > 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	CHECK(t, unplan(t) > 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, quarantined(rig), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* While there are pages whose caching is not known, their manager cannot end; and the
 * check of the manager finds one that is not marked as quarantined. */
static void f24_a_manager_keeps_what_is_broken(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_chunk *chunk;
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, false);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	plan(t, TPSIM_CALL_CACHING_RESET, 1, UINT_MAX, 0);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, quarantined(rig), N);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	rig->nr_pools = 0;
	CHECK_EQ(t, ttmpool_manager_fini(&rig->mgr), -EBUSY);
	chunk = ttmpool_chunk_of(rig->mgr.broken.next);
	chunk->state = TTMPOOL_CHUNK_IN_USE;
	CHECK(t, !ttmpool_manager_is_valid(&rig->mgr));
	chunk->state = TTMPOOL_CHUNK_QUARANTINED;
	CHECK(t, unplan(t));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(faults_calls, CHECK_CASE(f24_a_manager_keeps_what_is_broken),
	    CHECK_CASE(f01_an_allocation_fails_at_any_page),
	    CHECK_CASE(f02_memory_in_pieces_serves),
	    CHECK_CASE(f03_a_descriptor_fails_at_any_chunk),
	    CHECK_CASE(f04_a_populate_shrinks_itself),
	    CHECK_CASE(f10_a_mapping_fails_at_any_chunk),
	    CHECK_CASE(f23_a_caching_change_fails_half_way),
	    CHECK_CASE(f24_a_roll_back_fails_half_way),
	    CHECK_CASE(f24_a_full_budget_tries_the_quarantine));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_faults_calls, &config);
}
