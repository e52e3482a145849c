// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Counters and limits; ./dev check mutation found that no other suite tested these: the
 * peak of each counter, what is counted when a request fails, what a report says of the
 * age and the address of a page, and where exactly a budget ends.
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

static struct buffer *open_buffer(struct check *t, struct rig *rig, size_t n,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

/* Each peak counter keeps the highest value, and each sum counts everything. */
static void s06_peaks_are_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats stats;
	struct buffer *buf[2];

	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		buf[i] = open_buffer(t, rig, N, &buffer_plain);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
	}
	for (int i = 0; i < 2; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, buffer_cycle(buf[0]), 0);
	stats = rig_stats(rig);
	CHECK_EQ(t, stats.pages_in_use_peak, 2 * N);
	CHECK_EQ(t, stats.pages_pooled_peak, 2 * N);
	CHECK_EQ(t, stats.bytes_mapped_peak, 2 * N * 4096);
	CHECK_EQ(t, stats.pages_in_use, 0);
	CHECK_EQ(t, stats.pages_pooled, N);
	CHECK_EQ(t, stats.bytes_mapped, N * 4096);
	CHECK_EQ(t, stats.takes, 3);
	CHECK_EQ(t, stats.gives, 3);
	CHECK_EQ(t, stats.pages_fresh, 3 * N);
	CHECK_EQ(t, stats.pages_released, 2 * N);
	CHECK_EQ(t, stats.caching_batches, 4);
	CHECK_EQ(t, stats.caching_pages, 5 * N);
	CHECK_EQ(t, stats.map_batches, 3);
	CHECK_EQ(t, stats.maps, 9);
	CHECK_EQ(t, stats.unmap_batches, 1);
	CHECK_EQ(t, stats.unmaps, 6);
	CHECK_EQ(t, ttmpool_populate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_swapout(&buf[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_stored, N * 4096);
	CHECK_EQ(t, ttmpool_swapin(&buf[0]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_restored, N * 4096);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that were allocated for a request that fails count as fresh and as released, in
 * one chunk or in several; so the difference of the two counters is what the pool has. */
static void s06_pages_got_in_vain_are_counted_both_ways(struct check *t)
{
	static const struct tpsim_fault faults[] = {
		{ TPSIM_CALL_DMA_MAP, 1, UINT_MAX, 0, -EIO },
		{ TPSIM_CALL_CACHING_SET, 1, UINT_MAX, 0, 0 },
	};
	static const size_t sizes[] = { 1, N };

	for (int i = 0; i < 4; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct ttmpool_pool_stats stats;
		struct buffer *buf;

		CHECK(t, rig);
		buf = open_buffer(t, rig, sizes[i % 2], &buffer_plain);
		CHECK(t, buf);
		tpsim_fault_plan(check_machine(t), &faults[i / 2]);
		CHECK(t, ttmpool_populate(&buf->be) < 0);
		CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
		stats = rig_stats(rig);
		CHECK(t, stats.pages_released > 0);
		CHECK_EQ(t, stats.pages_fresh, stats.pages_released);
		CHECK(t, rig_close(t, rig));
	}
}

/* If there is no room for its mapping, no page is allocated for a request of one chunk or
 * of several; nor for a coherent page without an address, because it is mapped all the
 * same. */
static void s06_no_page_is_got_without_room_for_its_mapping(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mapped_limit = N * 4096 });
	struct ttmpool_request coherent = { .source = TTMPOOL_COHERENT,
					    .num_pages = 1 };
	struct tpsim_counters before, after;
	tpos_page_t *page;
	struct buffer *buf[3];

	CHECK(t, rig);
	buf[0] = open_buffer(t, rig, N, &buffer_plain);
	buf[1] = open_buffer(t, rig, 1, &buffer_plain);
	buf[2] = open_buffer(t, rig, 3, &buffer_plain);
	CHECK(t, buf[0] && buf[1] && buf[2]);
	CHECK_EQ(t, ttmpool_populate(&buf[0]->be), 0);
	tpsim_counters(check_machine(t), &before);
	CHECK_EQ(t, ttmpool_populate(&buf[1]->be), -ENOSPC);
	CHECK_EQ(t, ttmpool_populate(&buf[2]->be), -ENOSPC);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &coherent, &page, NULL),
		 -ENOSPC);
	tpsim_counters(check_machine(t), &after);
	CHECK_EQ(t, after.pages_allocated, before.pages_allocated);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A request for a coherent page that finds no address ends kept mappings eight times: 1,
 * then 2, then 4, and so on. It does not try once more because the buffer has one
 * chunk. */
static void s06_one_chunk_has_no_more_mappings_end(struct check *t)
{
	static const struct tpsim_fault none = { TPSIM_CALL_COHERENT_ALLOC, 1,
						 UINT_MAX, 0, -ENOSPC };
	struct ttmpool_request kept = { .source = TTMPOOL_COHERENT,
					.caching = TTMPOOL_UNCACHED,
					.num_pages = 1 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	for (int i = 0; i < 600; i++)
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &kept, true), 0);
	buf = open_buffer(t, rig, 1, &buffer_coherent);
	CHECK(t, buf);
	tpsim_fault_plan(check_machine(t), &none);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOSPC);
	CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 600 - 255);
	CHECK(t, rig_close(t, rig));
}

/* A buffer of one chunk that is pooled and clear takes the pool's lock once in each
 * direction; a buffer of several chunks takes it more often. */
static void s01_one_chunk_takes_the_lock_once_each_way(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_counters a, b, c;
	struct buffer *buf;

	CHECK(t, rig);
	for (size_t pages = 1; pages <= 512; pages++) {
		bool single = !(pages & (pages - 1));

		buf = open_buffer(t, rig, pages, &buffer_plain);
		CHECK(t, buf);
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_scrub(&rig->pool[0], SIZE_MAX);
		tpsim_counters(check_machine(t), &a);
		CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
		tpsim_counters(check_machine(t), &b);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		tpsim_counters(check_machine(t), &c);
		CHECK(t, single == (b.locks_taken - a.locks_taken == 1));
		CHECK(t, single == (c.locks_taken - b.locks_taken == 1));
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* An address budget can be used to its last page, and is empty after the init, whatever
 * its memory held. */
static void s06_a_budget_is_used_to_the_last_page(struct check *t)
{
	struct ttmpool_iova iova;
	struct buffer *buf[2];
	struct rig *rig;

	memset(&iova, 0xff, sizeof(iova));
	CHECK_EQ(t, ttmpool_iova_init(&iova, 2 * N * 4096, N * 4096), 0);
	CHECK_EQ(t, ttmpool_iova_pages(&iova), 0);
	rig = rig_open(t, &(struct rig_config){ .iova = &iova });
	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		buf[i] = open_buffer(t, rig, N, &buffer_plain);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
	}
	CHECK_EQ(t, ttmpool_iova_pages(&iova), 2 * N);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	/* The low mark: for a single page, all kept mappings end. */
	buf[0]->be.tt.num_pages = 1;
	buf[0]->be.tt.caching = TTMPOOL_UNCACHED;
	CHECK_EQ(t, ttmpool_populate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_iova_pages(&iova), N + 1);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[1]->be), 0);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(&iova);
}

/* The report of a leak says how many operations of its present pool ago the page was
 * handed out. */
static void f34_the_age_is_the_pools_own(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct buffer *from, *to, *busy;

	CHECK(t, rig);
	from = open_buffer(t, rig, 1, &buffer_plain);
	to = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1, .funcs = &buffer_plain });
	busy = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, from && to && busy && !ttmpool_populate(&from->be));
	for (int i = 0; i < 5; i++)
		CHECK_EQ(t, buffer_cycle(busy), 0);
	CHECK_EQ(t, ttmpool_to_anonymous(&from->be), 0);
	CHECK_EQ(t, ttmpool_handover(&from->be, &to->be), 0);
	CHECK_EQ(t, buffer_cycle(busy), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[1]), 1);
	CHECK(t,
	      strstr(tpsim_report_last(check_machine(t)), " 1 operations ago"));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, buffer_cycle(from), 0);
	CHECK_EQ(t, ttmpool_populate(&from->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 1);
	rig->nr_pools = 0;
	CHECK(t,
	      strstr(tpsim_report_last(check_machine(t)), " 0 operations ago"));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* Managers and pools can be initialised in any memory; a pool limit is filled to the last
 * page; and lowering a budget gives up only the excess. */
static void s06_limits_are_exact(struct check *t)
{
	struct ttmpool_manager *mgr = check_zalloc(t, sizeof(*mgr));
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));
	struct ttmpool_manager_config config = { .system = t->system,
						 .page_budget = 100,
						 .pool_limit = 10 };
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 10 };
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config of_pool = { .dev = check_device(t, 0, 64),
					       .node = TTMPOOL_NODE_ANY,
					       .policy = &policy };
	struct ttmpool_manager_stats stats;
	tpos_page_t *pages[10];

	CHECK(t, mgr && pool);
	memset(mgr, 0xff, sizeof(*mgr));
	memset(pool, 0xff, sizeof(*pool));
	policy.max_order = 0;
	CHECK_EQ(t, ttmpool_manager_init(mgr, &config), 0);
	CHECK_EQ(t, ttmpool_pool_init(pool, mgr, &of_pool), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, pages, NULL), 0);
		CHECK_EQ(t, ttmpool_pool_give(pool, pages, 10, req.caching), 0);
		CHECK(t, ttmpool_manager_is_valid(mgr));
	}
	ttmpool_manager_stats(mgr, &stats);
	CHECK_EQ(t, stats.pages_pooled, 10);
	CHECK_EQ(t, stats.pages, 10);
	CHECK_EQ(t,
		 stats.pages_shrunk + stats.pages_swapped +
			 stats.pages_swappable + stats.pages_quarantined,
		 0);
	ttmpool_manager_set_page_budget(mgr, 10);
	ttmpool_manager_stats(mgr, &stats);
	CHECK_EQ(t, stats.pages, 10);
	ttmpool_manager_set_page_budget(mgr, 7);
	ttmpool_manager_stats(mgr, &stats);
	CHECK_EQ(t, stats.pages, 7);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 3, false), 3);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 2, true), 2);
	ttmpool_manager_stats(mgr, &stats);
	CHECK_EQ(t, stats.pages_shrunk, 5);
	CHECK_EQ(t, ttmpool_manager_swapout(mgr, 1), 0);
	CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	CHECK_EQ(t, ttmpool_manager_fini(mgr), 0);
}

/* The buffer that was used last is swapped out last, and all are swapped out in the
 * end. */
static void s07_what_is_touched_stays_in_the_list(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_manager_stats stats;
	struct buffer *buf[3];

	CHECK(t, rig);
	for (int i = 0; i < 3; i++) {
		buf[i] = open_buffer(t, rig, N, &buffer_plain);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	ttmpool_lru_touch(&buf[0]->be);
	for (int i = 1; i <= 3; i++) {
		CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, N), N);
		CHECK_EQ(t, buf[i % 3]->be.tt.state, TTMPOOL_TT_SWAPPED);
		ttmpool_manager_stats(&rig->mgr, &stats);
		CHECK_EQ(t, stats.pages_swapped, i * N);
	}
	for (int i = 0; i < 3; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A request gets the last page or address of a budget, whether pooled pages of another
 * kind, quarantined pages, or a mapping of another pool occupy it. The test uses single
 * pages, because for larger chunks a smaller order would do. */
static void s06_the_last_page_is_had(struct check *t)
{
	struct ttmpool_iova iova;
	struct ttmpool_manager_stats stats;
	struct buffer *kept, *buf, *other;
	struct rig *rig;

	CHECK_EQ(t, ttmpool_iova_init(&iova, 4096, 0), 0);
	rig = rig_open(t, &(struct rig_config){ .nr_pools = 2,
						.iova = &iova,
						.page_budget = 2 });
	CHECK(t, rig);
	kept = buffer_open(
		t, rig,
		&(struct buffer_config){ .unmapped = true,
					 .num_pages = 2,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_UNCACHED });
	buf = open_buffer(t, rig, 1, &buffer_plain);
	other = buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = 1,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, kept && buf && other && !buffer_cycle(kept));
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 1);
	/* The address is the first pool's, and only kept. */
	CHECK_EQ(t, buffer_cycle(other), 0);
	CHECK_EQ(t, ttmpool_iova_pages(&iova), 1);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	ttmpool_pool_drain(&rig->pool[0]);
	ttmpool_pool_drain(&rig->pool[1]);

	ttmpool_manager_set_page_budget(&rig->mgr, 1);
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_SET,
						.nth = 1,
						.after = 1 });
	tpsim_fault_plan(
		check_machine(t),
		&(struct tpsim_fault){ .call = TPSIM_CALL_CACHING_RESET,
				       .nth = 1,
				       .times = UINT_MAX });
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	ttmpool_manager_stats(&rig->mgr, &stats);
	CHECK_EQ(t, stats.pages_quarantined, 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(&iova);
}

/* A kind that does not exist has no chunks, even if its neighbours have. */
static void f32_no_kind_is_its_neighbour(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool;

	CHECK(t, rig);
	pool = &rig->pool[0];
	for (int i = 0; i < TTMPOOL_CACHING_COUNT; i++)
		for (int j = 0; j < 2; j++) {
			struct buffer *buf = buffer_open(
				t, rig,
				&(struct buffer_config){
					.caching = (enum ttmpool_caching)i,
					.funcs = j ? &buffer_coherent
						   : &buffer_plain });

			CHECK(t, buf && !buffer_cycle(buf));
		}
	CHECK_EQ(t,
		 ttmpool_pool_count(pool, TTMPOOL_PLAIN, TTMPOOL_UNCACHED, 0),
		 1);
	CHECK_EQ(t,
		 ttmpool_pool_count(pool, TTMPOOL_SOURCE_COUNT,
				    TTMPOOL_UNCACHED, 0),
		 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(pool, TTMPOOL_PLAIN, TTMPOOL_CACHING_COUNT,
				    0),
		 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(pool, TTMPOOL_PLAIN, TTMPOOL_UNCACHED,
				    TTMPOOL_NR_ORDERS),
		 0);
	CHECK(t, rig_close(t, rig));
}

/* The report of a leak that is not mapped shows the address 0. */
static void f34_what_is_not_mapped_has_no_address(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 1, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 1);
	rig->nr_pools = 0;
	CHECK(t, strstr(tpsim_report_last(check_machine(t)),
			"device address 0, "));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A prepare does not allocate pages again that are already pooled; and mappings that were
 * kept, and takes that failed, are counted. */
static void s11_what_is_missing_is_made(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N };
	struct tpsim_fault fault = { .call = TPSIM_CALL_PAGES_ALLOC,
				     .nth = 1,
				     .times = UINT_MAX };
	struct buffer *five, *buf;

	CHECK(t, rig);
	five = open_buffer(t, rig, 5, &buffer_plain);
	buf = open_buffer(t, rig, N + 1, &buffer_plain);
	CHECK(t, five && buf && !buffer_cycle(five));
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, N);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, N);
	CHECK_EQ(t, rig_stats(rig).maps_kept, 0);
	CHECK_EQ(t, buffer_cycle(five), 0);
	CHECK_EQ(t, rig_stats(rig).maps_kept, 2);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 0);
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
	tpsim_fault_clear(check_machine(t));
	CHECK_EQ(t, rig_stats(rig).takes_failed, 1);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, rig_close(t, rig));
}

/* For pages that were taken without a ticket, or with a ticket of the caller's own, the
 * report shows no age. */
static void f34_who_has_no_ticket_has_no_age(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .nr_pools = 2 });
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = 1 };
	tpos_page_t *page;

	CHECK(t, rig);
	for (uint32_t i = 2; i--;) {
		struct ttmpool_pool *pool = &rig->pool[i];

		req.ticket = i ? 0x1234 : 0;
		CHECK_EQ(t, ttmpool_pool_take(pool, &req, &page, NULL), 0);
		CHECK(t, ttmpool_pool_new_ticket(pool));
		CHECK_EQ(t, ttmpool_pool_fini(pool), 1);
		CHECK(t, strstr(tpsim_report_last(check_machine(t)),
				" 0 operations ago"));
	}
	rig->nr_pools = 0;
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(numbers, CHECK_CASE(s06_peaks_are_kept),
	    CHECK_CASE(s06_pages_got_in_vain_are_counted_both_ways),
	    CHECK_CASE(s06_no_page_is_got_without_room_for_its_mapping),
	    CHECK_CASE(s06_one_chunk_has_no_more_mappings_end),
	    CHECK_CASE(s01_one_chunk_takes_the_lock_once_each_way),
	    CHECK_CASE(s06_a_budget_is_used_to_the_last_page),
	    CHECK_CASE(f34_the_age_is_the_pools_own),
	    CHECK_CASE(f34_who_has_no_ticket_has_no_age),
	    CHECK_CASE(s06_limits_are_exact),
	    CHECK_CASE(s07_what_is_touched_stays_in_the_list),
	    CHECK_CASE(s06_the_last_page_is_had),
	    CHECK_CASE(f32_no_kind_is_its_neighbour),
	    CHECK_CASE(f34_what_is_not_mapped_has_no_address),
	    CHECK_CASE(s11_what_is_missing_is_made));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .nr_nodes = 2,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_numbers, &config);
}
