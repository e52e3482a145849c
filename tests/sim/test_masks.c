// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * A mask that changes on a machine without an IOMMU (f57): with it the device reaches all
 * memory, or only a part of it and the bounce slots.
 */

#include "check_cmocka.h"
#include "rig.h"

#define N     21 /* chunks of 16, 4 and 1 pages */
#define SHORT 28 /* bits: 256 MiB of the machine's 512 */

static struct pages *open_pages(struct check *t, struct rig *rig, size_t n)
{
	return pages_open(
		t, rig,
		&(struct pages_config){ .num_pages = n,
					.caching = TTMPOOL_WRITE_COMBINED });
}

static struct tpsim_ledger ledger_of(struct check *t)
{
	struct tpsim_ledger ledger;

	tpsim_ledger(check_machine(t), &ledger);
	return ledger;
}

static bool device_sees(struct check *t, struct pages *some, unsigned char byte)
{
	if (!pages_fill(t, some, byte))
		return false;
	for (size_t i = 0; i < some->req.num_pages; i++) {
		check_sync(t, some->pool->dev, some->pages[i],
			   some->dma_addr[i]);
		if (!check_device_holds(t, some->pool->dev, some->dma_addr[i],
					byte))
			return false;
	}
	return true;
}

/* When mappings begin to bounce, they are counted, and not kept, because a pooled page
 * must not occupy a slot. */
static void f57_mappings_that_begin_to_bounce_are_not_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, N);
	CHECK(t, some && !pages_cycle(some));
	CHECK_EQ(t, ledger_of(t).mappings, 3);
	check_set_mask(t, rig->dev[0], SHORT);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, pages_take(some), 0);
		CHECK_EQ(t, rig_stats(rig).pages_bounced, N);
		CHECK_EQ(t, ledger_of(t).bounce_slots, 2 * N);
		CHECK(t, device_sees(t, some, 0x5a) && rig_is_quiet(t, rig));
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, rig_stats(rig).pages_bounced, 0);
		CHECK_EQ(t, ledger_of(t).mappings, 0);
	}
	check_set_mask(t, rig->dev[0], 64);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, ledger_of(t).bounce_slots, 0);
	CHECK(t, device_sees(t, some, 0x5a) && rig_is_quiet(t, rig));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for a single chunk. */
static void f57_a_single_mapping_that_bounces_is_not_kept(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, 1);
	CHECK(t, some);
	check_set_mask(t, rig->dev[0], SHORT);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(t, pages_take(some), 0);
		CHECK_EQ(t, rig_stats(rig).pages_bounced, 1);
		CHECK_EQ(t, pages_give(some), 0);
		CHECK_EQ(t, ledger_of(t).bounce_slots, 0);
	}
	CHECK(t, rig_is_quiet(t, rig) && rig_close(t, rig));
}

/* Once mappings bounce, a prime does not map pages in advance. */
static void f57_a_prime_takes_no_slots(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, N);
	CHECK(t, some);
	check_set_mask(t, rig->dev[0], SHORT);
	CHECK_EQ(t, pages_cycle(some), 0);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &some->req, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, 2 * N);
	CHECK_EQ(t, ledger_of(t).mappings, 0);
	CHECK(t, rig_is_quiet(t, rig) && rig_close(t, rig));
}

/* A prime keeps no slots either if its mappings are the first to bounce. */
static void f57_a_first_prime_keeps_no_slots(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, N);
	CHECK(t, some);
	check_set_mask(t, rig->dev[0], SHORT);
	CHECK_EQ(t, ttmpool_pool_prime(&rig->pool[0], &some->req, true), 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, N);
	CHECK_EQ(t, ledger_of(t).bounce_slots, 0);
	CHECK(t, rig_is_quiet(t, rig) && rig_close(t, rig));
}

/* A mapping that bounces has at most 256 KiB: a pooled chunk of 2 MiB is replaced by
 * smaller ones. */
static void f57_large_chunks_bounce_in_pieces(struct check *t)
{
	struct rig *rig = rig_open(t, &(struct rig_config){ 0 });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, 512);
	CHECK(t, some && !pages_cycle(some));
	check_set_mask(t, rig->dev[0], SHORT);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_bounced, 512);
	CHECK(t, device_sees(t, some, 0x5a));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* Pooled pages that are not mapped, and that would bounce now, go to the system, because
 * it may have pages within the mask. */
static void f57_unmapped_pages_beyond_the_mask_go(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	struct pages *some;
	struct rig *rig;

	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	some = open_pages(t, rig, N);
	CHECK(t, some && !pages_cycle(some));
	check_set_mask(t, rig->dev[0], SHORT);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_released, N);
	CHECK_EQ(t, pages_give(some), 0);
	CHECK(t, rig_close(t, rig));
}

/* A pool that was made when mappings bounced has none that bounces once all memory is
 * within the mask; but it does not keep mappings from then on either. */
static void f57_bouncing_ends_with_a_wider_mask(struct check *t)
{
	struct rig *rig =
		rig_open(t, &(struct rig_config){ .mask_bits = SHORT });
	struct pages *some;

	CHECK(t, rig);
	some = open_pages(t, rig, N);
	CHECK(t, some && !pages_take(some));
	CHECK_EQ(t, rig_stats(rig).pages_bounced, N);
	CHECK_EQ(t, pages_give(some), 0);
	check_set_mask(t, rig->dev[0], 64);
	CHECK_EQ(t, pages_take(some), 0);
	CHECK_EQ(t, rig_stats(rig).pages_bounced, 0);
	CHECK_EQ(t, ledger_of(t).bounce_slots, 0);
	CHECK(t, device_sees(t, some, 0x5a) && rig_is_quiet(t, rig));
	CHECK_EQ(t, pages_give(some), 0);
	CHECK_EQ(t, ledger_of(t).mappings, 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(masks, CHECK_CASE(f57_mappings_that_begin_to_bounce_are_not_kept),
	    CHECK_CASE(f57_a_single_mapping_that_bounces_is_not_kept),
	    CHECK_CASE(f57_a_prime_takes_no_slots),
	    CHECK_CASE(f57_a_first_prime_keeps_no_slots),
	    CHECK_CASE(f57_large_chunks_bounce_in_pieces),
	    CHECK_CASE(f57_unmapped_pages_beyond_the_mask_go),
	    CHECK_CASE(f57_bouncing_ends_with_a_wider_mask));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .ram_pages = 131072 };

	return check_main(argc, argv, &check_suite_masks, &config);
}
