// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Pools whose pages are below 4 GiB, on a machine without an IOMMU that has more memory
 * than that: the device address of a page shows where the page is.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define SEED    0x42
#define FOUR_GB (1ULL << 32)

/* Add a pool of low pages, for the same device as the first pool. */
static bool open_low(struct check *t, struct rig *rig, bool recycles_cached)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .name = "low",
					      .dev = rig->dev[0],
					      .node = TTMPOOL_NODE_ANY,
					      .policy = &policy };

	policy.dma32 = true;
	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_CACHED] = recycles_cached;
	if (ttmpool_pool_init(&rig->pool[1], &rig->mgr, &config))
		return false;
	rig->dev[1] = rig->dev[0];
	rig->nr_pools = 2;
	return true;
}

static struct buffer *ready(struct check *t, struct rig *rig, int pool)
{
	return buffer_ready(t, rig,
			    &(struct buffer_config){ .pool = pool,
						     .num_pages = 21,
						     .funcs = &buffer_plain },
			    SEED);
}

static bool is_low(const struct buffer *buf)
{
	for (size_t i = 0; i < buf->be.tt.num_pages; i++)
		if (buf->dma_addr[i] >= FOUR_GB)
			return false;
	return true;
}

/* A buffer of the low pool, with the ordinary pages of a buffer of the other pool. */
static struct buffer *handed_over(struct check *t, struct rig *rig)
{
	struct buffer *a = ready(t, rig, 0);
	struct buffer *b = buffer_open(
		t, rig,
		&(struct buffer_config){
			.pool = 1, .num_pages = 21, .funcs = &buffer_plain });

	if (!a || !b || ttmpool_to_anonymous(&a->be) ||
	    ttmpool_handover(&a->be, &b->be))
		return NULL;
	return b;
}

/* The device reaches all memory, but the pages of one of its two pools are low. */
static void s02_low_pages_and_others_side_by_side(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *any, *low;

	CHECK(t, rig);
	CHECK(t, open_low(t, rig, false));
	any = ready(t, rig, 0);
	low = ready(t, rig, 1);
	CHECK(t, any && low);
	CHECK(t, !is_low(any));
	CHECK(t, is_low(low));
	CHECK_EQ(t, ttmpool_unpopulate(&any->be), 0);
	CHECK_EQ(t, ttmpool_unpopulate(&low->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pages that are handed over to such a pool are copied to low pages. */
static void s12_a_low_pool_copies_what_is_handed_to_it(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	CHECK(t, open_low(t, rig, false));
	buf = handed_over(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK(t, is_low(buf));
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 21 << 16);
	CHECK(t, buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* Low pages of its own stay where they are. */
static void s12_low_pages_return_in_place(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	CHECK(t, open_low(t, rig, false));
	buf = ready(t, rig, 1);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_to_anonymous(&buf->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&buf->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.bytes_copied, 0);
	CHECK(t, is_low(buf) && buffer_is_stamped(t, buf, SEED));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK(t, rig_close(t, rig));
}

/* The pool does not pool pages that it would not have allocated itself, even if it pools
 * pages of that kind, because the next buffer would get them. */
static void s12_what_was_handed_over_is_not_pooled_unsuited(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct buffer *buf;

	CHECK(t, rig);
	CHECK(t, open_low(t, rig, true));
	buf = handed_over(t, rig);
	CHECK(t, buf);
	CHECK_EQ(t, ttmpool_drop(&buf->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_pooled, 0);
	CHECK_EQ(t, ttmpool_populate(&buf->be), 0);
	CHECK(t, is_low(buf));
	CHECK_EQ(t, ttmpool_unpopulate(&buf->be), 0);
	CHECK_EQ(t, rig->pool[1].stats.pages_pooled, 21);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(dma32, CHECK_CASE(s02_low_pages_and_others_side_by_side),
	    CHECK_CASE(s12_a_low_pool_copies_what_is_handed_to_it),
	    CHECK_CASE(s12_low_pages_return_in_place),
	    CHECK_CASE(s12_what_was_handed_over_is_not_pooled_unsuited));

/* 6 GiB, in pages of 64 KiB. */
int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .page_shift = 16,
						    .ram_pages = 98304 };

	return check_main(argc, argv, &check_suite_dma32, &config);
}
