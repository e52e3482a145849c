// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Machines that are unlike a PC with a strict IOMMU, each with its own failures: a lazy
 * IOMMU (f18), bounce buffers that are full or stale (f15, f22), a linear map that cannot
 * be changed (f27), stores that are full or fail (f38, f39). And drivers whose own
 * functions call the pool (f37).
 */

#include <limits.h>

#include "check_cmocka.h"
#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x77

static struct buffer *open_buffer(struct check *t, struct rig *rig,
				  const struct ttmpool_backend_funcs *funcs)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N,
					 .funcs = funcs,
					 .caching = TTMPOOL_WRITE_COMBINED });
}

static bool writes(struct rig *rig, tpos_dma_addr_t addr)
{
	static const char byte = 0x66;

	return !tpsim_device_write(rig->dev[0], addr + 5, &byte, 1);
}

/* Can the device still write to a page that has gone back to the system? */
static bool window_is_open(struct check *t, bool lazy_unmap)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct buffer *buf;
	struct rig *rig;
	tpos_dma_addr_t addr;
	bool open;

	policy.lazy_unmap = lazy_unmap;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	buf = open_buffer(t, rig, &ttmpool_backend_plain);
	if (ttmpool_populate(&buf->be) || !writes(rig, buf->dma_addr[0])) {
		check_fail(t, __FILE__, __LINE__, "no buffer", NULL);
		return false;
	}
	addr = buf->dma_addr[0];
	check_any(ttmpool_unpopulate(&buf->be));
	ttmpool_pool_drain(&rig->pool[0]);
	open = writes(rig, addr);
	tpsim_iotlb_expire(check_machine(t));
	if (writes(rig, addr) || !rig_close(t, rig))
		check_fail(t, __FILE__, __LINE__, "it never ends", NULL);
	return open;
}

/* Behind a lazy IOMMU a device could write for a while to a page that has left. The pool
 * prevents this, unless the policy says lazy_unmap. */
static void f18_the_lazy_window_is_closed(struct check *t)
{
	CHECK(t, !window_is_open(t, false) && !t->failed);
	check_allows_lazy(t);
	CHECK(t, window_is_open(t, true) && !t->failed);
}

CHECK_SUITE(lazy, CHECK_CASE(f18_the_lazy_window_is_closed));

/* When bounce slots run out, the whole populate is refused, and occupies no slot
 * afterwards; coherent pages, which need no slots, can still be had. */
static void f15_full_bounce_buffers_are_told(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *plain[4], *coherent;
	struct tpsim_ledger ledger;

	CHECK(t, rig);
	for (int i = 0; i < 4; i++)
		plain[i] = open_buffer(t, rig, &ttmpool_backend_plain);
	coherent = open_buffer(t, rig, &ttmpool_backend_coherent);
	CHECK(t, plain[3] && coherent);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(t, ttmpool_populate(&plain[i]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&plain[3]->be), -ENOSPC);
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.bounce_slots, 3 * 2 * N);
	CHECK_EQ(t, ttmpool_populate(&coherent->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&plain[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&plain[3]->be), 0);
	for (int i = 1; i < 4; i++)
		CHECK_EQ(t, ttmpool_unpopulate(&plain[i]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&coherent->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The device has its own copy of each page. What the library writes, zeroes or contents,
 * is in that copy when the buffer is populated; and what the device wrote is kept when
 * the buffer moves. */
static void f22_the_devices_view_is_kept_true(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	char seen = 0;

	CHECK(t, rig);
	buf = open_buffer(t, rig, &ttmpool_backend_plain);
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	CHECK(t, buffer_stamp(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	for (size_t i = 0; i < N; i++)
		CHECK(t,
		      check_device_holds(t, rig->dev[0], buf->dma_addr[i], 0));
	CHECK(t, buffer_stamp(t, buf, SEED));
	CHECK(t, writes(rig, buf->dma_addr[4]));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t,
		 tpsim_device_read(rig->dev[0], buf->dma_addr[4] + 5, &seen, 1),
		 0);
	CHECK_EQ(t, seen, 0x66);
	CHECK(t, check_device_holds(t, rig->dev[0], buf->dma_addr[3],
				    1 + (SEED + 7 * 3) % 251));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(bouncing, CHECK_CASE(f15_full_bounce_buffers_are_told),
	    CHECK_CASE(f22_the_devices_view_is_kept_true));

/* If the linear map cannot be changed, everything else works as usual, but a caching
 * change is only recorded. */
static void f27_no_caching_is_no_difference(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_counters counters;

	CHECK(t, rig);
	for (int i = 0; i < 2; i++) {
		struct buffer *buf = open_buffer(t, rig,
						 i ? &ttmpool_backend_coherent
						   : &ttmpool_backend_plain);

		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK(t, buffer_stamp(t, buf, SEED));
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, buf, SEED));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK_EQ(
			t,
			ttmpool_pool_count(&rig->pool[0],
					   i ? TTMPOOL_COHERENT : TTMPOOL_PLAIN,
					   TTMPOOL_WRITE_COMBINED, 4),
			1);
	}
	tpsim_counters(check_machine(t), &counters);
	CHECK_EQ(t, counters.tlb_flushes, 0);
	CHECK_EQ(t, counters.caching_pages, 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(no_caching, CHECK_CASE(f27_no_caching_is_no_difference));

/* A populated buffer with contents. */
static struct buffer *ready(struct check *t, struct rig *rig, bool coherent)
{
	struct buffer *buf = open_buffer(t, rig,
					 coherent ? &ttmpool_backend_coherent
						  : &ttmpool_backend_plain);

	return buf && !ttmpool_populate(&buf->be) && buffer_stamp(t, buf, SEED)
		       ? buf
		       : NULL;
}

/* Bring the buffer back to the device, wherever a failed move has left it, and check its
 * contents. */
static bool comes_back(struct check *t, struct rig *rig, struct buffer *buf)
{
	if (!ttmpool_backend_is_valid(&buf->be) || !rig_is_quiet(t, rig))
		return false;
	if (buf->be.tt.state != TTMPOOL_TT_POPULATED &&
	    ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES))
		return false;
	return buffer_is_stamped(t, buf, SEED) &&
	       !ttmpool_unpopulate(&buf->be) && !rig_stats(rig).pages_swapped;
}

static unsigned long store_fails(struct check *t, struct buffer *buf,
				 const struct tpsim_fault *fault, int *err)
{
	tpsim_fault_plan(check_machine(t), fault);
	*err = fault->call == TPSIM_CALL_STORE_READ
		       ? ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES)
		       : ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES);
	return tpsim_fault_clear(check_machine(t));
}

/* The store is full at the k-th page, for every k: the contents that did not fit stay in
 * their pages, and the buffer comes back whole. */
static void f38_a_store_full_at_any_page(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned long i = 0; i < 2 * N; i++) {
		struct tpsim_fault fault = { .call = TPSIM_CALL_STORE_WRITE,
					     .nth = 1 + i / 2,
					     .times = UINT_MAX };
		struct buffer *buf = ready(t, rig, i % 2);
		int err;

		CHECK(t, buf && store_fails(t, buf, &fault, &err));
		CHECK_EQ(t, err, -ENOSPC);
		CHECK_EQ(t, buffer_pages(buf), N - buf->be.pages_stored);
		CHECK(t, buf->be.pages_stored <= i / 2);
		CHECK(t, comes_back(t, rig, buf));
	}
	CHECK(t, rig_close(t, rig));
}

/* A store with room for a few pages is filled to the last one, and not beyond. */
static void f38_a_small_store_is_filled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpsim_ledger ledger;
	struct buffer *buf;

	CHECK(t, rig);
	buf = ready(t, rig, false);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), -ENOSPC);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buf->be.pages_stored, 19);
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.store_pages, 19);
	CHECK(t, comes_back(t, rig, buf));
	tpsim_ledger(check_machine(t), &ledger);
	CHECK_EQ(t, ledger.store_pages, 0);
	CHECK(t, rig_close(t, rig));
}

/* A disk error, or a signal, at the k-th page in or out: the copy that existed before is
 * still valid, and the move can be continued. */
static void f39_a_store_fails_at_any_page(struct check *t)
{
	static const int errors[] = { -EIO, -EINTR, -ENOMEM };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned long i = 0; i < 12 * N; i++) {
		bool in = i / 3 % 2;
		struct tpsim_fault fault = {
			.call = in ? TPSIM_CALL_STORE_READ
				   : TPSIM_CALL_STORE_WRITE,
			.nth = 1 + i / 12,
			.error = errors[i % 3],
			.times = UINT_MAX,
		};
		struct buffer *buf = ready(t, rig, i / 6 % 2);
		int err;

		CHECK(t, buf);
		if (in)
			CHECK_EQ(t,
				 ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES),
				 0);
		CHECK(t, store_fails(t, buf, &fault, &err));
		/* If the store has no memory, plain chunks are split, so the swap-out may
		 * succeed. */
		CHECK(t, err == errors[i % 3] || (!in && !err));
		CHECK(t, comes_back(t, rig, buf));
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(stores, CHECK_CASE(f38_a_store_full_at_any_page),
	    CHECK_CASE(f39_a_store_fails_at_any_page));
CHECK_SUITE(small_store, CHECK_CASE(f38_a_small_store_is_filled));

static struct buffer *inner;

/* A populate that first populates another buffer. */
static int nested_populate(struct ttmpool_backend *be)
{
	int err = inner->be.tt.state == TTMPOOL_TT_EMPTY
			  ? ttmpool_populate(&inner->be)
			  : 0;

	return err ? err : ttmpool_backend_plain.populate(be);
}

/* A bind that gives up all that it can. */
static int nested_bind(struct ttmpool_backend *be)
{
	ttmpool_manager_shrink_scan(be->pool->mgr, 100, true);
	ttmpool_pool_drain(be->pool);
	return ttmpool_swapout(&inner->be, TTMPOOL_ALL_PAGES);
}

static void nested_unbind(struct ttmpool_backend *be)
{
	(void)be;
	check_any(ttmpool_swapin(&inner->be, TTMPOOL_ALL_PAGES));
}

/* A driver's own functions may call the pool, because the pool holds no lock while it
 * calls them. */
static void f37_a_drivers_functions_may_call_the_pool(struct check *t)
{
	struct ttmpool_backend_funcs funcs = ttmpool_backend_plain;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *outer;

	CHECK(t, rig);
	funcs.populate = nested_populate;
	funcs.bind = nested_bind;
	funcs.unbind = nested_unbind;
	outer = open_buffer(t, rig, &funcs);
	inner = open_buffer(t, rig, &ttmpool_backend_plain);
	CHECK(t, outer && inner);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, ttmpool_populate(&outer->be), 0);
		CHECK(t, buffer_stamp(t, inner, SEED));
		CHECK_EQ(t, ttmpool_bind(&outer->be), 0);
		CHECK_EQ(t, inner->be.tt.state, TTMPOOL_TT_SWAPPED);
		CHECK_EQ(t, ttmpool_unbind(&outer->be), 0);
		CHECK(t, buffer_is_stamped(t, inner, SEED));
		CHECK_EQ(t, ttmpool_unpopulate(&outer->be), 0);
		CHECK(t, rig_is_quiet(t, rig));
	}
	CHECK_EQ(t, ttmpool_unpopulate(&inner->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(nested, CHECK_CASE(f37_a_drivers_functions_may_call_the_pool));

int main(int argc, char **argv)
{
	static const struct {
		const struct check_suite *suite;
		struct tpsim_config config;
	} machines[] = {
		{ &check_suite_lazy, { .iommu = TPSIM_IOMMU_LAZY } },
		{ &check_suite_bouncing,
		  { .swiotlb_force = true, .swiotlb_slots = 128 } },
		{ &check_suite_no_caching,
		  { .iommu = TPSIM_IOMMU_STRICT, .no_caching = true } },
		{ &check_suite_stores, { .iommu = TPSIM_IOMMU_STRICT } },
		{ &check_suite_small_store, { .store_pages = 19 } },
		{ &check_suite_nested, { .iommu = TPSIM_IOMMU_STRICT } },
	};
	int failed = 0;

	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++)
		failed |= check_main(argc, argv, machines[i].suite,
				     &machines[i].config);
	return failed;
}
