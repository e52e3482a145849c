// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What no other suite noticed when faults were planted (./dev check mutation): what a
 * move leaves behind when it fails half way and is undone, how exactly a scan counts, and
 * what reports and counters say.
 */

#include <limits.h>
#include <stdio.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x35

static struct buffer *open_buffer(struct check *t, struct rig *rig, size_t n,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

static void plan(struct check *t, enum tpsim_call call, unsigned int times)
{
	tpsim_fault_plan(check_machine(t),
			 &(struct tpsim_fault){
				 .call = call, .nth = 1, .times = times });
}

static size_t stores(struct check *t)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return ledger.stores;
}

/* If a move fails, the store that was made for it goes at once: the buffer is as it was,
 * and can go back to the device, or be handed over. */
static void s12_an_unused_store_is_not_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *to;

	CHECK(t, rig);
	buf = open_buffer(t, rig, N, &buffer_plain);
	to = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, buf && to && !ttmpool_populate(&buf->be));
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		plan(t, TPSIM_CALL_STORE_WRITE, UINT_MAX);
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES),
			 -ENOSPC);
		CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_ANONYMOUS);
		CHECK_EQ(t, stores(t), 0);
		if (i)
			CHECK_EQ(t, ttmpool_handover(&buf->be, &to->be), 0);
		else
			CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	}
	CHECK_EQ(t, ttmpool_drop(&to->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Contents that have been read back occupy no room in the store. */
static void s07_what_came_back_leaves_the_store(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_ledger ledger;
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, 16), 0);
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.store_pages, 5);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer that fails to become the device's again has no mapping left. */
static void s06_a_failed_way_back_leaves_no_mapping(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_ledger ledger;
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK(t, buffer_stamp(t, buf, SEED));
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	plan(t, TPSIM_CALL_CACHING_SET, 1);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), -ENOMEM);
	CHECK_EQ(t, tpsim_fault_clear(check_machine(t)), 1);
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.mappings, 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The init of a buffer clears its arrays, whatever they held. */
static void s01_arrays_are_cleared_first(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_backend_config config = { .num_pages = 2 };
	tpos_page_t *pages[2] = { (tpos_page_t *)8, (tpos_page_t *)8 };
	tpos_dma_addr_t dma_addr[2] = { 8, 8 };
	struct ttmpool_backend be;

	CHECK(t, rig);
	config.pool = &rig->pool[0];
	config.pages = pages;
	config.dma_addr = dma_addr;
	CHECK_EQ(t, ttmpool_backend_init(&be, &config), 0);
	CHECK(t, !pages[0] && !pages[1] && !dma_addr[0] && !dma_addr[1]);
	CHECK(t, ttmpool_backend_is_valid(&be));
	be.tt.state = TTMPOOL_TT_STATE_COUNT;
	CHECK(t, !ttmpool_tt_is_valid(&be.tt));
	be.tt.state = TTMPOOL_TT_EMPTY;
	CHECK(t, rig_close(t, rig));
}

/* With single pages, a scan frees exactly as many pages as were asked for, and a swap-out
 * takes no more than needed. */
static void s11_no_more_than_asked_for(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;
	struct buffer *buf[3];

	policy.max_order = 0;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	for (int i = 0; i < 3; i++) {
		buf[i] = open_buffer(t, rig, 10, &buffer_plain);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
	}
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 3, false), 3);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 1, false), 1);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 6);
	for (int i = 1; i < 3; i++)
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, 10), 10);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, 10);
	/* Pooled pages go first, and of the buffers only the rest. */
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 8, true), 8);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, 12);
	for (int i = 1; i < 3; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* Fresh low pages are known to be zero, like all fresh pages. */
static void s02_low_pages_are_not_cleared_twice(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf;
	struct rig *rig;

	policy.dma32 = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A report says which page and what chunk it is about; an unknown report kind or state
 * has the name "unknown". */
static void s09_a_finding_says_all_that_is_known(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	const char *line;
	char page[40];

	CHECK(t, rig);
	buf = open_buffer(t, rig, N, &buffer_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	snprintf(page, sizeof(page), "page %p,", (void *)buf->pages[16]);
	line = tpsim_report_last(check_machine(t));
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], buf->pages + 16, 4,
				   TTMPOOL_UNCACHED),
		 -EINVAL);
	CHECK(t, strstr(line, page) && strstr(line, "order 2, caching 1, "));
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], buf->pages + 16, 3,
				   TTMPOOL_WRITE_COMBINED),
		 -EINVAL);
	CHECK(t, strstr(line, page) && strstr(line, "order 2, caching 1, "));
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), N);
	rig->nr_pools = 0;
	snprintf(page, sizeof(page), "page %p,", (void *)buf->pages[20]);
	CHECK(t, strstr(line, page));
	CHECK(t, !strcmp(ttmpool_report_name(TTMPOOL_REPORT_KIND_COUNT),
			 "unknown"));
	CHECK(t, !strcmp(ttmpool_tt_state_name(TTMPOOL_TT_STATE_COUNT),
			 "unknown"));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* A failed prime is counted, too. */
static void s10_a_failed_prime_is_counted(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .num_pages = 4 };

	CHECK(t, rig);
	plan(t, TPSIM_CALL_PAGES_ALLOC, UINT_MAX);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), -ENOMEM);
	CHECK(t, tpsim_fault_clear(check_machine(t)) > 0);
	CHECK_EQ(t, rig_stats(rig).takes_failed, 1);
	CHECK(t, rig_close(t, rig));
}

/* An owner is charged for its own bounced pages, and for no others. */
static void s06_bounced_pages_are_charged(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	struct buffer *buf;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "bouncing");
	for (int i = 0; i < 2; i++) {
		size_t bounced = i ? 0 : N;

		buf = buffer_open(
			t, rig,
			&(struct buffer_config){ .num_pages = N,
						 .owner = &owner,
						 .funcs = i ? &buffer_coherent
							    : &buffer_plain });
		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_BOUNCED),
			 bounced);
		CHECK_EQ(t, rig_stats(rig).pages_bounced, bounced);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_BOUNCED), 0);
		CHECK_EQ(t, rig_stats(rig).pages_bounced, 0);
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(seams, CHECK_CASE(s12_an_unused_store_is_not_kept),
	    CHECK_CASE(s07_what_came_back_leaves_the_store),
	    CHECK_CASE(s06_a_failed_way_back_leaves_no_mapping),
	    CHECK_CASE(s01_arrays_are_cleared_first),
	    CHECK_CASE(s11_no_more_than_asked_for),
	    CHECK_CASE(s02_low_pages_are_not_cleared_twice),
	    CHECK_CASE(s09_a_finding_says_all_that_is_known),
	    CHECK_CASE(s10_a_failed_prime_is_counted));
CHECK_SUITE(bouncing_seams, CHECK_CASE(s06_bounced_pages_are_charged));

int main(int argc, char **argv)
{
	static const struct tpsim_config strict = {
		.iommu = TPSIM_IOMMU_STRICT
	};
	static const struct tpsim_config bouncing = { .swiotlb_force = true };
	int failed = check_main(argc, argv, &check_suite_seams, &strict);

	return failed |
	       check_main(argc, argv, &check_suite_bouncing_seams, &bouncing);
}
