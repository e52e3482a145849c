// SPDX-License-Identifier: GPL-2.0 OR MIT
/*
 * How many invalidations of the IOMMU it takes to give up 8 MiB of single pages that were
 * mapped in one batch (T10 in docs/performance.md), as counted in the kernel. If the
 * batch shares its addresses, these are few; otherwise they are only counted.
 */

#include <linux/atomic.h>
#include <linux/kprobes.h>

#include "rig_buffer.h"
#include "shares.h"

#define PAGES  ((8 << 20) >> PAGE_SHIFT)
#define IN_USE (PAGES / 2 - 24) /* a page in the middle that stays in use */

static atomic_long_t invalidations;

static int count_invalidation(struct kprobe *probe, struct pt_regs *regs)
{
	atomic_long_inc(&invalidations);
	return 0;
}

/* One call of these functions is one wait for the IOMMU, in the drivers of VT-d, of
 * AMD-Vi, and of Arm's SMMU. */
static struct kprobe probes[] = {
	{ .symbol_name = "qi_submit_sync", .pre_handler = count_invalidation },
	{ .symbol_name = "amd_iommu_iotlb_sync",
	  .pre_handler = count_invalidation },
	{ .symbol_name = "amd_iommu_flush_iotlb_all",
	  .pre_handler = count_invalidation },
	{ .symbol_name = "arm_smmu_cmdq_issue_cmdlist",
	  .pre_handler = count_invalidation },
};

/* Returns how many of these probes could be placed. */
static int counting_begin(void)
{
	int placed = 0;

	for (int i = 0; i < ARRAY_SIZE(probes); i++) {
		probes[i].addr = NULL;
		probes[i].flags = 0;
		if (register_kprobe(&probes[i]))
			probes[i].addr = NULL;
		else
			placed++;
	}
	atomic_long_set(&invalidations, 0);
	return placed;
}

static long counting_end(void)
{
	for (int i = 0; i < ARRAY_SIZE(probes); i++)
		if (probes[i].addr)
			unregister_kprobe(&probes[i]);
	return atomic_long_read(&invalidations);
}

/* Returns the number of invalidations of a drain of the first pool; -1 if they are not
 * counted. */
static long drain_counted(struct rig *rig, size_t *pages)
{
	int placed = counting_begin();
	long n;

	*pages = ttmpool_pool_drain(&rig->pool[0]);
	n = counting_end();
	return placed ? n : -1;
}

/**
 * struct single - 8 MiB in single pages that were mapped in one batch
 * @rig: the pages come from its first pool
 * @req: the request for them
 * @pages, @dma_addr: an entry for each page
 */
struct single {
	struct rig *rig;
	struct ttmpool_request req;
	struct page **pages;
	dma_addr_t *dma_addr;
};

static bool single_open(struct check *t, struct single *single)
{
	struct ttmpool_policy policy = rig_policy(t);

	policy.max_order = 0;
	*single = (struct single){
		.rig = rig_open(t, &(struct rig_config){ .policy = &policy }),
		.req = { .caching = TTMPOOL_WRITE_COMBINED,
			 .num_pages = PAGES },
		.pages = check_zalloc(t, PAGES * sizeof(struct page *)),
		.dma_addr = check_zalloc(t, PAGES * sizeof(dma_addr_t)),
	};
	return single->rig && single->pages && single->dma_addr &&
	       !ttmpool_pool_take(&single->rig->pool[0], &single->req,
				  single->pages, single->dma_addr);
}

static int give(struct single *single, size_t first, size_t n)
{
	return ttmpool_pool_give(&single->rig->pool[0], single->pages + first,
				 n, single->req.caching);
}

/* The most invalidations that are acceptable for so many pages. In lazy mode one serves
 * many pages, wherever they are; how many depends on how often the timer of the flush
 * queue fires meanwhile. */
static long most_of(struct device *dev, size_t pages, long shared)
{
	if (shares(dev))
		return shared;
	return is_lazy(dev) ? (long)pages / 4 : LONG_MAX;
}

/* Drain the pool; if addresses are shared, that takes at most @most invalidations. The
 * number is printed in any case, for docs/performance.md. */
static bool drain_takes(struct check *t, struct single *single, size_t pages,
			long most)
{
	struct device *dev = single->rig->dev[0];
	size_t drained;
	long n = drain_counted(single->rig, &drained);

	if (translates(t, dev))
		pr_info("iova: %zu pages, %ld invalidations\n", drained, n);
	if (drained != pages || n > most_of(dev, pages, most))
		return false;
	/* If none was counted although there must be some, the probes do not work. */
	return !IS_ENABLED(CONFIG_KPROBES) || !has_iommu(dev) || n > 0;
}

/* The whole batch goes in runs as long as a slice of a reclaim. */
static void a_batch_ends_by_few_invalidations(struct check *t)
{
	struct single single;

	CHECK(t, single_open(t, &single));
	CHECK_EQ(t, give(&single, 0, PAGES), 0);
	CHECK(t, drain_takes(t, &single, PAGES, 3));
	CHECK(t, rig_close(t, single.rig));
}

/* One page that is still in use only divides a run in two; until it goes, it holds the
 * addresses of all. */
static void a_page_in_use_costs_one_invalidation(struct check *t)
{
	struct single single;

	CHECK(t, single_open(t, &single));
	CHECK_EQ(t, give(&single, 0, IN_USE), 0);
	CHECK_EQ(t, give(&single, IN_USE + 1, PAGES - IN_USE - 1), 0);
	CHECK(t, drain_takes(t, &single, PAGES - 1, 3));
	if (shares(single.rig->dev[0])) {
		CHECK_EQ(t, rig_stats(single.rig).bytes_mapped, PAGE_SIZE);
		CHECK_EQ(t, rig_stats(single.rig).bytes_held,
			 (PAGES - 1) << PAGE_SHIFT);
	}
	CHECK_EQ(t, give(&single, IN_USE, 1), 0);
	ttmpool_pool_drain(&single.rig->pool[0]);
	CHECK_EQ(t, rig_stats(single.rig).bytes_held, 0);
	CHECK(t, rig_close(t, single.rig));
}

/* If no two pages are neighbours, each costs one invalidation, as it would alone. */
static void scattered_pages_cost_an_invalidation_each(struct check *t)
{
	struct single single;

	CHECK(t, single_open(t, &single));
	for (size_t i = 0; i < PAGES; i += 2)
		CHECK_EQ(t, give(&single, i, 1), 0);
	CHECK(t, drain_takes(t, &single, PAGES / 2, PAGES / 2));
	for (size_t i = 1; i < PAGES; i += 2)
		CHECK_EQ(t, give(&single, i, 1), 0);
	CHECK(t, rig_close(t, single.rig));
}

/* Neighbouring pages leave in one run, in whatever order they were given back. */
static void the_order_of_a_batch_does_not_matter(struct check *t)
{
	struct single single;

	CHECK(t, single_open(t, &single));
	for (size_t i = 0; i < PAGES / 4; i++)
		CHECK_EQ(t, give(&single, i * 37 % (PAGES / 4), 1), 0);
	CHECK(t, drain_takes(t, &single, PAGES / 4, 1));
	CHECK_EQ(t, give(&single, PAGES / 4, PAGES - PAGES / 4), 0);
	CHECK(t, rig_close(t, single.rig));
}

CHECK_SUITE(linux_invalidations, CHECK_CASE(a_batch_ends_by_few_invalidations),
	    CHECK_CASE(a_page_in_use_costs_one_invalidation),
	    CHECK_CASE(scattered_pages_cost_an_invalidation_each),
	    CHECK_CASE(the_order_of_a_batch_does_not_matter));
