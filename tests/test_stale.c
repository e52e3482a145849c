// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A device that uses an address after the buffer's pages have gone. Whichever way a page
 * leaves its device, the IOMMU stops the next access, in any mode, for plain pages (f17)
 * and for coherent ones (f50). Without an IOMMU nothing stops a device, and the test sees
 * only that the pages have gone.
 *
 * The device has read at the address before, so the IOMMU has cached the translation and
 * must be made to forget it.
 */

#include "rig_buffer.h"

#define N     5 /* chunks of 4 and of 1 page */
#define BYTE  0x77
#define OTHER 0x11

static struct tpos_device_info info_of(tpos_device_t *dev)
{
	struct tpos_device_info info;

	tpos_device_query(dev, &info);
	return info;
}

/**
 * struct stale - a buffer, and the addresses that its device had for it
 * @cached: the buffer is cached instead of write-combined
 */
struct stale {
	bool cached;
	struct rig *rig;
	struct buffer *buf;
	tpos_dma_addr_t addr[2];
};

static const struct ttmpool_backend_funcs *funcs_of(enum ttmpool_source source)
{
	return source == TTMPOOL_COHERENT ? &buffer_coherent : &buffer_plain;
}

/* A buffer of the first device, which has read the first and the last page. */
static bool stale_open(struct check *t, const struct rig_config *config,
		       enum ttmpool_source source, struct stale *stale)
{
	struct buffer *buf;

	stale->rig = rig_open(t, config);
	if (!stale->rig)
		return false;
	buf = buffer_open(
		t, stale->rig,
		&(struct buffer_config){
			.num_pages = N,
			.funcs = funcs_of(source),
			.caching = stale->cached ? TTMPOOL_CACHED
						 : TTMPOOL_WRITE_COMBINED });
	if (!buf || ttmpool_populate(&buf->be))
		return false;
	stale->buf = buf;
	stale->addr[0] = buf->dma_addr[0];
	stale->addr[1] = buf->dma_addr[N - 1];
	return buffer_fill(t, buf, BYTE) &&
	       check_device_holds(t, stale->rig->dev[0], stale->addr[0],
				  BYTE) &&
	       check_device_holds(t, stale->rig->dev[0], stale->addr[1], BYTE);
}

/* The usual setup: one pool with the default policy. */
static bool stale_open_usual(struct check *t, enum ttmpool_source source,
			     struct stale *stale)
{
	return stale_open(t, &(struct rig_config){ 0 }, source, stale);
}

/* A policy that pools neither coherent pages nor cached plain ones. */
static struct ttmpool_policy policy_without_coherent(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);

	for (int caching = 0; caching < TTMPOOL_CACHING_COUNT; caching++)
		policy.recycle[TTMPOOL_COHERENT][caching] = false;
	return policy;
}

static bool is_cut_off_at(struct check *t, const struct stale *stale, int i)
{
	tpos_device_t *dev = stale->rig->dev[0];

	return !info_of(dev).has_iommu ||
	       check_cut_off(t, dev, stale->addr[i], BYTE);
}

static bool is_cut_off(struct check *t, const struct stale *stale)
{
	return is_cut_off_at(t, stale, 0) && is_cut_off_at(t, stale, 1);
}

/* Pages that are pooled without their mapping are out of the device's reach. */
static void f17_pooled_pages_are_out_of_reach(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct rig_config config = { .policy = &policy };
	struct stale stale = { 0 };

	policy.keep_mapped = false;
	CHECK(t, stale_open(t, &config, TTMPOOL_PLAIN, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	CHECK_EQ(t, rig_stats(stale.rig).pages_pooled, N);
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

static void pages_are_not_pooled(struct check *t, enum ttmpool_source source)
{
	struct ttmpool_policy policy = policy_without_coherent(t);
	struct rig_config config = { .policy = &policy };
	struct stale stale = { .cached = true };

	CHECK(t, stale_open(t, &config, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

/* So are pages that go to the system when they are given back. */
static void f17_pages_that_are_not_pooled_are_out_of_reach(struct check *t)
{
	pages_are_not_pooled(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages, as in all cases that follow. */
static void f50_pages_that_are_not_pooled_are_out_of_reach(struct check *t)
{
	pages_are_not_pooled(t, TTMPOOL_COHERENT);
}

static void pages_are_shrunk(struct check *t, enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	CHECK_EQ(t, ttmpool_manager_shrink_scan(&stale.rig->mgr, N, false), N);
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages that the shrinker releases, with their kept mapping, are out of reach. */
static void f17_shrunk_pages_are_out_of_reach(struct check *t)
{
	pages_are_shrunk(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_shrunk_pages_are_out_of_reach(struct check *t)
{
	pages_are_shrunk(t, TTMPOOL_COHERENT);
}

static void pages_are_over_the_limit(struct check *t,
				     enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	ttmpool_manager_set_pool_limit(&stale.rig->mgr, 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages that are above a new limit are out of reach. */
static void f17_pages_over_the_limit_are_out_of_reach(struct check *t)
{
	pages_are_over_the_limit(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_pages_over_the_limit_are_out_of_reach(struct check *t)
{
	pages_are_over_the_limit(t, TTMPOOL_COHERENT);
}

static void pages_are_drained(struct check *t, enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	CHECK_EQ(t, ttmpool_pool_drain(&stale.rig->pool[0]), N);
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages of a pool that is drained are out of reach. */
static void f17_drained_pages_are_out_of_reach(struct check *t)
{
	pages_are_drained(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_drained_pages_are_out_of_reach(struct check *t)
{
	pages_are_drained(t, TTMPOOL_COHERENT);
}

static void pool_ends(struct check *t, enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	CHECK_EQ(t, ttmpool_pool_fini(&stale.rig->pool[0]), 0);
	stale.rig->nr_pools = 0;
	CHECK(t, is_cut_off(t, &stale));
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages that are pooled when their pool ends are out of reach. */
static void f17_a_pool_that_ends_leaves_nothing_in_reach(struct check *t)
{
	pool_ends(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_a_pool_that_ends_leaves_nothing_in_reach(struct check *t)
{
	pool_ends(t, TTMPOOL_COHERENT);
}

static void pages_are_quarantined(struct check *t, enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_pool_fini(&stale.rig->pool[0]), N);
	stale.rig->nr_pools = 0;
	CHECK_EQ(t, check_pages_out(t), N);
	CHECK(t, is_cut_off(t, &stale));
	CHECK_EQ(t, ttmpool_manager_purge_quarantine(&stale.rig->mgr), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages that are in use when their pool ends are quarantined and out of reach. */
static void f17_quarantined_pages_are_out_of_reach(struct check *t)
{
	pages_are_quarantined(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_quarantined_pages_are_out_of_reach(struct check *t)
{
	pages_are_quarantined(t, TTMPOOL_COHERENT);
}

static void pages_are_swapped(struct check *t, enum ttmpool_source source)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, source, &stale));
	CHECK_EQ(t, ttmpool_swapout(&stale.buf->be, TTMPOOL_ALL_PAGES), 0);
	CHECK(t, is_cut_off(t, &stale));
	CHECK_EQ(t, ttmpool_drop(&stale.buf->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages of a buffer that is swapped out are out of reach. */
static void f17_swapped_pages_are_out_of_reach(struct check *t)
{
	pages_are_swapped(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_swapped_pages_are_out_of_reach(struct check *t)
{
	pages_are_swapped(t, TTMPOOL_COHERENT);
}

/* If a part of a buffer is swapped out, that part is out of reach; the rest is when it
 * leaves, too. */
static void f17_each_part_of_a_buffer_is_out_of_reach(struct check *t)
{
	struct stale stale = { 0 };
	tpos_device_t *dev;

	CHECK(t, stale_open_usual(t, TTMPOOL_PLAIN, &stale));
	CHECK_EQ(t, ttmpool_swapout(&stale.buf->be, 1), 0);
	CHECK_EQ(t, stale.buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK_EQ(t, buffer_pages(stale.buf), 1);
	dev = stale.rig->dev[0];
	CHECK(t, !info_of(dev).has_iommu ||
			 check_cut_off(t, dev, stale.addr[0], BYTE));
	CHECK_EQ(t, ttmpool_swapout(&stale.buf->be, 1), 0);
	CHECK(t, is_cut_off(t, &stale));
	CHECK_EQ(t, ttmpool_drop(&stale.buf->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* Of a coherent buffer, the swapped part is out of reach; the rest stays mapped until it
 * leaves, too. */
static void f50_what_has_left_of_a_buffer_is_out_of_reach(struct check *t)
{
	struct stale stale = { 0 };

	CHECK(t, stale_open_usual(t, TTMPOOL_COHERENT, &stale));
	CHECK_EQ(t, ttmpool_swapout(&stale.buf->be, 1), 0);
	CHECK_EQ(t, stale.buf->be.tt.state, TTMPOOL_TT_PARTIAL);
	CHECK(t, is_cut_off_at(t, &stale, 0));
	CHECK(t, check_device_holds(t, stale.rig->dev[0], stale.addr[1], BYTE));
	CHECK_EQ(t, ttmpool_drop(&stale.buf->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

static void pages_are_ordinary(struct check *t, enum ttmpool_source source)
{
	struct ttmpool_policy policy = policy_without_coherent(t);
	struct rig_config config = { .policy = &policy };
	struct stale stale = { 0 };

	CHECK(t, stale_open(t, &config, source, &stale));
	CHECK_EQ(t, ttmpool_to_anonymous(&stale.buf->be), 0);
	CHECK(t, is_cut_off(t, &stale));
	CHECK_EQ(t, ttmpool_drop(&stale.buf->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* Pages of an anonymous buffer are out of reach, though the bytes stay in them. */
static void f17_ordinary_pages_are_out_of_reach(struct check *t)
{
	pages_are_ordinary(t, TTMPOOL_PLAIN);
}

/* When a coherent buffer becomes anonymous, its old pages go to the system and are out of
 * reach. */
static void f50_pages_left_for_ordinary_ones_are_out_of_reach(struct check *t)
{
	pages_are_ordinary(t, TTMPOOL_COHERENT);
}

static void pages_are_handed_over(struct check *t, enum ttmpool_source source)
{
	struct ttmpool_policy policy = policy_without_coherent(t);
	struct rig_config config = { .nr_pools = 2, .policy = &policy };
	struct buffer *other;
	struct stale stale = { 0 };

	CHECK(t, stale_open(t, &config, source, &stale));
	other = buffer_open(
		t, stale.rig,
		&(struct buffer_config){ .pool = 1,
					 .num_pages = N,
					 .funcs = funcs_of(source),
					 .caching = TTMPOOL_WRITE_COMBINED });
	CHECK(t, other);
	CHECK_EQ(t, ttmpool_to_anonymous(&stale.buf->be), 0);
	CHECK_EQ(t, ttmpool_handover(&stale.buf->be, &other->be), 0);
	CHECK_EQ(t, ttmpool_to_device(&other->be), 0);
	CHECK(t, check_device_holds(t, stale.rig->dev[1], other->dma_addr[0],
				    BYTE));
	CHECK(t, is_cut_off(t, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&other->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* After a handover to another device, the first device does not reach the pages. */
static void f17_pages_handed_over_are_out_of_reach(struct check *t)
{
	pages_are_handed_over(t, TTMPOOL_PLAIN);
}

/* The same holds for coherent pages. */
static void f50_pages_handed_over_are_out_of_reach(struct check *t)
{
	pages_are_handed_over(t, TTMPOOL_COHERENT);
}

/* Does this buffer have an address that another one had? */
static bool has_address(const struct buffer *buf, tpos_dma_addr_t addr)
{
	for (size_t i = 0; i < N; i++)
		if (buf->dma_addr[i] == addr)
			return true;
	return false;
}

/* An old address either belongs to the other buffer now and reads its bytes, or it is cut
 * off. */
static bool leads_elsewhere(struct check *t, const struct stale *stale,
			    const struct buffer *other)
{
	tpos_device_t *dev = stale->rig->dev[0];
	bool good = true;

	for (int i = 0; i < 2 && info_of(dev).has_iommu; i++)
		good &= has_address(other, stale->addr[i])
				? check_device_holds(t, dev, stale->addr[i],
						     OTHER)
				: check_cut_off(t, dev, stale->addr[i], BYTE);
	return good;
}

static void mappings_are_given_up(struct check *t, enum ttmpool_source source)
{
	unsigned int shift = info_of(check_device(t, 0, 64)).page_shift;
	struct rig_config config = { .mapped_limit = (uint64_t)N << shift };
	struct buffer *other;
	struct stale stale = { 0 };

	CHECK(t, stale_open(t, &config, source, &stale));
	CHECK_EQ(t, ttmpool_unpopulate(&stale.buf->be), 0);
	other = buffer_open(
		t, stale.rig,
		&(struct buffer_config){ .num_pages = N,
					 .funcs = funcs_of(source),
					 .caching = TTMPOOL_UNCACHED });
	CHECK(t, other);
	CHECK_EQ(t, ttmpool_populate(&other->be), 0);
	CHECK_EQ(t, rig_stats(stale.rig).pages_pooled,
		 source == TTMPOOL_PLAIN ? N : 0);
	CHECK(t, buffer_fill(t, other, OTHER));
	CHECK(t, leads_elsewhere(t, &stale, other));
	CHECK_EQ(t, ttmpool_unpopulate(&other->be), 0);
	CHECK(t, rig_close(t, stale.rig));
}

/* A kept mapping that the pool ends to make room for another one is out of reach. */
static void f17_mappings_given_up_are_out_of_reach(struct check *t)
{
	mappings_are_given_up(t, TTMPOOL_PLAIN);
}

/* Coherent pages are released with their mapping, and are out of reach. */
static void f50_mappings_given_up_are_out_of_reach(struct check *t)
{
	mappings_are_given_up(t, TTMPOOL_COHERENT);
}

CHECK_SUITE(stale, CHECK_CASE(f17_pooled_pages_are_out_of_reach),
	    CHECK_CASE(f17_pages_that_are_not_pooled_are_out_of_reach),
	    CHECK_CASE(f17_shrunk_pages_are_out_of_reach),
	    CHECK_CASE(f17_pages_over_the_limit_are_out_of_reach),
	    CHECK_CASE(f17_drained_pages_are_out_of_reach),
	    CHECK_CASE(f17_a_pool_that_ends_leaves_nothing_in_reach),
	    CHECK_CASE(f17_quarantined_pages_are_out_of_reach),
	    CHECK_CASE(f17_swapped_pages_are_out_of_reach),
	    CHECK_CASE(f17_each_part_of_a_buffer_is_out_of_reach),
	    CHECK_CASE(f17_ordinary_pages_are_out_of_reach),
	    CHECK_CASE(f17_pages_handed_over_are_out_of_reach),
	    CHECK_CASE(f17_mappings_given_up_are_out_of_reach),
	    CHECK_CASE(f50_pages_that_are_not_pooled_are_out_of_reach),
	    CHECK_CASE(f50_shrunk_pages_are_out_of_reach),
	    CHECK_CASE(f50_pages_over_the_limit_are_out_of_reach),
	    CHECK_CASE(f50_drained_pages_are_out_of_reach),
	    CHECK_CASE(f50_a_pool_that_ends_leaves_nothing_in_reach),
	    CHECK_CASE(f50_quarantined_pages_are_out_of_reach),
	    CHECK_CASE(f50_swapped_pages_are_out_of_reach),
	    CHECK_CASE(f50_what_has_left_of_a_buffer_is_out_of_reach),
	    CHECK_CASE(f50_pages_left_for_ordinary_ones_are_out_of_reach),
	    CHECK_CASE(f50_pages_handed_over_are_out_of_reach),
	    CHECK_CASE(f50_mappings_given_up_are_out_of_reach));
