// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Buffers of one chunk, which take a short way in and out (lib/pool/single.c): under any
 * policy, the pool counts, keeps, refuses and releases them like all others.
 */

#include "rig.h"

#define LARGEST 4 /* an order */

/* A buffer of one chunk. */
static struct pages *single(struct check *t, struct rig *rig,
			    unsigned int order, struct ttmpool_owner *owner)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = (size_t)1 << order,
					.owner = owner,
					.caching = TTMPOOL_WRITE_COMBINED });
}

/* Do the two snapshots differ by exactly one round of one chunk? */
static bool is_one_round(const struct ttmpool_pool_stats *a,
			 const struct ttmpool_pool_stats *b, size_t pages,
			 bool kept, uint64_t cleared)
{
	return b->takes - a->takes == 1 && b->gives - a->gives == 1 &&
	       b->pages_hit - a->pages_hit == pages &&
	       b->maps_kept - a->maps_kept == kept &&
	       b->bytes_cleared - a->bytes_cleared == cleared &&
	       b->pages_fresh == a->pages_fresh &&
	       b->pages_in_use == a->pages_in_use &&
	       b->pages_pooled == a->pages_pooled;
}

/* A pooled chunk of any order that is taken and given back is counted once each way,
 * whether it was clean or dirty, and is charged to its owner meanwhile. */
static void s06_one_chunk_is_counted_as_many_are(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_pool_stats before, after;
	struct ttmpool_owner owner;
	struct pages *buf;
	unsigned int shift;
	bool kept;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "single");
	kept = rig->pool[0].policy.keep_mapped;
	shift = rig->pool[0].info.page_shift;
	for (unsigned int i = 0; i <= 2 * LARGEST + 1; i++) {
		const size_t pages = (size_t)1 << i / 2;

		buf = single(t, rig, i / 2, &owner);
		CHECK(t, buf);
		CHECK_EQ(t, pages_cycle(buf), 0);
		if (i % 2)
			ttmpool_pool_scrub(&rig->pool[0], SIZE_MAX);
		before = rig_stats(rig);
		CHECK_EQ(t, pages_take(buf), 0);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_IN_USE), pages);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED), pages);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_BOUNCED),
			 rig->pool[0].info.bounces ? pages : 0);
		CHECK(t, pages_hold(t, buf, 0) && rig_is_quiet(t, rig));
		CHECK(t, pages_fill(t, buf, 0x5a));
		CHECK_EQ(t, pages_give(buf), 0);
		after = rig_stats(rig);
		CHECK(t, is_one_round(&before, &after, pages, kept,
				      i % 2 ? 0 : pages << shift));
		ttmpool_pool_drain(&rig->pool[0]);
	}
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* Take four pages without addresses. */
static int take_unmapped(struct rig *rig, struct ttmpool_owner *owner,
			 tpos_page_t **pages)
{
	struct ttmpool_request req = { .caching = TTMPOOL_WRITE_COMBINED,
				       .num_pages = 4,
				       .owner = owner };

	return ttmpool_pool_take(&rig->pool[0], &req, pages, NULL);
}

static int give_four(struct rig *rig, tpos_page_t **pages)
{
	return ttmpool_pool_give(&rig->pool[0], pages, 4,
				 TTMPOOL_WRITE_COMBINED);
}

/* A take without addresses charges no mapping, and counts none as kept. */
static void s06_one_chunk_that_is_not_mapped_is_not_charged_so(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	tpos_page_t *pages[4];

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "single");
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, take_unmapped(rig, &owner, pages), 0);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_IN_USE), 4);
		CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED), 0);
		CHECK_EQ(t, give_four(rig, pages), 0);
	}
	CHECK_EQ(t, rig_stats(rig).pages_hit, 4);
	CHECK_EQ(t, rig_stats(rig).maps_kept, 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* A chunk that is still mapped is charged as mapped even if the request wants no
 * addresses. */
static void s06_one_chunk_that_is_mapped_anyway_is_charged_so(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_owner owner;
	tpos_page_t *pages[4];
	struct pages *buf;

	CHECK(t, rig);
	ttmpool_owner_init(&owner, "single");
	buf = single(t, rig, 2, NULL);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	ttmpool_pool_scrub(&rig->pool[0], SIZE_MAX);
	CHECK_EQ(t, take_unmapped(rig, &owner, pages), 0);
	CHECK_EQ(t, ttmpool_owner_pages(&owner, TTMPOOL_MAPPED),
		 rig->pool[0].policy.keep_mapped ? 4 : 0);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK_EQ(t, give_four(rig, pages), 0);
	CHECK_EQ(t, ttmpool_owner_fini(&owner), 0);
	CHECK(t, rig_close(t, rig));
}

/* A policy that keeps no mappings ends that of a single chunk, too. */
static void
s10_the_mapping_of_one_chunk_ends_where_none_is_kept(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = single(t, rig, 2, NULL);
	CHECK(t, buf);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, pages_cycle(buf), 0);
		CHECK_EQ(t, rig_stats(rig).pages_pooled, 4);
		CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	}
	CHECK(t, rig_close(t, rig));
}

/* A chunk may be as large as the pool limit; a larger one is not pooled. */
static void s06_one_chunk_over_the_pool_limit_is_released(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ .pool_limit = 8 });
	struct pages *fits, *exceeds;

	CHECK(t, rig);
	fits = single(t, rig, 3, NULL);
	exceeds = single(t, rig, 4, NULL);
	CHECK(t, fits && exceeds);
	CHECK_EQ(t, pages_cycle(exceeds), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 0);
	CHECK_EQ(t, rig_stats(rig).pages_released, 16);
	CHECK_EQ(t, pages_cycle(fits), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 8);
	CHECK(t, rig_close(t, rig));
}

/* A chunk that the policy does not recycle is released. */
static void s10_one_chunk_is_released_where_the_policy_says_so(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.recycle[TTMPOOL_PLAIN][TTMPOOL_WRITE_COMBINED] = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = single(t, rig, 2, NULL);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, check_pages_out(t), 0);
	CHECK_EQ(t, rig_stats(rig).gives, 1);
	CHECK(t, rig_close(t, rig));
}

/* The pool hands out no chunk above the largest order of the policy. */
static void
s10_no_single_chunk_is_larger_than_the_policy_has_it(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *buf;
	struct rig *rig;

	policy.max_order = 1;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	buf = single(t, rig, 2, NULL);
	CHECK(t, buf);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t, pages_cycle(buf), 0);
	CHECK_EQ(t,
		 ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN,
				    TTMPOOL_WRITE_COMBINED, 1),
		 2);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(arrays, CHECK_CASE(s06_one_chunk_is_counted_as_many_are),
	    CHECK_CASE(s06_one_chunk_that_is_not_mapped_is_not_charged_so),
	    CHECK_CASE(s06_one_chunk_that_is_mapped_anyway_is_charged_so),
	    CHECK_CASE(s10_the_mapping_of_one_chunk_ends_where_none_is_kept),
	    CHECK_CASE(s06_one_chunk_over_the_pool_limit_is_released),
	    CHECK_CASE(s10_one_chunk_is_released_where_the_policy_says_so),
	    CHECK_CASE(s10_no_single_chunk_is_larger_than_the_policy_has_it));
