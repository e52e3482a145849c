// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Swapping (S7): the contents of a buffer go to the store, in whole or in part, and
 * return byte for byte; and the swapper, which chooses the buffer.
 */

#include "rig_buffer.h"

#define PAGES 45 /* chunks of 32, 8, 4 and 1 */

static const struct ttmpool_backend_funcs *const kinds[] = {
	[TTMPOOL_PLAIN] = &buffer_plain,
	[TTMPOOL_COHERENT] = &buffer_coherent,
};

/* A buffer of any source and caching is unchanged after a swapout and a swapin. */
static void s07_a_buffer_comes_back_as_it_was(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int i = 0; i < TTMPOOL_SOURCE_COUNT * TTMPOOL_CACHING_COUNT; i++) {
		struct buffer_config config = {
			.num_pages = PAGES,
			.caching = (enum ttmpool_caching)(i /
							  TTMPOOL_SOURCE_COUNT),
			.funcs = kinds[i % TTMPOOL_SOURCE_COUNT]
		};
		struct buffer *buf =
			buffer_ready(t, rig, &config, (unsigned char)i);

		CHECK(t, buf);
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_SWAPPED);
		CHECK_EQ(t, buffer_pages(buf), 0);
		CHECK(t, ttmpool_backend_is_valid(&buf->be));
		CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
		CHECK(t, ttmpool_backend_is_valid(&buf->be));
		CHECK(t, buffer_is_of(t, buf, config.caching));
		CHECK(t, buffer_is_stamped(t, buf, (unsigned char)i));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* Pages that are swapped out are neither in use nor pooled: the system has them. */
static void s07_pages_go_back_to_the_system(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 1);
	CHECK(t, buf);
	CHECK_EQ(t, check_pages_out(t), PAGES);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, PAGES);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).pages_swapped, 0);
	CHECK(t, rig_close(t, rig));
}

/* A part leaves in whole chunks, and the rest stays; in both directions the state in
 * between is PARTIAL. */
static void s07_a_part_leaves_and_a_part_comes(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 9);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK(t, buffer_pages(buf) && buffer_pages(buf) < PAGES);
	CHECK(t, ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, 3), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buffer_pages(buf), 3);
	CHECK(t, ttmpool_backend_is_valid(&buf->be) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, buffer_is_stamped(t, buf, 9));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer that is half swapped out can be swapped in again. */
static void s07_half_way_out_can_turn_back(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_UNCACHED };
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 77);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 40), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, buf->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK(t, buffer_is_of(t, buf, TTMPOOL_UNCACHED));
	CHECK(t, buffer_is_stamped(t, buf, 77));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A swapout of any number of pages is one caching batch and one unmap batch. */
static void s07_one_batch_of_each_kind(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED,
					.funcs = &buffer_plain };
	struct ttmpool_pool_stats before, after;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 2);
	CHECK(t, buf);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.caching_batches - before.caching_batches, 1);
	CHECK_EQ(t, after.unmap_batches - before.unmap_batches, 1);
	CHECK_EQ(t, after.splits, 0);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, rig_stats(rig).caching_batches - after.caching_batches, 1);
	CHECK_EQ(t, rig_stats(rig).map_batches - after.map_batches, 1);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The rest of a buffer stays mapped and keeps its caching: a swapout works only on the
 * chunks that it stores. */
static void s07_only_what_leaves_is_stripped(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.caching = TTMPOOL_WRITE_COMBINED,
					.funcs = &buffer_plain };
	struct ttmpool_pool_stats before, after;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 6);
	CHECK(t, buf);
	before = rig_stats(rig);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 33), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, buffer_pages(buf), 5); /* 4 and 1 */
	CHECK_EQ(t, after.unmaps - before.unmaps, 2);
	CHECK_EQ(t, after.caching_pages - before.caching_pages, 40);
	CHECK_EQ(t, after.bytes_mapped, before.bytes_mapped / PAGES * 5);
	CHECK_EQ(t, check_caching(t, buf->pages[40]), TTMPOOL_WRITE_COMBINED);
	before = after;
	CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
	after = rig_stats(rig);
	CHECK_EQ(t, after.maps - before.maps, 2);
	CHECK_EQ(t, after.caching_pages - before.caching_pages, 40);
	CHECK(t, buffer_is_stamped(t, buf, 6) && rig_is_quiet(t, rig));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer with contents in pages or in the store cannot end before it is dropped. */
static void s07_contents_are_dropped_on_request_alone(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES };
	struct buffer *buf;

	CHECK(t, rig);
	for (size_t left = 0; left <= PAGES; left += 15) {
		buf = buffer_ready(t, rig, &config, 5);
		CHECK(t, buf);
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		CHECK_EQ(t, left ? ttmpool_swapout(&buf->be, left) : 0, 0);
		CHECK_EQ(t, ttmpool_backend_fini(&buf->be), -EBUSY);
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), -EINVAL);
		CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
		CHECK_EQ(t, ttmpool_backend_fini(&buf->be), 0);
		CHECK(t, rig_is_quiet(t, rig));
	}
	CHECK(t, rig_close(t, rig));
}

/* A driver's backend with pages that the library does not know cannot be moved. */
static void s07_foreign_pages_are_not_moved(struct check *t)
{
	struct ttmpool_backend_funcs funcs = ttmpool_backend_plain;
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	funcs.movable = false;
	buf = buffer_open(t, rig, &(struct buffer_config){ .funcs = &funcs });
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_swapin(&buf->be, 1), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_drop(&buf->be), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_handover(&buf->be, &buf->be), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_lru_add(&buf->be), -EOPNOTSUPP);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A buffer whose page array was changed is refused, and keeps its contents. */
static void s07_a_changed_array_is_refused(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = 2 };
	struct buffer *buf;
	tpos_page_t *was;

	CHECK(t, rig);
	buf = buffer_ready(t, rig, &config, 3);
	CHECK(t, buf);
	was = buf->pages[0];
	buf->pages[0] = check_page_of_system(t);
	CHECK_EQ(t, ttmpool_swapout(&buf->be, 1), -EINVAL);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), -EINVAL);
	CHECK_EQ(t, ttmpool_drop(&buf->be), -EINVAL);
	CHECK_EQ(t, check_reports(t, TTMPOOL_REPORT_FOREIGN), 3);
	buf->pages[0] = was;
	CHECK(t, buffer_is_stamped(t, buf, 3));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the page budget has no room, the buffer that was used longest ago is swapped out. */
static void s07_the_oldest_buffer_makes_room(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 24 });
	struct buffer_config config = { .num_pages = 8,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct buffer *buf[4];

	CHECK(t, rig);
	for (int i = 0; i < 3; i++) {
		buf[i] = buffer_ready(t, rig, &config, (unsigned char)i);
		CHECK(t, buf[i]);
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	ttmpool_lru_touch(&buf[0]->be);
	buf[3] = buffer_ready(t, rig, &config, 3);
	CHECK(t, buf[3]);
	CHECK_EQ(t, buf[0]->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, buf[1]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, buf[2]->be.tt.state, TTMPOOL_TT_POPULATED);
	/* It is swapped in again, and the next oldest buffer is swapped out. */
	CHECK_EQ(t, ttmpool_swapin(&buf[1]->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, buf[2]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK(t, buffer_is_stamped(t, buf[1], 1));
	for (int i = 0; i < 4; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
		CHECK_EQ(t, ttmpool_backend_fini(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A bound buffer and one whose lock is held are passed over. */
static void s07_bound_and_busy_buffers_stay(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = 24 });
	struct buffer_config config = { .num_pages = 8,
					.funcs = &buffer_plain };
	struct buffer *buf[4];

	CHECK(t, rig);
	for (int i = 0; i < 3; i++) {
		buf[i] = buffer_ready(t, rig, &config, (unsigned char)i);
		CHECK(t, buf[i]);
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), -EBUSY);
	}
	CHECK_EQ(t, ttmpool_bind(&buf[0]->be), 0);
	buf[1]->locked = true;
	buf[3] = buffer_ready(t, rig, &config, 3);
	CHECK(t, buf[3]);
	CHECK_EQ(t, buf[0]->be.tt.state, TTMPOOL_TT_BOUND);
	CHECK_EQ(t, buf[1]->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, buf[2]->be.tt.state, TTMPOOL_TT_SWAPPED);
	/* Now no buffer is left that could be swapped out. */
	CHECK_EQ(t, ttmpool_swapin(&buf[2]->be, TTMPOOL_ALL_PAGES), -ENOMEM);
	CHECK_EQ(t, buf[2]->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, ttmpool_unbind(&buf[0]->be), 0);
	for (int i = 0; i < 4; i++) {
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_drop(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* The shrinker releases pooled pages first, then swaps out buffers, and those only if the
 * caller allows it. */
static void s07_the_shrinker_swaps_when_nothing_is_pooled(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = 8,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct ttmpool_manager *mgr;
	struct buffer *a, *b;

	CHECK(t, rig);
	mgr = &rig->mgr;
	a = buffer_ready(t, rig, &config, 1);
	b = buffer_ready(t, rig, &config, 2);
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_lru_add(&a->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, false), 8);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 16);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 8, true), 8);
	CHECK_EQ(t, a->be.tt.state, TTMPOOL_TT_POPULATED);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 8, false), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(mgr, 8, true), 8);
	CHECK_EQ(t, a->be.tt.state, TTMPOOL_TT_SWAPPED);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 0);
	CHECK_EQ(t, ttmpool_swapin(&a->be, TTMPOOL_ALL_PAGES), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 8);
	CHECK(t, buffer_is_stamped(t, a, 1) && rig_is_quiet(t, rig));
	ttmpool_lru_remove(&a->be);
	CHECK_EQ(t, ttmpool_manager_shrink_count(mgr, true), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A driver can have all buffers swapped out, as it does before hibernation. */
static void s07_everything_moves_out_before_hibernation(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = 13,
					.funcs = &buffer_coherent };
	struct buffer *buf[3];

	CHECK(t, rig);
	for (int i = 0; i < 3; i++) {
		buf[i] = buffer_ready(t, rig, &config, (unsigned char)i);
		CHECK(t, buf[i]);
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, ULONG_MAX), 39);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, ULONG_MAX), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, check_pages_out(t), 0);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(t, ttmpool_swapin(&buf[i]->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, buf[i], (unsigned char)i));
		ttmpool_lru_remove(&buf[i]->be);
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* Prepared pages serve a buffer without a page from the system, and no shrinker takes
 * them before. */
static void s07_what_is_prepared_needs_no_memory(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer_config config = { .num_pages = PAGES,
					.funcs = &buffer_plain,
					.caching = TTMPOOL_WRITE_COMBINED };
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = PAGES };
	struct ttmpool_pool_stats before;
	struct buffer *buf;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, PAGES);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	before = rig_stats(rig);
	buf = buffer_ready(t, rig, &config, 4);
	CHECK(t, buf);
	CHECK_EQ(t, rig_stats(rig).pages_fresh - before.pages_fresh, 0);
	CHECK_EQ(t, rig_stats(rig).caching_batches, before.caching_batches);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	req.num_pages = 0;
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -EINVAL);
	req.num_pages = 99;
	req.caching = TTMPOOL_CACHED;
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), -EINVAL);
	CHECK(t, rig_close(t, rig));
}

/* That holds for buffers smaller than the prepared chunks, too, in any order of sizes. */
static void s07_what_is_prepared_serves_small_buffers(struct check *t)
{
	static const size_t sizes[] = { 3, 21, 1, 25, 14 };
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 64 };
	struct buffer *buf[5];
	uint64_t fresh;

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	fresh = rig_stats(rig).pages_fresh;
	for (size_t i = 0; i < 5; i++) {
		struct buffer_config config = {
			.num_pages = sizes[i],
			.funcs = &buffer_plain,
			.caching = TTMPOOL_WRITE_COMBINED
		};

		buf[i] = buffer_ready(t, rig, &config, (unsigned char)i);
		CHECK(t, buf[i]);
	}
	CHECK_EQ(t, rig_stats(rig).pages_fresh, fresh);
	CHECK(t, rig_stats(rig).splits > 0);
	for (size_t i = 0; i < 5; i++) {
		CHECK(t, buffer_is_stamped(t, buf[i], (unsigned char)i));
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	}
	ttmpool_pool_reserve(&rig->pool[0], 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(swap, CHECK_CASE(s07_a_buffer_comes_back_as_it_was),
	    CHECK_CASE(s07_pages_go_back_to_the_system),
	    CHECK_CASE(s07_a_part_leaves_and_a_part_comes),
	    CHECK_CASE(s07_half_way_out_can_turn_back),
	    CHECK_CASE(s07_one_batch_of_each_kind),
	    CHECK_CASE(s07_only_what_leaves_is_stripped),
	    CHECK_CASE(s07_contents_are_dropped_on_request_alone),
	    CHECK_CASE(s07_foreign_pages_are_not_moved),
	    CHECK_CASE(s07_a_changed_array_is_refused),
	    CHECK_CASE(s07_the_oldest_buffer_makes_room),
	    CHECK_CASE(s07_bound_and_busy_buffers_stay),
	    CHECK_CASE(s07_the_shrinker_swaps_when_nothing_is_pooled),
	    CHECK_CASE(s07_everything_moves_out_before_hibernation),
	    CHECK_CASE(s07_what_is_prepared_needs_no_memory),
	    CHECK_CASE(s07_what_is_prepared_serves_small_buffers));
