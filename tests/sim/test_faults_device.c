// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Unwanted accesses of a device (f15 to f27, f44, f46), poisoned memory (f09), and
 * machines that are unlike a PC. The device here writes at any time to any address that
 * it was ever given.
 */

#include <limits.h>
#include <stdio.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x77

static struct buffer *open_buffer(struct check *t, struct rig *rig, int pool)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .pool = pool,
					 .num_pages = N,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

static bool writes(struct rig *rig, tpos_dma_addr_t addr)
{
	static const char byte = 0x66;

	return !tpsim_device_write(rig->dev[0], addr + 5, &byte, 1);
}

/* If the hardware poisons a pooled page, the pool quarantines its chunk instead of
 * handing it out, and uses another one. */
static void f09_a_poisoned_page_is_not_handed_out(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;
	struct buffer *buf;
	tpos_page_t *page;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	page = buf->pages[3];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	tpsim_page_poison(check_machine(t), page);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	for (size_t i = 0; i < N; i++)
		CHECK(t, !tpos_page_is_poisoned(buf->pages[i]));
	CHECK(t, buffer_holds(t, buf, 0) && rig_is_quiet(t, rig));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 1);
	CHECK_EQ(t, rig_stats(rig).pages_quarantined, 16);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for a page that is poisoned while it is in use, or that leaves the pool:
 * it is neither pooled nor given to the system. */
static void f09_a_poisoned_page_does_not_leave(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;
	struct buffer *buf;
	tpos_page_t *page;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	tpsim_page_poison(check_machine(t), buf->pages[N - 1]);
	page = buf->pages[16];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).pages_quarantined, 1);
	tpsim_page_poison(check_machine(t), page);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, rig_stats(rig).pages_quarantined, 5);
	CHECK_EQ(t, check_pages_out(t), 5);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_POISONED), 2);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* When the quarantine is purged, the system gets all pages of a chunk, of either source,
 * except the poisoned one, also without policy.verify. */
static void f56_the_poisoned_page_alone_is_lost(struct check *t)
{
	static const struct ttmpool_backend_funcs *const funcs[] = {
		&buffer_plain, &buffer_coherent
	};

	for (size_t i = 0; i < 2; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct tpsim_ledger before, after;
		struct tpsim_counters counters;
		struct buffer *buf;

		CHECK(t, rig);
		buf = buffer_open(t, rig,
				  &(struct buffer_config){
					  .num_pages = N,
					  .funcs = funcs[i],
					  .caching = TTMPOOL_WRITE_COMBINED });
		tpsim_ledger(check_machine(t), &before);
		CHECK(t, buf && !ttmpool_populate(&buf->be));
		tpsim_page_poison(check_machine(t), buf->pages[7]);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
		tpsim_ledger(check_machine(t), &after);
		CHECK_EQ(t, before.free_pages - after.free_pages, 16);
		CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
		tpsim_ledger(check_machine(t), &after);
		CHECK_EQ(t, before.free_pages - after.free_pages, 1);
		CHECK_EQ(t, after.pages_lost, i + 1);
		tpsim_counters(check_machine(t), &counters);
		CHECK_EQ(t, counters.poison_freed, 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* A device that goes on writing to the addresses of its former buffer faults, and changes
 * no bytes, neither of the next owner nor of the system. */
static void f17_a_stale_address_reaches_nobody(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	tpos_dma_addr_t stale[N];
	struct buffer *buf, *other;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(
		t, &(struct rig_config){ .nr_pools = 2, .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	other = open_buffer(t, rig, 1);
	CHECK(t, buf && other && !ttmpool_populate(&buf->be));
	memcpy(stale, buf->dma_addr, sizeof(stale));
	CHECK(t, writes(rig, stale[7]));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	for (size_t i = 0; i < N; i++)
		CHECK(t, !writes(rig, stale[i]));
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, ttmpool_populate(&other->be), 0);
	CHECK(t, buffer_stamp(t, other, SEED));
	for (size_t i = 0; i < N; i++)
		CHECK(t, !writes(rig, stale[i]));
	CHECK(t, buffer_is_stamped(t, other, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&other->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A kept mapping leads to a page that is pooled, or that the same device owns: what the
 * device writes there is cleared before the page is handed out. */
static void f17_a_kept_address_spoils_nothing(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_dma_addr_t kept[N];
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	memcpy(kept, buf->dma_addr, sizeof(kept));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	for (size_t i = 0; i < N; i++)
		CHECK(t, writes(rig, kept[i]));
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	for (size_t i = 0; i < N; i++)
		CHECK(t, !writes(rig, kept[i]));
	CHECK(t, rig_close(t, rig));
}

/* Of chunks that are otherwise alike, each is checked by itself. */
static void f09_a_poisoned_chunk_goes_alone(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf;
	struct rig *rig;

	policy.verify = true;
	policy.max_order = 2;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 12,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	tpsim_page_poison(check_machine(t), buf->pages[7]);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
	CHECK_EQ(t, rig_stats(rig).pages_quarantined, 4);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* With policy.verify, an owner that writes to a page after giving it back is named when
 * the page is handed out, and the next owner sees zeroes. */
static void f30_a_late_write_names_its_owner(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_owner owner;
	struct buffer *buf, *next;
	tpos_dma_addr_t addr;
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	ttmpool_owner_init(&owner, "late");
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N,
					 .owner = &owner,
					 .caching = TTMPOOL_WRITE_COMBINED });
	next = open_buffer(t, rig, 0);
	CHECK(t, buf && next && !ttmpool_populate(&buf->be));
	CHECK(t, buffer_stamp(t, buf, SEED));
	addr = buf->dma_addr[18];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, writes(rig, addr) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_populate(&next->be), 0);
	CHECK(t, buffer_holds(t, next, 0));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK(t,
	      strstr(tpsim_report_last(check_machine(t)), "index 2, order 2"));
	CHECK(t, strstr(tpsim_report_last(check_machine(t)), "owner late, "));
	CHECK_EQ(t, ttmpool_unpopulate(&next->be), 0);
	CHECK_EQ(t, ttmpool_populate(&next->be), 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK_EQ(t, ttmpool_unpopulate(&next->be), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for a buffer of one chunk. */
static void f30_a_late_write_to_a_single_chunk_is_told(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf;
	tpos_dma_addr_t addr;
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 4,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	addr = buf->dma_addr[3];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, writes(rig, addr));
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the take that found the late write fails, the write has been reported, and is not
 * reported again. */
static void f30_a_late_write_is_told_once(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct tpsim_fault fault = { .call = TPSIM_CALL_PAGES_ALLOC,
				     .nth = 1,
				     .times = UINT_MAX };
	struct buffer *buf, *more;
	tpos_dma_addr_t addr;
	struct rig *rig;

	policy.verify = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	more = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N + 1,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && more && !ttmpool_populate(&buf->be));
	addr = buf->dma_addr[0];
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, writes(rig, addr));
	tpsim_fault_plan(check_machine(t), &fault);
	CHECK_EQ(t, ttmpool_populate(&more->be), -ENOMEM);
	CHECK(t, tpsim_fault_clear(check_machine(t)));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_WRITTEN), 1);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* At teardown the device is cut off from the pages that are still in use. */
static void f46_an_unplugged_device_is_cut_off(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_dma_addr_t addr[N];
	struct tpsim_ledger ledger;
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	memcpy(addr, buf->dma_addr, sizeof(addr));
	CHECK(t, writes(rig, addr[N - 1]));
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), N);
	rig->nr_pools = 0;
	for (size_t i = 0; i < N; i++)
		CHECK(t, !writes(rig, addr[i]));
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.mappings, 0);
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

/* One leaked chunk is reported in one line: pool, owner, age, order, caching, and its
 * address for the device. */
static void f34_a_leak_is_one_line(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	struct buffer *buf, *busy;
	char addr[64];

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "compositor");
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 4,
					 .owner = &owner,
					 .caching = TTMPOOL_WRITE_COMBINED });
	busy = buffer_open(
		t, rig, &(struct buffer_config){ .caching = TTMPOOL_UNCACHED });
	CHECK(t, buf && busy && !ttmpool_populate(&buf->be));
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, buffer_cycle(busy), 0);
	snprintf(addr, sizeof(addr), "device address %#llx,",
		 (unsigned long long)buf->dma_addr[0]);
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 4);
	rig->nr_pools = 0;
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_IN_USE), 1);
	CHECK(t, strstr(tpsim_report_last(check_machine(t)), addr));
	CHECK(t, strstr(tpsim_report_last(check_machine(t)),
			"pool-a: still in use at teardown: "));
	CHECK(t, strstr(tpsim_report_last(check_machine(t)),
			"order 2, caching 1, "));
	CHECK(t, strstr(tpsim_report_last(check_machine(t)),
			"owner compositor, 3 operations ago"));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&rig->mgr), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(faults_device, CHECK_CASE(f09_a_poisoned_page_is_not_handed_out),
	    CHECK_CASE(f09_a_poisoned_page_does_not_leave),
	    CHECK_CASE(f09_a_poisoned_chunk_goes_alone),
	    CHECK_CASE(f56_the_poisoned_page_alone_is_lost),
	    CHECK_CASE(f17_a_stale_address_reaches_nobody),
	    CHECK_CASE(f17_a_kept_address_spoils_nothing),
	    CHECK_CASE(f30_a_late_write_names_its_owner),
	    CHECK_CASE(f30_a_late_write_to_a_single_chunk_is_told),
	    CHECK_CASE(f30_a_late_write_is_told_once),
	    CHECK_CASE(f46_an_unplugged_device_is_cut_off),
	    CHECK_CASE(f34_a_leak_is_one_line));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 4096 };

	return check_main(argc, argv, &check_suite_faults_device, &config);
}
