// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Failures of memory and of address space (f01 to f21, and f56), as far as budgets,
 * limits and the public API can cause them: so the same cases run in a kernel, where a
 * test cannot plan the failure of a call.
 */

#include "rig_buffer.h"

#define N 21 /* chunks of 16, 4 and 1 pages */

static struct buffer *open_buffer(struct check *t, struct rig *rig, int kind)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = N,
					 .caching = TTMPOOL_WRITE_COMBINED,
					 .funcs = kind ? &buffer_coherent
						       : &buffer_plain });
}

static bool is_untouched(struct buffer *buf)
{
	for (size_t i = 0; i < N; i++)
		if (buf->pages[i] || buf->dma_addr[i])
			return false;
	return buf->be.tt.state == TTMPOOL_TT_EMPTY;
}

/* If memory ends at any page, the populate changes nothing. */
static void f01_memory_ends_at_any_page(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int i = 0; i < 2 * N; i++) {
		struct buffer *buf = open_buffer(t, rig, i % 2);

		CHECK(t, buf);
		ttmpool_manager_set_page_budget(&rig->mgr,
						(unsigned long)i / 2);
		CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOMEM);
		CHECK(t, is_untouched(buf) && rig_is_quiet(t, rig));
		CHECK_EQ(t, check_pages_out(t), 0);
		ttmpool_manager_set_page_budget(&rig->mgr, N);
		CHECK_EQ(t, buffer_cycle(buf), 0);
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK(t, rig_close(t, rig));
}

/* A scan for nothing, for everything, and of an empty pool returns the right number. */
static void f06_a_scan_of_any_number(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = open_buffer(t, rig, 0);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, true), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 0, true), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), N);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, 0, false), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), N);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, false),
		 N);
	CHECK_EQ(t, ttmpool_manager_shrink_count(&rig->mgr, false), 0);
	CHECK(t, rig_close(t, rig));
}

/* Before the first pool begins and after the last one ends, a scan releases nothing and
 * does no harm. */
static void f07_shrinking_without_pools(struct check *t)
{
	struct ttmpool_manager_config config = {
		.system = t->system,
		.page_budget = TTMPOOL_NO_LIMIT,
		.pool_limit = TTMPOOL_NO_LIMIT,
	};
	struct ttmpool_manager *mgr = check_zalloc(t, sizeof(*mgr));
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));
	struct ttmpool_pool_config of_pool = { .dev = check_device(t, 0, 64),
					       .node = TTMPOOL_NODE_ANY };

	CHECK(t, mgr && pool);
	CHECK_EQ(t, ttmpool_manager_init(mgr, &config), 0);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 0);
		CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 100, true), 0);
		CHECK_EQ(t, ttmpool_manager_swapout(mgr, 100), 0);
		ttmpool_manager_set_pool_limit(mgr, 0);
		CHECK_EQ(t, ttmpool_pool_init(pool, mgr, &of_pool), 0);
		CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	}
	CHECK_EQ(t, ttmpool_manager_fini(mgr), 0);
}

/* A pool on a node that does not exist gets its pages from other nodes. */
static void f08_a_node_that_is_not_there(struct check *t)
{
	static const int nodes[] = { 63, 1000, 0x7fffffff };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool *pool = check_zalloc(t, sizeof(*pool));
	struct ttmpool_request req = { .caching = TTMPOOL_UNCACHED,
				       .num_pages = N };
	tpos_page_t **pages = check_zalloc(t, N * sizeof(tpos_page_t *));

	CHECK(t, rig && pool && pages);
	for (int i = 0; i < 6; i++) {
		struct ttmpool_pool_config config = { .dev = rig->dev[0],
						      .node = nodes[i / 2] };

		req.source = (enum ttmpool_source)(i % 2);
		CHECK_EQ(t, ttmpool_pool_init(pool, &rig->mgr, &config), 0);
		for (int again = 0; again < 2; again++) {
			CHECK_EQ(t, ttmpool_pool_take(pool, &req, pages, NULL),
				 0);
			CHECK_EQ(t,
				 ttmpool_pool_give(pool, pages, N,
						   TTMPOOL_UNCACHED),
				 0);
		}
		CHECK_EQ(t, ttmpool_pool_fini(pool), 0);
	}
	CHECK_EQ(t,
		 ttmpool_pool_init(pool, &rig->mgr,
				   &(struct ttmpool_pool_config){
					   .dev = rig->dev[0], .node = -3 }),
		 -EINVAL);
	CHECK(t, rig_close(t, rig));
}

static uint64_t page_bytes(struct check *t)
{
	struct tpos_device_info info;

	tpos_device_query(check_device(t, 0, 64), &info);
	return (uint64_t)1 << info.page_shift;
}

/* If address space ends at any page, the pool unmaps all that it has mapped before. */
static void f10_address_space_ends_at_any_page(struct check *t)
{
	for (unsigned int i = 2; i < 2 * N; i++) {
		struct ttmpool_iova iova;
		struct buffer *buf;
		struct rig *rig;

		CHECK_EQ(t,
			 ttmpool_iova_init(&iova, page_bytes(t) * (i / 2), 0),
			 0);
		rig = rig_open(t, &(struct rig_config){ .iova = &iova });
		CHECK(t, rig);
		buf = open_buffer(t, rig, i % 2);
		CHECK(t, buf);
		CHECK_EQ(t, ttmpool_populate(&buf->be), -ENOSPC);
		CHECK(t, is_untouched(buf) && rig_is_quiet(t, rig));
		CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
		CHECK_EQ(t, ttmpool_iova_pages(&iova), 0);
		CHECK(t, rig_close(t, rig));
		ttmpool_iova_fini(&iova);
	}
}

/* If the device has no addresses left, the pool ends idle mappings, but never one in use;
 * requests succeed again when pages in use are given back. */
static void f11_address_space_recovers(struct check *t)
{
	struct rig *rig = rig_open(
		t,
		&(struct rig_config){ .mapped_limit = 2 * N * page_bytes(t) });
	struct buffer *buf[4];

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		buf[i] = open_buffer(t, rig, 0);
		CHECK(t, buf[i]);
		/* So that it does not use the pages that the second buffer leaves
		 * behind. */
		if (i > 1)
			buf[i]->be.tt.caching = TTMPOOL_UNCACHED;
	}
	CHECK_EQ(t, ttmpool_populate(&buf[0]->be), 0);
	CHECK_EQ(t, buffer_cycle(buf[1]), 0);
	CHECK_EQ(t, ttmpool_populate(&buf[2]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf[3]->be), -ENOSPC);
	CHECK(t, is_untouched(buf[3]) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&buf[0]->be), 0);
	CHECK_EQ(t, ttmpool_populate(&buf[3]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[2]->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf[3]->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* On every machine a populated buffer is zero, the device reads what the CPU writes, and
 * the buffer can be populated again; the device's report chooses the backend. */
static void f21_the_same_on_every_machine(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	const struct tpos_device_info *info;
	struct buffer *buf;

	CHECK(t, rig);
	info = &rig->pool[0].info;
	CHECK(t, !(info->has_iommu && info->bounces));
	CHECK_EQ(t,
		 ttmpool_backend_choose(&rig->pool[0]) ==
			 &ttmpool_backend_coherent,
		 info->bounces);
	for (int i = 0; i < 2 * TTMPOOL_CACHING_COUNT; i++) {
		enum ttmpool_caching caching = (enum ttmpool_caching)(i / 2);

		buf = buffer_open(t, rig,
				  &(struct buffer_config){
					  .num_pages = N,
					  .caching = caching,
					  .funcs = i % 2 ? &buffer_coherent
							 : &buffer_plain });
		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK(t, buffer_holds(t, buf, 0));
		CHECK(t, buffer_stamp(t, buf, 0x33));
		CHECK(t, buffer_is_stamped(t, buf, 0x33));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A buffer with one page that the hardware has poisoned; NULL if this system does not
 * report poison. */
static struct buffer *poisoned(struct check *t, struct rig *rig, int kind,
			       size_t page)
{
	struct buffer *buf = open_buffer(t, rig, kind);

	if (!buf || ttmpool_populate(&buf->be) || !buffer_stamp(t, buf, 0x56))
		return NULL;
	if (check_poison(t, buf->pages[page]))
		return buf;
	check_any(ttmpool_unpopulate(&buf->be));
	return NULL;
}

/* Give such a buffer back; its page goes into quarantine. */
static bool buries(struct rig *rig, struct buffer *buf)
{
	if (ttmpool_drop(&buf->be))
		return false;
	ttmpool_pool_drain(&rig->pool[0]);
	return rig_stats(rig).pages_quarantined &&
	       !ttmpool_manager_purge_quarantine(&rig->mgr);
}

/* A poisoned page is not read and not stored: the pages before it are swapped out, and it
 * stays where it is. */
static void f56_a_poisoned_page_is_not_swapped_out(struct check *t)
{
	static const size_t at[] = { 0, 17, 20 }, gone[] = { 0, 16, 20 };

	for (int i = 0; i < 3; i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct buffer *buf;

		CHECK(t, rig);
		buf = poisoned(t, rig, 0, at[i]);
		if (buf) {
			CHECK_EQ(t,
				 ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES),
				 -EFAULT);
			CHECK_EQ(t, N - buffer_pages(buf), gone[i]);
			CHECK_EQ(t, buf->be.tt.state,
				 gone[i] ? TTMPOOL_TT_PARTIAL
					 : TTMPOOL_TT_POPULATED);
			CHECK(t, rig_is_quiet(t, rig));
			if (gone[i])
				CHECK_EQ(t,
					 ttmpool_swapin(&buf->be,
							TTMPOOL_ALL_PAGES),
					 0);
			CHECK(t, buffer_is_stamped(t, buf, 0x56));
			CHECK(t, buries(rig, buf));
		}
		CHECK(t, rig_close(t, rig));
	}
}

/* A poisoned page is not copied: a coherent buffer that has one does not become
 * anonymous, and stays as it is. */
static void f56_a_poisoned_page_is_not_copied(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = poisoned(t, rig, 1, 3);
	if (buf) {
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -EFAULT);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, buffer_is_stamped(t, buf, 0x56));
		CHECK(t, rig_is_quiet(t, rig));
		CHECK(t, buries(rig, buf));
	}
	CHECK(t, rig_close(t, rig));
}

/* A buffer without a poisoned page is copied as usual, even if another buffer has one. */
static void f56_poison_elsewhere_is_no_reason(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *other;

	CHECK(t, rig);
	buf = poisoned(t, rig, 1, 3);
	if (buf) {
		other = open_buffer(t, rig, 1);
		CHECK(t, other && !ttmpool_populate(&other->be));
		CHECK(t, buffer_stamp(t, other, 0x65));
		CHECK_EQ(t, ttmpool_to_anonymous(&other->be), 0);
		CHECK(t, buffer_is_stamped(t, other, 0x65));
		CHECK_EQ(t, ttmpool_drop(&other->be), 0);
		CHECK(t, buries(rig, buf));
	}
	CHECK(t, rig_close(t, rig));
}

/* The swapper passes over a buffer that it cannot swap out because of a poisoned page,
 * and swaps out another one. */
static void f56_the_swapper_passes_over_poison(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf, *other;

	CHECK(t, rig);
	buf = poisoned(t, rig, 0, 0);
	if (buf) {
		other = open_buffer(t, rig, 0);
		CHECK(t, other && !ttmpool_populate(&other->be));
		CHECK_EQ(t, ttmpool_lru_add(&buf->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&other->be), 0);
		CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, N), N);
		CHECK_EQ(t, other->be.tt.state, TTMPOOL_TT_SWAPPED);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		ttmpool_lru_remove(&buf->be);
		ttmpool_lru_remove(&other->be);
		CHECK_EQ(t, ttmpool_drop(&other->be), 0);
		CHECK(t, buries(rig, buf));
	}
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(faults_memory, CHECK_CASE(f56_a_poisoned_page_is_not_swapped_out),
	    CHECK_CASE(f56_a_poisoned_page_is_not_copied),
	    CHECK_CASE(f56_poison_elsewhere_is_no_reason),
	    CHECK_CASE(f56_the_swapper_passes_over_poison),
	    CHECK_CASE(f01_memory_ends_at_any_page),
	    CHECK_CASE(f06_a_scan_of_any_number),
	    CHECK_CASE(f07_shrinking_without_pools),
	    CHECK_CASE(f08_a_node_that_is_not_there),
	    CHECK_CASE(f10_address_space_ends_at_any_page),
	    CHECK_CASE(f11_address_space_recovers),
	    CHECK_CASE(f21_the_same_on_every_machine));
