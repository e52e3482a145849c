// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * What could happen to contents (f25, f42 to f48): another buffer sees them, a swapout or
 * a swapin loses them, or they stay behind in a page or a store.
 */

#include "rig_buffer.h"

#define N    21 /* chunks of 16, 4 and 1 pages */
#define SEED 0x5a

static struct buffer *open_buffer(struct check *t, struct rig *rig, int kind)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){
			.num_pages = N,
			.caching = (enum ttmpool_caching)(kind / 2),
			.funcs = kind % 2 ? &buffer_coherent : &buffer_plain });
}

#define KINDS (2 * TTMPOOL_CACHING_COUNT)

/* The pages of a buffer have the caching of its state, and a page that returned to the
 * system is write-back. */
static void f25_what_is_not_cached_is_a_buffers(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	tpos_page_t *first;

	CHECK(t, rig);
	for (int kind = 0; kind < KINDS; kind++) {
		struct buffer *buf = open_buffer(t, rig, kind);

		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK(t, buffer_is_of(t, buf, buf->be.tt.caching));
		first = buf->pages[0];
		CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
		CHECK(t, buffer_is_of(t, buf, TTMPOOL_CACHED));
		CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
		CHECK(t, buffer_is_of(t, buf, buf->be.tt.caching));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		ttmpool_pool_drain(&rig->pool[0]);
		CHECK_EQ(t, check_caching(t, first), TTMPOOL_CACHED);
	}
	CHECK(t, rig_close(t, rig));
}

/* A buffer that is swapped out, in part or as a whole, can end; nothing of it is left,
 * and its pool can end then. */
static void f42_a_swapped_buffer_can_end(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int i = 0; i < 2 * KINDS; i++) {
		struct buffer *buf = open_buffer(t, rig, i / 2);

		CHECK(t, buf && !ttmpool_populate(&buf->be));
		CHECK_EQ(t,
			 ttmpool_swapout(&buf->be,
					 i % 2 ? 1 : TTMPOOL_ALL_PAGES),
			 0);
		CHECK_EQ(t, ttmpool_backend_fini(&buf->be), -EBUSY);
		CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
		CHECK(t, !buf->be.store && !buf->be.pages_stored);
		CHECK_EQ(t, ttmpool_backend_fini(&buf->be), 0);
		CHECK_EQ(t, rig_stats(rig).pages_swapped, 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* Contents of any caching return from the store byte for byte, with checksums and
 * without; and their old pages are zero for the next buffer. */
static void f43_contents_are_copied_and_not_left_behind(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig *rig;

	for (int i = 0; i < 2 * KINDS; i++) {
		struct buffer *buf, *next;

		policy.checksum = i % 2;
		rig = rig_open(t, &(struct rig_config){ .policy = &policy });
		CHECK(t, rig);
		buf = open_buffer(t, rig, i / 2);
		next = open_buffer(t, rig, i / 2);
		CHECK(t, buf && next && !ttmpool_populate(&buf->be));
		CHECK(t, buffer_stamp(t, buf, SEED));
		CHECK_EQ(t, ttmpool_swapout(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK_EQ(t, ttmpool_populate(&next->be), 0);
		CHECK(t, buffer_holds(t, next, 0));
		CHECK_EQ(t, ttmpool_swapin(&buf->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, buf, SEED));
		CHECK(t, buffer_holds(t, next, 0));
		CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		CHECK_EQ(t, ttmpool_unpopulate(&next->be), 0);
		CHECK(t, rig_close(t, rig));
	}
}

/* Chunks of every order are zero to the last byte when they change hands, whether they
 * were kept mapped, scrubbed, or neither. */
static void f44_no_byte_of_a_recycled_chunk_is_left(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	for (int i = 0; i < 4; i++) {
		struct rig *rig;

		policy.keep_mapped = i % 2;
		rig = rig_open(t, &(struct rig_config){ .policy = &policy });
		CHECK(t, rig);
		for (size_t n = 1; n <= 64; n *= 2) {
			struct buffer_config config = {
				.num_pages = n,
				.funcs = &buffer_plain,
				.caching = TTMPOOL_WRITE_COMBINED,
			};
			struct buffer *buf = buffer_open(t, rig, &config);

			CHECK(t, buf && !ttmpool_populate(&buf->be));
			CHECK(t, buffer_fill(t, buf, 0xa5));
			CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
			if (i / 2)
				ttmpool_pool_scrub(&rig->pool[0], 1000);
			CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
			CHECK(t, buffer_holds(t, buf, 0));
			CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		}
		CHECK(t, rig_stats(rig).pages_hit >= 127); /* 1 to 64, twice */
		CHECK(t, rig_close(t, rig));
	}
}

/* Before a suspend all buffers can be swapped out and all pooled pages released, except
 * for a prepared reserve, which the shrinker leaves; after the resume every byte
 * returns. */
static void f47_everything_goes_before_suspend(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = N };
	struct buffer *buf[4];

	CHECK(t, rig);
	for (int i = 0; i < 4; i++) {
		buf[i] = open_buffer(t, rig, 2 * TTMPOOL_WRITE_COMBINED);
		CHECK(t, buf[i] && !ttmpool_populate(&buf[i]->be));
		CHECK(t, buffer_stamp(t, buf[i], (unsigned char)i));
		CHECK_EQ(t, ttmpool_lru_add(&buf[i]->be), 0);
	}
	CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req), 0);
	CHECK_EQ(t, ttmpool_manager_swapout(&rig->mgr, ULONG_MAX), 4 * N);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&rig->mgr, ULONG_MAX, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, N);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK_EQ(t, check_pages_out(t), 0);
	ttmpool_pool_reserve(&rig->pool[0], 0);
	for (int i = 0; i < 4; i++) {
		CHECK_EQ(t, ttmpool_swapin(&buf[i]->be, TTMPOOL_ALL_PAGES), 0);
		CHECK(t, buffer_is_stamped(t, buf[i], (unsigned char)i));
		ttmpool_lru_remove(&buf[i]->be);
		CHECK_EQ(t, ttmpool_unpopulate(&buf[i]->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A chunk is at most 2 MiB, and the addresses of its pages are one page size apart, for
 * any page size. */
static void f48_pages_of_any_size(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;
	uint64_t size;

	CHECK(t, rig);
	size = (uint64_t)1 << rig->pool[0].info.page_shift;
	CHECK(t, size << rig->pool[0].max_order[TTMPOOL_PLAIN] <= 2 << 20);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 16,
					 .funcs = &buffer_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf && !ttmpool_populate(&buf->be));
	for (size_t i = 1; i < 16; i++)
		if (!ttmpool_pool_owns(&rig->pool[0], buf->pages[i]))
			CHECK_EQ(t, buf->dma_addr[i],
				 buf->dma_addr[i - 1] + size);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 16 * size);
	CHECK(t, buffer_stamp(t, buf, SEED));
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(faults_contents, CHECK_CASE(f25_what_is_not_cached_is_a_buffers),
	    CHECK_CASE(f42_a_swapped_buffer_can_end),
	    CHECK_CASE(f43_contents_are_copied_and_not_left_behind),
	    CHECK_CASE(f44_no_byte_of_a_recycled_chunk_is_left),
	    CHECK_CASE(f47_everything_goes_before_suspend),
	    CHECK_CASE(f48_pages_of_any_size));
