// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Large chunks (S10): a buffer for which pages have to be allocated is not put together
 * from small pooled chunks, and a buffer in small pieces becomes whole once the system
 * has large chunks.
 */

#include "check_cmocka.h"
#include "rig_buffer.h"

#define WC    TTMPOOL_WRITE_COMBINED
#define LARGE 512 /* pages of the largest chunk */

static struct pages *take_some(struct check *t, struct rig *rig, size_t n)
{
	struct pages *some = pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = n, .caching = WC });

	return some && !pages_take(some) ? some : NULL;
}

static struct ttmpool_request request(size_t n)
{
	return (struct ttmpool_request){ .caching = WC, .num_pages = n };
}

/* Returns the number of chunks that the pages are in. */
static size_t pieces(const struct pages *some)
{
	size_t n = 0;

	for (size_t i = 0; i < some->req.num_pages; n++)
		i += ttmpool_chunk_pages(
			tpos_page_chunk(some->pool->dev, some->pages[i]));
	return n;
}

/* Pool @n single pages, from memory that has no larger chunks. */
static bool pool_pieces(struct check *t, struct rig *rig, size_t n)
{
	struct ttmpool_request req = request(n);
	int err;

	tpsim_ram_fragment(check_machine(t), 0);
	err = ttmpool_pool_prime(&rig->pool[0], &req, true);
	tpsim_ram_release(check_machine(t));
	return !err &&
	       ttmpool_pool_count(&rig->pool[0], TTMPOOL_PLAIN, WC, 0) == n;
}

/* Fresh chunks are as large as possible, whatever small chunks are pooled; these serve
 * where a small chunk is needed. */
static void s10_what_is_made_is_whole(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig && pool_pieces(t, rig, 300));
	some = take_some(t, rig, LARGE + 1);
	CHECK(t, some);
	CHECK_EQ(t, pieces(some), 2);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 1);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 300 + LARGE);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* If all that is needed is pooled, nothing is allocated. */
static void s10_what_suffices_serves(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig && pool_pieces(t, rig, 16));
	some = take_some(t, rig, 16);
	CHECK(t, some);
	CHECK_EQ(t, pieces(some), 16);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, 16);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* If the system has no large chunks, small pooled ones serve, and only the missing pages
 * are allocated. */
static void s10_pieces_serve_where_nothing_is_whole(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig && pool_pieces(t, rig, 300));
	tpsim_ram_fragment(check_machine(t), 0);
	some = take_some(t, rig, LARGE);
	CHECK(t, some);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 300);
	CHECK_EQ(t, rig_stats(rig).pages_fresh, LARGE);
	CHECK_EQ(t, pages_give(some), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

/* No page goes for the sake of a large chunk: at the budget, small chunks serve. */
static void s10_nobody_pays_for_what_is_whole(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .page_budget = LARGE });
	struct pages *some;

	CHECK(t, rig && pool_pieces(t, rig, 500));
	some = take_some(t, rig, LARGE);
	CHECK(t, some);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 500);
	CHECK_EQ(t, rig_stats(rig).pages_released, 0);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* A pool of a node does the same with its own pages, before it uses another node's. */
static void s10_a_node_is_whole_or_in_pieces(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = { .node = 0, .policy = &policy };
	struct pages *some;

	CHECK(t, rig);
	config.dev = rig->dev[0];
	CHECK_EQ(t, ttmpool_pool_fini(&rig->pool[0]), 0);
	CHECK_EQ(t, ttmpool_pool_init(&rig->pool[0], &rig->mgr, &config), 0);
	CHECK(t, pool_pieces(t, rig, 300));
	ttmpool_manager_set_page_budget(&rig->mgr, LARGE);
	some = take_some(t, rig, LARGE);
	CHECK(t, some);
	CHECK_EQ(t, rig_stats(rig).pages_hit, 300);
	CHECK_EQ(t, rig_stats(rig).pages_released, 0);
	CHECK_EQ(t, pages_give(some), 0);
	ttmpool_manager_set_page_budget(&rig->mgr, TTMPOOL_NO_LIMIT);
	ttmpool_pool_drain(&rig->pool[0]);
	CHECK(t, pool_pieces(t, rig, 300));
	some = take_some(t, rig, LARGE);
	CHECK(t, some);
	CHECK_EQ(t, pieces(some), 1);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* A kind of buffer that becomes whole, and of pool. */
struct kind {
	enum ttmpool_source source;
	bool unmapped;
	bool dma32;
	bool refill;
	bool of_node;
};

static const struct kind kinds[] = {
	{ .source = TTMPOOL_PLAIN },
	{ .source = TTMPOOL_PLAIN, .unmapped = true, .dma32 = true },
	{ .source = TTMPOOL_PLAIN, .refill = true },
	{ .source = TTMPOOL_PLAIN, .of_node = true },
	{ .source = TTMPOOL_COHERENT },
	{ .source = TTMPOOL_COHERENT, .unmapped = true, .dma32 = true },
};

static struct rig *open_kind(struct check *t, const struct kind *kind)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct ttmpool_pool_config config = {
		.policy = &policy,
		.node = kind->of_node ? 0 : TTMPOOL_NODE_ANY,
	};
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });

	policy.dma32 = kind->dma32;
	policy.refill = kind->refill;
	if (!rig || ttmpool_pool_fini(&rig->pool[0]))
		return NULL;
	config.dev = rig->dev[0];
	return ttmpool_pool_init(&rig->pool[0], &rig->mgr, &config) ? NULL
								    : rig;
}

static int take_kind(struct pages *some, const struct kind *kind)
{
	return ttmpool_pool_take(some->pool, &some->req, some->pages,
				 kind->unmapped ? NULL : some->dma_addr);
}

/* A buffer of small pieces that comes and goes becomes whole, by one chunk each time; the
 * pieces that were replaced go to the system. */
static void s10_small_pieces_age_out(struct check *t)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct rig *rig = open_kind(t, &kinds[i]);
		struct pages *some;
		uint64_t fresh;

		CHECK(t, rig);
		some = pages_open(
			t, rig,
			&(struct pages_config){ .num_pages = 2 * LARGE,
						.source = kinds[i].source,
						.caching = WC });
		CHECK(t, some);
		tpsim_ram_fragment(check_machine(t), 0);
		CHECK_EQ(t, take_kind(some, &kinds[i]), 0);
		CHECK_EQ(t, pages_give(some), 0);
		tpsim_ram_release(check_machine(t));
		fresh = rig_stats(rig).pages_fresh;
		for (size_t whole = 1; whole <= 2; whole++) {
			CHECK_EQ(t, take_kind(some, &kinds[i]), 0);
			CHECK_EQ(t, rig_stats(rig).pages_fresh - fresh,
				 whole * LARGE);
			CHECK_EQ(t, pieces(some), (2 - whole) * LARGE + whole);
			CHECK(t, pages_hold(t, some, 0));
			CHECK(t, rig_is_quiet(t, rig));
			CHECK_EQ(t, rig_stats(rig).pages_released,
				 whole * LARGE);
			CHECK_EQ(t, pages_give(some), 0);
		}
		/* One spare page was allocated with the first populate. */
		CHECK_EQ(t, check_pages_out(t), 2 * LARGE + kinds[i].refill);
		CHECK(t, rig_close(t, rig));
	}
}

/* Pieces are not replaced while the system has no large chunk, if the budget or the limit
 * has no room for one beside them, or if the pool was prepared. */
static void s10_pieces_stay_where_they_must(struct check *t)
{
	enum {
		NO_CHUNK,
		NO_PAGES,
		NO_ADDRESSES,
		PREPARED,
		REASONS
	};

	for (int reason = 0; reason < REASONS; reason++) {
		struct rig_config config = { 0 };
		struct ttmpool_request req = request(LARGE);
		struct pages *some;
		struct rig *rig;

		if (reason == NO_PAGES)
			config.page_budget = LARGE;
		if (reason == NO_ADDRESSES)
			config.mapped_limit =
				LARGE * tpsim_page_size(check_machine(t));
		rig = rig_open(t, &config);
		CHECK(t, rig && pool_pieces(t, rig, LARGE));
		if (reason == NO_CHUNK)
			tpsim_ram_fragment(check_machine(t), 0);
		if (reason == PREPARED)
			CHECK_EQ(t, ttmpool_pool_prepare(&rig->pool[0], &req),
				 0);
		some = take_some(t, rig, LARGE);
		CHECK(t, some);
		CHECK_EQ(t, pieces(some), LARGE);
		CHECK_EQ(t, rig_stats(rig).pages_released, 0);
		CHECK_EQ(t, pages_give(some), 0);
		tpsim_ram_release(check_machine(t));
		CHECK(t, rig_close(t, rig));
	}
}

/* A populate does not replace a few pieces at once: fewer than make a large chunk, or
 * only some tens for each. */
static void s10_few_pieces_are_left_alone(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct ttmpool_request req = request(64);
	struct pages *some;

	CHECK(t, rig && pool_pieces(t, rig, LARGE / 2));
	some = take_some(t, rig, LARGE / 2);
	CHECK(t, some);
	CHECK_EQ(t, pieces(some), LARGE / 2);
	CHECK_EQ(t, pages_give(some), 0);
	ttmpool_pool_drain(&rig->pool[0]);
	for (int i = 0; i < 2 * LARGE / 64; i++)
		CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &req, true), 0);
	some = take_some(t, rig, 2 * LARGE);
	CHECK(t, some);
	CHECK_EQ(t, pieces(some), 2 * LARGE / 64);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pieces of any size are replaced in the end, also those of a small buffer: eight or more
 * become one chunk, but only at every sixteenth populate, because the gain is small. */
static void s10_pieces_of_any_size_age_out(struct check *t)
{
	static const struct {
		size_t piece;
		size_t buffer;
	} cases[] = { { 1, 16 }, { 1, 200 }, { 32, LARGE }, { 64, LARGE } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
		struct ttmpool_request req = request(cases[i].piece);
		size_t n = cases[i].buffer / cases[i].piece;
		struct pages *some;

		CHECK(t, rig);
		for (size_t k = 0; k < n; k++)
			CHECK_EQ(t,
				 ttmpool_pool_prime(&rig->pool[0], &req, true),
				 0);
		for (int round = 1; round < 16; round++) {
			some = take_some(t, rig, cases[i].buffer);
			CHECK(t, some);
			CHECK_EQ(t, pieces(some), n);
			CHECK_EQ(t, pages_give(some), 0);
		}
		some = take_some(t, rig, cases[i].buffer);
		CHECK(t, some);
		CHECK_EQ(t, pieces(some), n == 200 ? 1 + 200 - 128 : 1);
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, check_pages_out(t), cases[i].buffer);
		CHECK(t, rig_close(t, rig));
	}
}

/* The system reclaims nothing for a spare chunk. */
static void s10_a_spare_is_made_of_free_pages(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct tpsim_counters before, after;
	struct pages *some;
	struct rig *rig;

	policy.refill = true;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	tpsim_ram_hold(check_machine(t), 0, LARGE);
	tpsim_counters(check_machine(t), &before);
	some = take_some(t, rig, LARGE);
	CHECK(t, some);
	tpsim_counters(check_machine(t), &after);
	CHECK_EQ(t, after.shrinks, before.shrinks);
	CHECK_EQ(t, pages_give(some), 0);
	tpsim_ram_release(check_machine(t));
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(whole, CHECK_CASE(s10_what_is_made_is_whole),
	    CHECK_CASE(s10_what_suffices_serves),
	    CHECK_CASE(s10_pieces_serve_where_nothing_is_whole),
	    CHECK_CASE(s10_nobody_pays_for_what_is_whole),
	    CHECK_CASE(s10_a_node_is_whole_or_in_pieces),
	    CHECK_CASE(s10_small_pieces_age_out),
	    CHECK_CASE(s10_pieces_stay_where_they_must),
	    CHECK_CASE(s10_few_pieces_are_left_alone),
	    CHECK_CASE(s10_pieces_of_any_size_age_out),
	    CHECK_CASE(s10_a_spare_is_made_of_free_pages));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .ram_pages = 32768 };

	return check_main(argc, argv, &check_suite_whole, &config);
}
