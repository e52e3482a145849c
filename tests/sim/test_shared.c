// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * Addresses that a batch shares (tpos_dma_unmap()): addresses of unmapped pages that are
 * still held count towards the limits, and come back with the last page of their batch.
 */

#include "check_cmocka.h"
#include "rig.h"

#define PAGES 16
#define SIZE  4096ull

/* Gives the last page of a batch back when the others have just been unmapped, and notes
 * how much is held then. */
static struct {
	struct ttmpool_pool *pool;
	tpos_page_t *page;
	enum ttmpool_caching caching;
	int err;
	uint64_t held;
} meanwhile;

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);
size_t __real_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy);

size_t __wrap_tpos_dma_unmap(tpos_device_t *dev, struct ttmpool_list *chunks,
			     bool lazy)
{
	size_t back = __real_tpos_dma_unmap(dev, chunks, lazy);
	struct ttmpool_pool *pool = meanwhile.pool;
	struct ttmpool_pool_stats stats;

	if (!pool)
		return back;
	meanwhile.pool = NULL;
	meanwhile.err =
		ttmpool_pool_give(pool, &meanwhile.page, 1, meanwhile.caching);
	ttmpool_pool_stats(pool, &stats);
	meanwhile.held = stats.bytes_held;
	return back;
}

/* A pool of single pages; @limit: how many pages may be mapped, 0 for no limit. */
static struct rig *single_open(struct check *t, size_t limit,
			       struct ttmpool_iova *iova)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.max_order = 0;
	return rig_open(t, &(struct rig_config){ .policy = &policy,
						 .mapped_limit = limit * SIZE,
						 .iova = iova });
}

static const struct ttmpool_request sixteen = {
	.caching = TTMPOOL_WRITE_COMBINED,
	.num_pages = PAGES,
};

static const struct ttmpool_request one = { .caching = TTMPOOL_UNCACHED,
					    .num_pages = 1 };

/* Take 16 pages that are mapped in one batch, and free all but the first. */
static bool all_but_one_go(struct rig *rig, tpos_page_t **pages)
{
	struct ttmpool_pool *pool = &rig->pool[0];
	tpos_dma_addr_t addr[PAGES];

	return !ttmpool_pool_take(pool, &sixteen, pages, addr) &&
	       !ttmpool_pool_give(pool, pages + 1, PAGES - 1,
				  sixteen.caching) &&
	       ttmpool_pool_drain(pool) == PAGES - 1;
}

static bool last_goes(struct rig *rig, tpos_page_t **pages)
{
	return !ttmpool_pool_give(&rig->pool[0], pages, 1, sixteen.caching) &&
	       ttmpool_pool_drain(&rig->pool[0]) == 1;
}

/* Held addresses are counted, count as mapped in the device's budget, and are no longer
 * held when the last page of the batch has gone. */
static void s06_held_addresses_come_back_with_the_last_page(struct check *t)
{
	struct ttmpool_iova iova;
	tpos_page_t *pages[PAGES];
	struct rig *rig;

	CHECK_EQ(t, ttmpool_iova_init(&iova, 0, 0), 0);
	rig = single_open(t, 0, &iova);
	CHECK(t, rig);
	CHECK(t, all_but_one_go(rig, pages));
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, SIZE);
	CHECK_EQ(t, rig_stats(rig).bytes_held, (PAGES - 1) * SIZE);
	CHECK_EQ(t, ttmpool_iova_pages(&iova), PAGES);
	CHECK(t, rig_is_quiet(t, rig));
	CHECK(t, last_goes(rig, pages));
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK_EQ(t, rig_stats(rig).bytes_held, 0);
	CHECK_EQ(t, ttmpool_iova_pages(&iova), 0);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(&iova);
}

/* A batch uses up the limit. Another page gets an address when the last page of the batch
 * has gone. */
static void held_until_the_last_goes(struct check *t, struct rig *rig)
{
	tpos_page_t *pages[PAGES], *more;
	tpos_dma_addr_t addr;

	CHECK(t, all_but_one_go(rig, pages));
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &one, &more, &addr),
		 -ENOSPC);
	CHECK(t, last_goes(rig, pages));
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &one, &more, &addr), 0);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], &more, 1, one.caching), 0);
}

/* If held addresses use up the limit of a pool, further requests are refused until the
 * addresses have come back. */
static void s06_held_addresses_count_for_the_limit_of_a_pool(struct check *t)
{
	struct rig *rig = single_open(t, PAGES, NULL);

	CHECK(t, rig);
	held_until_the_last_goes(t, rig);
	CHECK(t, rig_close(t, rig));
}

/* The same holds for the limit that all pools of a device share. */
static void s06_held_addresses_count_for_the_limit_of_a_device(struct check *t)
{
	struct ttmpool_iova iova;
	struct rig *rig;

	CHECK_EQ(t, ttmpool_iova_init(&iova, PAGES * SIZE, 0), 0);
	rig = single_open(t, 0, &iova);
	CHECK(t, rig);
	held_until_the_last_goes(t, rig);
	CHECK(t, rig_close(t, rig));
	ttmpool_iova_fini(&iova);
}

/* Kept mappings end until the limit has room for the request: if other pages of their
 * batch hold their addresses, more mappings end. */
static void s06_kept_mappings_go_until_addresses_come_back(struct check *t)
{
	struct rig *rig = single_open(t, PAGES, NULL);
	tpos_page_t *pages[PAGES], *more;
	tpos_dma_addr_t addr[PAGES];

	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &sixteen, pages, addr), 0);
	CHECK_EQ(
		t,
		ttmpool_pool_give(&rig->pool[0], pages, PAGES, sixteen.caching),
		0);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &one, &more, addr), 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, SIZE);
	CHECK_EQ(t, rig_stats(rig).bytes_held, 0);
	CHECK_EQ(t, rig_stats(rig).pages_pooled, PAGES);
	CHECK_EQ(t, ttmpool_pool_give(&rig->pool[0], &more, 1, one.caching), 0);
	CHECK(t, rig_close(t, rig));
}

/* The thread that unmaps the last page of a batch may update the counters before the
 * thread that unmapped the others. Then nothing is held, and in the end nothing is
 * mapped. */
static void s06_the_last_page_may_overtake_the_others(struct check *t)
{
	struct ttmpool_policy policy = rig_policy(t);
	tpos_page_t *pages[PAGES];
	tpos_dma_addr_t addr[PAGES];
	struct rig *rig;

	policy.max_order = 0;
	policy.keep_mapped = false;
	rig = rig_open(t, &(struct rig_config){ .policy = &policy });
	CHECK(t, rig);
	CHECK_EQ(t, ttmpool_pool_take(&rig->pool[0], &sixteen, pages, addr), 0);
	meanwhile.pool = &rig->pool[0];
	meanwhile.page = pages[0];
	meanwhile.caching = sixteen.caching;
	meanwhile.held = 1;
	CHECK_EQ(t,
		 ttmpool_pool_give(&rig->pool[0], pages + 1, PAGES - 1,
				   sixteen.caching),
		 0);
	CHECK_EQ(t, meanwhile.err, 0);
	CHECK_EQ(t, meanwhile.held, 0);
	CHECK_EQ(t, rig_stats(rig).bytes_mapped, 0);
	CHECK_EQ(t, rig_stats(rig).bytes_held, 0);
	CHECK(t, rig_close(t, rig));
}

CHECK_SUITE(shared, CHECK_CASE(s06_the_last_page_may_overtake_the_others),
	    CHECK_CASE(s06_held_addresses_come_back_with_the_last_page),
	    CHECK_CASE(s06_held_addresses_count_for_the_limit_of_a_pool),
	    CHECK_CASE(s06_held_addresses_count_for_the_limit_of_a_device),
	    CHECK_CASE(s06_kept_mappings_go_until_addresses_come_back));

int main(int argc, char **argv)
{
	static const struct tpsim_config config = { .iommu = TPSIM_IOMMU_STRICT,
						    .shared_iova = true };

	return check_main(argc, argv, &check_suite_shared, &config);
}
