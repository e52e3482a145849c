// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Contents: what is in a page, and which buffer may see it. Pages are zero when they are
 * handed out, and are not cleared more often or earlier than that needs. The device reads
 * what the CPU writes, for every order and caching.
 */

#include "rig_buffer.h"

static struct buffer *buffer_of(struct check *t, struct rig *rig,
				enum ttmpool_caching caching, size_t n)
{
	return buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = n, .caching = caching });
}

/* A page does not carry its last owner's bytes to the next owner. */
static void no_owner_sees_anothers_bytes(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
		struct buffer *a, *b;

		a = buffer_of(t, rig, (enum ttmpool_caching)c, 23);
		b = buffer_of(t, rig, (enum ttmpool_caching)c, 23);
		CHECK(t, a && b);
		CHECK_EQ(t, ttmpool_populate(&a->be), 0);
		CHECK(t, buffer_holds(t, a, 0));
		CHECK(t, buffer_fill(t, a, 0xa5));
		CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
		CHECK_EQ(t, ttmpool_populate(&b->be), 0);
		CHECK(t, buffer_holds(t, b, 0));
		CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A pooled page is cleared once, when it is handed out again. */
static void a_dirty_page_is_cleared_when_it_is_wanted(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	uint64_t size;
	struct buffer *buf;

	CHECK(t, rig);
	size = (uint64_t)1 << rig->pool[0].info.page_shift;
	buf = buffer_of(t, rig, TTMPOOL_WRITE_COMBINED, 8);
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 8 * size);
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that return to the system are not cleared. */
static void a_dirty_page_that_leaves_is_not_cleared(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, TTMPOOL_WRITE_COMBINED, 8);
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, ttmpool_pool_drain(&rig->pool[0]), 8);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
	CHECK(t, rig_close(t, rig));
}

/* A scrub clears pooled pages ahead of time: the next populate clears nothing. */
static void a_scrubbed_page_is_not_cleared_again(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	uint64_t cleared;
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, TTMPOOL_WRITE_COMBINED, 8);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, buffer_fill(t, buf, 0xee));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, ttmpool_pool_scrub(&rig->pool[0], (size_t)-1), 8);
	CHECK_EQ(t, ttmpool_pool_scrub(&rig->pool[0], (size_t)-1), 0);
	cleared = rig_stats(rig).bytes_cleared;
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, cleared);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* A clean chunk is handed out before a dirty one that was given back later. */
static void a_clean_chunk_goes_before_a_dirty_one(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *a, *b;
	tpos_page_t *clean;

	CHECK(t, rig);
	a = buffer_of(t, rig, TTMPOOL_UNCACHED, 1);
	b = buffer_of(t, rig, TTMPOOL_UNCACHED, 1);
	CHECK(t, a && b);
	CHECK_EQ(t, ttmpool_populate(&a->be), 0);
	CHECK_EQ(t, ttmpool_populate(&b->be), 0);
	clean = a->pages[0];
	CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
	CHECK_EQ(t, ttmpool_pool_scrub(&rig->pool[0], 1), 1);
	CHECK_EQ(t, ttmpool_unpopulate(&b->be), 0);
	CHECK_EQ(t, ttmpool_populate(&a->be), 0);
	CHECK(t, a->pages[0] == clean);
	CHECK_EQ(t, ttmpool_unpopulate(&a->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The library does not clear fresh pages again, since the system's allocator has zeroed
 * them. */
static void fresh_pages_are_not_cleared_twice(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	buf = buffer_of(t, rig, TTMPOOL_UNCACHED, 31);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_cleared, 0);
	CHECK(t, buffer_holds(t, buf, 0));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

static bool device_sees(struct check *t, struct rig *rig, struct buffer *buf,
			unsigned char byte)
{
	size_t last = buf->be.tt.num_pages - 1;

	return buffer_fill(t, buf, byte) &&
	       check_device_holds(t, rig->dev[0], buf->dma_addr[0], byte) &&
	       check_device_holds(t, rig->dev[0], buf->dma_addr[last], byte);
}

/* S13, S3: the device reads what the CPU writes, for every order and caching, with the
 * backend functions that fit the device. */
static void s13_the_device_sees_what_the_cpu_writes(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	CHECK(t, rig);
	for (unsigned int order = 0; order < 7; order++)
		for (int c = 0; c < TTMPOOL_CACHING_COUNT; c++) {
			unsigned char byte =
				(unsigned char)(0x40 + 8 * (int)order + c);
			struct buffer *buf = buffer_of(t, rig,
						       (enum ttmpool_caching)c,
						       (size_t)1 << order);

			CHECK(t, buf);
			CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
			CHECK(t, device_sees(t, rig, buf, byte));
			CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
		}
	CHECK(t, rig_close(t, rig));
}

/* S13: a pool keeps no mapping for a device whose mappings may bounce. */
static void s13_no_bounce_slot_is_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct tpos_device_info info;
	struct buffer *buf;

	CHECK(t, rig);
	tpos_device_query(rig->dev[0], &info);
	buf = buffer_open(
		t, rig,
		&(struct buffer_config){ .num_pages = 3,
					 .funcs = &ttmpool_backend_plain,
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, buf);
	CHECK_EQ(t, buffer_cycle(buf), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 3);
	CHECK_EQ(t, !rig_stats(rig).bytes_mapped,
		 info.bounces || info.untrusted);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(contents, CHECK_CASE(no_owner_sees_anothers_bytes),
	    CHECK_CASE(a_dirty_page_is_cleared_when_it_is_wanted),
	    CHECK_CASE(a_dirty_page_that_leaves_is_not_cleared),
	    CHECK_CASE(a_scrubbed_page_is_not_cleared_again),
	    CHECK_CASE(a_clean_chunk_goes_before_a_dirty_one),
	    CHECK_CASE(fresh_pages_are_not_cleared_twice),
	    CHECK_CASE(s13_the_device_sees_what_the_cpu_writes),
	    CHECK_CASE(s13_no_bounce_slot_is_kept));
